"""The component of spaCy: entities of documents, with whole tokens, and the exact characters beside them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, cast

import numpy as np
import pytest
import spacy
from hypothesis import given, settings
from hypothesis import strategies as st
from spacy.tokens import Doc, DocBin

from taiyi.errors import TaiyiError
from taiyi.generate import Engine
from taiyi.use import spacy_pipe
from taiyi.use.asking import Model
from taiyi.use.results import Entity, Extraction
from taiyi.use.taiyi import Taiyi

Places = dict[str, list[tuple[int, int, str]]]


class Found(Taiyi):
    """Finds what it is told to."""

    def __init__(self, places: Places) -> None:
        super().__init__(cast(Engine, None), cast(Model, None))
        self.places = places
        self.asked: list[str] = []

    def extract_all(self, texts: Iterable[str], types: Any = (), **_: Any) -> Iterator[Extraction]:
        for text in texts:
            self.asked.append(text)
            if text not in self.places:
                yield Extraction(text=text, lang="en", fault="too long")
                continue
            entities = (
                Entity(start=start, end=end, text=text[start:end], type=kind, confidence=0.5)
                for start, end, kind in self.places[text]
            )
            yield Extraction(text=text, lang="en", entities=tuple(entities))


def pipeline(monkeypatch: pytest.MonkeyPatch, places: Places, lang: str = "en") -> tuple[Any, Found]:
    found = Found(places)
    with monkeypatch.context() as patched:
        patched.setattr(Taiyi, "load", lambda *_: found)  # pyright: ignore[reportUnknownLambdaType, reportUnknownArgumentType]
        nlp = spacy.blank(lang)
        nlp.add_pipe("taiyi", config={"types": ["disease"]})
    return nlp, found


BLANK = {lang: spacy.blank(lang) for lang in ("en", "zh")}
TEXT = "Lung cancer and non-smokers' asthma 😀."
PLACES = {TEXT: [(0, 11, "disease"), (5, 11, "disease"), (16, 27, "disease"), (29, 35, "disease")]}


def test_entities_are_set_and_nested_ones_kept_beside_them(monkeypatch: pytest.MonkeyPatch) -> None:
    nlp, _ = pipeline(monkeypatch, PLACES)
    doc = nlp(TEXT)
    assert (doc.ents[0].text, doc.ents[0].label_) == ("Lung cancer", "disease")
    group = doc.spans["taiyi"]
    assert [span.text for span in group][:2] == ["Lung cancer", "cancer"]
    assert group.attrs["chars"] == [[0, 11], [5, 11], [16, 27], [29, 35]]
    assert np.allclose(group.attrs["scores"], 0.5)


def test_documents_are_stored_and_read(monkeypatch: pytest.MonkeyPatch) -> None:
    nlp, _ = pipeline(monkeypatch, PLACES)
    stored = DocBin(docs=[nlp(TEXT)], store_user_data=True).to_bytes()
    (doc,) = DocBin().from_bytes(stored).get_docs(nlp.vocab)
    assert doc.spans["taiyi"].attrs["chars"] == nlp(TEXT).spans["taiyi"].attrs["chars"]


def test_many_documents_keep_their_order_and_empty_ones_are_not_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    places: Places = {"One fever.": [(4, 9, "disease")], "Two.": [], "Fever": [(0, 5, "disease")]}
    nlp, found = pipeline(monkeypatch, places)
    texts = ["One fever.", "", " \n", "Two.", "Fever"]
    assert [[ent.text for ent in doc.ents] for doc in nlp.pipe(texts)] == [["fever"], [], [], [], ["Fever"]]
    assert found.asked == ["One fever.", "Two.", "Fever"]


def test_a_text_without_an_answer_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    nlp, _ = pipeline(monkeypatch, {})
    with pytest.raises(TaiyiError, match="too long"):
        nlp("Something else.")


@settings(max_examples=100, deadline=None)
@given(text=st.text("ab cd.,-😀é肝癌\n", min_size=1, max_size=30).filter(str.strip), data=st.data())
def test_a_span_covers_the_mention_and_its_characters_are_exact(text: str, data: st.DataObject) -> None:
    some = st.integers(0, len(text) - 1)
    pairs = data.draw(st.lists(st.tuples(some, some), max_size=4))
    places = [(min(p), max(p) + 1, "disease") for p in pairs]
    # What a model finds begins and ends with something to see.
    places = [place for place in places if text[place[0] : place[1]].strip() == text[place[0] : place[1]]]
    doc: Doc = BLANK["zh" if "肝" in text else "en"].make_doc(text)
    entities = tuple(Entity(start=s, end=e, text=text[s:e], type=kind, confidence=None) for s, e, kind in places)
    done = spacy_pipe.marked(doc, Extraction(text=text, lang="en", entities=entities))
    group = cast(Any, done.spans["taiyi"])
    assert group.attrs["chars"] == [[start, end] for start, end, _ in places]
    assert np.isnan(group.attrs["scores"]).all()
    for span, (start, end, _) in zip(group, places, strict=True):
        assert span.start_char <= start and end <= span.end_char
    taken = [token.i for ent in done.ents for token in ent]
    assert len(taken) == len(set(taken))
