"""Whether all of each test is asked for, as `make test-whole` does: what takes long is then tried with more."""

from __future__ import annotations

import os

WHOLE = bool(os.environ.get("TAIYI_WHOLE"))
