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
    """Reduce a name to what counts when case, spaces and joining marks do not."""
    return "".join(c for c in text.casefold() if c not in " -_\t\n\r　")
