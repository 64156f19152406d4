"""Obtaining corpora: open ones are downloaded, checked and unpacked; of the others it is said what to sign and where.

A download that was cut goes on where it stopped (RFC 9110: `Range` with `If-Range`), also in a later call; a passing
fault is tried again. What nobody has published a checksum of is recorded when it is first got, and held to that later.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal
from urllib.parse import unquote, urlsplit

import msgspec

from taiyi.catalogue.entry import Corpus, Download
from taiyi.catalogue.unpack import unpack
from taiyi.errors import CorpusError

if TYPE_CHECKING:
    import httpx2

# Called with a file's name, the bytes that are there, and how many there will be (None where the server does not say).
Progress = Callable[[str, int, int | None], None]
_KEPT = ".downloads"
_ATTEMPTS = 6
_LONGEST_WAIT_S = 60.0
_TIMEOUT_S = 30.0
_AGAIN = frozenset({408, 425, 429, 500, 502, 503, 504})


class _Part(msgspec.Struct, frozen=True):
    """What is known of a file of which a part is there: by `tag` the server tells whether it is the same file still."""

    url: str
    tag: str


class _Got(msgspec.Struct, frozen=True):
    """A file that was got."""

    sha256: str
    bytes: int


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a fetch, with what is to be told to the user.

    A corpus was `there` before, is `fetched` now, is `gated`, or the fetch `failed`.
    """

    corpus: str
    state: Literal["there", "fetched", "gated", "failed"]
    said: str


class _Again(Exception):
    """A fault that may pass; `wait_s` is what the server asks for."""

    def __init__(self, what: str, wait_s: float | None = None) -> None:
        super().__init__(what)
        self.wait_s = wait_s


def fetch(
    corpus: Corpus,
    root: Path,
    *,
    progress: Progress = lambda name, done, total: None,
    sleep: Callable[[float], None] = time.sleep,
    again: bool = False,
) -> Outcome:
    """Bring the raw files of a corpus under `root`; nothing is downloaded where a layout of it is there already.

    Args:
        again: download and unpack what is there already, too.

    Raises:
        CorpusError: a file cannot be had, is not what its checksum says, or cannot be unpacked.
    """
    folder = corpus.location(root)
    here = {split: layout.name for split in corpus.splits if (layout := corpus.layout(split, root))}
    if here and not again and (len(here) == len(corpus.splits) or not corpus.downloads):
        found = ", ".join(f"{split} ({layout})" for split, layout in here.items())
        return Outcome(corpus.name, "there", f"{folder} holds {found}")
    if not corpus.downloads:
        return Outcome(corpus.name, "gated", _instructions(corpus, folder))
    for download in corpus.downloads:
        # By address: two files of a corpus may have the same name.
        kept = root / _KEPT / corpus.name / hashlib.sha256(download.url.encode()).hexdigest()[:8]
        kept.mkdir(parents=True, exist_ok=True)
        path = _download(download, kept, progress, sleep)
        if download.unpack:
            unpack(path, folder / download.path, strip=download.strip, members=download.members)
            path.unlink()
        else:
            target = folder / (download.path or path.name)
            target.parent.mkdir(parents=True, exist_ok=True)
            path.replace(target)
    absent = [path for split in corpus.splits if not corpus.layout(split, root) for path in corpus.missing(split, root)]
    if len({split for split in corpus.splits if not corpus.layout(split, root)}) == len(corpus.splits):
        raise CorpusError(
            "what was downloaded holds none of the files that were expected; its authors may have changed it",
            where=folder,
            expected=", ".join(str(path.relative_to(folder)) for path in absent),
        )
    without = f"; not among what was downloaded: {', '.join(str(path) for path in absent)}" if absent else ""
    return Outcome(corpus.name, "fetched", f"{folder}{without}")


def _instructions(corpus: Corpus, folder: Path) -> str:
    wanted = sorted({name for layout in corpus.files.values() for s in layout for name in (s.path, *s.needs)})
    how = corpus.obtain or f"Its authors give it at {corpus.homepage}."
    return f"{how} Licence: {corpus.licence}. Page: {corpus.homepage}. Put into {folder}: {', '.join(wanted)}"


