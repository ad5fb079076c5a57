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
    f"INSERT INTO tasks ({', '.join(COLUMNS)}, counted) "  # noqa: S608  # our own column names
    f"VALUES ({', '.join('?' * (len(COLUMNS) + 1))})"
)

_READ: Mapping[str, Any] = {
    "status": Status,
    "mode": Mode,
    "unit": Unit,
    "money": Money,
    "amount": lambda text: None if text is None else Decimal(text),
    "warnings": lambda text: tuple(json.loads(text)),
}
_WRITE: Mapping[str, Any] = {
    "amount": lambda amount: None if amount is None else str(amount),
    "warnings": lambda warnings: json.dumps(list(warnings), ensure_ascii=False),
}


def task_of(row: sqlite3.Row | tuple[Any, ...]) -> Task:
    return Task(
        **{
            name: _READ[name](value) if name in _READ else value
            for name, value in zip(COLUMNS, row, strict=True)
        }
    )


def row_of(task: Task, counted: Decimal) -> tuple[Any, ...]:
    values = (getattr(task, name) for name in COLUMNS)
    return (
        *(
            _WRITE[name](value) if name in _WRITE else value
            for name, value in zip(COLUMNS, values, strict=True)
        ),
        micro(counted),
    )


def micro(amount: Decimal) -> int:
    """Money as whole millionths, so that SQL can add it up exactly; a fraction counts up."""
    return int((amount * MICRO).to_integral_value(ROUND_CEILING))


def from_micro(amount: int | None) -> Decimal:
    return (Decimal(amount or 0) / MICRO).normalize() + 0
