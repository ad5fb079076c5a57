"""The order of the pages: for who wants a video, who operates a server, who changes the code.

It is not in the README, where GitHub would show it. A page that is in no chapter fails the build.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sphinx.application import Sphinx
    from sphinx.util.typing import ExtensionMetadata

CHAPTERS = {
    "Make a video": (
        "A video in a minute <self>",
        "docs/install",
        "docs/cli",
        "docs/money",
        "docs/hailuo-03",
        "docs/films",
        "docs/gallery",
        "docs/tools",
        "docs/clients",
        "docs/conversation",
        "docs/sandbox",
        "docs/comparison",
        "简体中文 <docs/README.zh-CN>",
    ),
    "Look it up": (
        "docs/reference/settings",
        "docs/reference/tools",
        "docs/reference/json",
        "docs/reference/client",
        "docs/glossary",
    ),
    "Operate it": (
        "docs/serving",
        "docs/sizing",
        "docs/performance",
        "docs/verify",
        "SECURITY",
    ),
    "Change it": (
        "CONTRIBUTING",
        "docs/adding-a-provider",
        "docs/decisions/README",
        "docs/sources",
        "CHANGELOG",
    ),
}
PARTS = {"docs/decisions/README": ":glob:\n\n*"}
"""Pages whose parts are listed below them."""


def _table(options: str) -> str:
    return f"\n\n```{{toctree}}\n:hidden:\n{options}\n```\n"


def _add(app: Sphinx, docname: str, source: list[str]) -> None:
    if docname == app.config.root_doc:
        for caption, pages in CHAPTERS.items():
            source[0] += _table("\n".join((f":caption: {caption}", "", *pages)))
    elif docname in PARTS:
        source[0] += _table(PARTS[docname])


def setup(app: Sphinx) -> ExtensionMetadata:
    """Called by Sphinx."""
    app.connect("source-read", _add)
    return {"parallel_read_safe": True}
