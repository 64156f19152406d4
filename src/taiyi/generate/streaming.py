"""An answer of a server in pieces as they come: server-sent events, as OpenAI's API has them."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, cast

import httpx2
import msgspec

from taiyi.endpoint import EndpointSettings
from taiyi.errors import ModelError
from taiyi.generate.replies import ADAPTED, LIMITS, read_fault, shortened
from taiyi.text import HALF_PAIR


def stream(
    url: str, settings: EndpointSettings, messages: Sequence[Mapping[str, str]], *, max_tokens: int
) -> Iterator[str]:
    """Yield the answer to a dialogue in pieces.

    Raises:
        ModelError: the server does not answer, or the dialogue is no text.
    """
    key = os.environ.get(settings.key_env, "").strip()
    said: dict[str, Any] = {"model": settings.model, "messages": messages, LIMITS[0]: max_tokens, "stream": True}
    if settings.temperature is not None:
        said["temperature"] = settings.temperature
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    try:
        while True:
            with httpx2.stream(
                "POST",
                f"{url}/chat/completions",
                json=said | settings.extra,
                headers=headers,
                timeout=settings.timeout_s,
            ) as response:
                if response.status_code == 200:
                    for line in response.iter_lines():
                        event = line.removeprefix("data:").strip()
                        if line.startswith("data:") and event != "[DONE]":
                            yield _piece(event, url)
                    return
                fault = read_fault(response.status_code, response.read())
            # As of the requests of an evaluation, each at most once.
            name = fault.rejects([name for name in ADAPTED if name in said and name not in settings.extra])
            if not name:
                got = str(fault)
                raise ModelError("the server does not answer", where=url, got=got.replace(key, "***") if key else got)
            del said[name]
            if name == LIMITS[0]:
                said[LIMITS[1]] = max_tokens
    except UnicodeEncodeError as error:
        raise ModelError(HALF_PAIR) from error
    except httpx2.HTTPError as error:
        raise ModelError(
            "the server does not answer", where=url, got=shortened(str(error)) or type(error).__name__
        ) from error


def _piece(event: str, url: str) -> str:
    try:
        choices: list[Any] = msgspec.json.decode(event)["choices"]
        return cast(str, choices[0]["delta"].get("content") or "") if choices else ""
    except (msgspec.DecodeError, LookupError, TypeError, AttributeError) as error:
        raise ModelError("what the server sends is no answer", where=url, got=shortened(event)) from error
