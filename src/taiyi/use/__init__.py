"""Models put to use: `Taiyi` answers about texts of one's own, with typed results."""

from __future__ import annotations
