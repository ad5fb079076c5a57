"""The gallery as one self-contained page, joined from the files of `page/`.

Nothing is built: each script defines plain functions, and later ones use those of earlier ones.
What only readers need, comments and space, stays in the files: a host loads half as much.
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
_SCRIPT = re.compile(
    r"""( "(?:[^"\\\n]|\\.)*" | '(?:[^'\\\n]|\\.)*' | `(?:[^`\\]|\\.)*`
          | /(?![/*\s])(?:\[(?:[^]\\\n]|\\.)*\]|\\.|[^/\\\n[])+/ )  # a division has a space
      | // [^\n]* | /\* .*? \*/
      | \s* ([{}()\[\],;?=|&*+!] | : (?=\s) | \n) \s*""",
    re.DOTALL | re.VERBOSE,
)
"""Texts and regular expressions, which stay; comments, which do not; marks, without their space."""
_STYLE = re.compile(
    r"""( "[^"\n]*" ) | /\*.*?\*/ | \s* ([{};,] | : (?=\s)) \s*""", re.DOTALL | re.VERBOSE
)
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
    style = _without_space(_STYLE, _read("style.css"))
    script = "".join(_without_space(_SCRIPT, _read(name)) for name in SCRIPTS)
    script = f'"use strict";{script}'
    html = _read("index.html").replace("/*style*/", style).replace("/*script*/", script)
    return Page(html=html, style_hash=_hash(style), script_hash=_hash(script))


def _read(name: str) -> str:
    return (_FOLDER / name).read_text(encoding="utf-8")


def _without_space(parts: re.Pattern[str], text: str) -> str:
    """Leave out comments, and space that only makes it easier to read."""
    return parts.sub(lambda part: part[1] or part[2] or "", text)


def _hash(text: str) -> str:
    return f"'sha256-{b64encode(sha256(text.encode()).digest()).decode()}'"
