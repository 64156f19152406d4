"""Hypothesis strategies of the types of the line, and hand-made types and labels that they use."""

from __future__ import annotations

from typing import Any, get_args

from hypothesis import strategies as st

from taiyi.schema import (
    Argument,
    Choice,
    Concept,
    Coreference,
    Counts,
    Dialogue,
    Document,
    Entity,
    Event,
    Example,
    FreeText,
    Labelled,
    Labels,
    Lang,
    Mention,
    Mentions,
    Message,
    Option,
    Pair,
    Parallel,
    Passage,
    Prediction,
    Question,
    Record,
    Relation,
    Score,
    Shown,
    Span,
    Split,
    Tagging,
    TextToStruct,
    TextToText,
    TreeNode,
    Triple,
    Triples,
    Turn,
)

ENTITY_TYPES = {
    "en": (
        Shown(name="Chemical", shown="chemical"),
        Shown(name="Disease", shown="disease: any"),
        Shown(name="G", shown="gene"),
    ),
    "zh": (Shown(name="dis", shown="疾病"), Shown(name="sym", shown="临床表现"), Shown(name="bod", shown="身体")),
}
RELATION_TYPES = {
    "en": (Shown(name="CID", shown="induces"), Shown(name="Bind", shown="binds")),
    "zh": (Shown(name="因", shown="病因"), Shown(name="药", shown="药物治疗")),
}
LABELS = {
    "en": (
        Shown(name="a", shown="Treatment"),
        Shown(name="b", shown="Case Report, rare"),
        Shown(name="c", shown="none"),
    ),
    "zh": (Shown(name="甲", shown="病情诊断"), Shown(name="乙", shown="注意事项"), Shown(name="丙", shown="就医建议")),
}
# Letters and everything that answers use as a mark: what could be mistaken for the structure of an answer.
MARKS = "ab cé病无是 ;；:：,，、.。\\\n\r\t\u2028()（）<>/{}[]None"

langs = st.sampled_from(get_args(Lang))
splits = st.sampled_from(get_args(Split))
characters = st.one_of(st.sampled_from(MARKS), st.characters(exclude_categories=["Cs"]))
texts = st.text(characters, min_size=1, max_size=30).filter(str.strip)
words = st.text(characters, max_size=12)
names = st.text(st.characters(categories=["L", "N"]), min_size=1, max_size=8)
finite = st.floats(allow_nan=False, allow_infinity=False)


def _heads(lang: st.SearchStrategy[Any] = langs) -> dict[str, st.SearchStrategy[Any]]:
    return {
        "id": names,
        "corpus": names,
        "split": splits,
        "lang": lang,
        "document_ids": st.lists(names, max_size=2).map(tuple),
    }


@st.composite
def spans(draw: st.DrawFn, text: str) -> Span:
    start = draw(st.integers(0, len(text) - 1))
    return Span(start, draw(st.integers(start + 1, len(text))))


def _mention(text: str, parts: tuple[Span, ...]) -> str:
    return " ".join(text[start:end] for start, end in parts)


@st.composite
def documents(
    draw: st.DrawFn, types: dict[str, tuple[Shown, ...]] = ENTITY_TYPES, *, most_parts: int = 2, with_all: bool = True
) -> Document:
    """Documents with nested, crossing, equal and discontinuous mentions, and relations of relations."""
    head = {key: draw(value) for key, value in _heads().items()}
    text = draw(st.text(characters, min_size=1, max_size=60).filter(str.strip))
    parts = st.lists(spans(text), min_size=1, max_size=most_parts).map(lambda found: tuple(sorted(found)))
    known = [shown.name for shown in types[head["lang"]]]
    entities = [
        Entity(
            id=f"T{i}",
            type=draw(st.sampled_from(known)),
            text=_mention(text, where),
            spans=where,
            concepts=tuple(Concept(db="MESH", id=name) for name in draw(st.lists(st.sampled_from("XYZ"), max_size=2))),
        )
        for i, where in enumerate(draw(st.lists(parts, max_size=6)))
    ]
    refs = [("entity", e.id) for e in entities] + [("concept", c.id) for e in entities for c in e.concepts]
    arguments = st.one_of(
        st.builds(Argument, role=names, kind=st.just("text"), ref=texts, type=st.none() | names),
        *[st.builds(Argument, role=names, kind=st.just(kind), ref=st.just(ref)) for kind, ref in refs],
    )
    pairs = st.tuples(arguments, arguments)
    relations = [
        Relation(id=f"R{i}", type=draw(st.sampled_from([s.name for s in RELATION_TYPES[head["lang"]]])), arguments=pair)
        for i, pair in enumerate(draw(st.lists(pairs, max_size=4)))
    ]
    if not with_all:
        return Document(**head, text=text, entities=tuple(entities), relations=tuple(relations))
    if relations:
        causes = Argument(role="cause", kind="relation", ref="R0")
        relations.append(Relation(id="RR", type="cause", arguments=(causes,), attributes={"sure": draw(words)}))
    where = draw(st.lists(spans(text), max_size=2).map(tuple))
    events = [Event(id="E0", type="e", trigger=_mention(text, where), trigger_spans=where, arguments=draw(pairs))]
    events.append(Event(id="E1", type="e", arguments=(Argument(role="theme", kind="event", ref="E0"),)))
    return Document(
        **head,
        text=text,
        passages=(Passage(type="title", span=Span(0, len(text))),),
        entities=tuple(entities),
        relations=tuple(relations),
        events=tuple(events),
        coreferences=(Coreference(id="C0", entities=tuple(e.id for e in entities)),),
    )


@st.composite
def labelled(draw: st.DrawFn) -> Labelled:
    head = {key: draw(value) for key, value in _heads().items()}
    known = [shown.name for shown in LABELS[head["lang"]]]
    return Labelled(**head, text=draw(texts), labels=tuple(draw(st.lists(st.sampled_from(known), unique=True))))


