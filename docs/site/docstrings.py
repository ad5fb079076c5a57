"""What is written in the code, as the page of the client shows it.

A signature names a type without its module: here it links to its description all the same.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from docutils import nodes
from sphinx.ext.napoleon import Config
from sphinx.ext.napoleon.docstring import GoogleDocstring

import hailuo_mcp

if TYPE_CHECKING:
    from sphinx.addnodes import pending_xref
    from sphinx.application import Sphinx
    from sphinx.config import Config as SphinxConfig
    from sphinx.environment import BuildEnvironment
    from sphinx.util.typing import ExtensionMetadata


def _link(
    app: Sphinx, env: BuildEnvironment, node: pending_xref, contnode: nodes.TextElement
) -> nodes.reference | None:
    if node.get("refdomain") != "py":
        return None
    domain = env.domains["py"]
    last = "." + str(node["reftarget"]).rpartition(".")[2]
    known = [name for name in domain.objects if name.endswith(last)]
    if len(known) != 1:
        return None
    place = str(node["refdoc"])
    return domain.resolve_xref(env, place, app.builder, "obj", known[0], node, contnode)


def _read_sections(
    app: Sphinx, what: str, name: str, thing: object, options: object, lines: list[str]
) -> None:
    """Read Args: and Raises: with Napoleon, which is not loaded as an extension.

    It would read "Such as 16:9", said of an attribute, as a type and its description.
    """
    del name, thing, options
    if what not in {"attribute", "property"}:
        lines[:] = GoogleDocstring(lines, cast("SphinxConfig", Config()), app).lines()


def _draw_dashes(app: Sphinx, doctree: nodes.document) -> None:
    """Sphinx writes "name -- what it is", and counts on smart quotes, which are off."""
    del app
    for text in list(doctree.findall(lambda node: isinstance(node, nodes.Text) and node == " -- ")):
        text.parent.replace(text, nodes.Text(" – "))


def _no_constructor(
    app: Sphinx, what: str, name: str, thing: object, options: object, args: str, returns: str
) -> tuple[str, str] | None:
    """Leave it out of what a caller only gets; its fields are listed."""
    del app, thing, options, args, returns
    given = {f"hailuo_mcp.{public}" for public in hailuo_mcp.__all__}
    return ("", "") if what in {"class", "exception"} and name not in given else None


def setup(app: Sphinx) -> ExtensionMetadata:
    """Called by Sphinx."""
    app.connect("missing-reference", _link)
    app.connect("autodoc-process-docstring", _read_sections)
    app.connect("doctree-read", _draw_dashes)
    app.connect("autodoc-process-signature", _no_constructor)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
