"""The application: addresses, errors and what stands in front of them."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from functools import cache
from typing import Any, Literal

from fastapi import APIRouter, FastAPI, Security
from fastapi.middleware.cors import CORSMiddleware
from fastapi.responses import JSONResponse
from fastapi.security import HTTPBearer
from pydantic import BaseModel, ConfigDict
from starlette.responses import Response

from taiyi import __version__
from taiyi.generate import RemoteEngine
from taiyi.serve import chat, faults, metrics, typed
from taiyi.serve.faults import ErrorBody, Fault
from taiyi.serve.gate import METRICS, Gate, Watch
from taiyi.serve.service import Service
from taiyi.serve.settings import ServeSettings
from taiyi.serve.upstream import Upstream
from taiyi.use.backing import Backing
from taiyi.use.taiyi import Taiyi

NOTICE = (
    "The models make mistakes, and may say what is not so with full confidence. Their answers are for research, and "
    "for people who check them; they are no medical advice, and are not to decide on the care of a patient. "
    "模型会出错，也可能言之凿凿地说错。答案仅供研究以及能够核查的人使用，不是医疗建议，不得据以决定患者的诊疗。"
)
"""The limit of use: it stands where the API and its models are described, and not in every answer."""

_ABOUT = """Biomedical texts, English and Chinese: entities, relations, events, labels, pairs, questions, translations,
titles, summaries and chat, by one model.

**Limit of use.** {notice}

