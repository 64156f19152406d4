"""A component of spaCy pipelines: `nlp.add_pipe("taiyi")` sets the entities of documents.

nlp = spacy.blank("en")
nlp.add_pipe("taiyi", config={"types": ["chemical", "disease"]})
doc = nlp("Aspirin can cause asthma.")
[(ent.text, ent.label_) for ent in doc.ents]
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import tee
from typing import Any, cast

import numpy as np

from taiyi.checkpoint import EMBEDDED
from taiyi.errors import TaiyiError
from taiyi.use.results import Extraction
from taiyi.use.taiyi import Asks, Taiyi

try:
    from spacy.language import Language
    from spacy.tokens import Doc, Span, SpanGroup
    from spacy.util import filter_spans
except ModuleNotFoundError as error:
    raise TaiyiError("spaCy is not installed", mend="install the extra: pip install 'taiyi[spacy]'") from error

NAME = "taiyi"


class TaiyiPipe:
    """Sets `doc.ents` to what a model finds, the longer where mentions are nested; all are in `doc.spans["taiyi"]`.

    Spans of spaCy have whole tokens: a mention that begins or ends within one is widened to it. The group of spans has
    for each, in order, the exact characters (`attrs["chars"]`: pairs of start and end) and how probable it is
    (`attrs["scores"]`, as spaCy's own span categoriser has them; NaN where the model does not tell).

    Args:
        model: a run, a folder, a hub id, the address of a server, or `mini`.
        types: what to find; else what the model learned.
        lang: of the prompt; else that of each text.
        like: the corpus by whose guidelines, of a model that learned several.
    """

    def __init__(self, model: str, types: list[str], lang: Asks, like: str) -> None:
        self.taiyi = Taiyi.load(model)
        self.types, self.like = types, like
        self.lang: Asks = lang

    def __call__(self, doc: Doc) -> Doc:
        """Find the entities of one document; TaiyiError where its text cannot be answered."""
        (done,) = self.pipe([doc])
        return done

    def pipe(self, stream: Iterable[Doc], *, batch_size: int = 128) -> Iterator[Doc]:
        """Find those of many, answered together; a text without a letter has none.

        `batch_size` is spaCy's, and changes nothing: as many are answered together as fill a batch of the model.
        """
        docs, kept = tee(stream)
        asked = (doc.text for doc in docs if doc.text.strip())
        found = self.taiyi.extract_all(asked, self.types, lang=self.lang, like=self.like)
        for doc in kept:
            yield marked(doc, next(found)) if doc.text.strip() else doc


def marked(doc: Doc, found: Extraction) -> Doc:
    """Set the entities of a document to what was found in its text."""
    if found.fault:
        raise TaiyiError(found.fault, where=doc.text[:40])
    made = [doc.char_span(e.start, e.end, label=e.type, alignment_mode="expand") for e in found.entities]
    spans = cast(list[Span], made)
    chars = [[e.start, e.end] for e in found.entities]
    scores = np.array([np.nan if e.confidence is None else e.confidence for e in found.entities], dtype=np.float32)
    doc.spans[NAME] = SpanGroup(doc, name=NAME, spans=spans, attrs={"chars": chars, "scores": scores})
    doc.ents = filter_spans(spans)
    return doc


@Language.factory(  # pyright: ignore[reportUntypedFunctionDecorator]
    NAME,
    assigns=["doc.ents", "doc.spans"],
    default_config={"model": EMBEDDED, "types": [], "lang": "auto", "like": ""},
)
def make(nlp: Any, name: str, model: str, types: list[str], lang: Asks, like: str) -> TaiyiPipe:
    """Return the component that spaCy adds to a pipeline."""
    return TaiyiPipe(model, types, lang, like)
