"""What OpenAI-compatible servers answer: replies, and faults, which say the same in many ways."""

from __future__ import annotations

import json
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from time import time
from typing import Any, NamedTuple, cast

import msgspec
import regex

PARTLY_READ = "the server read only a part of the prompt"
FILTERED = "the server's content filter"
DECLINED = "the model declines to answer"

_SHOWN_CHARS = 200
# vLLM, OpenAI and Azure, llama.cpp, Ollama, TGI, SGLang, Anthropic and others that translate for them.
_TOO_LONG = regex.compile(
    r"context[ _](?:length|size|window)|exceed_context_size|maximum (?:model|input|prompt) length|reduce the length"
    r"|longer than the (?:maximum|model)|(?:prompt|input|request) is too long|too many (?:input )?tokens"
    r"|string_above_max_length|must have less than \d+ tokens"
    r"|exceeds? the (?:maximum|available)(?: allowed)? (?:number of )?(?:input )?(?:tokens|context)",
    regex.IGNORECASE,
)
_TOO_LARGE = regex.compile(r"request too large", regex.IGNORECASE)
_FILTER = regex.compile(
    r"content[_ ]?(?:filter|policy|management)|moderation|safety system|flagged|data_inspection_failed|sensitive",
    regex.IGNORECASE,
)
_NO_CREDIT = regex.compile(
    r"insufficient_quota|insufficient (?:balance|credit|funds)|billing|exceeded your current quota"
)
_UNSUPPORTED = regex.compile(r"unsupported|not supported|does not support|unrecognized|only the default|deprecated")
_MOST = regex.compile(r"maximum (?:context|model) length (?:of|is)(?: only)? (\d+)")
_GIVEN = regex.compile(
    r"(\d+) (?:tokens )?(?:in the (?:messages|prompt|input)|(?:input|prompt) tokens)"
    r"|prompt contains (?:at least )?(\d+)"
)
# Models that think put what they thought before the answer, where the server does not take it out.
_THOUGHT = regex.compile(r"^\s*<(think|thinking|reasoning)>.*?</\1>\s*", regex.DOTALL)


class _Part(msgspec.Struct):
    text: str = ""


class _Message(msgspec.Struct):
    content: str | list[_Part] | None = None
    refusal: str | None = None


class _Choice(msgspec.Struct):
    message: _Message
    finish_reason: str | None = None


class _Usage(msgspec.Struct):
    prompt_tokens: int | None = None
    completion_tokens: int | None = None


class _TokenProb(msgspec.Struct):
    logprob: float


class Reply(msgspec.Struct):
    """What of a reply is read; `prompt_logprobs` has for each token of the prompt log-probabilities by id, its own
    first, and none for the first token."""

    choices: list[_Choice] = msgspec.field(default_factory=list[_Choice])
    usage: _Usage | None = None
    prompt_logprobs: list[dict[str, _TokenProb] | None] | None = None
    prompt_token_ids: list[int] | None = None

    @property
    def text(self) -> str:
        """The answer, without what a model that thinks wrote before it."""
        content = self.choices[0].message.content or ""
        whole = content if isinstance(content, str) else "".join(part.text for part in content)
        return _THOUGHT.sub("", whole, count=1)

    @property
    def refusal(self) -> str:
        """Why there is no answer; empty where there is one."""
        if self.choices[0].finish_reason == "content_filter":
            return FILTERED
        return DECLINED if self.choices[0].message.refusal else ""

    @property
    def cut(self) -> bool:
        """Whether the answer ended at the limit of tokens."""
        return self.choices[0].finish_reason in ("length", "max_tokens", "model_length")

    @property
    def prompt(self) -> list[tuple[str, float]] | None:
        """The tokens of the prompt but the first, each with its log-probability; None where the server gives none."""
        if self.prompt_logprobs is None:
            return None
        ids = self.prompt_token_ids or [None] * len(self.prompt_logprobs)
        found: list[tuple[str, float]] = []
        for id, row in zip(ids, self.prompt_logprobs, strict=False):
            if row:
                key = next(iter(row)) if id is None or str(id) not in row else str(id)
                found.append((key, row[key].logprob))
        return found

    @property
    def prompt_tokens(self) -> int:
        return (self.usage and self.usage.prompt_tokens) or 0

    @property
    def answer_tokens(self) -> int:
        return (self.usage and self.usage.completion_tokens) or 0


