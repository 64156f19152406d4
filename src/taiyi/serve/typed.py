"""The typed addresses: one for each thing that `Taiyi` answers about a text."""

from __future__ import annotations

from functools import partial
from typing import Any

from fastapi import APIRouter, Request

from taiyi.serve import requests, responses
from taiyi.serve.faults import Fault
from taiyi.serve.questions import Extract, Say
from taiyi.serve.service import Service
from taiyi.use.saying import Ask
from taiyi.use.taiyi import Taiyi


def router(service: Service, faults: dict[int | str, Any]) -> APIRouter:
    """Return the addresses; `faults` are the responses that are errors, for their description."""
    routes = APIRouter(prefix="/v1", tags=["texts"], responses=faults)

    @routes.post("/extract", summary="Entities, relations or events of a text")
    async def extract(asked: requests.Extracting, request: Request) -> responses.Found:
        """Find entities in a text, with character offsets (half-open, from 0, in Unicode code points), relations
        between them, or events."""
        service.fit(asked)
        types = asked.types if isinstance(asked.types, dict) else dict.fromkeys(asked.types, "")
        question = Extract(asked.text, tuple(types.items()), asked.what, asked.lang, asked.like, asked.window)
        return responses.Found.of(await service.extracted(request, question))

    @routes.post("/classify", summary="Labels of a text")
    async def classify(asked: requests.Classifying, request: Request) -> responses.Labelled:
        """Give a text the label of a set that the model holds most probable, or several of them."""
        make = Say(
            lambda taiyi: taiyi.classifying(asked.labels, several=asked.several, lang=asked.lang)(asked.text),
            service.fit(asked),
        )
        said = await service.said(request, make)
        return responses.Labelled.of(said.labels, cut=said.cut)

    @routes.post("/pair", summary="How two texts relate")
    async def pair(asked: requests.Pairing, request: Request) -> responses.Labelled:
        """Say how two texts relate: all labels, the most probable first."""
        make = Say(
            lambda taiyi: taiyi.pairing(asked.labels, what=asked.what, lang=asked.lang)(asked.first, asked.second),
            service.fit(asked),
        )
        said = await service.said(request, make)
        return responses.Labelled.of(said.labels, cut=said.cut)

    @routes.post("/answer", summary="The answer to a question")
    async def answer(asked: requests.Answering, request: Request) -> responses.Answered:
        """Answer a question: with one of some options, with yes, no or maybe from a context, in words, or from the
        sources of the server with numbered citations, or that no support was found."""
        make = Say(partial(_ask, asked), service.fit(asked))
        if asked.sources:
            said = await service.sourced(request, asked.question)
        elif asked.options or asked.yes_no or asked.context:
            said = await service.said(request, make)
        else:
            said = await service.checked(request, asked.question, make)
        return responses.Answered.of(said, asked.options)

    @routes.post("/translate", summary="A text in the other language")
    async def translate(asked: requests.Translating, request: Request) -> responses.Written:
        """Translate a text from English into Chinese, or from Chinese into English."""
        make = Say(lambda taiyi: taiyi.translating(lang=asked.lang)(asked.text), service.fit(asked))
        said = await service.said(request, make)
        return responses.Written(text=said.text, cut=said.cut)

    @routes.post("/rewrite", summary="A summary, title or medical report")
    async def rewrite(asked: requests.Rewriting, request: Request) -> responses.Written:
        """Write the summary of a text, the title of an abstract, or the medical report of a dialogue."""
        make = Say(lambda taiyi: taiyi.rewriting(asked.kind, lang=asked.lang)(asked.text), service.fit(asked))
        said = await service.said(request, make)
        return responses.Written(text=said.text, cut=said.cut)

    @routes.post("/terms", summary="Terms that may not exist")
    async def terms(asked: requests.Checking, request: Request) -> responses.Checked:
        """Look up the terms of a question: which are unknown and near to known names, such as "octacyclines"."""
        service.fit(asked)
        if service.backing.terms is None:
            raise Fault(422, "no_terms", "this server has no terminology", mend="start it with --terms FILE")
        flags, notice = await service.in_thread(request, lambda: service.backing.check(asked.text, asked.lang))
        return responses.Checked(terms=[responses.FlagGiven.of(flag) for flag in flags], notice=notice)

    return routes


def _ask(asked: requests.Answering, taiyi: Taiyi) -> Ask:
    """Return what a model is asked, of itself."""
    if asked.options:
        return taiyi.choosing(asked.options, lang=asked.lang)(asked.question, asked.context)
    how = taiyi.judging if asked.yes_no else taiyi.answering
    return how(lang=asked.lang)(asked.question, asked.context)
