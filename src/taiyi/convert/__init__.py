"""Records written in the formats that other tools read, such that reading gives them back.

What a format cannot carry is data (`Carries`): `fit` takes it off a record and says so. What is left is written and
read back before it is accepted, so that a record which the format cannot hold for a reason of its own is refused and
reported, and never changed in silence.
"""

from __future__ import annotations

from taiyi.convert.carries import Carries, Kind, Losses, Target
from taiyi.convert.fitting import fit
from taiyi.convert.targets import TARGETS, target
from taiyi.convert.writing import accepted, convert

__all__ = ["TARGETS", "Carries", "Kind", "Losses", "Target", "accepted", "convert", "fit", "target"]
