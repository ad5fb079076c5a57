"""Fills <!-- from: … --> on the reference pages, with what the program says of itself."""

from __future__ import annotations

import inspect
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from sphinx.application import Sphinx
    from sphinx.util.typing import ExtensionMetadata

    from hailuo_mcp.errors import HailuoError

CHARGED = {
    "no": "Not charged.",
    "yes": "Was charged.",
    "maybe": "Maybe charged.",
    "not yet": "Not charged yet.",
}
_MARK = re.compile(r"^<!-- from: (\w+) -->$", re.MULTILINE)


def tools() -> str:
    """Every MCP tool, as a client gets it."""
    import tool_pages

    return tool_pages.page()


def json() -> str:
    """What the commands print with --json."""
    import json_pages

    return json_pages.page()


def errors() -> str:
    """The tree of the errors as errors.py draws it, and what its lines say of each."""
    import hailuo_mcp.errors

    _, _, text = inspect.cleandoc(hailuo_mcp.errors.__doc__ or "").partition("\n\n")
    tree = text.partition("\n\n")[0]
    drawn = "\n".join(re.sub(r" {2,}(not|maybe|was) charged$", "", it) for it in tree.splitlines())
    entries: list[str] = []
    for name, said in re.findall(r"─ (\w+) +(.*)", drawn):
        error: type[HailuoError] = getattr(hailuo_mcp.errors, name)
        meaning = "" if error.__doc__ else f"{said[0].upper()}{said[1:]}. "
        head = f".. autoexception:: hailuo_mcp.errors.{name}\n   :show-inheritance:\n"
        entries.append(f"{head}\n   {meaning}{CHARGED[error.charged]}\n")
    base = ".. autoexception:: hailuo_mcp.errors.HailuoError\n   :members:\n"
    return "\n".join(("```text", drawn, "```\n", "```{eval-rst}", base, *entries, "```"))


SOURCES: dict[str, Callable[[], str]] = {"tools": tools, "json": json, "errors": errors}


def _fill(app: Sphinx, docname: str, source: list[str]) -> None:
    del app, docname
    source[0] = _MARK.sub(lambda mark: SOURCES[mark[1]](), source[0])


def setup(app: Sphinx) -> ExtensionMetadata:
    """Called by Sphinx."""
    app.connect("source-read", _fill)
    return {"parallel_read_safe": True}
