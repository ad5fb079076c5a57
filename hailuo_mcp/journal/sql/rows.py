"""Converts between tasks and rows."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence, Sized
from dataclasses import fields
from decimal import ROUND_CEILING, Decimal, InvalidOperation
from typing import Any, cast

from hailuo_mcp.domain import Mode, Money, Status, Task, Unit
from hailuo_mcp.journal.sql.connection import Connection

MICRO = Decimal(1_000_000)

COLUMNS = tuple(field.name for field in fields(Task))
SELECT = "SELECT " + ", ".join(COLUMNS) + " FROM tasks"
INSERT = (
    f"INSERT INTO tasks ({', '.join(COLUMNS)}, counted, seal) "
    f"VALUES ({', '.join('?' * (len(COLUMNS) + 2))})"
)
HELD = frozenset({Money.SPENT, Money.RESERVED})
"""The money of a task that counts in its account's sums."""
SEALED = (
    *("task_id", "account", "provider", "caller", "created_at", "mode", "model", "duration"),
    *("resolution", "prompt", "request", "identity", "take", "request_key", "remote_id"),
    *("amount", "unit", "counted"),
)
"""What a row's checksum covers: who bought what, when, for how much. The other columns of
a row may change with every step, and a wrong value there is noticed when it is read."""

CHECKED = f"SELECT {', '.join((*SEALED, 'status', 'money', 'warnings', 'seal'))} FROM tasks"
_STATUSES, _MONEY = frozenset(Status), frozenset(Money)


def _amount_of(text: str | None) -> Decimal | None:
    return None if text is None else Decimal(text)


def _warnings_of(text: str) -> tuple[str, ...]:
    told: object = json.loads(text)
    if not isinstance(told, list):
        raise TypeError(text)
    return tuple(cast("list[str]", told))


def text_of(value: object) -> object:
    """A value as its column stores it."""
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


class DamagedRowError(ValueError):
    """A row that no version of hailuo-mcp could have written."""


def task_of(row: Sequence[Any]) -> Task:
    try:
        return Task(
            **{
                name: _READ[name](value) if name in _READ else value
                for name, value in zip(COLUMNS, row, strict=True)
            }
        )
    except (ValueError, TypeError, InvalidOperation) as exc:
        raise DamagedRowError("a row of the tasks table is damaged") from exc


def find_tasks(db: Connection, clauses: str, *values: object) -> list[Task]:
    """All tasks that match `clauses` (WHERE … ORDER BY …)."""
    return [task_of(row) for row in db.execute(f"{SELECT} {clauses}", values).fetchall()]


def find_task(db: Connection, clauses: str, *values: object) -> Task | None:
    row = db.execute(f"{SELECT} {clauses} LIMIT 1", values).fetchone()
    return task_of(row) if row else None


def exists(db: Connection, query: str, *values: object) -> bool:
    return db.execute(f"{query} LIMIT 1", values).fetchone() is not None


def marks(values: Sized) -> str:
    """Question marks for so many values; for none, what equals nothing."""
    return ", ".join("?" * len(values)) or "NULL"


def row_of(task: Task, reserved_amount: Decimal) -> tuple[Any, ...]:
    values = {name: text_of(getattr(task, name)) for name in COLUMNS} | {
        "counted": micro(reserved_amount)
    }
    return (*values.values(), seal_of([values[name] for name in SEALED]))


def seal_of(values: Sequence[object]) -> str:
    """The checksum of a row's SEALED columns, in that order."""
    told = [float(v) if n == "created_at" else v for n, v in zip(SEALED, values, strict=True)]  # type: ignore[arg-type]
    return hashlib.blake2b(json.dumps(told).encode(), digest_size=8).hexdigest()


def is_sound(
    sealed: Sequence[object], status: object, money: object, warnings: object, seal: str
) -> bool:
    """Whether a row of CHECKED fits its checksum, and its other columns say something."""
    return (
        (not seal or seal == seal_of(sealed))
        and status in _STATUSES
        and money in _MONEY
        and _is_list(warnings)
    )


def _is_list(text: object) -> bool:
    try:
        return text == "[]" or isinstance(json.loads(str(text)), list)
    except ValueError:
        return False


def micro(amount: Decimal) -> int:
    """Money as whole millionths, so that SQL can add it up exactly; a fraction counts up."""
    return int((amount * MICRO).to_integral_value(ROUND_CEILING))


def from_micro(amount: int | None) -> Decimal:
    return (Decimal(amount or 0) / MICRO).normalize() + 0
