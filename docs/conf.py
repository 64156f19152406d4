"""The documentation site: Sphinx over the Markdown of this folder, as it is. `make docs` builds it into build/docs."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent / "site"))

import commands
import fences
import searching
from sphinx import addnodes

import taiyi

project = "Taiyi"
author = "the authors of this repository"
version = release = taiyi.__version__
root_doc = "index"
extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
exclude_patterns = ["site", "results/stages/table.md"]

# `--option` is two hyphens.
smartquotes = False
# Links go by the anchors that GitHub makes of headings.
myst_heading_anchors = 4

# Docstrings are written as Markdown has it: one backtick on each side is code.
default_role = "code"
autodoc_member_order = "bysource"
autodoc_typehints_format = "short"
python_use_unqualified_type_names = True
napoleon_use_ivar = True
add_module_names = False

html_theme = "pydata_sphinx_theme"
html_title = "Taiyi"
html_copy_source = False
html_show_sourcelink = False
html_static_path = ["site/static"]
html_css_files = ["site.css"]
html_sidebars = {"index": [], "tutorial": []}
html_theme_options = {
    "logo": {"text": "Taiyi"},
    "navbar_end": ["theme-switcher"],
    "header_links_before_dropdown": 5,
    "navigation_depth": 2,
    "show_toc_level": 2,
    "secondary_sidebar_items": ["page-toc"],
    "footer_start": ["independent"],
    "footer_end": [],
    "back_to_top_button": False,
}
templates_path = ["site/templates"]

_MOST_CHARS = 60
_COMMANDS = "<!-- commands -->"
_CARDS = "\n\n```{toctree}\n:hidden:\n:glob:\n\n*\n```\n"


def prepare(app: Any, page: str, source: list[str]) -> None:
    """Put what is made of the code into the text of a page."""
    text = source[0]
    if page == "commands":
        text = text.replace(_COMMANDS, commands.markdown())
    if page == "corpora/README":
        text += _CARDS
    source[0] = fences.shown(text)


def whole(app: Any, what: str, name: str, obj: object, options: object, lines: list[str]) -> None:
    """Keep napoleon from taking what stands before a colon in the docstring of an attribute for its type."""
    if what in ("attribute", "data", "property"):
        # An empty comment.
        lines[:0] = ["..", ""]


def without_long_values(app: Any, tree: Any) -> None:
    """Show a constant's value where it can be read at a glance; a table of the code would fill pages."""
    for node in list(tree.findall(addnodes.desc_annotation)):
        if node.astext().startswith(" = ") and len(node.astext()) > _MOST_CHARS:
            node.parent.remove(node)


def setup(app: Any) -> None:
    """Have pages and docstrings prepared, and search in both languages."""
    app.connect("autodoc-process-docstring", whole, priority=1)
    app.connect("doctree-read", without_long_values)
    app.connect("source-read", prepare)
    app.connect("include-read", lambda app, path, page, source: prepare(app, page, source))
    app.add_search_language(searching.SearchBoth)
