"""The gallery as one self-contained page, joined from the files of `page/`.

Nothing is built: each script defines plain functions, and later ones use those of earlier ones.
Comments and needless spaces stay in the files: what a host loads is a third smaller so.
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
    style = _bare_style(_read("style.css"))
    script = '"use strict";\n' + "".join(_bare_script(_read(name)) for name in SCRIPTS)
    html = _read("index.html").replace("/*style*/", style).replace("/*script*/", script)
    return Page(html=html, style_hash=_hash(style), script_hash=_hash(script))


def _read(name: str) -> str:
    return (_FOLDER / name).read_text(encoding="utf-8")


_KEPT = r'"(?:\\.|[^"\\\n])*"|`(?:\\.|[^`\\])*`'
_COMMENT = r"/\*.*?\*/ ?|//[^\n]*"


def _bare_script(text: str) -> str:
    """Without comments, indentation, and spaces beside brackets and signs.

    Texts in "double quotes" and `backquotes` stay as they are. So no text may stand in single ones,
    and no regular expression may contain a double quote, a space or two slashes.
    """
    signs = r"[ \t]*([={}(),;:?<>&|!]+)[ \t]*"
    return _squeezed(rf"({_KEPT})|{_COMMENT}|{signs}", text)


def _bare_style(text: str) -> str:
    """The same of a style: there a space before a bracket, a colon or a sign can mean something."""
    return _squeezed(rf"({_KEPT})|/\*.*?\*/|[ \t]*([{{}};,])[ \t]*", text).replace(": ", ":")


def _squeezed(pattern: str, text: str) -> str:
    bare = re.sub(pattern, lambda found: found[1] or found[2] or "", text, flags=re.DOTALL)
    return re.sub(r"\s*\n\s*", "\n", bare).lstrip()


def _hash(text: str) -> str:
    return f"'sha256-{b64encode(sha256(text.encode()).digest()).decode()}'"
