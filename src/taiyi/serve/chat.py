"""Chat as OpenAI's API has it: whole or in pieces, by the model of this process or by the server behind this one."""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator, Generator
from typing import Annotated, Any, Literal, cast
from uuid import uuid4

from fastapi import APIRouter, Request
from jinja2.exceptions import TemplateError
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from taiyi.errors import ModelError
from taiyi.generate import Ended
from taiyi.schema import Message
from taiyi.serve import faults
from taiyi.serve.events import DONE, SSE, event, streamed
from taiyi.serve.faults import Fault
from taiyi.serve.service import Service
from taiyi.serve.shapes import AnyText
from taiyi.serve.upstream import Upstream
from taiyi.use.backing import unknown

MAX_NEW_TOKENS = 512
_ROLES: dict[str, Literal["system", "user", "assistant"]] = {
    "system": "system",
    "developer": "system",
    "user": "user",
    "assistant": "assistant",
}


class _Shape(BaseModel):
    # What clients send beside this is OpenAI's to define, and goes on to a server behind this one.
    model_config = ConfigDict(extra="allow", strict=True, use_attribute_docstrings=True, allow_inf_nan=False)


class Part(_Shape):
    """A part of a message."""

    type: str
    """`text`; others only where the server behind this one takes them."""
    text: AnyText | None = None
    """What it says."""


class ChatMessage(_Shape):
    """A message of a dialogue."""

    role: str
    """`system` (or `developer`), `user` or `assistant`."""
    content: AnyText | list[Part] | None = None
    """What it says."""


class StreamOptions(_Shape):
    """How an answer is streamed."""

    include_usage: bool = False
    """Whether the last chunk tells how many tokens there were."""


class Chatting(_Shape):
    """A dialogue to be answered."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"model": "mini", "messages": [{"role": "user", "content": "What is asthma?"}], "stream": False}
            ]
        }
    )

    model: str = ""
    """That of `/v1/models`; it may be left out."""
    messages: Annotated[list[ChatMessage], Field(min_length=1, max_length=1000)]
    """The dialogue; the last message is answered."""
    max_tokens: Annotated[int, Field(ge=1)] | None = None
    """The longest answer, in tokens."""
    max_completion_tokens: Annotated[int, Field(ge=1)] | None = None
    """The same, as newer clients name it."""
    stream: bool | None = None
    """Whether the answer is sent in chunks as it is made, as server-sent events that end with `[DONE]`."""
    stream_options: StreamOptions | None = None
    """How it is."""
    sources: bool = False
    """Whether the last message of the user is answered from the sources of the server, with citations: not OpenAI's."""


class Said(_Shape):
    """A message that answers."""

    role: Literal["assistant"] = "assistant"
    content: str | None
    """What it says."""


class ChatChoice(_Shape):
    """The answer."""

    index: int = 0
    message: Said
    finish_reason: str | None
    """`stop` where it ended by itself, `length` at its limit."""


class Usage(_Shape):
    """How many tokens there were."""

    prompt_tokens: int
    completion_tokens: int
    total_tokens: int


class Completion(_Shape):
    """An answer to a dialogue."""

    id: str
    object: Literal["chat.completion"] = "chat.completion"
    created: int
    model: str
    choices: list[ChatChoice]
    usage: Usage | None = None


def router(service: Service, upstream: Upstream | None, responses: dict[int | str, Any]) -> APIRouter:
    """Return the address of chat.

    Args:
        service: what answers.
        upstream: the server behind this one, which answers instead; None where the model is in this process.
        responses: those of errors, for their description.
    """
    routes = APIRouter(prefix="/v1", tags=["chat"], responses=responses)
    events: dict[int | str, Any] = {
        200: {"description": "The answer, whole or in events", "content": {SSE: {"schema": {"type": "string"}}}}
    }

    @routes.post("/chat/completions", summary="The answer to a dialogue", response_model=Completion, responses=events)
    async def chat_completions(asked: Chatting, request: Request) -> Completion | Response:
        """Answer a dialogue, as OpenAI's API does.

        Where the server has a terminology, and the user's last message names a term that may not exist, that is the
        answer, whatever the model would say of it.
        """
        service.fit([message.content for message in asked.messages])
        if asked.model not in ("", service.name):
            raise Fault(
                404, "model_not_found", "there is no such model", param="model", got=asked.model, expected=service.name
            )
        # What another server answers is its own to refuse.
        messages = _dialogue(asked) if upstream is None or asked.sources else []
        if (told := await _told(service, asked, request)) is not None:
            return await _answer(service, asked, request, _told_in_pieces(told))
        if upstream is not None:
            return await upstream.answer(request, service)
        most = asked.max_completion_tokens or asked.max_tokens or MAX_NEW_TOKENS
        return await _answer(service, asked, request, service.pieces(lambda: _begun(service, messages, most)))

    return routes


async def _told(service: Service, asked: Chatting, request: Request) -> str | None:
    """Return what is known beside the model: what sources say, where they are asked, or which term may not exist."""
    if not asked.sources and service.backing.terms is None:
        return None
    said = [_text(message) for message in asked.messages if message.role == "user"]
    question = said[-1] if said else ""
    if asked.sources:
        return (await service.sourced(request, question)).text
    flags, notice = await service.in_thread(request, lambda: service.backing.check(question))
    return notice if unknown(flags) else None


