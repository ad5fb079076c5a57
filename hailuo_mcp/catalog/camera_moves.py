"""The 15 camera moves, in both languages."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from hailuo_mcp.catalog.data import rows, squeeze


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """One camera command."""

    english: str
    chinese: str
    group: str


@cache
def moves() -> tuple[Move, ...]:
    return tuple(
        Move(english=row["english"], chinese=row["chinese"], group=row["group"])
        for row in rows("moves", "move")
    )


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
    """Map what film people say to what MiniMax says: named in a refusal, not accepted."""
    return {
        _key(word): _by_key()[_key(row["english"])]
        for row in rows("moves", "meant")
        for word in row["words"]
    }


def find_move(text: str) -> Move | None:
    """Find the move of that English or Chinese name, or of a known misnomer of it."""
    key = _key(text)
    return _by_key().get(key) or _aliases().get(key)


def is_misnomer(text: str) -> bool:
    """Tell whether it is a wrong name that is nevertheless understood, such as Push out."""
    return _key(text) in _aliases()


def _likeness(text: str, cutoff: float) -> Move | None:
    from difflib import get_close_matches

    known = _by_key()
    close = get_close_matches(_key(text)[:60], known, n=1, cutoff=cutoff)
    return known[close[0]] if close else None


def near_move(text: str) -> Move | None:
    """Find the move that a wrong name resembles; None where it resembles none."""
    return _meant().get(_key(text)) or _likeness(text, 0.6)


def nearest_move(text: str) -> Move:
    """Find the move whose name is nearest, however far that is."""
    return near_move(text) or _likeness(text, 0.0) or moves()[-1]
