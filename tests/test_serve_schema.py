"""What the server says of itself in OpenAPI is so: schemathesis asks all that it describes, and what it forbids."""

from __future__ import annotations

import os
from typing import Any

import pytest
import schemathesis
from fastapi import FastAPI
from fastapi.testclient import TestClient
from hypothesis import HealthCheck, given, settings
from schemathesis.specs.openapi.checks import positive_data_acceptance

from serving import echo
from taiyi.serve.app import app
from taiyi.serve.settings import ServeSettings

# What is left is found by hundreds of them.
EXAMPLES = 400 if os.environ.get("TAIYI_WHOLE") else 6
HEADERS = {"Authorization": "Bearer right"}


def made() -> FastAPI:
    return app(echo()[0], ServeSettings(name="echo", keys=("right",), timeout_s=20))  # pyright: ignore


DESCRIBED: dict[str, Any] = made().openapi()
OPERATIONS = [(path, method) for path, methods in DESCRIBED["paths"].items() for method in methods]
POSTED = [path for path, method in OPERATIONS if method == "post"]


@pytest.fixture(scope="module")
def schema() -> Any:
    return schemathesis.openapi.from_asgi("/openapi.json", made())


@pytest.mark.parametrize(
    ("path", "method", "mode"), [(*one, "positive") for one in OPERATIONS] + [(p, "post", "negative") for p in POSTED]
)
def test_the_description_is_right(schema: Any, path: str, method: str, mode: str) -> None:
    operation = schema[path][method.upper()]

    @settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))
    @given(operation.as_strategy(generation_mode=schemathesis.GenerationMode(mode)))
    def check(case: Any) -> None:
        # What a model did not learn is no fault of the shape of a request.
        case.call_and_validate(headers=HEADERS, excluded_checks=[positive_data_acceptance])

    check()


def test_everything_is_described_and_requests_have_examples() -> None:
    found = DESCRIBED
    for path, methods in found["paths"].items():
        for method, operation in methods.items():
            assert operation["summary"] and operation["description"], (path, method)
            if method == "post":
                name = operation["requestBody"]["content"]["application/json"]["schema"]["$ref"].split("/")[-1]
                assert found["components"]["schemas"][name]["examples"], name
                assert {"400", "401", "413", "422", "429", "503", "504"} <= operation["responses"].keys()
    for name, shape in found["components"]["schemas"].items():
        assert shape.get("description"), name
        for field, about in shape.get("properties", {}).items():
            assert "description" in about or "const" in about or name in KNOWN_TO_ALL, f"{name}.{field}"
    assert "HTTPValidationError" not in found["components"]["schemas"], "errors have one shape"


KNOWN_TO_ALL = {"ErrorBody", "ChatChoice", "Usage", "Completion", "ModelCard", "ModelList", "State"}
"""Their fields are OpenAI's, or say all by their names."""


def test_examples_are_answered() -> None:
    found = DESCRIBED
    with TestClient(made(), headers=HEADERS) as client:
        for path, methods in found["paths"].items():
            if "post" not in methods:
                continue
            name = methods["post"]["requestBody"]["content"]["application/json"]["schema"]["$ref"].split("/")[-1]
            [example] = found["components"]["schemas"][name]["examples"]
            response = client.post(path, json=example | ({"model": "echo"} if "messages" in example else {}))
            code = response.json().get("error", {}).get("code")
            assert response.status_code == 200 or code == "no_terms", response.text
