"""What is said where there is no answer: OpenAI's shape of an error, with where, got, expected and mend beside it."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any, NamedTuple

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict
from starlette.exceptions import HTTPException
from starlette.responses import Response

from taiyi.errors import Misfit, ModelError, RecipeError, SchemaError, TaiyiError
from taiyi.serve.desk import Unanswered
from taiyi.text import HALF_PAIR

LOG = logging.getLogger("taiyi.serve")
GONE = 499
"""What the log has of who went away before the answer; it is sent to nobody."""
_MOST_CHARS = 500
# What is wrong with what was asked; other errors of ours are the server's.
_ASKED = (RecipeError, ModelError, SchemaError)
_TYPES = {
    401: "authentication_error",
    429: "rate_limit_error",
    502: "engine_error",
    503: "unavailable_error",
    504: "timeout_error",
}


class ErrorDetail(BaseModel):
    """Why there is no answer."""

    model_config = ConfigDict(use_attribute_docstrings=True)

    message: str
    """In one sentence, all that the other fields say."""
    type: str
    """The kind: `invalid_request_error`, `authentication_error`, `rate_limit_error`, `timeout_error`,
    `unavailable_error`, `engine_error` or `server_error`."""
    param: str | None = None
    """The field of the request that it is about."""
    code: str | None = None
    """The reason in a word, for programs."""
    where: str | None = None
    """What the fault lies in."""
    got: str | None = None
    """What was found."""
    expected: str | None = None
    """What would have been right."""
    mend: str | None = None
    """What can be done about it."""


class ErrorBody(BaseModel):
    """An error, as OpenAI's API has them."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "error": {
                        "message": "unknown type; got chemicl. Did you mean 'chemical'?",
                        "type": "invalid_request_error",
                        "param": None,
                        "code": "cannot_answer",
                        "where": None,
                        "got": "chemicl",
                        "expected": None,
                        "mend": "did you mean 'chemical'?",
                    }
                }
            ]
        }
    )

    error: ErrorDetail


class Fault(Exception):
    """A request that is not answered.

    Args:
        status: of HTTP.
        code: the reason in a word.
        what: the same in a few words.
        param: the field of the request that it is about.
        headers: of the response.
        said: what errors of ours say beside it: `where`, `got`, `expected`, `mend`.
    """

    def __init__(
        self,
        status: int,
        code: str,
        what: str,
        *,
        param: str | None = None,
        headers: Mapping[str, str] | None = None,
        **said: Any,
    ) -> None:
        self.status, self.code, self.param, self.headers = status, code, param, dict(headers or {})
        self.error = TaiyiError(what, **said)
        super().__init__(what)

    def body(self) -> dict[str, Any]:
        """Return what is sent."""
        error = self.error
        detail = ErrorDetail(
            message=_safe(str(error)) or "",
            type=_TYPES.get(self.status) or ("server_error" if self.status >= 500 else "invalid_request_error"),
            param=_safe(self.param),
            code=self.code,
            where=_safe(error.where),
            got=_safe(error.got),
            expected=_safe(error.expected),
            mend=_safe(error.mend),
        )
        return {"error": detail.model_dump()}

    def response(self) -> Response:
        """Return it as a response."""
        return JSONResponse(self.body(), self.status, headers=self.headers)


class Gone(Exception):
    """Who asked went away."""


class Engine(NamedTuple):
    """Whose errors are told.

    Attributes:
        name: what the model is called to those who ask; errors may know it by a path.
        remote: whether it is behind another server, whose errors are not those of who asks.
    """

    name: str
    remote: bool


def of(error: Exception, engine: Engine) -> Fault:
    """Return what an error is to who asked. What says more of this machine than that goes to the log."""
    if isinstance(error, Fault):
        return error
    if isinstance(error, TimeoutError):
        return late()
    if isinstance(error, Unanswered):
        return stopping()
    if isinstance(error, ModelError) and engine.remote:
        return unreached(error.what)
    if isinstance(error, _ASKED) or type(error) is TaiyiError:
        where = engine.name if isinstance(error, ModelError) else error.where
        return Fault(
            422, "cannot_answer", error.what, where=where, got=error.got, expected=error.expected, mend=error.mend
        )
    log(error)
    return broken(error.what) if isinstance(error, TaiyiError) else broken()


