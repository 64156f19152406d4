"""The addresses of the page, put onto a server's application."""

from __future__ import annotations

import re
import secrets
from importlib import resources
from pathlib import Path
from typing import Any

import msgspec
import xxhash
from fastapi import APIRouter, FastAPI, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import FileResponse, JSONResponse, Response
from pydantic import BaseModel
from starlette.exceptions import HTTPException

from taiyi import catalogue
from taiyi.catalogue import Corpus
from taiyi.errors import CorpusError
from taiyi.serve.faults import Fault
from taiyi.serve.page import about, browsing, saving
from taiyi.serve.service import Service
from taiyi.use import care

_MEDIA = {".html": "text/html", ".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
# Nothing comes from elsewhere, and no text becomes markup: the page sets texts alone, which the browser sees to.
POLICY = "; ".join(
    (
        *("default-src 'none'", "script-src 'self'", "style-src 'self'", "img-src 'self'", "connect-src 'self'"),
        *("base-uri 'none'", "form-action 'none'", "frame-ancestors 'none'"),
        *("require-trusted-types-for 'script'", "trusted-types 'none'"),
    )
)
# Reports have their style and scripts in themselves, and texts of models: they are kept apart from the page.
_REPORT_POLICY = "; ".join(
    (
        *("default-src 'none'", "script-src 'self' 'unsafe-inline'", "style-src 'unsafe-inline'", "img-src data:"),
        *("base-uri 'none'", "form-action 'none'", "frame-ancestors 'none'", "sandbox allow-scripts allow-popups"),
    )
)
_HEADERS = {"X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer", "Cache-Control": "no-cache"}
_REPORT_FILE = re.compile(r"(report|documents)\.html|documents/\d+\.js")


class _Told(BaseModel):
    text: str


def attach(app: FastAPI, *, corpora: Path | None = None, report: Path | None = None) -> None:
    """Serve the page at `/` of a server (`taiyi.serve.app.app`), whose typed addresses it asks.

    What else it shows comes from below `/v1/page`, so that the gate in front of `/v1` stands in front of it, too.

    Args:
        app: the server.
        corpora: the folder of raw corpora; without it only records of those of the package are shown.
        report: the folder of the report of the model's run. Where keys are wanted, a link cannot send one: the report
            then has an address that cannot be guessed, which is told to those with a key.
    """
    service: Service = app.state.service
    settings, model = service.settings, service.taiyi.model
    report_at = f"report/{secrets.token_urlsafe(16)}/" if settings.keys else "report/"
    said: dict[str, Any] = {
        "model": service.name,
        "told": about.told(service.taiyi.engine),
        "talks": model.known.talks,
        "confined": model.known.confined,
        "own_types": model.finds_others,
        "offers": about.offers(model),
        "sources": service.backing.sources is not None,
        "max_chars": settings.max_chars,
        "report": f"{report_at}report.html" if report is not None else "",
        "limit": {"en": care.limit("en"), "zh": care.limit("zh")},
    }
    app.include_router(_data(said, corpora))
    app.include_router(_files())
    if report is not None:
        app.include_router(_report(f"/{report_at}", report.resolve()))


def _data(said: dict[str, Any], corpora: Path | None) -> APIRouter:
    routes = APIRouter(prefix="/v1/page", include_in_schema=False)
    about_body = msgspec.json.encode(said)

    @routes.get("/about")
    async def about_model() -> Response:
        return Response(about_body, media_type="application/json")

    @routes.post("/care")
    async def care_for(asked: _Told) -> list[dict[str, str]]:
        english, chinese = care.notices(asked.text, "en"), care.notices(asked.text, "zh")
        return [{"kind": e.kind, "en": e.text, "zh": z.text} for e, z in zip(english, chinese, strict=True)]

    # What reads files or computes is no coroutine, so that it gets a thread.
    @routes.get("/corpora")
    def all_corpora() -> JSONResponse:
        return JSONResponse(browsing.listing(corpora))

    @routes.get("/corpora/{name}")
    def corpus(name: str) -> JSONResponse:
        return JSONResponse(browsing.details(_corpus(name), corpora))

    @routes.get("/corpora/{name}/{split}")
    def records(name: str, split: str, start: int = 0) -> JSONResponse:
        return JSONResponse(browsing.records(_corpus(name), split, start, corpora))

    @routes.post("/save/{to}")
    async def save(to: saving.To, request: Request) -> Response:
        file = await run_in_threadpool(saving.saved, await request.body(), to)
        named = {"Content-Disposition": f'attachment; filename="{file.name}"'}
        return Response(file.content, media_type=file.media_type, headers=_HEADERS | named)

    return routes


def _corpus(name: str) -> Corpus:
    try:
        return catalogue.get(name)
    except CorpusError as error:
        raise Fault(404, "not_found", error.what, mend=error.mend) from error


def _files() -> APIRouter:
    """Serve the files of the page, which are few and small, from memory."""
    routes = APIRouter(include_in_schema=False)
    contents = {
        one.name: one.read_bytes()
        for one in resources.files("taiyi.serve.page").joinpath("static").iterdir()
        if Path(one.name).suffix in _MEDIA
    }
    tags = {name: f'"{xxhash.xxh3_128_hexdigest(content)}"' for name, content in contents.items()}

    def serve(name: str, request: Request) -> Response:
        if name not in contents:
            raise HTTPException(404)
        headers = _HEADERS | {"Content-Security-Policy": POLICY, "ETag": tags[name]}
        if request.headers.get("if-none-match") == tags[name]:
            return Response(status_code=304, headers=headers)
        return Response(contents[name], media_type=_MEDIA[Path(name).suffix], headers=headers)

    @routes.get("/")
    async def index(request: Request) -> Response:
        return serve("index.html", request)

    @routes.get("/page/{name}")
    async def file(name: str, request: Request) -> Response:
        return serve(name, request)

    return routes


def _report(at: str, folder: Path) -> APIRouter:
    """Serve the pages of a report, and nothing else of its folder."""
    routes = APIRouter(include_in_schema=False)

    @routes.get(f"{at}{{path:path}}")
    async def report(path: str) -> Response:
        file = (folder / (path or "report.html")).resolve()
        if not _REPORT_FILE.fullmatch(path or "report.html") or not file.is_relative_to(folder) or not file.is_file():
            raise HTTPException(404)
        return FileResponse(file, headers=_HEADERS | {"Content-Security-Policy": _REPORT_POLICY})

    return routes
