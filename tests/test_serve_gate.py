"""Who may ask `taiyi serve`, how much, and what is seen of it: no text of users."""

from __future__ import annotations

import asyncio
import json
import logging
import threading
from collections.abc import AsyncIterator
from typing import Any

import httpx2
import pytest
from fastapi.testclient import TestClient
from hypothesis import given, settings
from hypothesis import strategies as st
from prometheus_client.parser import text_string_to_metric_families

from serving import ASKED, HERE, JSON, POISON, ask_in_threads, asking, busy, echo, error
from taiyi.serve import gate
from taiyi.serve.app import app
from taiyi.serve.gate import Rates
from taiyi.serve.settings import ServeSettings


def test_a_key_is_wanted_before_anything_is_read() -> None:
    with asking(keys=("right", "also")) as client:
        for headers in (
            {},
            {"Authorization": "Bearer wrong"},
            {"Authorization": "right"},
            {"Authorization": "Basic x"},
        ):
            for path, body in ASKED.items():
                response = client.post(path, json=body, headers=headers)
                error(response, 401, "key")
                assert response.headers["www-authenticate"] == "Bearer"
            error(client.post("/v1/extract", content=b"{", headers=headers), 401, "key")
            error(client.get("/v1/models", headers=headers), 401, "key")
            error(client.get("/metrics", headers=headers), 401, "key")
        for key in ("right", "also"):
            headers = {"Authorization": f"Bearer {key}"}
            assert client.post("/v1/extract", json=ASKED["/v1/extract"], headers=headers).status_code == 200
            assert client.get("/metrics", headers=headers).status_code == 200
        assert client.get("/health").status_code == client.get("/ready").status_code == 200
        assert client.get("/openapi.json").json()["components"]["securitySchemes"]


def test_a_name_that_leads_here_by_chance_is_no_way_in() -> None:
    with asking() as client:
        assert client.get("/health", headers={"Host": "127.0.0.1:80"}).status_code == 200
        assert client.get("/health", headers={"Host": "[::1]:80"}).status_code == 200
        for host in ("evil.example", "localhost.evil.example", "", "[", "evil.example:80"):
            error(client.post("/v1/extract", json=ASKED["/v1/extract"], headers={"Host": host}), 403, "host")
    for more in ({"host": "0.0.0.0"}, {"keys": ("right",)}):
        with asking(**more) as client:
            assert client.get("/health", headers={"Host": "my.example"}).status_code == 200


def test_other_sites_are_let_in_only_where_they_are_named() -> None:
    asks = {"Origin": "https://a.example", "Access-Control-Request-Method": "POST"}
    with asking() as client:
        assert "access-control-allow-origin" not in client.options("/v1/extract", headers=asks).headers
    with asking(cors_origins=("https://a.example",), keys=("right",)) as client:
        response = client.options("/v1/extract", headers=asks)
        assert response.headers["access-control-allow-origin"] == "https://a.example"
        # A page is to see why it is refused.
        response = client.post("/v1/extract", json={}, headers=asks)
        assert (response.status_code, response.headers["access-control-allow-origin"]) == (401, "https://a.example")
        other = client.options("/v1/extract", headers=asks | {"Origin": "https://b.example"})
        assert "access-control-allow-origin" not in other.headers


@settings(max_examples=60)
@given(st.floats(1, 600), st.lists(st.tuples(st.sampled_from("ab"), st.floats(0, 30)), max_size=60))
def test_nobody_sends_more_than_the_rate_and_all_may_send_as_much(
    per_minute: float, sent: list[tuple[str, float]]
) -> None:
    now = 0.0
    rates = Rates(per_minute, lambda: now)
    let_in: dict[str, list[float]] = {"a": [], "b": []}
    for who, after in sent:
        now += after
        wait_s = rates.wait_s(who)
        if not wait_s:
            let_in[who].append(now)
            continue
        now += wait_s + 1e-6
        assert rates.wait_s(who) == 0, "who waits as long as is said is let in"
        let_in[who].append(now)
    for times in let_in.values():
        for i, first in enumerate(times):
            for count, last in enumerate(times[i:], start=1):
                assert count <= per_minute + (last - first) * per_minute / 60 + 1 + 1e-6


def test_rates_are_of_each_key() -> None:
    with asking(keys=("one", "two"), rate=2) as client:

        def ask(key: str) -> httpx2.Response:
            return client.post("/v1/extract", json=ASKED["/v1/extract"], headers={"Authorization": f"Bearer {key}"})

        assert [ask("one").status_code for _ in range(2)] == [200, 200]
        refused = ask("one")
        error(refused, 429, "rate")
        assert 1 <= int(refused.headers["retry-after"]) <= 30
        assert ask("two").status_code == 200
        assert client.get("/v1/models", headers={"Authorization": "Bearer one"}).status_code == 200


def test_who_finds_no_place_is_told_to_come_again_and_the_others_are_answered() -> None:
    taiyi, engine = echo()
    with asking(taiyi, max_requests=3) as client:
        threads, found = busy(client, engine, 3)
        refused = client.post("/v1/extract", json=ASKED["/v1/extract"])
        error(refused, 429, "overloaded")
        assert int(refused.headers["retry-after"]) >= 1
        assert client.get("/health").status_code == client.get("/v1/models").status_code == 200
        engine.go.set()
        for thread in threads:
            thread.join(20)
        assert [r.status_code for r in found] == [200] * 3
        assert client.post("/v1/extract", json=ASKED["/v1/extract"]).status_code == 200, "the places are free again"


