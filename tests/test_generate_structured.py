"""Grammars that are sent to servers: in the fields that they document, and such that what they run takes them.

No server runs here. vLLM: docs/features/structured_outputs.md; SGLang: docs/advanced_features/structured_outputs.md;
llama.cpp: docs/llguidance.md and tools/server/README.md.
"""

from __future__ import annotations

from typing import Any

import pytest
from llguidance import LLMatcher, grammar_from

from extraction import FORMS, document, made
from taiyi import tasks
from taiyi.endpoint import Server
from taiyi.errors import ModelError
from taiyi.generate.structured import SERVERS, request_fields

DOCUMENT = document(("Chemical", 'IL-2 ::= "a"\nroot ::= b'), ("Disease", "# asthma // x"))
GRAMMARS = [tasks.grammar(made(name, DOCUMENT, form=form)) for name, form in FORMS if name != "struct"]


@pytest.mark.parametrize(
    ("server", "fields"),
    [
        ("vllm", {"structured_outputs": {"grammar": GRAMMARS[0]}}),
        ("sglang", {"ebnf": GRAMMARS[0]}),
        ("llama.cpp", {"grammar": GRAMMARS[0]}),
    ],
)
def test_each_server_has_the_grammar_in_its_own_field(server: Server, fields: dict[str, Any]) -> None:
    assert request_fields(GRAMMARS[0], server) == fields
    assert request_fields("", server) == {}


def test_a_server_that_is_not_known_is_refused() -> None:
    assert set(SERVERS) == {"vllm", "sglang", "llama.cpp"}
    with pytest.raises(ModelError, match="Did you mean 'vllm'"):
        request_fields(GRAMMARS[0], "vlm")  # type: ignore[arg-type]


@pytest.mark.parametrize("grammar", GRAMMARS)
def test_what_servers_make_of_a_grammar_is_the_grammar(grammar: str) -> None:
    # vLLM and SGLang hand it on as one of either dialect, which is told by its text; llama.cpp looks at its beginning.
    assert grammar.startswith("%llguidance")
    for kind in ("grammar", "ebnf", "lark"):
        assert grammar_from(kind, grammar) == LLMatcher.grammar_from_lark(grammar)
    assert LLMatcher.validate_grammar(grammar_from("grammar", grammar)) == ""
