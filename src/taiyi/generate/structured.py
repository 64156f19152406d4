"""A grammar as the fields of a request: how servers with an OpenAI-compatible address are told to keep to one.

All three below hand a grammar in llguidance's dialect of Lark on to llguidance itself, so that one text serves them
and the engine in this process. Servers that take a JSON schema alone cannot be held to a source: no schema says that
a text stands in another.
"""

from __future__ import annotations

from typing import Any

from taiyi.endpoint import Server
from taiyi.errors import ModelError, suggestion

SERVERS: tuple[Server, ...] = ("vllm", "sglang", "llama.cpp")


def request_fields(grammar: str, server: Server) -> dict[str, Any]:
    """Return what is added to the body of a request for a completion; nothing for an empty grammar.

    Raises:
        ModelError: it is not known how the server takes a grammar.
    """
    if not grammar:
        return {}
    if server == "vllm":
        return {"structured_outputs": {"grammar": grammar}}
    if server == "sglang":
        return {"ebnf": grammar}
    if server == "llama.cpp":
        return {"grammar": grammar}
    raise ModelError(
        "it is not known how this server takes a grammar",
        got=server,
        expected=", ".join(SERVERS),
        mend=suggestion(server, SERVERS),
    )