class Fault(NamedTuple):
    """What a server says is wrong, as far as it says anything.

    Attributes:
        status: of HTTP.
        code: what it names the fault, `context_length_exceeded` or some other word.
        param: which parameter it is about.
        message: the fault in words.
    """

    status: int
    code: str = ""
    param: str = ""
    message: str = ""

    @property
    def too_long(self) -> bool:
        """Whether the prompt, with the answer that is asked for, is longer than the context."""
        # A request may be larger than what the account may send in a minute.
        return bool((_TOO_LARGE if self.throttled else _TOO_LONG).search(self._said))

    @property
    def filtered(self) -> bool:
        return self.status not in (401, 429) and bool(_FILTER.search(self._said))

    @property
    def throttled(self) -> bool:
        return self.status == 429

    @property
    def no_credit(self) -> bool:
        return self.status == 402 or (self.throttled and bool(_NO_CREDIT.search(self._said)))

    @property
    def unsupported(self) -> bool:
        """Whether a parameter of the request is not known, or cannot have its value."""
        return bool(_UNSUPPORTED.search(self._said.casefold()))

    @property
    def room(self) -> int | None:
        """How many tokens of answer the context has room for; None where the server does not say."""
        most, given = _MOST.search(self.message), _GIVEN.search(self.message)
        return int(most[1]) - int(given[1] or given[2]) if most and given else None

    @property
    def short(self) -> str:
        """The fault in a word or two, the same for all examples that have it."""
        return self.code if regex.fullmatch(r"[A-Za-z][\w.-]{2,40}", self.code) else f"HTTP {self.status}"

    def __str__(self) -> str:
        return f"HTTP {self.status}" + (f": {shortened(self.message)}" if self.message else "")

    @property
    def _said(self) -> str:
        return f"{self.code} {self.message}"


class Garbage(Exception):
    """A reply is not what an OpenAI-compatible server sends."""


_reply = msgspec.json.Decoder(Reply)


def read(body: bytes) -> Reply | Fault:
    """Read a reply that came with status 200; some servers say with it that they failed.

    Raises:
        Garbage: it is neither.
    """
    try:
        found = _reply.decode(body)
    except (msgspec.DecodeError, msgspec.ValidationError, UnicodeDecodeError) as error:
        raise Garbage(shortened(body.decode("utf-8", "replace")) or "nothing") from error
    if found.choices:
        return found
    fault = read_fault(200, body)
    if not (fault.message or fault.code):
        raise Garbage(shortened(body.decode("utf-8", "replace")))
    return fault


def read_fault(status: int, body: bytes) -> Fault:
    """Read what a server says is wrong; of what is no JSON, the text. Under status 200 it may name another one."""
    try:
        said: Any = json.loads(body)
    except ValueError:
        return Fault(status, message=shortened(regex.sub(r"<[^>]*>", " ", body.decode("utf-8", "replace"))))
    if not isinstance(said, dict):
        return Fault(status, message=shortened(str(said)))
    given = cast(dict[str, Any], said)
    inner: Any = given.get("error", given)
    if not isinstance(inner, dict):
        return Fault(status, message=str(inner))
    parts = cast(dict[str, Any], inner)
    # The code may be the number of the status; then the type says more.
    named = [str(parts[key]) for key in ("code", "type") if parts.get(key)]
    code = next((name for name in named if not name.isdecimal()), "")
    number = next((int(name) for name in named if regex.fullmatch(r"[45]\d\d", name)), 500)
    message = parts.get("message") or parts.get("detail") or ""
    return Fault(number if status == 200 else status, code, str(parts.get("param") or ""), str(message))


def wait_of(headers: Mapping[str, str]) -> float | None:
    """Return how many seconds a server asks to wait (RFC 9110, Retry-After, and OpenAI's in milliseconds)."""
    for name, unit in (("retry-after-ms", 1e-3), ("retry-after", 1.0)):
        given = headers.get(name, "").strip()
        if regex.fullmatch(r"\d+(?:\.\d+)?", given):
            return float(given) * unit
    try:
        return max(0.0, parsedate_to_datetime(headers.get("retry-after", "")).timestamp() - time())
    except (TypeError, ValueError):
        return None


def shortened(text: str) -> str:
    """Return a text on one line, of a length that can be shown."""
    line = " ".join(text.split())
    return line if len(line) <= _SHOWN_CHARS else f"{line[:_SHOWN_CHARS]} ..."
