"""The site of the documentation: sphinx-build -W -j auto -c docs/site . build/site.

The source is the repository itself, so every link between pages is right here as it is on GitHub.
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sphinx.application import Sphinx

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
sys.path[:0] = [str(HERE), str(ROOT)]  # the modules beside this file; the package, even uninstalled

from hailuo_mcp import __version__  # noqa: E402  # after the path

project = "hailuo-mcp"
copyright = "the authors of hailuo-mcp"  # noqa: A001  # Sphinx names it so
release = version = __version__
language = "en"

extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "chapters",
    "docstrings",
    "filled",
    "repository_links",
    "two_languages",
]
root_doc = "README"
include_patterns = ["*.md", "docs/**.md"]
# Only for speed: a walk through .git, node_modules or an environment takes longer than the build.
exclude_patterns = [it.name for it in ROOT.iterdir() if it.is_dir() and it.name != "docs"]
repository = "https://github.com/hailuo-mcp/hailuo-mcp"
nitpicky = True  # a type that a signature names is described on the page, or excused here
nitpick_ignore_regex = [
    # Offline: no links to Python's own.
    (r"py:.*", r"(collections\.abc|contextlib|decimal|pathlib|random)\..*|Path"),
    # What only the server gives, and what only it and a verification read.
    (r"py:.*", r"Frame|Folders|HttpTransport|Observe|SavedClip|SecretText"),
    (r"py:.*", r"Opened\w*|(Image|Clip|Sound)Facts"),
    (r"py:.*", r"hailuo_mcp\.dialects\.dialect\.Http(Request|Reply)"),
]

# What GitHub reads as Markdown, and nothing that it does not.
myst_enable_extensions = ["alert", "strikethrough", "tasklist"]
myst_heading_anchors = 6
smartquotes = False  # they would turn the -- of options into a dash

default_role = "literal"  # docstrings write `name`
autodoc_member_order = "bysource"
autodoc_typehints_format = "short"
autodoc_class_signature = "mixed"
autodoc_preserve_defaults = True
python_use_unqualified_type_names = True
python_maximum_signature_line_length = 88

templates_path: list[str] = []
html_theme = "furo"
html_title = f"hailuo-mcp {release}"
html_favicon = "static/favicon.svg"
html_static_path = ["static"]
html_css_files = ["site.css"]
html_js_files = ["files.js"]
html_show_sphinx = False
html_show_sourcelink = False
html_copy_source = False
html_use_index = False  # the search finds every name
html_domain_indices = False
html_search_language = "en-zh"
html_theme_options = {
    "source_repository": repository,
    "source_branch": "main",
    "source_directory": "",
    "top_of_page_buttons": ["view"],
}


def _front_page(app: Sphinx, error: Exception | None) -> None:
    """Give the README the address that a web server looks for."""
    if error is None and app.builder.format == "html":
        shutil.copyfile(app.outdir / "README.html", app.outdir / "index.html")


def setup(app: Sphinx) -> dict[str, Any]:
    """Called by Sphinx."""
    app.add_config_value("repository", repository, "env")
    app.connect("build-finished", _front_page)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
