"""The gallery as one self-contained page, joined from the files of `page/`.

Nothing is built: each script defines plain functions, later ones use those of earlier ones, and a
browser shows them as they were written.
"""

from __future__ import annotations

from base64 import b64encode
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from pathlib import Path

SCRIPTS = (
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
    style = _read("style.css")
    script = '"use strict";\n' + "".join(_read(name) for name in SCRIPTS)
    html = _read("index.html").replace("/*style*/", style).replace("/*script*/", script)
    return Page(html=html, style_hash=_hash(style), script_hash=_hash(script))


def _read(name: str) -> str:
    return (_FOLDER / name).read_text(encoding="utf-8")


def _hash(text: str) -> str:
    return f"'sha256-{b64encode(sha256(text.encode()).digest()).decode()}'"
