"""Converts between films and rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import Any, cast

from hailuo_mcp.domain import Film, Mode, Shot, Transition, Unit
from hailuo_mcp.journal.sql.connection import Statements
from hailuo_mcp.journal.sql.rows import DamagedRowError, Rows, amount_of, list_of, marks, seal_of

_SHOT = frozenset(field.name for field in fields(Shot))
_KINDS: Mapping[str, tuple[type, ...]] = {
    **dict.fromkeys(("model", "prompt", "request"), (str,)),
    "duration": (int, type(None)),
    "resolution": (str, type(None)),
    "continues": (bool,),
}


def _shots_of(text: str) -> tuple[Shot, ...]:
    return tuple(map(_shot_of, list_of(text)))


def _shot_of(told: object) -> Shot:
    if not isinstance(told, dict):
        raise TypeError(told)
    # A newer version may tell more of it.
    facts = {name: value for name, value in cast("dict[str, Any]", told).items() if name in _SHOT}
    if not all(isinstance(facts.get(name), kinds) for name, kinds in _KINDS.items()):
        raise TypeError(told)
    facts |= {"mode": Mode(str(facts.get("mode"))), "amount": amount_of(facts.get("amount"))}
    return Shot(**{**facts, "warnings": tuple(facts.get("warnings") or ())})


def _numbers_of(text: str) -> tuple[int, ...]:
    numbers = list_of(text)
    if not all(type(number) is int for number in numbers):
        raise TypeError(text)
    return numbers


FILMS = Rows(
    "films",
    Film,
    {
        "shots": _shots_of,
        "transition": Transition,
        "unit": Unit,
        "redo": _numbers_of,
        "redone": _numbers_of,
        "cancelled": bool,
    },
)
SEALED = tuple(
    name for name in FILMS.columns if name not in ("owner", "lease_until", "due_at", "tries")
)
"""What a film's checksum covers: all but what claims and triggers change."""
CHECKED = f"SELECT {', '.join((*FILMS.columns, 'seal'))} FROM films"
INSERT = (
    f"INSERT INTO films ({', '.join((*FILMS.columns, 'seal'))}) VALUES ({marks(FILMS.columns)}, ?)"
)


def row_of(film: Film) -> dict[str, Any]:
    """By column, with its seal."""
    values = FILMS.values(film)
    return values | {"seal": seal_of([values[name] for name in SEALED], SEALED)}


def is_sound(row: Sequence[Any]) -> bool:
    """Whether a row of CHECKED is a film and fits its checksum."""
    values = dict(zip((*FILMS.columns, "seal"), row, strict=True))
    try:
        FILMS.read(row[:-1])
        return bool(values["seal"] == seal_of([values[name] for name in SEALED], SEALED))
    except (DamagedRowError, TypeError, ValueError):
        return False


def all_sound(db: Statements) -> bool:
    return all(map(is_sound, db.execute(CHECKED).fetchall()))
