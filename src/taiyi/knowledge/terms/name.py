"""The names that a terminology is made of, wherever they come from."""

from __future__ import annotations

from typing import Literal

import msgspec

from taiyi.schema import Lang

Kind = Literal["drug", "disease", "other"]


class Name(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A name of a concept: `concept` is `terminology:id`, empty where the source gives none.

    `type` is what the source calls it, `kind` what that comes to.
    """

    name: str
    lang: Lang
    kind: Kind
    type: str
    source: str
    concept: str = ""

    def of(self, concept: str, *, name: str | None = None) -> Name:
        """Return the name as one of a concept."""
        return msgspec.structs.replace(self, concept=concept, name=name or self.name)
