"""An engine behind an address: any OpenAI-compatible server, such as vLLM, llama.cpp, Ollama or a commercial API."""

from __future__ import annotations

import copy
import time
from collections import deque
from collections.abc import Awaitable, Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from typing import TypeVar

import msgspec
from anyio.from_thread import start_blocking_portal

from taiyi.endpoint import EndpointSettings
from taiyi.errors import ModelError, TaiyiError
from taiyi.generate.client import Client, Refused
from taiyi.generate.counting import TokenCounter, estimated
from taiyi.generate.engine import Asked, Estimate, Grammar
from taiyi.generate.likelihood import begins_another, best
from taiyi.generate.replies import PARTLY_READ, Reply
from taiyi.generate.streaming import stream
from taiyi.generate.structured import request_fields
from taiyi.schema import Example, Message, Prediction

T = TypeVar("T")

# Tags, or what else an answer has beside the copy of its source.
_COPIED = 1.3
# Servers do not say how long their contexts are.
_UNKNOWN_CONTEXT = 2**31
_LOGPROBS = {"prompt_logprobs": 1, "return_token_ids": True}
_PREFILLED = _LOGPROBS | {"add_generation_prompt": False, "continue_final_message": True}


class RemoteEngine:
    """Asks a model of a server.

    Args:
        address: of the server.
        settings: which model, and how it is asked; the only one that the server has where none is named.
        grammar: what the answer to an example may be, which is passed on where the server keeps to it.
    """

    def __init__(
        self, address: str, settings: EndpointSettings | None = None, *, grammar: Grammar | None = None
    ) -> None:
        self.settings = settings or EndpointSettings()
        self._client = Client(address, self.settings)
        self.url = self._client.url
        if not self.settings.model:
            self.settings = self.settings.model_copy(update={"model": only_model(address, self.settings)})
            self._client = Client(address, self.settings)
        self.name = self.settings.model
        self.limit = _UNKNOWN_CONTEXT
        self.refusals: dict[str, str] = {}
        """By reason: what the server said the first time that it refused an example for it."""
        self._counter = TokenCounter(self.settings.tokenizer)
        self._grammar = grammar

    def about(self) -> str:
        """What the model is, in a few words."""
        return f"{self.name} at {self.url}"

    def generate(self, examples: Sequence[Example], *, max_new_tokens: int, batch_tokens: int) -> Iterator[Prediction]:
        """Answer every example once, as answers come; `batch_tokens` means nothing to a server.

        An example that the server does not answer, for its length or its content, is one of its own that is `refused`.

        Raises:
            ModelError: the server answers none, or none any more; what it had answered by then was yielded.
        """
        return self._each(examples, lambda client, example: self._answer(client, example, max_new_tokens))

    def choose(self, asked: Sequence[Asked], *, per_byte: bool, batch_tokens: int) -> Iterator[Prediction]:
        """Answer with the most probable candidates, where the server tells how probable the tokens of a prompt are.

        vLLM does (`prompt_logprobs`), of a dialogue that ends in the answer. Each candidate is one request, and the
        prompt is another, from which it is known where the answer begins.

        Raises:
            ModelError: the server does not.
        """
        if any(begins_another(candidates) for _, candidates in asked):
            raise ModelError(
                "a candidate begins another, and a server does not tell how probable it is that an answer ends",
                where=self.url,
                mend="use --choices generate",
            )
        checked = False

        async def answer(client: Client, one: Asked) -> Prediction:
            nonlocal checked
            if not checked:
                await self._check(client)
                checked = True
            return await self._choose(client, one, per_byte)

        return self._each(asked, answer)

    def stream(self, messages: Sequence[Message], *, max_new_tokens: int) -> Iterator[str]:
        """Answer a dialogue, in pieces of text as they come."""
        return stream(self.url, self.settings, _written(messages), max_tokens=max_new_tokens)

    def estimate(self, asked: Sequence[Asked], *, max_new_tokens: int) -> Estimate:
        """Say what answering examples takes; those that have candidates are answered by `choose`."""
        found = Estimate()
        for example, candidates in asked:
            prompt, times = self.num_tokens(example.messages), 1 + len(candidates)
            written = sum(self._counter.of_answer(text) for text in candidates)
            answer = times if candidates else self._longest(example, max_new_tokens)
            found += Estimate(
                requests=times, prompt_tokens=times * prompt + written, answer_tokens=answer, exact=self._counter.exact
            )
        return found

    def cost(self, prompt_tokens: int, answer_tokens: int) -> float | None:
        """Return what so many tokens cost; None where the prices are not known."""
        if self.settings.price_in is None or self.settings.price_out is None:
            return None
        return (prompt_tokens * self.settings.price_in + answer_tokens * self.settings.price_out) / 1e6

    def num_tokens(self, messages: Sequence[Message]) -> int:
        """How many tokens a dialogue takes as a prompt; an estimate where its tokenizer is not known."""
        return self._counter.count(messages)

    # --- requests ----------------------------------------------------------------------------------------------------

    def _each(self, items: Sequence[T], work: Callable[[Client, T], Awaitable[Prediction]]) -> Iterator[Prediction]:
        """Yield what comes of each item, as it comes, so many at a time; after a fault that ends the run, what is under
        way is waited for and yielded first."""
        # Several threads may ask at once, each over connections of its own; what was found out of the server stays.
        client = self._client = copy.copy(self._client)
        waiting = deque(items)
        running: set[Future[Prediction]] = set()
        fault: TaiyiError | None = None
        last = time.perf_counter()
        with start_blocking_portal() as portal, portal.wrap_async_context_manager(client):
            try:
                while running or (waiting and fault is None):
                    while waiting and fault is None and len(running) < self.settings.concurrency:
                        running.add(portal.start_task_soon(work, client, waiting.popleft()))
                    done, running = wait(running, return_when=FIRST_COMPLETED)
                    for future in done:
                        try:
                            found = future.result()
                        except TaiyiError as error:
                            fault = fault or error
                            portal.call(client.stop)
                            continue
                        # The shares of answers that are made at once add up to the time that has passed.
                        now = time.perf_counter()
                        yield msgspec.structs.replace(found, seconds=now - last)
                        last = now
            finally:
                for future in running:
                    future.cancel()
        if fault is not None:
            raise fault

    async def _answer(self, client: Client, example: Example, max_new_tokens: int) -> Prediction:
        most = self._longest(example, max_new_tokens)
        tokens = self.num_tokens(example.messages) + most
        server = self.settings.server
        more = request_fields(self._grammar(example), server) if server and self._grammar else {}
        try:
            reply = await client.ask(_written(example.messages), max_tokens=most, tokens=tokens, more=more)
        except Refused as refused:
            return self._refused(example, refused)
        reason = reply.refusal or self._partly_read(reply, example.messages)
        if reason:
            self.refusals.setdefault(reason, reply.text)
        return Prediction(
            example=example.id,
            text=reply.text,
            finish="refused" if reason else "length" if reply.cut else "stop",
            reason=reason,
            constrained=bool(more),
            num_tokens=reply.answer_tokens,
            num_prompt_tokens=reply.prompt_tokens,
        )

    async def _choose(self, client: Client, asked: Asked, per_byte: bool) -> Prediction:
        example, candidates = asked
        messages = _written(example.messages)
        tokens = self.num_tokens(example.messages) + 1
        try:
            plain = await client.ask(messages, max_tokens=1, tokens=tokens, more=_LOGPROBS)
            replies = [
                await client.ask(
                    [*messages, {"role": "assistant", "content": text}], max_tokens=1, tokens=tokens, more=_PREFILLED
                )
                for text in candidates
            ]
        except Refused as refused:
            return self._refused(example, refused)
        prompt = plain.prompt or []
        scores: list[float] = []
        for reply in replies:
            whole = reply.prompt or []
            if len(whole) <= len(prompt) or [id for id, _ in whole[: len(prompt)]] != [id for id, _ in prompt]:
                raise ModelError(
                    "the server writes the beginning of an answer otherwise than it asks for one",
                    where=self.url,
                    mend="use --choices generate",
                )
            scores.append(sum(logprob for _, logprob in whole[len(prompt) :]))
        chosen = best(scores, candidates, per_byte=per_byte)
        if reason := self._partly_read(plain, example.messages):
            self.refusals.setdefault(reason, "")
        return Prediction(
            example=example.id,
            text=candidates[chosen],
            finish="refused" if reason else "stop",
            reason=reason,
            num_tokens=sum(reply.answer_tokens for reply in (plain, *replies)),
            num_prompt_tokens=sum(reply.prompt_tokens for reply in (plain, *replies)),
        )

    async def _check(self, client: Client) -> None:
        """Raise ModelError where a server does not tell how probable the tokens of a prompt are."""
        hello = {"role": "user", "content": "Hi"}
        try:
            reply = await client.ask([hello], max_tokens=1, tokens=32, more=_LOGPROBS)
            given = reply.prompt is not None
        except Refused:
            given = False
        if not given:
            raise ModelError(
                "the server does not tell how probable the tokens of a prompt are",
                where=self.url,
                expected="`prompt_logprobs` in its replies, as vLLM has them",
                mend="use --choices generate",
            )

    # --- lengths -----------------------------------------------------------------------------------------------------

    def _longest(self, example: Example, max_new_tokens: int) -> int:
        """Return how many tokens an answer may have: of a tagged one the copy of its source comes on top."""
        if example.tagging is None:
            return max_new_tokens
        return max_new_tokens + round(_COPIED * estimated(example.tagging.source))

    def _partly_read(self, reply: Reply, messages: Sequence[Message]) -> str:
        """Return a reason where a server counted fewer tokens than a prompt has: some, such as Ollama, cut what is
        longer than the context and say nothing."""
        return PARTLY_READ if 0 < reply.prompt_tokens < self._counter.least(messages) else ""

    def _refused(self, example: Example, refused: Refused) -> Prediction:
        self.refusals.setdefault(refused.reason, str(refused))
        return Prediction(example=example.id, text="", finish="refused", reason=refused.reason)


def only_model(address: str, settings: EndpointSettings) -> str:
    """Return the name of the model of a server that has one.

    Raises:
        ModelError: it has several, or does not say.
    """
    with start_blocking_portal() as portal, portal.wrap_async_context_manager(Client(address, settings)) as client:
        found = portal.call(client.models)
    if len(found) != 1:
        raise ModelError(
            "it is not said which of the server's models is asked" if found else "it is not said which model is asked",
            where=client.url,
            got=", ".join(found) or None,
            mend="name one with --name",
        )
    return found[0]


def _written(messages: Sequence[Message]) -> list[dict[str, str]]:
    return [{"role": message.role, "content": message.content} for message in messages]