@st.composite
def questions(draw: st.DrawFn, kind: str | None = None) -> Question:
    head = {key: draw(value) for key, value in _heads().items()}
    kind = kind or draw(st.sampled_from(["choice", "yesno", "simple", "context"]))
    options = (
        [Option(key=key, text=draw(words)) for key in "ABCDE"[: draw(st.integers(2, 5))]] if kind == "choice" else []
    )
    answers = {
        "choice": st.sampled_from([o.key for o in options] or ["A"]),
        "yesno": st.sampled_from(["yes", "no", "maybe"]),
    }
    return Question(
        **head,
        kind=kind,
        question=draw(texts),
        answers=(draw(answers.get(kind, texts)),),
        contexts=tuple(draw(st.lists(texts, min_size=1, max_size=2))) if kind != "simple" else (),
        options=tuple(options),
        long_answer=draw(words),
    )


@st.composite
def dialogues(draw: st.DrawFn) -> Dialogue:
    head = {key: draw(value) for key, value in _heads().items()}
    turns = [
        Turn(role="assistant" if i % 2 else "user", text=text)
        for i, text in enumerate(draw(st.lists(texts, min_size=2, max_size=5)))
    ]
    system = [Turn(role="system", text=draw(texts))] if draw(st.booleans()) else []
    return Dialogue(**head, turns=(*system, *turns))


@st.composite
def pairs(draw: st.DrawFn, *, graded: bool | None = None) -> Pair:
    """Pairs with a label of `LABELS`, or with a value; with either where `graded` is not given."""
    head = {key: draw(value) for key, value in _heads().items()}
    if graded is None:
        graded = draw(st.booleans())
    value = draw(finite) if graded else None
    label = None if graded else draw(st.sampled_from(LABELS[head["lang"]])).name
    return Pair(**head, first=draw(texts), second=draw(texts), label=label, value=value)


@st.composite
def parallels(draw: st.DrawFn) -> Parallel:
    head = {key: draw(value) for key, value in _heads().items()}
    target_lang = "zh" if head["lang"] == "en" else "en"
    return Parallel(**head, source=draw(texts), target=draw(texts), target_lang=target_lang)


def rewritings(kind: str) -> st.SearchStrategy[TextToText]:
    return st.builds(TextToText, **_heads(), kind=st.just(kind), source=texts, target=texts)


_triples = st.builds(Triple, head=words, tail=words, type=words)
_pair = _heads() | {"first": texts, "second": texts}
records: st.SearchStrategy[Record] = st.one_of(
    documents(),
    labelled(),
    questions(),
    dialogues(),
    st.builds(Pair, **_pair, label=names),
    st.builds(Pair, **_pair, value=finite),
    st.builds(Parallel, **_heads(st.just("en")), source=texts, target=texts, target_lang=st.just("zh")),
    st.builds(TextToText, **_heads(), kind=st.sampled_from(["summary", "title", "report"]), source=texts, target=texts),
    st.builds(
        TextToStruct,
        **_heads(),
        source=texts,
        nodes=st.lists(
            st.builds(
                TreeNode,
                role=st.sampled_from(["condition", "decision"]),
                triples=st.lists(_triples, max_size=2).map(tuple),
                logic=st.sampled_from(["and", "or", "null"]),
            ),
            min_size=1,
            max_size=3,
        ).map(tuple),
    ),
)

mentions = st.builds(Mention, type=names, text=words, span=st.none() | st.just(Span(0, 1)))
answers = st.one_of(
    st.lists(mentions, max_size=3).map(lambda items: Mentions(items=tuple(items))),
    st.lists(_triples, max_size=3).map(lambda items: Triples(items=tuple(items))),
    st.lists(names, max_size=3).map(lambda items: Labels(items=tuple(items))),
    st.builds(Choice, key=names),
    st.builds(FreeText, text=words),
)


@st.composite
def examples(draw: st.DrawFn) -> Example:
    """Examples as data: their ids say nothing of what they hold."""
    source = draw(texts)
    before = draw(words)
    tagging = Tagging(source=source, tags=("disease",), at=len(before)) if draw(st.booleans()) else None
    place = Span(len(before), len(before) + len(source)) if draw(st.booleans()) else None
    system = [Message(role="system", content=draw(words))] if draw(st.booleans()) else []
    return Example(
        id=draw(names),
        corpus=draw(names),
        task=draw(st.sampled_from(["ner", "tc"])),
        lang=draw(langs),
        split=draw(splits),
        template=draw(names),
        form=draw(st.sampled_from(["list", "tagged"])),
        record=draw(names),
        messages=(*system, Message(role="user", content=before + source)),
        answer=draw(texts),
        gold=draw(answers),
        types=tuple(draw(st.lists(st.builds(Shown, name=names, shown=names), max_size=2))),
        source=place,
        tagging=tagging,
        offset=draw(st.integers(0, 10**6)),
        document_ids=tuple(draw(st.lists(names, max_size=2))),
    )


predictions = st.builds(
    Prediction,
    example=names,
    text=words,
    finish=st.sampled_from(["stop", "length", "refused"]),
    reason=words,
    num_prompt_tokens=st.integers(0, 10**6),
    num_tokens=st.integers(0, 10**6),
    seconds=finite,
)
scores = st.builds(
    Score,
    record=names,
    counts=st.dictionaries(
        names, st.builds(Counts, tp=st.integers(0, 9), fp=st.integers(0, 9), fn=st.integers(0, 9)), max_size=3
    ),
    value=st.none() | st.floats(0, 1),
    state=st.sampled_from(["parsed", "unparsable"]),
    reason=words,
)
