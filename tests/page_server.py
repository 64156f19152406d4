"""A server of the page for tests: the typed addresses answer from a list of words, the page is the real one."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec
import uvicorn
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, Response, StreamingResponse

from taiyi.checkpoint import Checkpoint, Learned
from taiyi.errors import TaiyiError
from taiyi.schema import Example, Message, Prediction
from taiyi.serve.page import attach
from taiyi.use.asking import Model
from taiyi.use.taiyi import Taiyi

WORDS = {
    "lung tuberculosis": "disease",
    "tuberculosis": "disease",
    "lung": "anatomy",
    "liver injury": "disease",
    "liver": "anatomy",
    "asthma": "disease",
    "osteoporosis": "disease",
    "kidney failure": "disease",
    "isoniazid": "chemical",
    "prednisone": "chemical",
    "women": "species",
    "TP53": "gene",
    "aspirin": "chemical",
    "肺结核": "疾病",
    "肺": "身体部位",
    "肝损伤": "疾病",
    "肝": "身体部位",
    "支气管哮喘": "疾病",
    "支气管": "身体部位",
    "异烟肼": "药物",
    "布地奈德": "药物",
    "恶心": "症状",
    "乏力": "症状",
    "肾功能衰竭": "疾病",
}
ENGLISH = ("anatomy", "chemical", "disease", "gene", "species")
CHINESE = ("疾病", "药物", "症状", "身体部位")
LEARNED = (
    Learned(task="ner", corpus="a", lang="en", types=ENGLISH, title="Corpus A"),
    Learned(task="ner", corpus="b", lang="en", types=("gene", "species"), title="Corpus B"),
    Learned(task="ner", corpus="c", lang="zh", types=CHINESE),
    Learned(task="re", corpus="a", lang="en", types=("treats", "causes")),
    Learned(task="ee", corpus="a", lang="en", types=("Binding",)),
    Learned(task="tc", corpus="kuake_qic", lang="zh", types=("病情诊断", "治疗方案")),
    Learned(task="tp_ss", corpus="kuake_qqr", lang="zh", types=("same", "other")),
    *(Learned(task=task, corpus="d", lang="en", form="text") for task in ("qa_mc", "qa_yesno", "qa_sqa", "mt", "mrd")),
)


class NoEngine:
    """An engine that is never asked: the addresses of these tests answer by themselves."""

    def about(self) -> str:
        return "a list of words"

    def generate(self, examples: Sequence[Example], *, max_new_tokens: int, batch_tokens: int) -> Iterator[Prediction]:
        raise AssertionError

    def stream(self, messages: Sequence[Message], *, max_new_tokens: int) -> Iterator[str]:
        raise AssertionError


def taiyi(learned: Sequence[Learned] = LEARNED, base: str = "scratch", tags: Sequence[str] = ()) -> Taiyi:
    return Taiyi(NoEngine(), Model("words", Checkpoint(base=base, learned=tuple(learned)), frozenset(tags)))


def entities(text: str, types: Sequence[str]) -> list[dict[str, Any]]:
    found = [
        {"start": at, "end": at + len(word), "text": word, "type": type, "confidence": 0.5 + 0.5 / (1 + at % 7)}
        for word, type in WORDS.items()
        if not types or type in types
        for at in range(len(text))
        if text.startswith(word, at)
    ]
    return sorted(found, key=lambda one: (one["start"], -one["end"]))


def app(key: str = "", **options: Any) -> FastAPI:
    """The addresses that the page asks, and the page; `options` are those of `attach`."""
    made = FastAPI()
    made.state.asked = []

    @made.middleware("http")
    async def gate(request: Request, go_on: Any) -> Response:
        locked = key and request.url.path.startswith("/v1/")
        if locked and request.headers.get("authorization") != f"Bearer {key}":
            return _error(401, "a key is wanted")
        return await go_on(request)

    @made.exception_handler(TaiyiError)
    async def fault(request: Request, error: TaiyiError) -> Response:
        return _error(422, str(error))

    @made.post("/v1/extract")
    async def extract(asked: dict[str, Any]) -> dict[str, Any]:
        made.state.asked.append(asked)
        text, none = asked["text"], {"entities": [], "relations": [], "events": [], "not_there": 0, "cut": 0}
        if "refuse" in text:
            raise TaiyiError("unknown type", got="<b>chemicl</b>")
        lang = "en" if text.isascii() else "zh"
        if asked["what"] == "entities":
            return none | {"lang": lang, "entities": entities(text, list(asked["types"]))}
        if asked["what"] == "events":
            parts = [{"role": "Theme", "text": "STAT3", "event": None}]
            nested = [{"role": "Cause", "text": "", "event": 0}]
            events = [
                {"type": "Binding", "trigger": "binds", "arguments": parts},
                {"type": "Regulation", "trigger": "", "arguments": nested},
            ]
            return none | {"lang": lang, "events": events}
        names = list(dict.fromkeys(one["text"] for one in entities(text, ["chemical", "disease"])))
        drugs = [name for name in names if WORDS[name] == "chemical"]
        relations = [
            {"head": drug, "tail": name, "type": "may cause" if n % 2 else "treats", "confidence": 0.9}
            for n, (drug, name) in enumerate((d, x) for d in drugs for x in names if WORDS[x] == "disease")
        ]
        return none | {"lang": lang, "relations": relations}

    @made.post("/v1/classify")
    @made.post("/v1/pair")
    async def label(asked: dict[str, Any]) -> dict[str, Any]:
        made.state.asked.append(asked)
        names = asked["labels"] if len(asked["labels"]) > 1 else ["病情诊断", "治疗方案"]
        return {"labels": [{"name": one, "confidence": 0.75 / (n + 1)} for n, one in enumerate(names)], "cut": False}

    @made.post("/v1/answer")
    async def answer(asked: dict[str, Any]) -> dict[str, Any]:
        made.state.asked.append(asked)
        keys = [{"key": chr(65 + n), "text": one, "confidence": 0.5} for n, one in enumerate(asked.get("options", ()))]
        return {
            "text": f"About: {asked['question']}",
            "choices": keys,
            "cut": False,
            "sourced": None,
            "terms": [],
            "notice": "",
        }

    @made.post("/v1/translate")
    @made.post("/v1/rewrite")
    async def write(asked: dict[str, Any]) -> dict[str, Any]:
        made.state.asked.append(asked)
        return {"text": f"<i>{asked['text']}</i>", "cut": True}

    @made.post("/v1/chat/completions")
    async def chat(asked: dict[str, Any]) -> Response:
        made.state.asked.append(asked)
        said = asked["messages"][-1]["content"]
        if said == "break":
            return _error(500, "the server is broken")

        async def pieces() -> AsyncIterator[bytes]:
            import asyncio

            yield _event({"choices": [{"delta": {"role": "assistant", "content": ""}, "finish_reason": None}]})
            for piece in ["You said: ", *said.split(" "), "😀", "肝"]:
                yield _event({"choices": [{"delta": {"content": f"{piece} "}, "finish_reason": None}]})
                await asyncio.sleep(30 if said == "wait" else 0)
            yield _event({"choices": [{"delta": {}, "finish_reason": "stop"}]})
            yield b"data: [DONE]\n\n"

        return StreamingResponse(pieces(), media_type="text/event-stream")

    attach(made, options.pop("taiyi", None) or taiyi(), **options)
    return made


def _error(status: int, message: str) -> Response:
    return JSONResponse({"error": {"message": message}}, status)


def _event(content: object) -> bytes:
    return b"data: " + msgspec.json.encode(content) + b"\n\n"


@contextmanager
def served(made: FastAPI) -> Iterator[str]:
    """Serve an application in a thread; yields its address."""
    listening = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(made, log_level="warning", ws="none", timeout_graceful_shutdown=1))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    try:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(10)


if __name__ == "__main__":  # to look at the page while it is worked on
    import sys

    with served(
        app(
            report=Path("docs/results/evaluation/two-stage-taiyi13"),
            corpora=Path(sys.argv[1]) if sys.argv[1:] else None,
        )
    ) as at:
        print(at, flush=True)
        threading.Event().wait()