def stopping() -> Fault:
    """Return what is said where the server is told to stop."""
    again = {"Retry-After": "5", "Connection": "close"}
    return Fault(503, "stopping", "the server stops", headers=again, mend="ask again later")


def late() -> Fault:
    """Return what is said where an answer takes too long."""
    return Fault(504, "timeout", "there was no answer in time", mend="send a shorter text, or ask again later")


def unreached(why: str) -> Fault:
    """Return what is said where the server behind this one does not answer, or not this; why goes to the log alone."""
    LOG.error("the engine fails: %s", why)
    return Fault(
        502, "engine", "the model's server does not answer, or refuses what it is asked", mend="ask again later"
    )


def broken(what: str = "something in the server is broken") -> Fault:
    """Return what is said where the fault is the server's."""
    return Fault(500, "internal", what, mend="tell who runs it")


def log(error: BaseException) -> None:
    """Write of an error where it comes from. Its words are left out: they may be those of a user."""
    frames = "".join(traceback.format_tb(error.__traceback__))
    LOG.error("%s\n%s", type(error).__name__, frames.rstrip())


def of_validation(errors: Sequence[Any]) -> Fault:
    """Return a fault that validation finds in a request."""
    # Of a field that may be of several types, what lies deepest is wrong with the type that was meant.
    first = max(errors, key=lambda error: len(error["loc"]))
    if first["type"] == "json_invalid":
        at = f"character {first['loc'][-1]}"
        return Fault(400, "not_json", "the body is not JSON", where=at, got=first["ctx"]["error"])
    location, what = [part for part in first["loc"] if part != "body"], str(first["msg"])
    cause: Any = first.get("ctx", {}).get("error")
    said: dict[str, Any] = {}
    if isinstance(cause, Misfit):
        location, what, said = [*location, *cause.loc], str(cause), cause.said
    elif first["type"] == "string_unicode":
        what = HALF_PAIR
    elif first["type"] == "missing" and not location:
        what = "the request has no body"
    elif first["type"] == "model_attributes_type":
        what, said = "the body is not a JSON object", {"mend": "send JSON, with Content-Type: application/json"}
    # Of a field that may be of several types, pydantic names the type as well.
    param = ".".join(str(part) for part in location if not str(part).endswith("]"))
    return Fault(422, "invalid", what, param=param or None, where=param or None, **said)


def handle(app: FastAPI, engine: Engine) -> None:
    """Answer all errors of an application in one shape."""

    async def on_fault(request: Request, error: Exception) -> Response:
        return of(error, engine).response()

    async def on_validation(request: Request, error: Exception) -> Response:
        assert isinstance(error, RequestValidationError)
        return of_validation(error.errors()).response()

    async def on_http(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        return of_status(error.status_code, error.headers).response()

    async def on_gone(request: Request, error: Exception) -> Response:
        return Response(status_code=GONE)

    for kind in (Fault, TaiyiError, TimeoutError, Unanswered):
        app.add_exception_handler(kind, on_fault)
    app.add_exception_handler(RequestValidationError, on_validation)
    app.add_exception_handler(HTTPException, on_http)
    app.add_exception_handler(Gone, on_gone)


def of_status(status: int, headers: Mapping[str, str] | None = None) -> Fault:
    """Return what the framework refuses."""
    said = {
        400: ("not_json", "the body cannot be read as JSON"),
        404: ("not_found", "there is nothing at this address"),
        408: ("slow", "the body did not come in time"),
        405: ("method", "this address is not asked by this method"),
        413: ("too_large", "the body is too large"),
    }
    code, what = said.get(status, ("refused", HTTPStatus(status).phrase.lower()))
    mend = "see /openapi.json for what there is" if status in (404, 405) else None
    return Fault(status, code, what, headers=headers, mend=mend)


def _safe(text: str | None) -> str | None:
    """Return a text that can be sent, whatever stood in the request: without half surrogate pairs, and not long."""
    if text is None:
        return None
    text = text.encode("utf-8", "replace").decode()
    return text if len(text) <= _MOST_CHARS else f"{text[:_MOST_CHARS]}…"
