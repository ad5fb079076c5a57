"""Pages and a search in English and in Chinese.

Chinese has no spaces, and Sphinx would take a whole clause for one word. So each pair of
neighbouring characters is a word, in the index and in a query: no dictionary is needed.
"""

from __future__ import annotations

import re
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from docutils import nodes
from sphinx.search.en import SearchEnglish

if TYPE_CHECKING:
    from sphinx.application import Sphinx
    from sphinx.environment import BuildEnvironment
    from sphinx.util.typing import ExtensionMetadata

CHINESE = ".zh-CN"
"""How the name of a Chinese page ends."""
_RUN = re.compile(r"[\u3400-\u9fff]+|[^\W\u3400-\u9fff]+")
_SPLIT = r"""
function splitQuery(query) {
  return (query.match(/[\u3400-\u9fff]+|[\p{L}\p{N}_]+/gu) || []).flatMap((run) =>
    /[\u3400-\u9fff]/.test(run) && run.length > 2
      ? Array.from({ length: run.length - 1 }, (_, at) => run.slice(at, at + 2))
      : [run],
  );
}
"""


class BothLanguages(SearchEnglish):
    """English words by their stems, Chinese by pairs of characters."""

    lang = "en-zh"
    js_splitter_code = _SPLIT

    def split(self, input: str) -> list[str]:  # noqa: A002  # Sphinx names it so
        """Return the words of a text, as splitQuery does in the browser."""
        found: list[str] = []
        for run in _RUN.findall(input):
            chinese = len(run) > 2 and "\u3400" <= run[0] <= "\u9fff"  # noqa: PLR2004  # a pair
            found += ("".join(pair) for pair in pairwise(run)) if chinese else (run,)
        return found


def _warn_in_chinese(app: Sphinx, doctree: nodes.document) -> None:
    if not app.env.docname.endswith(CHINESE):
        return
    for warning in list(doctree.findall(nodes.warning)):
        title = nodes.title("", "警告")
        warning.replace_self(nodes.admonition("", title, *warning.children, classes=["warning"]))


def _tell_apart(app: Sphinx, env: BuildEnvironment) -> None:
    """Both languages have the same heading, but the results of a search may not look the same."""
    del app
    for titles in (env.titles, env.longtitles):
        for page in (page for page in titles if page.endswith(CHINESE)):
            titles[page] = nodes.title("", f"{titles[page].astext()}（简体中文）")


def _name_language(
    app: Sphinx, pagename: str, template: str, context: dict[str, Any], doctree: nodes.document
) -> None:
    del app, template, doctree
    if pagename.endswith(CHINESE):
        context["language"] = "zh-CN"  # for screen readers, hyphens and the choice of glyphs


def setup(app: Sphinx) -> ExtensionMetadata:
    """Called by Sphinx."""
    app.add_search_language(BothLanguages)
    app.connect("doctree-read", _warn_in_chinese)
    app.connect("env-updated", _tell_apart)
    app.connect("html-page-context", _name_language)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
