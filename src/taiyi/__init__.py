"""Taiyi: raw biomedical corpora in, English and Chinese, an evaluated bilingual language model out.

An independent implementation of the system of Luo et al., JAMIA 2024;31(9):1865-1874, doi:10.1093/jamia/ocae037.
Importing this package imports nothing else: each of its modules is imported where it is used.
"""

from __future__ import annotations


def __getattr__(name: str) -> str:
    if name == "__version__":
        from importlib.metadata import PackageNotFoundError, version

        try:
            return version("taiyi")
        except PackageNotFoundError:  # Run from a source tree that was never installed.
            return "0+source"
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
