"""XML files read one element at a time, without network; a file that defines XML entities is refused.

External entities and document type definitions are never read, so that a file cannot make another one, or an address,
part of itself, nor grow when it is read.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from pathlib import Path
from typing import IO, Any, cast

from lxml import etree as _lxml  # pyright: ignore[reportAttributeAccessIssue, reportUnknownVariableType]

from taiyi.errors import FormatError

etree = cast(Any, _lxml)  # lxml has no types of its own


def elements(
    path: Path, tags: Collection[str], *, root: Collection[str] = (), source: IO[bytes] | None = None
) -> Iterator[Any]:
    """Yield each outermost element of one of the tags when it is whole; what was yielded before is let go.

    Args:
        tags: names of the elements, such as `document`; the outermost element may be among them.
        root: names that the outermost element may have; any where none is given.
        source: what is read, where the XML is a part of the file, such as a member of an archive.

    Raises:
        FormatError: the file is not well-formed XML, was cut off, defines XML entities, has another outermost element,
            or has a text of more than 10 MB.
    """
    try:
        _check_outermost(path, root, source)
        within = 0
        for event, element in _parsed(path, source, events=("start", "end"), tag=tuple(tags)):
            within += 1 if event == "start" else -1
            if event == "end" and not within:
                yield element
                # What was read is let go, so that memory does not grow with the file.
                element.clear(keep_tail=True)
                while element.getprevious() is not None and element.getparent() is not None:
                    del element.getparent()[0]
    except etree.XMLSyntaxError as error:
        raise FormatError(
            f"the file is not well-formed XML within the limits on size: {error.msg}",
            where=f"{path}:{error.lineno}",
            mend="fetch the file again; it may have been cut off",
        ) from error


def outermost(path: Path) -> str:
    """Return the name of the outermost element, without its namespace; FormatError where the file is not XML."""
    try:
        return next(etree.QName(element).localname for _, element in _parsed(path, None, events=("start",)))
    except (etree.XMLSyntaxError, StopIteration) as error:
        raise FormatError("the file is not well-formed XML", where=path, got=str(error) or None) from error


def _parsed(path: Path, source: IO[bytes] | None, **chosen: Any) -> Iterator[tuple[str, Any]]:
    return etree.iterparse(
        source or str(path),
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        huge_tree=False,
        remove_comments=True,
        remove_pis=True,
        **chosen,
    )


def _check_outermost(path: Path, root: Collection[str], source: IO[bytes] | None) -> None:
    """Refuse a file by how it begins; what is read after that are elements of the tags only."""
    for _, outermost in _parsed(path, source, events=("start",)):
        _refuse_entities(outermost, path)
        if root and outermost.tag not in root:
            wanted = " or ".join(f"<{tag}>" for tag in sorted(root))
            raise FormatError(
                "the outermost element is another one", where=path, got=f"<{outermost.tag}>", expected=wanted
            )
        break
    if source is not None:
        source.seek(0)


def _refuse_entities(root: Any, path: Path) -> None:
    dtd = root.getroottree().docinfo.internalDTD
    if dtd is not None and any(True for _ in dtd.iterentities()):
        raise FormatError(
            "the file defines XML entities, which can make a small file huge",
            where=path,
            expected="no <!ENTITY …>",
            mend="replace the entities by their text if you trust the file",
        )
