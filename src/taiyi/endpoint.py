"""Where a model is asked that is not in this process: the address of an OpenAI-compatible server, and how it is asked.

Nothing here imports torch or a client: recipes are read at start-up.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, model_validator

from taiyi.errors import Misfit, ModelError

Server = Literal["vllm", "sglang", "llama.cpp"]
"""A server that keeps to a grammar:

- `vllm`: version 0.12 or later, best with `--structured-outputs-config.backend guidance`; its default, `auto`, comes to
  that backend once xgrammar has refused the grammar.
- `sglang`: started with `--grammar-backend llguidance`.
- `llama.cpp`: built with `-DLLAMA_LLGUIDANCE=ON`; one that is not ends when it is sent a grammar.
"""

KEY_ENV = "OPENAI_API_KEY"
_ASKED_AT = ("/chat/completions", "/completions", "/models")


class EndpointSettings(BaseModel):
    """How a model is asked whose `base` is the address of a server."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True, allow_inf_nan=False)

    model: str = ""
    """Its name there, such as `gpt-4o-mini`."""
    key_env: Annotated[str, Field(min_length=1)] = KEY_ENV
    """Name of the environment variable that holds the key, where the server asks for one. The key itself stands in no
    recipe, and is written nowhere."""
    concurrency: Annotated[int, Field(ge=1)] = 8
    """How many requests are under way at a time."""
    requests_per_minute: Annotated[float, Field(gt=0)] | None = None
    """How many requests are sent a minute at most, evenly; no limit if not given."""
    tokens_per_minute: Annotated[float, Field(gt=0)] | None = None
    """How many tokens are asked for a minute at most, prompts and answers; no limit if not given."""
    timeout_s: Annotated[float, Field(gt=0)] = 300.0
    """How many seconds an answer may take."""
    attempts: Annotated[int, Field(ge=1)] = 6
    """How often a request is sent before the server counts as down, or the example as one that it cannot answer. One
    that is to slow down is also given three minutes without any answer."""
    temperature: Annotated[float, Field(ge=0)] | None = 0.0
    """The temperature of the answers; the server's own under null."""
    extra: dict[str, Any] = Field(default_factory=dict[str, Any])
    """What else each request says, such as `{chat_template_kwargs: {enable_thinking: false}}`."""
    server: Server | None = None
    """What serves the model: these keep answers to the grammar of their form, where `constrained` asks for it. Of
    others, and where none is given, answers are not held to anything."""
    tokenizer: str = ""
    """The model's tokenizer, as a folder or an id of the hub: prompts are then counted exactly, so that costs are known
    and a server that cuts prompts in silence is found out. Without it tokens are estimated from characters."""
    price_in: Annotated[float, Field(ge=0)] | None = None
    """What a million tokens of prompts costs."""
    price_out: Annotated[float, Field(ge=0)] | None = None
    """What a million tokens of answers costs."""
    max_cost: Annotated[float, Field(ge=0)] | None = None
    """Nothing is sent where the answers might cost more, and the run stops when they have; both prices are needed."""

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.max_cost is not None and (self.price_in is None or self.price_out is None):
            raise Misfit(
                "costs are known where both prices are",
                "max_cost",
                got=str(self.max_cost),
                expected="price_in and price_out beside it",
            )
        return self


def base_url(address: str) -> str:
    """Return the address below which a server is asked, as it may be shown and kept: `http://host:8000/v1`.

    What a user copies from a page of documentation may be the server alone, or the full address of a request.

    Raises:
        ModelError: it is none, or holds more than an address, such as a key.
    """
    try:
        parts = urlsplit(address)
        shown = f"{parts.scheme}://{parts.hostname}{f':{parts.port}' if parts.port else ''}{parts.path}"
    except ValueError as error:
        raise ModelError(f"not an address: {error}", expected="such as http://localhost:8000/v1") from error
    if not parts.hostname:
        raise ModelError("not an address: it names no server", expected="such as http://localhost:8000/v1")
    if parts.username or parts.password or parts.query or parts.fragment:
        raise ModelError(
            "an address stands in manifests and logs, and is to hold nothing else, such as a key",
            where=shown,
            expected="the address alone",
            mend="put the key into an environment variable and name it with --key-env, and other parameters into "
            "`extra` of a recipe",
        )
    path = parts.path.rstrip("/")
    for ending in _ASKED_AT:
        path = path.removesuffix(ending)
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    return f"{parts.scheme}://{host}{f':{parts.port}' if parts.port else ''}{path or '/v1'}"


def identity(address: str, settings: EndpointSettings) -> dict[str, Any]:
    """Return what tells the answers of a model behind an address from others; not how fast, or with which key."""
    return {
        "address": base_url(address),
        "model": settings.model,
        "temperature": settings.temperature,
        "extra": settings.extra,
        "server": settings.server,
    }
