"""The page's addresses: what they tell of a model, save, show of corpora and serve of a report, and what they keep."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from httpx2 import Client
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from page_server import ENGLISH, app, served, taiyi
from taiyi import catalogue, tasks
from taiyi.catalogue import Corpus, facts
from taiyi.checkpoint import Checkpoint, Joined, Learned, report_folder
from taiyi.cli import app as cli
from taiyi.errors import ModelError, SchemaError
from taiyi.formats import bioc
from taiyi.schema import Document
from taiyi.serve import running
from taiyi.serve.page import browsing, saving
from taiyi.serve.page.about import ASKS, Offer, able, offers
from taiyi.use.asking import Model
from taiyi.use.taiyi import Taiyi


@contextmanager
def asked(made: FastAPI) -> Iterator[Client]:
    """A client of an application that is served; to make one takes longer than to ask."""
    with served(made) as at, Client(base_url=at, timeout=60) as client:
        yield client


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    folder = tmp_path_factory.mktemp("run")
    (folder / "report").mkdir()
    (folder / "report" / "report.html").write_text("<title>Scores</title>", encoding="utf-8")
    (folder / "report" / "results.json").write_text("{}", encoding="utf-8")
    (folder / "secret.html").write_text("secret", encoding="utf-8")
    (folder / "report" / "documents.html").symlink_to(folder / "secret.html")
    with asked(app(report=folder / "report")) as client:
        yield client


# --- what a model can do ---------------------------------------------------------------------------------------------


def offered(model: Model) -> dict[str, Offer]:
    return {one.name: one for one in offers(model)}


def test_what_was_not_learned_from_nothing_is_not_offered() -> None:
    known = offered(taiyi().model)
    assert known.keys() == ASKS.keys()
    langs = {name: one.langs for name, one in known.items() if one.langs}
    assert langs == {
        "entities": ["en", "zh"], "relations": ["en"], "events": ["en"], "labels": ["zh"], "pairs": ["zh"],
        "choice": ["en"], "yes_no": ["en"], "question": ["en"], "translation": ["en"],
    }  # fmt: skip
    assert known["pairs"].asks == {"similarity": ["zh"], "entailment": []}
    assert [(one.corpus, one.title, one.lang) for one in known["entities"].sets] == [
        ("a", "Corpus A", "en"), ("b", "Corpus B", "en"), ("c", "c", "zh"),
    ]  # fmt: skip
    assert known["entities"].sets[0].types == ENGLISH
    # Corpora that the catalogue does not know cannot be asked for by name.
    assert [one.corpus for one in known["labels"].sets] == ["kuake_qic"]


def test_a_model_that_began_from_another_may_do_everything() -> None:
    known = offered(taiyi((), base="some/model").model)
    assert all(one.langs == ["en", "zh"] for one in known.values())
    labelled = {one.corpus for one in known["labels"].sets}
    assert {"kuake_qic", "hallmarks_of_cancer"} <= labelled
    assert all(catalogue.get(name).labels for name in labelled)
    assert not known["entities"].sets and not known["translation"].sets


def test_types_of_a_model_that_says_nothing_are_its_tags_and_those_of_its_cascade() -> None:
    assert offered(taiyi((), tags=("b", "a")).model)["entities"].sets[0].types == ("a", "b")
    joined = Joined(corpus="a", lang="en", joins=(("CID", "e", "c", "e", "d"),), loops=(("same", "e", "c"),))
    cascade = Checkpoint(
        base="scratch", relations="cascade", joined=(joined,), learned=(Learned(task="rc", corpus="a", lang="en"),)
    )
    assert able(cascade, "re") == ["en"] and able(cascade, "ner") == []
    assert offered(Model("m", cascade))["relations"].sets[0].types == ("CID", "same")


def test_every_task_that_a_model_answers_about_a_text_is_asked_somewhere() -> None:
    asked = {task for ways in ASKS.values() for task in ways.values()}
    assert asked <= set(tasks.names())
    assert set(tasks.names()) - asked == {"nen", "cre", "coref", "mrd", "struct", "rc", "text"} & set(tasks.names())


def test_the_page_is_told_of_the_model_once_and_of_care(server: Client) -> None:
    about = server.get("/v1/page/about").json()
    assert about["model"] == "words" and about["told"] == "a list of words" and about["talks"]
    assert about["report"] == "report/report.html" and not about["sources"]
    assert about["own_types"], "it says nothing of tags"
    assert "not medical advice" in about["limit"]["en"] and "不是医疗建议" in about["limit"]["zh"]
    (notice,) = server.post("/v1/page/care", json={"text": "我不想活了"}).json()
    assert notice["kind"] == "suicide" and "988" in notice["en"] and "12356" in notice["zh"]
    assert server.post("/v1/page/care", json={"text": "Aspirin."}).json() == []


# --- the files of the page -------------------------------------------------------------------------------------------


def test_every_file_comes_from_here_and_may_ask_nowhere_else(server: Client) -> None:
    index = server.get("/")
    assert index.headers["content-type"].startswith("text/html") and "Taiyi" in index.text
    policy = index.headers["content-security-policy"]
    assert "default-src 'none'" in policy and "unsafe" not in policy and "http" not in policy
    assert "require-trusted-types-for 'script'" in policy
    names = set(re.findall(r'(?:href|src)="(page/[^"]+)"', index.text))
    assert names == {"page/icon.svg", "page/style.css", "page/app.js"}
    seen: set[str] = set()
    while left := names - seen:
        name = left.pop()
        seen.add(name)
        got = server.get(f"/{name}")
        assert got.status_code == 200 and got.headers["x-content-type-options"] == "nosniff"
        imported = re.findall(r'from "\./([\w.]+)"', got.text)
        names |= {f"page/{one}" for one in imported}
        assert not re.search(r"https?://(?!www\.w3\.org/2000/svg)", got.text), f"{name} names another place"
        assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(", got.text), name
    scripts = {f"page/{path.name}" for path in (Path(browsing.__file__).parent / "static").glob("*.js")}
    assert scripts <= seen, "a script that nothing imports"


def test_files_are_sent_once(server: Client) -> None:
    first = server.get("/page/app.js")
    again = server.get("/page/app.js", headers={"If-None-Match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")


@pytest.mark.parametrize(
    "path", ["page/../about.py", "page/%2e%2e/about.py", "page/none.js", "page/__init__.py", "static/app.js"]
)
def test_nothing_else_is_served(server: Client, path: str) -> None:
    assert server.get(f"/{path}").status_code == 404


# --- the report ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("report.html", 200),
        ("", 200),
        ("results.json", 404),
        ("documents.html", 404),  # a link to what lies outside
        ("..%2fsecret.html", 404),
        ("documents/1.js", 404),
    ],
)
def test_pages_of_the_report_are_served_and_nothing_beside_them(server: Client, path: str, status: int) -> None:
    got = server.get(f"/report/{path}")
    assert got.status_code == status
    if status == 200:
        assert "sandbox" in got.headers["content-security-policy"]


def test_where_keys_are_wanted_all_but_the_files_of_the_page_want_one(tmp_path: Path) -> None:
    (tmp_path / "report.html").write_text("scores", encoding="utf-8")
    with asked(app(key="k", report=tmp_path)) as server:
        assert server.get("/").status_code == 200
        for path in ("about", "corpora", "corpora/demo_cdr", "corpora/demo_cdr/train"):
            assert server.get(f"/v1/page/{path}").status_code == 401
            assert server.get(f"/v1/page/{path}", headers={"Authorization": "Bearer k"}).status_code == 200
        about = server.get("/v1/page/about", headers={"Authorization": "Bearer k"}).json()
        assert server.get("/report/report.html").status_code == 404
        assert re.fullmatch(r"report/[\w-]{22}/report\.html", about["report"]), "it cannot be guessed"
        assert server.get(f"/{about['report']}").text == "scores"


def test_the_report_of_a_run_is_found(tmp_path: Path) -> None:
    assert report_folder(tmp_path) is None and report_folder("mini") is None
    (tmp_path / "run.json").write_text('{"model": "m"}', encoding="utf-8")
    assert report_folder(tmp_path) is None
    (tmp_path / "run.json").write_text('{"model": "m", "report": "r"}', encoding="utf-8")
    assert report_folder(tmp_path) is None
    (tmp_path / "r").mkdir()
    (tmp_path / "r" / "report.html").touch()
    assert report_folder(tmp_path) == tmp_path / "r"
    (tmp_path / "run.json").write_text("[]", encoding="utf-8")
    with pytest.raises(ModelError, match="does not say where the model is"):
        report_folder(tmp_path)


def test_the_command_serves_the_page_with_the_report_of_its_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "run.json").write_text('{"model": "m", "report": "r"}', encoding="utf-8")
    (tmp_path / "r").mkdir()
    (tmp_path / "r" / "report.html").touch()
    made: list[FastAPI] = []
    monkeypatch.setattr(running, "run", lambda app, settings, listening: made.append(app))
    monkeypatch.setattr(Taiyi, "load", lambda model, **_: taiyi())
    done = CliRunner().invoke(cli, ["serve", str(tmp_path), "--port", "0", "--corpora", str(tmp_path)])
    assert done.exit_code == 0, done.output
    assert "page: http://127.0.0.1:" in done.stderr
    with TestClient(made[0], base_url="http://localhost") as client:
        assert client.get("/").status_code == client.get("/report/report.html").status_code == 200


def test_without_a_report_there_is_none() -> None:
    with asked(app()) as server:
        assert server.get("/v1/page/about").json()["report"] == ""
        assert server.get("/report/report.html").status_code == 404


# --- saving ----------------------------------------------------------------------------------------------------------

# BioC is XML, which has no control characters.
readable = st.text(
    st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]) | st.sampled_from("ab 肝😀<&>\n"), max_size=40
)


def body(text: str, entities: list[dict[str, Any]], **found: Any) -> bytes:
    return json.dumps({"id": "x", "text": text, "found": {"lang": "en", "entities": entities, **found}}).encode()


@given(st.data())
def test_what_was_found_is_saved_as_it_is(data: st.DataObject) -> None:
    text = data.draw(readable.filter(str.strip))
    places = data.draw(
        st.lists(st.tuples(st.integers(0, len(text)), st.integers(0, len(text))), max_size=4, unique=True)
    )
    entities = [
        {"start": start, "end": end, "text": text[start:end], "type": "disease", "confidence": 0.5}
        for start, end in sorted(places)
        if start < end
    ]
    sent = body(text, entities)
    told = json.loads(saving.saved(sent, "json").content)
    assert told["text"] == text and told["entities"] == entities
    try:
        file = saving.saved(sent, "bioc")
    except SchemaError as error:
        assert "BioC cannot hold this text" in str(error)
        return
    (record,) = _read(file.content)
    assert record.text == text
    assert [(e.text, e.spans[0].start) for e in record.entities] == [(e["text"], e["start"]) for e in entities]


def _read(content: bytes) -> list[Document]:
    import tempfile

    with tempfile.NamedTemporaryFile(suffix=".xml") as file:
        file.write(content)
        file.flush()
        return [r for r in bioc.read(Path(file.name), corpus="c", split="test", lang="en") if isinstance(r, Document)]


def test_plain_texts_are_held_by_bioc() -> None:
    (record,) = _read(
        saving.saved(body("a < b 肝😀", [{"start": 6, "end": 8, "text": "肝😀", "type": "t"}]), "bioc").content
    )
    assert record.entities[0].text == "肝😀"


@pytest.mark.parametrize(
    ("sent", "fault"),
    [
        (b"", "not what was found"),
        (b"[]", "not what was found"),
        (b'{"id": "x", "text": "a"}', "not what was found"),
        (b'{"id": "x", "text": "\xff", "found": {}}', "not what was found"),
        (body("ab", [{"start": 0, "end": 1, "text": "b", "type": "t"}]), "does not stand in the text; where"),
        (body("ab", [{"start": -2, "end": -1, "text": "a", "type": "t"}]), "does not stand"),
        (body("ab", [{"start": 0, "end": 9, "text": "ab", "type": "t"}]), "does not stand"),
        (body("ab", [{"start": "0", "end": 1, "text": "a", "type": "t"}]), "not what was found"),
    ],
)
def test_what_was_not_found_is_not_saved(sent: bytes, fault: str) -> None:
    with pytest.raises(SchemaError) as raised:
        saving.saved(sent, "json")
    assert fault.split(";")[0] in str(raised.value)


def test_texts_that_bioc_cannot_hold_are_refused() -> None:
    with pytest.raises(SchemaError, match="BioC cannot hold this text"):
        saving.saved(body("a\x01b", []), "bioc")
    assert json.loads(saving.saved(body("a\x01b", []), "json").content)["text"] == "a\x01b"


def test_files_come_with_a_name(server: Client) -> None:
    sent = {
        "id": "x",
        "text": "Aspirin.",
        "found": {"lang": "en", "relations": [{"head": "a", "tail": "b", "type": "r"}]},
    }
    got = server.post("/v1/page/save/json", json=sent)
    assert 'filename="taiyi.json"' in got.headers["content-disposition"]
    assert got.json()["relations"] == [{"head": "a", "tail": "b", "type": "r"}]
    assert server.post("/v1/page/save/bioc", json=sent).headers["content-type"] == "application/xml"
    assert server.post("/v1/page/save/exe", json=sent).status_code == 422


# --- corpora ---------------------------------------------------------------------------------------------------------


def test_the_listing_has_every_corpus() -> None:
    listing = browsing.listing(None)
    assert [row["name"] for row in listing["corpora"]] == catalogue.names()
    assert {task for row in listing["corpora"] for task in row["tasks"]} <= listing["tasks"].keys()
    here = {row["name"] for row in listing["corpora"] if row["here"]}
    assert here == {corpus.name for corpus in catalogue.all_corpora() if corpus.bundled}
    json.dumps(listing)


@pytest.mark.parametrize("name", ["bc5cdr", "cmeee_v2", "demo_cdr", "kuake_qic", "n2c2_2018_track2"])
def test_the_details_are_those_of_the_catalogue(name: str) -> None:
    told = browsing.details(catalogue.get(name), None)
    json.dumps(told)
    assert facts.details(catalogue.get(name)).items() <= told.items()
    assert told["examples"] and told["shown"] == (catalogue.get(name).access == "open" or name == "demo_cdr")


def test_records_are_shown_some_at_a_time() -> None:
    first = browsing.records(catalogue.get("demo_cdr"), "train", 0, None)
    assert len(first["records"]) == browsing.TOGETHER and first["more"]
    whole: list[Any] = []
    while (page := browsing.records(catalogue.get("demo_cdr"), "train", len(whole), None))["more"]:
        whole += page["records"]
    whole += page["records"]
    assert (
        len(whole)
        == len({one["id"] for one in whole})
        == len(list(catalogue.load(catalogue.get("demo_cdr"), "train", Path())))
    )
    with pytest.raises(SchemaError, match="no records to be shown"):
        browsing.records(catalogue.get("demo_cdr"), "nothing", 0, None)
    with pytest.raises(SchemaError, match="from the first on"):
        browsing.records(catalogue.get("demo_cdr"), "train", -1, None)


def test_records_of_corpora_that_are_not_open_are_never_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    # As if all files were here.
    monkeypatch.setattr(Corpus, "layout", lambda corpus, split, root: corpus.layouts[0])
    assert browsing.here(catalogue.get("bc5cdr"), Path()) == ["train", "dev", "test"]
    closed = [corpus for corpus in catalogue.all_corpora() if corpus.access != "open" and not corpus.bundled]
    assert closed
    for corpus in closed:
        assert browsing.here(corpus, Path()) == []
        with pytest.raises(SchemaError, match="no records to be shown"):
            browsing.records(corpus, corpus.splits[0], 0, Path())


def test_long_records_are_cut_and_it_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(browsing, "_TEXT_CHARS", 40)
    for record in browsing.records(catalogue.get("demo_cdr"), "train", 0, None)["records"]:
        assert record["cut"] and len(record["text"]) == 40
        for entity in record["entities"]:
            assert all(record["text"][start:end] in entity["text"] and end <= 40 for start, end in entity["spans"])


def test_what_is_not_there_is_said(server: Client) -> None:
    got = server.get("/v1/page/corpora/bc5cdrr")
    assert got.status_code == 404 and "bc5cdr" in got.json()["error"]["message"]
    assert server.get("/v1/page/corpora/bc5cdr/train").status_code == 422