def _download(download: Download, kept: Path, progress: Progress, sleep: Callable[[float], None]) -> Path:
    """Return the file, whole and checked, in the folder of what is being fetched."""
    import httpx2

    name = unquote(Path(urlsplit(download.url).path).name) or "file"
    target, part = kept / name, kept / f"{name}.part"
    with httpx2.Client(follow_redirects=True, timeout=_TIMEOUT_S, headers={"Accept-Encoding": "identity"}) as client:
        for attempt in range(_ATTEMPTS):
            try:
                _transfer(client, download.url, part, lambda done, total: progress(name, done, total))
                break
            except (_Again, httpx2.TransportError) as error:
                if attempt == _ATTEMPTS - 1:
                    raise CorpusError(
                        f"cannot be downloaded: {error or type(error).__name__}",
                        where=download.url,
                        mend=f"give the same command again: it goes on after the {_size(part)} bytes that are there",
                    ) from error
                asked = error.wait_s if isinstance(error, _Again) else None
                sleep(min(_LONGEST_WAIT_S, asked if asked is not None else 2.0**attempt))
            except httpx2.InvalidURL as error:
                raise CorpusError(f"not an address: {error}", where=download.url) from error
    _check(download, part, kept / f"{name}.got.json")
    part.replace(target)
    _note(part).unlink(missing_ok=True)
    return target


def _transfer(client: httpx2.Client, url: str, part: Path, progress: Callable[[int, int | None], None]) -> None:
    """Get a file, or what is missing of it, into `part`."""
    known, begun = _known(part), _size(part)
    headers = {"Range": f"bytes={begun}-", "If-Range": known.tag} if known and known.url == url and begun else {}
    with client.stream("GET", url, headers=headers) as response:
        status = response.status_code
        if status in _AGAIN:
            raise _Again(f"the server answers {status}", _retry_after(response))
        if status == 416:
            # The file is another one now, or all of it was there.
            part.unlink(missing_ok=True)
            raise _Again("the part that is there is no part of the file", 0.0)
        if status not in (200, 206):
            raise CorpusError(
                f"cannot be downloaded: the server answers {status}",
                where=url,
                mend="see the corpus's page: the file may have moved",
            )
        start = _start(response, begun) if status == 206 else 0
        total = _total(response, start)
        tag = response.headers.get("etag", "")
        # A weak tag does not promise the same bytes, and a time of change only to the second.
        strong = tag if tag and not tag.startswith("W/") else response.headers.get("last-modified", "")
        _note(part).unlink(missing_ok=True)
        if strong:
            _note(part).write_bytes(msgspec.json.encode(_Part(url=url, tag=strong)))
        done = start
        with part.open("r+b" if start else "wb") as file:
            file.seek(start)
            file.truncate()
            # Blocks as they come: larger ones would be lost with the connection.
            for block in response.iter_raw():
                file.write(block)
                done += len(block)
                progress(done, total)
    if total is not None and done != total:
        raise _Again(f"the connection ended after {done} of {total} bytes")


def _start(response: httpx2.Response, begun: int) -> int:
    given = response.headers.get("content-range", "")
    if not given.startswith(f"bytes {begun}-"):
        raise _Again(f"the server sends another part than was asked for: {given!r}")
    return begun


def _total(response: httpx2.Response, start: int) -> int | None:
    length = response.headers.get("content-length", "")
    return start + int(length) if length.isdecimal() else None


def _retry_after(response: httpx2.Response) -> float | None:
    given = response.headers.get("retry-after", "")
    return float(given) if given.isdecimal() else None


def _known(part: Path) -> _Part | None:
    try:
        return msgspec.json.decode(_note(part).read_bytes(), type=_Part)
    except (FileNotFoundError, msgspec.DecodeError):
        return None


def _note(part: Path) -> Path:
    return part.with_name(f"{part.name}.json")


def _size(path: Path) -> int:
    return path.stat().st_size if path.is_file() else 0


def _check(download: Download, part: Path, record: Path) -> None:
    """Hold a file to its checksum: the published one, or that of the first time."""
    with part.open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    earlier = msgspec.json.decode(record.read_bytes(), type=_Got).sha256 if record.is_file() else ""
    wanted = download.sha256 or earlier
    if wanted and found != wanted:
        size = _size(part)
        part.unlink()
        _note(part).unlink(missing_ok=True)
        mend = (
            "try again later; if it stays so, its authors have changed it: please report this"
            if download.sha256
            else f"if its authors have changed it, delete {record} and fetch it again"
        )
        raise CorpusError(
            f"the file downloaded ({size} bytes) is not the one that was expected",
            where=download.url,
            got=f"sha256 {found}",
            expected=wanted,
            mend=mend,
        )
    record.write_bytes(msgspec.json.encode(_Got(sha256=found, bytes=_size(part))))
