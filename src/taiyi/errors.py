"""Errors that a user can cause: each says where, what was found, what was expected and how to mend it."""

from __future__ import annotations

import difflib
import errno
import os
from collections.abc import Iterable


class TaiyiError(Exception):
    """Something that was asked could not be done; printed as one line, without a traceback.

    Args:
        what: the fault in a few words.
        where: file and line, record id, or key of a recipe.
        got: what was found there.
        expected: what would have been right.
        mend: what the user can do about it.
    """

    def __init__(
        self,
        what: str,
        *,
        where: object = None,
        got: object = None,
        expected: object = None,
        mend: str | None = None,
    ) -> None:
        self.what = what
        self.where = None if where is None else str(where)
        self.got = None if got is None else str(got)
        self.expected = None if expected is None else str(expected)
        self.mend = mend
        super().__init__(str(self))

    def __str__(self) -> str:
        text = f"{self.where}: {self.what}" if self.where else self.what
        if self.got is not None:
            text += f"; got {self.got}"
        if self.expected is not None:
            text += f"; expected {self.expected}"
        if self.mend:
            text = text.removesuffix(".") + f". {self.mend[0].upper()}{self.mend[1:]}"
        return text


class SchemaError(TaiyiError):
    """A value does not satisfy the unified schema."""


class FormatError(TaiyiError):
    """A raw file is not in the format that its reader reads."""


class CorpusError(TaiyiError):
    """A corpus is unknown, missing, or not what its entry in the catalogue says."""


class TemplateError(TaiyiError):
    """A template file is malformed, or a template is unknown or cannot be filled."""


class RecipeError(TaiyiError):
    """A recipe asks for something that does not exist or makes no sense."""


class Misfit(ValueError):
    """Settings that are right by themselves do not go together; pydantic's validators raise it.

    Args:
        what: the fault in a few words.
        loc: the key that it is about, below the settings that are validated.
        said: what an error of a recipe says beside it: `got`, `expected`, `mend`.
    """

    def __init__(self, what: str, *loc: str | int, **said: str) -> None:
        super().__init__(what)
        self.loc, self.said = loc, said


class TrainError(TaiyiError):
    """A stage cannot be trained as the recipe says."""


class ModelError(TaiyiError):
    """A model or tokenizer cannot be loaded or used."""


class SourceError(TaiyiError):
    """Documents cannot be read as sources, or an index of them cannot be made, opened or asked."""


class Unparsable(TaiyiError):
    """A generated answer cannot be read as an answer to its task."""


def suggestion(name: str, known: Iterable[str]) -> str:
    """Return `did you mean ...?` for the nearest of `known`, else the list of what there is."""
    names = sorted(known)
    return meant(name, names) or f"there are: {', '.join(names)}"


def meant(name: str, known: Iterable[str]) -> str:
    """Return `did you mean ...?` for the nearest of `known`; empty where none is near."""
    near = difflib.get_close_matches(name, sorted(known), n=1, cutoff=0.6)
    return f"did you mean {near[0]!r}?" if near else ""


# What PyTorch says where the system gives it no memory.
_NO_MEMORY = "can't allocate memory"
_SAVE_MEMORY = (
    "make batch_tokens smaller, set gradient_checkpointing, or use adapters; `taiyi plan RECIPE` says what would fit"
)
_FREE_SPACE = "free some space, then give the same command again: it goes on from what is whole"
_OTHER_PLACE = "choose a place that you may read and write"
_MACHINE_FAULTS = {
    errno.ENOSPC: _FREE_SPACE,
    errno.EDQUOT: _FREE_SPACE,
    errno.EFBIG: _FREE_SPACE,
    errno.EACCES: _OTHER_PLACE,
    errno.EPERM: _OTHER_PLACE,
    errno.EROFS: _OTHER_PLACE,
    errno.ENOTDIR: _OTHER_PLACE,
}


def machine_fault(error: BaseException) -> TaiyiError | None:
    """Return what the user can mend on the machine, such as a full disk, where that is what an error came from."""
    seen: BaseException | None = error
    while seen is not None:
        if isinstance(seen, OSError) and seen.errno in _MACHINE_FAULTS:
            return TaiyiError(seen.strerror or str(seen), where=seen.filename, mend=_MACHINE_FAULTS[seen.errno])
        if isinstance(seen, MemoryError) or type(seen).__name__ == "OutOfMemoryError" or _NO_MEMORY in str(seen):
            return TaiyiError("the memory is used up", got=str(seen).split("\n")[0] or None, mend=_SAVE_MEMORY)
        for code in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
            # Libraries written in Rust raise errors of their own, with the system's number in their text.
            if f"(os error {code})" in str(seen):
                return TaiyiError(os.strerror(code), mend=_FREE_SPACE)
        seen = seen.__cause__ or seen.__context__
    return None
