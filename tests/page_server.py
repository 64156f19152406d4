"""A server with its page for tests, over a model that knows a list of words."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Generator, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import uvicorn
from fastapi import FastAPI
from pydantic import SecretStr

from taiyi.checkpoint import Checkpoint, Learned
from taiyi.errors import RecipeError
from taiyi.generate import Asked, Ended, Weighed
from taiyi.knowledge.results import Citation, Flag, Nearest, Statement
from taiyi.schema import Example, Message, Prediction, Span
from taiyi.serve.app import app as server
from taiyi.serve.page import attach
from taiyi.serve.settings import ServeSettings
from taiyi.use.asking import Model
from taiyi.use.backing import Backing
from taiyi.use.extraction import Kind
from taiyi.use.results import Argument, Entity, Event, Extraction, Relation
from taiyi.use.taiyi import Taiyi

WORDS = {
    "lung tuberculosis": "disease",
    "tuberculosis": "disease",
    "lung": "anatomy",
    "liver injury": "disease",
    "liver": "anatomy",
    "asthma": "disease",
    "osteoporosis": "disease",
    "Kidney failure": "disease",
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


class Engine:
    """Says what it was told, and holds the first of some answers most probable."""

    name = "words"
    limit = 10_000

    def about(self) -> str:
        return "a list of words"

    def num_tokens(self, messages: Sequence[Message]) -> int:
        return len(messages)

    def generate(self, examples: Sequence[Example], **_: Any) -> Iterator[Prediction]:
        for example in examples:
            yield Prediction(example=example.id, text=f"<i>{example.messages[-1].content}</i>", finish="length")

    def weigh(self, asked: Sequence[Asked], **_: Any) -> Iterator[Weighed]:
        for one in asked:
            yield Weighed(one.example.id, [-float(n) for n, _ in enumerate(one.candidates)], [1], 0.0)

    def stream(self, messages: Sequence[Message], *, max_new_tokens: int) -> Generator[str, None, Ended]:
        said = messages[-1].content
        if said == "break":
            raise ZeroDivisionError
        for piece in ["You said: ", *said.split(" "), "😀", "肝", *[""] * 100 * (said == "wait")]:
            yield f"{piece} "
            time.sleep(0.1 * (said == "wait"))
        return Ended("stop", 1, 1)


class Words(Taiyi):
    """Finds the words of a list.

    Attributes:
        asked: what was to be found, the last at the end; dialogues too.
    """

    def __init__(self, model: Model) -> None:
        super().__init__(Engine(), model)
        self.asked: list[Any] = []

    def extract_all(
        self, texts: Iterable[str], types: Any = (), *, what: Kind = "entities", **how: Any
    ) -> Iterator[Any]:
        self.asked.append({"types": types, "what": what, **how})
        for text in texts:
            if "refuse" in text:
                raise RecipeError("unknown type", got="<b>chemicl</b>")
            yield Extraction(text=text, lang="en" if text.isascii() else "zh", **_found(text, types, what))

    def chat(self, messages: Sequence[Message], *, max_new_tokens: int = 512) -> Iterator[str]:
        self.asked.append([(message.role, message.content) for message in messages])
        return super().chat(messages, max_new_tokens=max_new_tokens)


def taiyi(learned: Sequence[Learned] = LEARNED, base: str = "scratch", tags: Sequence[str] = ()) -> Words:
    return Words(Model("words", Checkpoint(base=base, learned=tuple(learned)), frozenset(tags)))


def entities(text: str, types: Iterable[str]) -> list[Entity]:
    found = [
        Entity(start=at, end=at + len(word), text=word, type=type, confidence=0.5 + 0.5 / (1 + at % 7))
        for word, type in WORDS.items()
        if not types or type in types
        for at in range(len(text))
        if text.startswith(word, at)
    ]
    return sorted(found, key=lambda one: (one.start, -one.end))


def _found(text: str, types: Any, what: Kind) -> dict[str, Any]:
    if what == "entities":
        return {"entities": tuple(entities(text, list(types)))}
    if what == "events":
        binding = Event(type="Binding", trigger="binds", arguments=(Argument(role="Theme", text="STAT3"),))
        nested = Event(type="Regulation", trigger="", arguments=(Argument(role="Cause", text="", event=0),))
        return {"events": (binding, nested)}
    names = list(dict.fromkeys(one.text for one in entities(text, ("chemical", "disease"))))
    pairs = [(drug, name) for drug in names for name in names if (WORDS[drug], WORDS[name]) == ("chemical", "disease")]
    kinds = ("treats", "may cause")
    return {
        "relations": tuple(
            Relation(head=drug, tail=name, type=kinds[n % 2], confidence=0.9) for n, (drug, name) in enumerate(pairs)
        )
    }


class Sources:
    """One document, that supports half of what is said."""

    def answer(self, talker: object, question: str) -> Any:
        citation = Citation(number=1, quote="It may <b>help</b>.", passage="p", document="PMID 1", start=0, end=9)
        other = Citation(number=2, quote="none", fault="there is no such passage")
        statements = (
            Statement(text="It helps.", citations=(citation,), supported=True),
            Statement(text="It cures.", citations=(other,), supported=False),
        )
        return SimpleNamespace(text=lambda: "It helps. [1]", statements=statements)


class Terms:
    """Flags one word."""

    def check(self, question: str) -> list[Flag]:
        at = question.find("asprin")
        near = (Nearest(name="aspirin", similarity=0.9),)
        return [Flag(span=Span(at, at + 6), text="asprin", kind="misspelling", nearest=near)] if at >= 0 else []


def app(model: Taiyi | None = None, *, key: str = "", backing: Backing | None = None, **options: Any) -> FastAPI:
    """The server of a model, with its page; `options` are those of `attach`."""
    settings = ServeSettings(keys=(SecretStr(key),) if key else (), timeout_s=20)
    made = server(model or taiyi(), settings, backing)
    attach(made, **options)
    return made


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
