"""Tokenizers without transformers: what they make of texts and dialogues is what transformers makes of them."""

from __future__ import annotations

import json
from copy import deepcopy
from functools import cache
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from transformers import AutoTokenizer

from taiyi.encoding import Encoder, end_token
from taiyi.errors import ModelError
from taiyi.schema import Message
from taiyi.tokens import CHAT_TEMPLATE, FastTokenizer, _compiled  # pyright: ignore[reportPrivateUsage]
from test_encoding import TOKENIZERS, kinds, texts

TEMPLATES = {
    "ours": CHAT_TEMPLATE,
    "none": None,
    "another": """{% if messages[0].role == "system" %}
    {{ bos_token }}{{ messages[0]['content'] | trim }}
{% endif %}
    {%- for message in messages %}
        {%- if message.role == "system" %}{% continue %}{% endif %}
        {{- "<|im_start|>" + message['role'] + ": " + message.content | tojson + eos_token }}
    {%- endfor %}
{% if add_generation_prompt %}<|im_start|>assistant:{% endif %}""",
}
ROLES = ("system", "user", "assistant")
dialogues = st.lists(st.tuples(st.sampled_from(ROLES), texts), min_size=1, max_size=4)


@cache
def both(kind: str, template: str) -> tuple[Any, FastTokenizer]:
    """A tokenizer as transformers loads it, and as we do."""
    folder = Path(mkdtemp())
    made = deepcopy(TOKENIZERS[kind]())
    made.chat_template = TEMPLATES[template]
    made.bos_token = "<|im_start|>"
    made.save_pretrained(folder)
    theirs: Any = AutoTokenizer.from_pretrained(folder)
    return theirs, FastTokenizer.load(folder)


@given(kinds, texts)
def test_texts_are_encoded_and_decoded_alike(kind: str, text: str) -> None:
    theirs, ours = both(kind, "ours")
    ids = ours.encode(text, add_special_tokens=False)
    assert ids == theirs.encode(text, add_special_tokens=False)
    assert ours.decode(ids) == theirs.decode(ids, clean_up_tokenization_spaces=False)
    assert ours.decode(ids[1:-1]) == theirs.decode(ids[1:-1], clean_up_tokenization_spaces=False)


@pytest.mark.parametrize("template", TEMPLATES)
@given(kinds, dialogues)
def test_dialogues_are_rendered_alike(template: str, kind: str, turns: list[tuple[Any, str]]) -> None:
    theirs, ours = both(kind, template)
    messages = [Message(role=role, content=text) for role, text in turns]
    one, other = Encoder(ours).prompt(messages), Encoder(theirs).prompt(messages)
    assert (one.ids, one.positions) == (other.ids, other.positions)


@pytest.mark.parametrize("template", TEMPLATES)
@pytest.mark.parametrize("kind", sorted(TOKENIZERS))
def test_special_tokens_are_the_same(kind: str, template: str) -> None:
    theirs, ours = both(kind, template)
    assert (ours.eos_token_id, ours.unk_token_id) == (theirs.eos_token_id, theirs.unk_token_id)
    assert end_token(ours) == end_token(theirs)
    assert ours.chat_template == theirs.chat_template
    assert {n: t.content for n, t in ours.added_tokens_decoder.items()} == {
        n: t.content for n, t in theirs.added_tokens_decoder.items()
    }


@given(dialogues, st.booleans())
def test_our_template_is_rendered_as_jinja_does_it(turns: list[tuple[str, str]], ask: bool) -> None:
    _, ours = both("single", "ours")
    rows = [{"role": role, "content": text} for role, text in turns]
    rendered = _compiled(CHAT_TEMPLATE).render(messages=rows, add_generation_prompt=ask)
    assert ours.apply_chat_template(rows, add_generation_prompt=ask) == rendered


def test_a_template_may_refuse_a_dialogue() -> None:
    from jinja2.exceptions import TemplateError

    _, ours = both("single", "ours")
    with pytest.raises(TemplateError, match="no turns"):
        ours.apply_chat_template([], chat_template="{{ raise_exception('no turns') }}")


def test_what_is_said_of_special_tokens_is_read_in_each_of_its_forms(tmp_path: Path) -> None:
    TOKENIZERS["single"]().save_pretrained(tmp_path)
    path = tmp_path / "tokenizer_config.json"
    changes = {"add_bos_token": False, "unk_token": None, "eos_token": {"content": "<|im_end|>", "special": True}}
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))
    found = FastTokenizer.load(tmp_path)
    assert (found.eos_token_id, found.unk_token_id) == (found.backend_tokenizer.token_to_id("<|im_end|>"), None)


@pytest.mark.parametrize(
    ("changes", "removed"),
    [
        ({"tokenizer_class": "Qwen2Tokenizer"}, ""),
        ({"eos_token": "<never>"}, ""),
        ({"eos_token": {"content": "<never>"}}, ""),
        ({}, "tokenizer.json"),
        ({"chat_template": "{% generation %}x{% endgeneration %}"}, "chat_template.jinja"),
    ],
)
def test_what_transformers_would_make_otherwise_is_refused(
    changes: dict[str, str], removed: str, tmp_path: Path
) -> None:
    TOKENIZERS["single"]().save_pretrained(tmp_path)
    path = tmp_path / "tokenizer_config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))
    if removed:
        (tmp_path / removed).unlink()
    with pytest.raises(ModelError, match=r"of its own|cannot be read"):
        FastTokenizer.load(tmp_path)
