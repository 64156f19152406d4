"""`python -m taiyi`, the same as `taiyi`."""

from __future__ import annotations

from taiyi.cli import main

if __name__ == "__main__":
    main()
