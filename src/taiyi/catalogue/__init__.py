"""The catalogue: what every corpus is, where its raw files lie, how they are read, and what their counts must be.

The modules of `taiyi.corpora` declare corpora; this package finds them, reads them and checks them against what is
stated of them.
"""

from taiyi.catalogue.check import CheckResult, check, count
from taiyi.catalogue.entry import (
    OFFICIAL,
    TASK_NAMES,
    Access,
    Corpus,
    Counts,
    Download,
    Layout,
    Listed,
    Source,
    TypeName,
    Verified,
)
from taiyi.catalogue.fixtures import check_fixtures, fixtures, fixtures_dir
from taiyi.catalogue.load import add, added, all_corpora, corpora_dir, get, load, names

__all__ = [
    "OFFICIAL",
    "TASK_NAMES",
    "Access",
    "CheckResult",
    "Corpus",
    "Counts",
    "Download",
    "Layout",
    "Listed",
    "Source",
    "TypeName",
    "Verified",
    "add",
    "added",
    "all_corpora",
    "check",
    "check_fixtures",
    "corpora_dir",
    "count",
    "fixtures",
    "fixtures_dir",
    "get",
    "load",
    "names",
]
