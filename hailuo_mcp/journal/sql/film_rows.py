"""Converts between films and rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import Any, cast

from hailuo_mcp.domain.film import Film, Shot, Transition
from hailuo_mcp.domain.requests import Mode
from hailuo_mcp.domain.task import Unit
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
    facts = cast("dict[str, Any]", told)
    facts = {name: facts[name] for name in _SHOT & facts.keys()}  # a newer version may tell more
    if not all(isinstance(facts.get(name), kinds) for name, kinds in _KINDS.items()):
        raise TypeError(facts)
    facts["mode"] = Mode(str(facts.get("mode")))
    facts["amount"] = amount_of(facts.get("amount"))
    facts["warnings"] = tuple(facts.get("warnings", ()))
    return Shot(**facts)


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
SEALED = (
    *("film_id", "account", "provider", "caller", "created_at", "updated_at", "identity"),
    *("request_key", "shots", "transition", "unit", "made_at", "revision", "redo", "redone"),
    *("file", "bytes", "sha256", "width", "height", "seconds", "save_error", "cancelled"),
)
"""What a film's checksum covers: all but what claims and triggers change. It stays as it is: older
and newer programs that share a journal check it."""
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