Offsets count Unicode code points. Errors have the shape of OpenAI's, with `where`, `got`, `expected` and `mend` beside
its fields."""


class ModelCard(BaseModel):
    """A model, and what it can be asked for."""

    model_config = ConfigDict(use_attribute_docstrings=True)

    id: str
    """What it is called in chat."""
    object: Literal["model"] = "model"
    created: int = 0
    owned_by: str = "taiyi"
    tasks: dict[str, list[Literal["en", "zh"]]]
    """What it was trained on, with the languages; empty where that is not known."""
    confined: bool
    """Whether it can do nothing else."""
    talks: bool
    """Whether it writes texts of its own, so that it can be asked in chat."""
    sources: bool
    """Whether `/v1/answer` has sources to answer from."""
    terms: bool
    """Whether `/v1/terms` has a terminology."""
    max_chars: int
    """How many characters the texts of a request have at most."""
    limit_of_use: str = NOTICE
    """What it is not to be used for."""


class ModelList(BaseModel):
    """The models that there are."""

    object: Literal["list"] = "list"
    data: list[ModelCard]


class State(BaseModel):
    """How the server is."""

    status: Literal["ok", "stopping"]


def app(taiyi: Taiyi, settings: ServeSettings, backing: Backing | None = None) -> FastAPI:
    """Return a server of a model as an application, which a page can be mounted onto at `/`.

    Its `state.service` has what is shared, such as `traffic`.

    Args:
        taiyi: the model.
        settings: how it is served.
        backing: what is known beside it.
    """
    service = Service(taiyi, settings, backing or Backing())
    engine = taiyi.engine
    upstream = None
    if isinstance(engine, RemoteEngine):
        upstream = Upstream(engine.url, engine.settings, settings.timeout_s)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncGenerator[None]:
        async with AsyncExitStack() as open:
            open.enter_context(service.open())
            if upstream is not None:
                await open.enter_async_context(upstream)
            yield

    made = FastAPI(
        title="Taiyi",
        version=__version__,
        summary="What a model finds in biomedical texts, English and Chinese",
        description=_ABOUT.format(notice=NOTICE),
        license_info={"name": "Apache-2.0", "identifier": "Apache-2.0"},
        lifespan=lifespan,
        # Their pages load scripts from elsewhere.
        docs_url=None,
        redoc_url=None,
        generate_unique_id_function=lambda route: route.name,
        # It would write down what users send.
        telemetry={"tracing": False, "metrics": False, "logs": False, "auto_configure": False},
    )
    made.state.service = service
    faults.handle(made, service.engine)
    keys = [Security(HTTPBearer(auto_error=False))] if settings.keys else []
    locked = _responses(*[401] * bool(settings.keys), *[403] * settings.local)
    asked = _responses(400, 408, 413, 422, 429, 500, *[502] * service.engine.remote, 503, 504) | locked
    talked = asked | _responses(404)
    for routes in (typed.router(service, asked), chat.router(service, upstream, talked), _models(service, locked)):
        made.include_router(routes, dependencies=keys)
    made.include_router(_probes(service, locked, keys))
    made.add_middleware(Gate, settings=settings, traffic=service.traffic, retry_s=lambda: service.desk.wait_s())
    if settings.cors_origins:
        made.add_middleware(
            CORSMiddleware,
            allow_origins=settings.cors_origins,
            allow_methods=["GET", "POST"],
            allow_headers=["Authorization", "Content-Type"],
        )
    known = cache(lambda: frozenset(made.openapi()["paths"]))
    made.add_middleware(Watch, traffic=service.traffic, metrics=service.metrics, known=known)
    return made


def _models(service: Service, responses: dict[int | str, Any]) -> APIRouter:
    routes = APIRouter(prefix="/v1", tags=["models"], responses=responses)
    known = service.taiyi.model.known
    card = ModelCard(
        id=service.name,
        tasks=known.tasks(),
        confined=known.confined,
        talks=known.talks,
        sources=service.backing.sources is not None,
        terms=service.backing.terms is not None,
        max_chars=service.settings.max_chars,
    )

    @routes.get("/models", summary="The models that there are")
    async def models() -> ModelList:
        """Tell which model answers, and what it can be asked for."""
        return ModelList(data=[card])

    @routes.get("/models/{model:path}", summary="A model", responses=_responses(404, 422))
    async def model(model: str) -> ModelCard:
        """Tell what a model can be asked for."""
        if model != service.name:
            raise Fault(404, "model_not_found", "there is no such model", got=model, expected=service.name)
        return card

    return routes


def _probes(service: Service, locked: dict[int | str, Any], keys: list[Any]) -> APIRouter:
    routes = APIRouter(tags=["server"])

    @routes.get("/health", summary="Whether the server is alive")
    async def health() -> State:
        """Answer, whatever the model does."""
        return State(status="ok")

    @routes.get("/ready", summary="Whether the server takes requests", responses={503: {"model": State}})
    async def ready() -> Response:
        """Tell whether requests are answered: the model is there, and the server does not stop."""
        there = service.desk.alive and not service.traffic.draining
        state = State(status="ok" if there else "stopping")
        return JSONResponse(state.model_dump(), 200 if there else 503)

    text = {200: {"content": {"text/plain": {"schema": {"type": "string"}}}}}

    @routes.get(
        METRICS, summary="Numbers for Prometheus", response_class=Response, responses=text | locked, dependencies=keys
    )
    async def numbers() -> Response:
        """Tell how many requests there were, how long they took, and how many are under way."""
        return Response(service.metrics.text(), media_type=metrics.TYPE)

    return routes


def _responses(*statuses: int) -> dict[int | str, Any]:
    """Return the description of errors."""
    said = {
        400: "The body is not JSON",
        401: "A key is wanted, or it is wrong",
        403: "The server is asked by a name that is not one of this machine",
        404: "There is no such model",
        408: "The body did not come in time",
        413: "The texts are too long",
        422: "This cannot be asked, or the model cannot answer it",
        429: "Too many requests; `Retry-After` says in how many seconds to come again",
        500: "The server is broken",
        502: "The model's server does not answer, or refuses what it is asked",
        503: "The server stops",
        504: "There was no answer in time",
    }
    return {status: {"model": ErrorBody, "description": said[status]} for status in statuses}
