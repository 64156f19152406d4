"""Search in English and Chinese: of Chinese each character and each two that stand together are words.

So it is in `taiyi index` too (docs/decisions.md, 54). Sphinx's own search of Chinese cuts texts by jieba when the index
is made, but what is typed is not cut in the browser, so that longer words are not found.
"""

from __future__ import annotations

import re

from sphinx.search.en import SearchEnglish

_RUN = re.compile(r"([\u3400-\u9fff\uf900-\ufaff]+)|(\w+?(?=[\u3400-\u9fff\uf900-\ufaff]|\b))")


class SearchBoth(SearchEnglish):
    """English by stems; of Chinese the index has characters and pairs, and a query of two or more asks for pairs."""

    js_splitter_code = """
function splitQuery(query) {
  const found = [];
  for (const run of query.match(/[\\u3400-\\u9fff\\uf900-\\ufaff]+|[^\\u3400-\\u9fff\\uf900-\\ufaff]+/gu) ?? []) {
    if (!/^[\\u3400-\\u9fff\\uf900-\\ufaff]/.test(run)) {
      found.push(...run.split(/[^\\p{Letter}\\p{Number}_\\p{Emoji_Presentation}]+/gu).filter((word) => word));
    } else if (run.length === 1) {
      found.push(run);
    } else {
      for (let i = 0; i + 1 < run.length; i++) found.push(run.slice(i, i + 2));
    }
  }
  return found;
}
"""

    def split(self, input: str) -> list[str]:
        words: list[str] = []
        for han, other in _RUN.findall(input):
            words += [*han, *(han[i : i + 2] for i in range(len(han) - 1))] if han else [other]
        return words
