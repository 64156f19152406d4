"""Archives unpacked into a folder: zip, tar (plain, gzip, bzip2 or xz) and single compressed files, told by content.

Nothing is written outside the folder, links and devices are refused, and so is an archive that would grow past all
reason. Members go to a folder beside the target first, so that a target holds all of an archive or nothing of it.
"""

from __future__ import annotations

import bz2
import fnmatch
import gzip
import lzma
import struct
import tarfile
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path, PurePosixPath
from typing import IO, BinaryIO, cast

from taiyi.errors import CorpusError

# A corpus of text shrinks to about a tenth; what grows a thousandfold, or past 200 GB, is made to fill a disk.
_MOST_RATIO = 1000
_MOST_BYTES = 200 << 30
_FREE_BYTES = 64 << 20
_BLOCK_BYTES = 1 << 20
_UTF8_NAME = 0x800
_COMPRESSED: tuple[tuple[bytes, Callable[[Path], BinaryIO]], ...] = (
    (b"\x1f\x8b", lambda path: cast(BinaryIO, gzip.GzipFile(path))),
    (b"BZh", lambda path: cast(BinaryIO, bz2.BZ2File(path))),
    (b"\xfd7zXZ\x00", lambda path: cast(BinaryIO, lzma.LZMAFile(path))),  # noqa: SIM115
)
# What the standard library raises at archives that are no such: encrypted ones, and other versions, among them.
_DAMAGE = (
    *(zipfile.BadZipFile, tarfile.TarError, EOFError, zlib.error, lzma.LZMAError, gzip.BadGzipFile, OSError),
    *(NotImplementedError, RuntimeError, ValueError, OverflowError, struct.error),
)
# A member's name, and what opens it.
Member = tuple[str, Callable[[], IO[bytes]]]


def unpack(archive: Path, folder: Path, *, strip: int = 0, members: tuple[str, ...] = ()) -> list[str]:
    """Unpack an archive into a folder, over what is there; returns the names of what was written, sorted.

    Args:
        strip: leading parts of members' names that are taken off; members with no more parts are left out.
        members: patterns, of which a member's name (after stripping) must match one; all where none is given.

    Raises:
        CorpusError: the file is no archive, was cut off, has a member that would stand outside the folder or is a
            link, or would grow beyond reason; or no member matches.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".unpacking-", dir=folder.parent) as made:
        beside = Path(made)
        try:
            names = _extract(archive, beside, strip, members)
        except _DAMAGE as error:
            if isinstance(error, OSError) and error.errno is not None:
                raise
            raise CorpusError(
                f"the archive is damaged: {error}", where=archive, mend="fetch it again; it may have been cut off"
            ) from error
        if not names:
            raise CorpusError(
                "the archive holds none of the files that were expected",
                where=archive,
                expected=", ".join(members) or "any file",
            )
        for name in names:
            target = folder / name
            target.parent.mkdir(parents=True, exist_ok=True)
            (beside / name).replace(target)
    return names


def _extract(archive: Path, beside: Path, strip: int, patterns: tuple[str, ...]) -> list[str]:
    most = max(_FREE_BYTES, min(_MOST_BYTES, archive.stat().st_size * _MOST_RATIO))
    written = 0
    names: set[str] = set()
    for given, content in _members(archive):
        name = _safe(given, strip, archive)
        if name is None or (patterns and not any(fnmatch.fnmatchcase(name, pattern) for pattern in patterns)):
            continue
        target = beside / name
        target.parent.mkdir(parents=True, exist_ok=True)
        with content() as source, target.open("wb") as file:
            while block := source.read(_BLOCK_BYTES):
                written += len(block)
                if written > most:
                    raise CorpusError(
                        "the archive grows beyond reason when it is unpacked",
                        where=archive,
                        got=f"more than {most >> 20} MB of {archive.stat().st_size} bytes",
                    )
                file.write(block)
        names.add(name)
    return sorted(names)


def _safe(name: str, strip: int, archive: Path) -> str | None:
    """Return the name of a member under the folder, or None where nothing is left of it."""
    parts = PurePosixPath(name.replace("\\", "/")).parts
    if name.startswith("/") or ".." in parts or (parts and ":" in parts[0]) or "\0" in name:
        raise CorpusError("a member of the archive would stand outside the folder", where=archive, got=repr(name))
    # Apple's archivers add what is no part of a corpus.
    if "__MACOSX" in parts or (parts and (parts[-1].startswith("._") or parts[-1] == ".DS_Store")):
        return None
    return "/".join(parts[strip:]) or None


def _members(archive: Path) -> Iterator[Member]:
    if zipfile.is_zipfile(archive):
        yield from _zip_members(archive)
    elif tarfile.is_tarfile(archive):
        yield from _tar_members(archive)
    else:
        with archive.open("rb") as file:
            start = file.read(8)
        for mark, opened in _COMPRESSED:
            if start.startswith(mark):
                yield archive.stem, lambda opened=opened: opened(archive)
                return
        raise CorpusError(
            "the file is no archive, or was cut off",
            where=archive,
            got=repr(start),
            expected="zip, tar, gzip, bzip2 or xz",
            mend="fetch it again",
        )


def _zip_members(archive: Path) -> Iterator[Member]:
    with zipfile.ZipFile(archive) as file:
        for info in file.infolist():
            if info.is_dir():
                continue
            # A damaged index can place a member before the file's beginning, which is no error of the file system.
            if info.header_offset < 0:
                raise zipfile.BadZipFile(f"{info.filename!r} is said to stand before the beginning of the file")
            if (info.external_attr >> 16) & 0o170000 == 0o120000:
                raise CorpusError("a member of the archive is a link", where=archive, got=repr(info.filename))
            yield _zip_name(info), lambda info=info: file.open(info)


def _zip_name(info: zipfile.ZipInfo) -> str:
    """Return a member's name: archivers of Chinese systems write names in GBK and do not say so."""
    if info.flag_bits & _UTF8_NAME:
        return info.filename
    raw = info.filename.encode("cp437")
    for encoding in ("utf-8", "gb18030"):
        try:
            return raw.decode(encoding)
        except UnicodeDecodeError:
            continue
    return info.filename


def _tar_members(archive: Path) -> Iterator[Member]:
    with tarfile.open(archive) as file:
        for info in _tar_entries(file):
            if info.isdir():
                continue
            if not info.isfile():
                raise CorpusError("a member of the archive is a link or a device", where=archive, got=repr(info.name))

            def content(info: tarfile.TarInfo = info) -> IO[bytes]:
                source = file.extractfile(info)
                if source is None:
                    raise tarfile.ReadError(f"no content of {info.name!r}")
                return source

            yield info.name, content


def _tar_entries(file: tarfile.TarFile) -> Iterable[tarfile.TarInfo]:
    while (info := file.next()) is not None:
        yield info
