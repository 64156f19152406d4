"""What OpenAI-compatible servers answer: replies, and faults, which say the same in many ways."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from email.utils import parsedate_to_datetime
from time import time
from typing import Any, NamedTuple, cast

import msgspec
import regex

PARTLY_READ = "the server read only a part of the prompt"
FILTERED = "the server's content filter"
DECLINED = "the model declines to answer"

LIMITS = ("max_tokens", "max_completion_tokens")
"""How the longest answer is named, at first and by models that do not take that."""
ADAPTED = (LIMITS[0], "temperature")
"""Parameters that some models do not take."""

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
    r"content[_ ]?(?:filter|policy|management)|moderation|safety system|flagged|data_?inspection"
    r"|sensitive (?:content|information|word)",
    regex.IGNORECASE,
)
_NO_CREDIT = regex.compile(
    r"insufficient_quota|insufficient (?:balance|credit|funds)|balance is insufficient|exceeded your current quota"
    r"|arrearage|suspended",
    regex.IGNORECASE,
)
# OpenAI's, and Google's, which tells of the account's plan where a minute's requests are spent.
_THROTTLED = ("rate_limit_exceeded", "RESOURCE_EXHAUSTED")
_UNSUPPORTED = regex.compile(r"unsupported|not supported|does not support|unrecognized|only the default|deprecated")
_MOST = regex.compile(r"maximum (?:context|model) length (?:of|is)(?: only)? (\d+)")
_GIVEN = regex.compile(
    r"(\d+) (?:tokens )?(?:in the (?:messages|prompt|input)|(?:input|prompt) tokens)"
    r"|prompt contains (?:at least )?(\d+)"
)
_WAIT = regex.compile(
    r"(?:try again|retry) in (?:(\d+)h)?(?:(\d+)m(?!s))?(?:(\d+(?:\.\d+)?) ?(ms|s))?", regex.IGNORECASE
)
# Models that think put what they thought before the answer, where the server does not take it out; its opening tag may
# stand in the prompt.
_THOUGHT = regex.compile(
    r"^\s*<(think|thinking|reasoning)>.*?</\1>\s*"
    r"|^(?:(?!<(?:think|thinking|reasoning)>).)*?</(?:think|thinking|reasoning)>\s*",
    regex.DOTALL,
)
_CUT_THOUGHT = regex.compile(r"^\s*<(?:think|thinking|reasoning)>")
# OpenRouter, vLLM and SGLang, DeepSeek, GLM.
_INTERRUPTED = ("error", "abort", "insufficient_system_resource", "network_error")


class _Part(msgspec.Struct):
    text: str = ""


class _Message(msgspec.Struct):
    content: str | list[_Part] | None = None
    refusal: str | None = None


class _Choice(msgspec.Struct):
    message: _Message
    finish_reason: str | None = None
    error: Any = None


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
        answer = _THOUGHT.sub("", whole, count=1)
        return "" if self.cut and _CUT_THOUGHT.match(answer) else answer

    @property
    def refusal(self) -> str:
        """Why there is no answer; empty where there is one."""
        if self.choices[0].finish_reason in ("content_filter", "sensitive"):
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
        wait_s: how long it asks to wait.
    """

    status: int
    code: str = ""
    param: str = ""
    message: str = ""
    wait_s: float | None = None

    @property
    def too_long(self) -> bool:
        """Whether the prompt, with the answer that is asked for, is longer than the context."""
        # A request may be larger than what the account may send in a minute.
        return bool((_TOO_LARGE if self.throttled else _TOO_LONG).search(self._said))

    @property
    def filtered(self) -> bool:
        # What fails in a server may say anything; a name that it gives the fault is meant.
        return self.status not in (401, 429) and bool(_FILTER.search(self._said if self.status < 500 else self.code))

    @property
    def throttled(self) -> bool:
        return self.status == 429

    @property
    def no_credit(self) -> bool:
        if self.throttled and (self.wait_s is not None or self.code in _THROTTLED):
            return self.code == "insufficient_quota"
        return self.status == 402 or (self.status in (403, 429) and bool(_NO_CREDIT.search(self._said)))

    @property
    def unsupported(self) -> bool:
        """Whether a parameter of the request is not known, or cannot have its value."""
        return bool(_UNSUPPORTED.search(self._said.casefold()))

    def rejects(self, names: Iterable[str]) -> str:
        """Return which of some parameters it says is not known, or cannot have its value; empty where none is."""
        told = f"{self.param} {self.message}"
        return next((name for name in names if name in told), "") if self.unsupported else ""

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
    """Read a reply that came with status 200; some servers say with it that they failed, or break off in the middle.

    Raises:
        Garbage: it is neither.
    """
    try:
        found = _reply.decode(body)
    except (msgspec.DecodeError, msgspec.ValidationError, UnicodeDecodeError, RecursionError) as error:
        raise Garbage(shortened(body.decode("utf-8", "replace")) or "nothing") from error
    if found.choices:
        choice = found.choices[0]
        if choice.finish_reason not in _INTERRUPTED:
            return found
        fault = _fault(200, {"error": choice.error if isinstance(choice.error, dict) else {}})
        return fault if fault.message else fault._replace(message=f"the answer was broken off: {choice.finish_reason}")
    fault = read_fault(200, body)
    if not (fault.message or fault.code):
        raise Garbage(shortened(body.decode("utf-8", "replace")))
    return fault


