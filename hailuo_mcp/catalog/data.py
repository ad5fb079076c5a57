"""The catalogue's files, each read once and only when somebody asks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

Row = Mapping[str, Any]


@cache
def table(name: str) -> Row:
    """One file of facts, with every decimal number as a Decimal."""
    import tomllib
    from decimal import Decimal

    text = (Path(__file__).parent / f"{name}.toml").read_text(encoding="utf-8")
    return tomllib.loads(text, parse_float=Decimal)


def rows(name: str, key: str) -> Sequence[Row]:
    found: Sequence[Row] = table(name)[key]
    return found


def squeeze(text: str) -> str:
    """What is left of a name when case, spaces and joining marks do not count."""
    return "".join(c for c in text.casefold() if c not in " -_\t\n\r　")


_SHOWN = 40


def shown(text: str) -> str:
    """Somebody's own text, fit to stand in a message: short, and nothing invisible in it."""
    seen = "".join(c if c.isprintable() else "�" for c in text[: _SHOWN + 1])
    return f"{seen[:_SHOWN]}…" if len(text) > _SHOWN else seen
