"""A task between Python and its row."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping
from dataclasses import fields
from decimal import ROUND_CEILING, Decimal
from typing import Any

from hailuo_mcp.domain import Mode, Money, Status, Task, Unit

MICRO = Decimal(1_000_000)

COLUMNS = tuple(field.name for field in fields(Task))
SELECT = "SELECT " + ", ".join(COLUMNS) + " FROM tasks"
INSERT = (
    f"INSERT INTO tasks ({', '.join(COLUMNS)}, counted) "
    f"VALUES ({', '.join('?' * (len(COLUMNS) + 1))})"
)


def _amount_of(text: str | None) -> Decimal | None:
    return None if text is None else Decimal(text)


def _warnings_of(text: str) -> tuple[str, ...]:
    return tuple(json.loads(text))


def text_of(value: object) -> object:
    """A value as its column keeps it."""
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, tuple):
        return json.dumps(value, ensure_ascii=False)
    return value


_READ: Mapping[str, Any] = {
    "status": Status,
    "mode": Mode,
    "unit": Unit,
    "money": Money,
    "amount": _amount_of,
    "warnings": _warnings_of,
}


def task_of(row: sqlite3.Row | tuple[Any, ...]) -> Task:
    return Task(
        **{
            name: _READ[name](value) if name in _READ else value
            for name, value in zip(COLUMNS, row, strict=True)
        }
    )


def row_of(task: Task, counted: Decimal) -> tuple[Any, ...]:
    return (*(text_of(getattr(task, name)) for name in COLUMNS), micro(counted))


def micro(amount: Decimal) -> int:
    """Money as whole millionths, so that SQL can add it up exactly; a fraction counts up."""
    return int((amount * MICRO).to_integral_value(ROUND_CEILING))


def from_micro(amount: int | None) -> Decimal:
    return (Decimal(amount or 0) / MICRO).normalize() + 0