def read_fault(status: int, body: bytes) -> Fault:
    """Read what a server says is wrong; of what is no JSON, the text. Under status 200 it may name another one."""
    try:
        said: Any = json.loads(body)
    except (ValueError, RecursionError):
        return Fault(status, message=shortened(regex.sub(r"<[^>]*>", " ", body.decode("utf-8", "replace"))))
    return _fault(status, said)


def _fault(status: int, said: Any) -> Fault:
    if isinstance(said, list) and len(cast(list[Any], said)) == 1:
        # Google's.
        said = cast(list[Any], said)[0]
    if not isinstance(said, dict):
        return Fault(status, message=shortened(str(said)))
    given = cast(dict[str, Any], said)
    inner: Any = given.get("error", given)
    if not isinstance(inner, dict):
        return Fault(status, message=str(inner))
    parts = cast(dict[str, Any], inner)
    # The code may be the number of the status; then the type says more, or Google's status.
    named = [str(parts[key]) for key in ("code", "type", "status") if parts.get(key)]
    code = next((name for name in named if not name.isdecimal()), "")
    number = next((int(name) for name in named if regex.fullmatch(r"[45]\d\d", name)), 500)
    message = parts.get("message") or parts.get("detail") or ""
    return Fault(number if status == 200 else status, code, str(parts.get("param") or ""), str(message))


def wait_of(headers: Mapping[str, str], message: str = "") -> float | None:
    """Return how many seconds a server asks to wait (RFC 9110, Retry-After, and OpenAI's in milliseconds), or says so
    in words, such as "try again in 1m2.5s"."""
    for name, unit in (("retry-after-ms", 1e-3), ("retry-after", 1.0)):
        given = headers.get(name, "").strip()
        if regex.fullmatch(r"\d+(?:\.\d+)?", given):
            return float(given) * unit
    try:
        return max(0.0, parsedate_to_datetime(headers.get("retry-after", "")).timestamp() - time())
    except (TypeError, ValueError):
        pass
    if (said := _WAIT.search(message)) and any(said.groups()):
        hours, minutes, rest, unit = said.groups()
        return int(hours or 0) * 3600 + int(minutes or 0) * 60 + float(rest or 0) * (1e-3 if unit == "ms" else 1)
    return None


def shortened(text: str) -> str:
    """Return a text on one line, of a length that can be shown."""
    line = " ".join(text.split())
    return line if len(line) <= _SHOWN_CHARS else f"{line[:_SHOWN_CHARS]} ..."
