"""How a server serves: where it listens, who may ask, and how much."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, SecretStr

LOOPBACK = ("127.0.0.1", "::1", "localhost")
"""Names of this machine by which none but itself can reach it."""

# A character takes up to twelve bytes where JSON escapes it.
_BYTES_PER_CHAR = 12
_MORE_BYTES = 1 << 16


class ServeSettings(BaseModel):
    """How a server serves."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True, allow_inf_nan=False)

    host: str = "127.0.0.1"
    """The address that is listened at; none but this machine reaches the default."""
    port: Annotated[int, Field(ge=0, le=65535)] = 8080
    """The port; under 0 any that is free."""
    name: str = ""
    """What the model is called in `/v1/models` and chat; else as it was asked for."""
    keys: tuple[SecretStr, ...] = ()
    """Who asks sends one of these as `Authorization: Bearer KEY`; without any, everybody may ask."""
    cors_origins: tuple[str, ...] = ()
    """Origins whose pages may ask from a browser, such as `https://example.org`; `*` is all of them."""
    max_chars: Annotated[int, Field(ge=1)] = 100_000
    """How many characters the texts of a request have at most, together."""
    max_requests: Annotated[int, Field(ge=1)] = 256
    """How many requests are answered or wait at a time; those beyond are told to come again."""
    rate: Annotated[float, Field(gt=0)] | None = None
    """How many requests a minute a key may send, or without keys an address; no limit if not given."""
    timeout_s: Annotated[float, Field(gt=0)] = 60.0
    """How many seconds an answer may take, or the next piece of one that is streamed; and, at the end, what is still
    under way."""

    @property
    def max_bytes(self) -> int:
        """How many bytes the body of a request has at most."""
        return self.max_chars * _BYTES_PER_CHAR + _MORE_BYTES

    @property
    def local(self) -> bool:
        """Whether this machine alone is meant to ask: no page of a site may then, by a name that leads here."""
        return self.host in LOOPBACK and not self.keys
