"""Damage to raw files as it happens, and worse: values of another kind, bytes, lines, cuts and other encodings."""

from __future__ import annotations

import copy
import itertools
import json
from collections.abc import Callable, Iterator
from typing import Any

from hypothesis import strategies as st

INSERTS = [
    b"\xff", b"\xe4\xb8", b"\x00", b"\r", b"\n", b"\n\n", b"\t", b'"', b"'", b"\\", b"\\ud83d", b"|", b"|||", b"<",
    b"<x>", b"&x;", b"&#xD800;", b"{", b"}", b"[", b"]", b",", b"0", b"-1", b"9" * 12, b"9" * 5000, b"[" * 3000,
    b"1e999", b"NaN", b"\xef\xbb\xbf", "\u2028".encode(), "٣".encode(), "²".encode(), "😀".encode(), b"x" * 140_000,
]  # fmt: skip
VALUES: list[Any] = [
    None, True, 7, -1, 1.5, 10**30, [], [None], ["x", 7], {}, {"x": None}, "", " ", "x", "\ud83d", "half \udc00 of it",
]  # fmt: skip
ENCODINGS = ["utf-16", "utf-16-le", "gb18030", "latin-1", "utf-8-sig", "utf-7"]


def _places(value: Any) -> Iterator[tuple[Any, Any]]:
    """Every container within a JSON value, with each key or index of it."""
    if isinstance(value, dict | list):
        for key, inner in value.items() if isinstance(value, dict) else enumerate(value):
            yield value, key
            yield from _places(inner)


def _in_json(data: bytes, draw: Callable[..., Any]) -> bytes:
    """Replace, or take out, a value of what is JSON, whole or by line; anything else stays as it is."""
    try:
        whole, values = True, [json.loads(data)]
    except (ValueError, RecursionError):
        try:
            whole, values = False, [json.loads(line) for line in data.splitlines()]
        except (ValueError, RecursionError):
            return data
    places = list(itertools.islice(_places(values), 500))
    if not places:
        return data
    holder, key = places[draw(st.integers(0, len(places) - 1))]
    if isinstance(holder, dict) and draw(st.integers(0, 3)) == 0:
        new = draw(st.sampled_from(["x", "", "\ud83d", None]))
        value = holder.pop(key)
        if new is not None:
            holder[new] = value
    else:
        holder[key] = copy.deepcopy(draw(st.sampled_from(VALUES)))
    ascii = draw(st.booleans()) or "\\ud" in json.dumps(values)
    if whole:
        return json.dumps(values[0], ensure_ascii=ascii, indent=draw(st.sampled_from([None, 1]))).encode()
    return "".join(f"{json.dumps(value, ensure_ascii=ascii)}\n" for value in values).encode()


@st.composite
def damaged(draw: Callable[..., Any], data: bytes) -> bytes:
    kind = draw(st.sampled_from(["json", "json", "bytes", "insert", "lines", "repeat", "cut", "encoding", "empty"]))
    start = draw(st.integers(0, len(data)))
    end = draw(st.integers(start, min(len(data), start + 12)))
    lines = data.splitlines(keepends=True)
    first = draw(st.integers(0, max(len(lines) - 1, 0)))
    match kind:
        case "json":
            return _in_json(data, draw)
        case "bytes":
            return data[:start] + draw(st.binary(max_size=4)) + data[end:]
        case "insert":
            return data[:start] + draw(st.sampled_from(INSERTS)) + data[end:]
        case "repeat":
            return data[:end] * 2 + data[end:]
        case "lines":
            other = draw(
                st.sampled_from([b"", b"\n", b"\xff\n", *(lines or [b""]), b"".join(lines[first : first + 2])])
            )
            return b"".join((*lines[:first], other, *lines[first + 1 :]))
        case "cut":
            return data[:start]
        case "encoding":
            return data.decode("utf-8", "replace").encode(draw(st.sampled_from(ENCODINGS)), "replace")
        case _:
            return draw(st.sampled_from([b"", b"\n", b"null", b"7", b'"x"', b"[]", b"{}", b"[[]]", b"{}\n[]\n"]))