def test_what_takes_too_long_is_given_up_and_its_place_is_free() -> None:
    taiyi, engine = echo()
    with asking(taiyi, timeout_s=0.5) as client:
        service: Any = client.app.state.service  # pyright: ignore
        engine.go.clear()
        for path in ("/v1/extract", "/v1/extract", "/v1/chat/completions"):
            found = error(client.post(path, json=ASKED[path]), 504, "timeout")
            assert found["type"] == "timeout_error"
            assert service.traffic.places == 0
        assert service.desk.waiting <= 1, "what was not begun is forgotten"
        engine.go.set()
        assert client.post("/v1/translate", json=ASKED["/v1/translate"]).status_code == 200


def test_one_that_breaks_does_not_break_others() -> None:
    taiyi, engine = echo()
    with asking(taiyi) as client:
        threads, found = busy(client, engine, 1)
        more, others = ask_in_threads(
            client,
            [{"text": text, "types": ["thing"]} for text in (f"{POISON} x", "good text", f"y {POISON}", "text b")],
        )
        service: Any = client.app.state.service  # pyright: ignore
        while service.traffic.places < 5:
            threading.Event().wait(0.005)
        engine.go.set()
        for thread in threads + more:
            thread.join(20)
        assert [r.status_code for r in (*found, *others)] == [200, 500, 200, 500, 200]
        error(others[0], 500, "internal")


def test_who_sends_slowly_does_not_keep_a_place(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gate, "_BODY_S", 0.1)
    made = app(echo()[0], ServeSettings(name="echo"))

    async def slowly() -> AsyncIterator[bytes]:
        yield b'{"text": '
        await asyncio.sleep(20)

    async def ask() -> httpx2.Response:
        async with httpx2.AsyncClient(transport=httpx2.ASGITransport(made), base_url=HERE) as client:
            return await client.post("/v1/extract", content=slowly(), headers=JSON)

    error(asyncio.run(ask()), 408, "slow")
    assert made.state.service.traffic.places == 0


def test_a_server_that_stops_says_so() -> None:
    with asking() as client:
        client.app.state.service.traffic.draining = True  # pyright: ignore
        response = client.post("/v1/extract", json=ASKED["/v1/extract"])
        error(response, 503, "stopping")
        assert response.headers["retry-after"]
        assert client.get("/ready").status_code == 503
        assert client.get("/health").status_code == 200


# --- what is seen of it ----------------------------------------------------------------------------------------------


def test_no_text_of_users_is_logged_or_counted(caplog: pytest.LogCaptureFixture, capfd: Any) -> None:
    secret = "zebrafish"
    taiyi, _ = echo()
    caplog.set_level(logging.DEBUG, "taiyi")
    with asking(taiyi, max_chars=5_000) as client:
        for path, body in ASKED.items():
            text = json.dumps(body).replace("Aspirin", secret)
            for content in (text, text.replace(secret, f"{secret} {POISON}"), text.replace("}", ""), text * 3):
                client.post(path, content=content, headers=JSON)
            client.post(path, json=json.loads(text) | {secret: secret})
        client.post("/v1/extract", json={"text": secret, "types": [secret], "like": secret})
        client.post("/v1/classify", json={"text": secret, "labels": [secret]})
        client.post("/v1/chat/completions", json={"messages": [{"role": secret, "content": secret}]})
        client.post("/v1/translate", json={"text": secret + "x" * 5_000})
        client.get(f"/{secret}?{secret}={secret}")
        client.request(secret.upper(), "/v1/extract")
        client.get(f"/v1/models/{secret}")
        counted = client.get("/metrics").text
    said = "".join(capfd.readouterr()) + caplog.text + counted
    assert secret not in said.lower()
    assert "POST /v1/extract 500" in caplog.text and "ZeroDivisionError" in caplog.text, "but what broke is"
    assert "GET other 404" in caplog.text and "other /v1/extract 405" in caplog.text


def test_numbers_are_counted() -> None:
    with asking() as client:
        for _ in range(3):
            client.post("/v1/extract", json=ASKED["/v1/extract"])
        client.post("/v1/extract", json={})
        client.post("/v1/chat/completions", json=ASKED["/v1/chat/completions"])
        text = client.get("/metrics").text
    found = {
        (sample.name, *sorted(sample.labels.values())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }
    assert found["taiyi_requests_total", "/v1/extract", "200", "POST"] == 3
    assert found["taiyi_requests_total", "/v1/extract", "422", "POST"] == 1
    assert found["taiyi_request_seconds_count", "/v1/extract"] == 4
    assert found["taiyi_batch_questions_count",] == 3
    assert found["taiyi_chat_tokens_total", "answer"] == 8
    assert found["taiyi_requests_in_flight",] == 1, "this one"
    assert found["taiyi_questions_waiting",] == 0


def test_a_page_can_be_mounted_beside_the_addresses() -> None:
    from starlette.responses import PlainTextResponse
    from starlette.routing import Mount, Route, Router

    made = app(echo()[0], ServeSettings(name="echo", keys=("right",)))  # pyright: ignore[reportArgumentType]
    page = Router(routes=[Route("/", lambda _: PlainTextResponse("page"))])
    made.router.routes.append(Mount("/", page))
    with TestClient(made, base_url=HERE) as client:
        assert client.get("/").text == "page", "it has no key"
        error(client.post("/v1/extract", json=ASKED["/v1/extract"]), 401, "key")
