"""The 15 camera moves, in both languages."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from hailuo_mcp.catalog.tables import rows
from hailuo_mcp.text import squeeze

_AROUND = re.compile("镜头|缓慢|快速|慢慢|慢|向")
"""What Chinese puts around a move: the camera, its speed, its direction."""
_FEW_WORDS = 4
_ALIKE = 0.75
"""The least similarity of a typo; [NIGHT] is as similar to Pan right, except for the P."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """One camera command."""

    english: str
    chinese: str
    group: str


@cache
def moves() -> tuple[Move, ...]:
    return tuple(Move(**row) for row in rows("moves", "move"))


def _key(text: str) -> str:
    return squeeze(unicodedata.normalize("NFKC", text))


@cache
def _by_key() -> Mapping[str, Move]:
    return {_key(name): move for move in moves() for name in (move.english, move.chinese)}


@cache
def _aliases() -> Mapping[str, Move]:
    return {_key(row["text"]): _by_key()[_key(row["english"])] for row in rows("moves", "alias")}


@cache
def _meant() -> Mapping[str, Move]:
    """Film terms and MiniMax's names for them: suggested in a refusal, not accepted."""
    return {
        _key(word): _by_key()[_key(row["english"])]
        for row in rows("moves", "meant")
        for word in row["words"]
    }


def find_move(text: str) -> Move | None:
    """Find a move by its English or Chinese name, or by a known wrong name."""
    key = _key(text)
    return _by_key().get(key) or _aliases().get(key)


def is_misnomer(text: str) -> bool:
    """Whether it is a wrong name that is understood nevertheless, such as Push out."""
    return _key(text) in _aliases()


def leading_move(text: str) -> Move | None:
    """Find the move whose name a longer text begins with."""
    for move in moves():
        if re.match(rf"\s*({move.english}\b|{move.chinese})", text, re.IGNORECASE):
            return move
    return None


def near_move(text: str) -> Move | None:
    """Find the move that a wrong name probably means; None if it is something else."""
    key = _key(text)
    return (
        _meant().get(key) or _by_key().get(_AROUND.sub("", key)) or _within(text) or _misspelt(key)
    )


def _within(text: str) -> Move | None:
    """Find the move whose English name is among a few words, or begins with the one word."""
    words = text.casefold().replace("-", " ").split()
    if len(words) > _FEW_WORDS:
        return None
    for move in moves():
        name = move.english.casefold()
        if f" {name} " in f" {' '.join(words)} " and " " in name:
            return move
        if words == name.split()[:1]:
            return move
    return None


def _misspelt(key: str) -> Move | None:
    from difflib import get_close_matches

    known = _by_key()
    close = get_close_matches(key[:60], known, n=1, cutoff=_ALIKE)
    return known[close[0]] if close and close[0][0] == key[0] and key.isascii() else None
