"""Models behind HTTP: OpenAI's chat, and a typed address for each thing that `Taiyi` answers."""

from __future__ import annotations
