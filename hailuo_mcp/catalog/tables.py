"""Reads the catalogue's TOML files: each once, when its facts are first needed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

Row = Mapping[str, Any]

_AMOUNTS = frozenset(
    {
        *("credits", "cny", "usd", "price_cny", "list_cny"),
        *("cny_input", "usd_input", "cny_image", "usd_image"),
    }
)
"""Keys of money and credits: a Decimal, even where the file has a whole number."""


@cache
def table(name: str) -> Row:
    """One file of facts: amounts as Decimal, dates as text, lists as tuples."""
    import tomllib

    text = (Path(__file__).parent / f"{name}.toml").read_text(encoding="utf-8")
    found: Row = _fact(tomllib.loads(text, parse_float=Decimal))
    return found


def _fact(value: Any, key: str = "") -> Any:  # noqa: ANN401  any value of TOML
    match value:
        case dict():
            return {name: _fact(it, name) for name, it in value.items()}  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]
        case list():
            return tuple(_fact(it) for it in value)  # pyright: ignore[reportUnknownVariableType]
        case date():
            return value.isoformat()
        case int() if key in _AMOUNTS:
            return Decimal(value)
        case _:
            return value


def rows(name: str, key: str) -> Sequence[Row]:
    """All rows [[key]] of one file, ready to be the fields of a dataclass."""
    found: Sequence[Row] = table(name)[key]
    return found
