"""Models of the hub that cannot be had are told of at once; what else is wrong is left to what loads them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import httpx2
import pytest
from huggingface_hub import set_client_factory
from huggingface_hub.utils import get_session

from taiyi.errors import ModelError
from taiyi.hub import reach

Answer = Callable[[httpx2.Request], httpx2.Response]


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[Answer], list[str]]]:
    """Let a function answer as the hub, whose cache is empty; returns the questions that it is asked."""
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", False)
    before = get_session()
    asked: list[str] = []

    def answered(answer: Answer) -> list[str]:
        def told(request: httpx2.Request) -> httpx2.Response:
            # The client has questions of its own, such as who is known to call it.
            if "/resolve/" in request.url.path:
                asked.append(request.url.path)
            return answer(request)

        set_client_factory(lambda: httpx2.Client(transport=httpx2.MockTransport(told), event_hooks=before.event_hooks))
        return asked

    yield answered
    set_client_factory(lambda: httpx2.Client(event_hooks=before.event_hooks, follow_redirects=True, timeout=None))


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (200, None),
        (404, "EntryNotFound"),
        (403, "GatedRepo"),
        (401, "GatedRepo"),
        (429, None),
        (500, None),
        (503, None),
    ],
)
def test_what_may_be_had_is_asked_for_once(hub: Callable[[Answer], list[str]], status: int, code: str | None) -> None:
    headers = {"X-Error-Code": code} if code else {"ETag": '"a"', "X-Repo-Commit": "b", "Content-Length": "1"}
    asked = hub(lambda _: httpx2.Response(status, headers=headers))
    reach("owner/name")
    assert asked == ["/owner/name/resolve/main/config.json"]


@pytest.mark.parametrize(("status", "code"), [(404, "RepoNotFound"), (401, None)])
def test_what_the_hub_does_not_have_is_an_error(
    hub: Callable[[Answer], list[str]], status: int, code: str | None
) -> None:
    hub(lambda _: httpx2.Response(status, headers={"X-Error-Code": code} if code else {}))
    with pytest.raises(
        ModelError, match="owner/name: the model cannot be loaded; got no such folder, and the hub has no"
    ):
        reach("owner/name")


def test_a_hub_that_is_not_reached_is_not_tried_again(hub: Callable[[Answer], list[str]]) -> None:
    def away(_: httpx2.Request) -> httpx2.Response:
        raise httpx2.ConnectError("nobody there")

    asked = hub(away)
    with pytest.raises(ModelError, match=r"the hub is not reached \(nobody there\)"):
        reach("runs/mnii")
    assert len(asked) == 1


@pytest.mark.parametrize("name", ["no such/name", "a/b/c", "./nowhere"])
def test_a_name_that_the_hub_never_gives_is_not_asked_for(hub: Callable[[Answer], list[str]], name: str) -> None:
    asked = hub(lambda _: httpx2.Response(200))
    with pytest.raises(ModelError, match="no name that the hub gives"):
        reach(name)
    assert not asked


def test_what_is_here_or_in_the_cache_is_not_asked_for(hub: Callable[[Answer], list[str]], tmp_path: Path) -> None:
    asked = hub(lambda _: httpx2.Response(404, headers={"X-Error-Code": "RepoNotFound"}))
    cached = tmp_path / "models--org--tiny"
    (cached / "snapshots" / "abc").mkdir(parents=True)
    (cached / "refs").mkdir()
    (cached / "refs" / "main").write_text("abc")
    (cached / "snapshots" / "abc" / "adapter_config.json").write_text("{}")
    reach("org/tiny")
    reach(str(tmp_path))
    assert not asked


def test_without_a_network_by_choice_the_cache_is_all_there_is(
    hub: Callable[[Answer], list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = hub(lambda _: httpx2.Response(200))
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    with pytest.raises(ModelError, match="offline"):
        reach("owner/name")
    assert not asked
