"""The gallery as one self-contained page, joined from the files of `page/`.

Nothing is built: each script defines plain functions, and later ones use those of earlier ones.
Comments and indentation stay in the files, which keeps what a host loads a third smaller.
"""

from __future__ import annotations

import re
from base64 import b64encode
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from pathlib import Path

SCRIPTS = (
    "elements.js",
    "words.js",
    "connection.js",
    "answers.js",
    "player.js",
    "actions.js",
    "cards.js",
    "main.js",
)
"""In the order in which they are joined."""
_FOLDER = Path(__file__).with_name("page")


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    html: str
    style_hash: str
    """Of its only style, as a Content-Security-Policy names it."""
    script_hash: str
    """Of its only script."""


@cache
def gallery_page() -> Page:
    """Read and join it once."""
    style = _bare(_read("style.css"))
    script = '"use strict";\n' + "".join(_bare(_read(name)) for name in SCRIPTS)
    html = _bare(_read("index.html")).replace("/*style*/", style).replace("/*script*/", script)
    return Page(html=html, style_hash=_hash(style), script_hash=_hash(script))


def _read(name: str) -> str:
    return (_FOLDER / name).read_text(encoding="utf-8")


def _bare(text: str) -> str:
    """Without comments that fill whole lines, types in brackets, indentation and empty lines.

    So no text in a script may go over several lines, or contain what looks like such a comment.
    """
    text = re.sub(r"/\*\* @type (?:(?!\*/).)*\*/ ?", "", text)
    text = re.sub(r"(?ms)^[ \t]*(?:/\*(?:(?!\*/).)*\*/|//[^\n]*)[ \t]*$", "", text)
    return re.sub(r"\n\s+", "\n", text).lstrip()


def _hash(text: str) -> str:
    return f"'sha256-{b64encode(sha256(text.encode()).digest()).decode()}'"
