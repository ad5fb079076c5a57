"""What of a reply may be shown: known words, plain field names, codes. An allow-list."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from hailuo_mcp.dialects.codes import MEANINGS

HIDDEN = "…"
_LARGEST_CODE = 99_999
_LONGEST_NAME = 60
_LONGEST_TEXT = 2_000
_PARTS = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|[0-9]+")
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9]*([_-][A-Za-z0-9]+)*")
_TOKEN = re.compile(
    r"[A-Za-z][A-Za-z0-9_]*|[0-9]+|[\u4e00-\u9fff]+|[ .,:;()'，。：（）]|.", re.DOTALL
)
_MARKS = frozenset(" .,:;()'，。：（）")
_MEDIA = frozenset(
    {
        *(
            "application/json",
            "application/octet-stream",
            "application/xml",
            "application/problem+json",
        ),
        *("text/html", "text/plain", "text/xml", "video/mp4", "binary/octet-stream"),
    }
)


@cache
def _vocabulary(name: str) -> frozenset[str]:
    import tomllib

    text = (Path(__file__).parent / "vocabulary.toml").read_text(encoding="utf-8")
    return frozenset(str(tomllib.loads(text)[name]).split())


@cache
def _words() -> frozenset[str]:
    return _vocabulary("words") | frozenset(MEANINGS)


def safe_name(name: str) -> str:
    """Return the name of a field if it is made of plain words; otherwise "…"."""
    if len(name) > _LONGEST_NAME or not name.isascii() or not _NAME.fullmatch(name):
        return HIDDEN
    if name.lower() in _vocabulary("words"):
        return name
    if any(map(str.isdecimal, name)):  # "id1", "id3", "id8": a number, digit by digit
        return HIDDEN
    known = _vocabulary("fields")
    parts = (part.lower() for part in _PARTS.findall(name))
    return name if known.issuperset(parts) else HIDDEN


def safe_word(value: object) -> str:
    """Return a status, a code or another known word as it came; otherwise "…"."""
    if value is None or isinstance(value, bool):
        return str(value).lower() if isinstance(value, bool) else "null"
    if isinstance(value, int):
        return str(value) if 0 <= value <= _LARGEST_CODE else HIDDEN
    if not isinstance(value, str):
        return HIDDEN
    text = value.strip()
    if not text:
        return "empty"
    if text.isascii() and text.isdecimal():
        return text if len(text) <= len(str(_LARGEST_CODE)) else HIDDEN
    plain = text.lower().replace(" ", "_").replace("-", "_")
    return text if plain in _words() and text.isprintable() else HIDDEN


def safe_text(text: str) -> str:
    """Return a message with only the words that documented messages have; "…" for the rest."""
    kept: list[str] = []
    for token in _TOKEN.findall(text[:_LONGEST_TEXT]):
        shown = _safe_token(token)
        if shown != HIDDEN or not kept or kept[-1] != HIDDEN:
            kept.append(shown)
    return "".join(kept)


def _safe_token(token: str) -> str:
    if token in _MARKS:
        return token
    if token.isascii() and token.isdecimal():
        return token if token in MEANINGS else HIDDEN
    if token.isascii():
        return token if token.lower() in _vocabulary("messages") else HIDDEN
    return token if _is_known_chinese(token) else HIDDEN


def _is_known_chinese(token: str) -> bool:
    known = _vocabulary("chinese")
    ends = {0}
    for end in range(1, len(token) + 1):
        if any(token[start:end] in known for start in ends):
            ends.add(end)
    return len(token) in ends


def media_type(headers: Mapping[str, str]) -> str:
    """Return the media type that a reply says it has, if it is a known one."""
    kind = headers.get("content-type", "").partition(";")[0].strip().lower()
    if not kind:
        return "absent"
    return kind if kind in _MEDIA else "another type"