async def _told_in_pieces(text: str) -> AsyncGenerator[str | Ended]:
    yield text
    yield Ended("stop", 0, 0)


async def _answer(
    service: Service, asked: Chatting, request: Request, pieces: AsyncGenerator[str | Ended]
) -> Completion | Response:
    """Return an answer that comes in pieces, whole or as events."""
    head: dict[str, Any] = {"id": f"chatcmpl-{uuid4().hex}", "created": int(time.time()), "model": service.name}
    if asked.stream:
        # What cannot be answered at all is told as an error, before a stream of answers begins.
        first = await service.in_time(request, anext(pieces))
        usage = asked.stream_options is not None and asked.stream_options.include_usage
        return streamed(_events(service, head, first, pieces, usage))
    text, ended = await service.in_time(request, _whole(pieces))
    choice = ChatChoice(message=Said(content=text), finish_reason=ended.finish)
    return Completion(**head, choices=[choice], usage=_usage(service, ended))


def _begun(service: Service, messages: list[Message], most: int) -> Generator[str, None, Ended | None]:
    """Answer, and return how it ended; say so where the template of the model does not take such a dialogue."""
    pieces = cast("Generator[str, None, Ended | None]", service.taiyi.chat(messages, max_new_tokens=most))
    try:
        return (yield from pieces)
    except TemplateError as error:
        raise ModelError("the model does not take such a dialogue", got=error) from error


async def _whole(pieces: AsyncGenerator[str | Ended]) -> tuple[str, Ended]:
    text = ""
    async for piece in pieces:
        if isinstance(piece, Ended):
            return text, piece
        text += piece
    raise AssertionError("an answer has an end")


async def _events(
    service: Service, head: dict[str, Any], first: str | Ended, pieces: AsyncGenerator[str | Ended], usage: bool
) -> AsyncGenerator[bytes]:
    """Yield the chunks of an answer as events."""

    def chunk(*choices: dict[str, Any], **more: Any) -> bytes:
        return event(head | {"object": "chat.completion.chunk", "choices": choices} | more)

    def delta(finish: str | None = None, **said: str) -> dict[str, Any]:
        return {"index": 0, "delta": said, "finish_reason": finish}

    try:
        yield chunk(delta(role="assistant", content=""))
        piece = first
        while not isinstance(piece, Ended):
            yield chunk(delta(content=piece))
            piece = await anext(pieces)
    except Exception as error:
        yield event(faults.of(error, service.engine).body())
        return
    finally:
        await pieces.aclose()
    counted = _usage(service, piece)
    yield chunk(delta(piece.finish))
    if usage:
        yield chunk(usage=counted and counted.model_dump())
    yield DONE


def _usage(service: Service, ended: Ended) -> Usage | None:
    """Count the tokens of an answer; None where they are not known, as of what is told from beside the model."""
    if not ended.prompt_tokens:
        return None
    service.metrics.tokens.labels("prompt").inc(ended.prompt_tokens)
    service.metrics.tokens.labels("answer").inc(ended.answer_tokens)
    return Usage(
        prompt_tokens=ended.prompt_tokens,
        completion_tokens=ended.answer_tokens,
        total_tokens=ended.prompt_tokens + ended.answer_tokens,
    )


def _dialogue(asked: Chatting) -> list[Message]:
    """Return a dialogue as the model of this process takes it; raise Fault where it does not."""
    _check(asked)
    return [_message(number, message) for number, message in enumerate(asked.messages)]


def _message(number: int, message: ChatMessage) -> Message:
    where = f"messages.{number}"
    if (role := _ROLES.get(message.role)) is None:
        raise _unsupported(f"{where}.role", got=message.role, expected=", ".join(_ROLES))
    parts = message.content if isinstance(message.content, list) else []
    if other := next((part.type for part in parts if part.type != "text"), None):
        raise _unsupported(f"{where}.content", got=other, expected="text")
    return Message(role=role, content=_text(message))


def _text(message: ChatMessage) -> str:
    parts = message.content
    return "\n".join(part.text or "" for part in parts) if isinstance(parts, list) else parts or ""


def _check(asked: Chatting) -> None:
    """Raise Fault where an answer is asked for that would be another one than the model of this process gives.

    What only changes how it is drawn (`temperature`, `top_p`, `seed`, penalties) is let pass: it answers with what is
    most probable. So is what it does not know.
    """
    said = asked.model_extra or {}
    form = said.get("response_format")
    given = {
        "n": said.get("n") not in (None, 1),
        "stop": bool(said.get("stop")),
        "logprobs": bool(said.get("logprobs")),
        "tools": bool(said.get("tools")) or bool(said.get("functions")),
        "response_format": form is not None and form != {"type": "text"},
        "modalities": said.get("modalities") not in (None, ["text"]),
    }
    for name, wanted in given.items():
        if wanted:
            raise _unsupported(name)


def _unsupported(param: str, **said: Any) -> Fault:
    return Fault(
        422, "unsupported", "the model of this server does not do this", param=param, where=param,
        mend="leave it out, or ask a server with --engine", **said,
    )  # fmt: skip
