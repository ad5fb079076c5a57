"""Converts between tasks, or other objects, and rows."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence, Sized
from dataclasses import asdict, fields
from decimal import ROUND_CEILING, Decimal, InvalidOperation
from typing import Any, Generic, TypeVar, cast

from hailuo_mcp.domain.film import Film, Shot
from hailuo_mcp.domain.requests import Mode
from hailuo_mcp.domain.task import Money, Status, Task, Unit
from hailuo_mcp.journal.sql.connection import Connection

MICRO = Decimal(1_000_000)
T = TypeVar("T", Task, Film)


class DamagedRowError(ValueError):
    """A row that no version of hailuo-mcp could have written."""


class Rows(Generic[T]):
    """The objects of a dataclass as rows of a table, whose columns are named as its fields."""

    def __init__(
        self, table: str, kind: type[T], reads: Mapping[str, Callable[[Any], Any]]
    ) -> None:
        """`reads`: how a column's value becomes the field's, unless it is the same."""
        self.table = table
        self.columns = tuple(field.name for field in fields(kind))
        self.select = f"SELECT {', '.join(self.columns)} FROM {table}"
        self._kind: Callable[..., T] = kind
        self._reads = reads

    def read(self, row: Sequence[Any]) -> T:
        """The object of a row of `columns`.

        Raises:
            DamagedRowError: there is none.
        """
        reads = self._reads
        try:
            return self._kind(
                **{
                    name: reads[name](value) if name in reads else value
                    for name, value in zip(self.columns, row, strict=True)
                }
            )
        except (ValueError, TypeError, InvalidOperation) as exc:
            raise DamagedRowError(f"a row of the {self.table} table is damaged") from exc

    def find(self, db: Connection, clauses: str, *values: object) -> list[T]:
        """All that match `clauses` (WHERE … ORDER BY …)."""
        return [self.read(row) for row in db.execute(f"{self.select} {clauses}", values).fetchall()]

    def first(self, db: Connection, clauses: str, *values: object) -> T | None:
        row = db.execute(f"{self.select} {clauses} LIMIT 1", values).fetchone()
        return self.read(row) if row else None

    def values(self, one: T) -> dict[str, Any]:
        """By column, as it is stored."""
        return {name: text_of(getattr(one, name)) for name in self.columns}


def text_of(value: object) -> object:
    """A value as its column stores it."""
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, tuple):
        return json.dumps(value, ensure_ascii=False, default=_plain)
    return int(value) if isinstance(value, bool) else value


def _plain(part: object) -> object:
    return asdict(part) if isinstance(part, Shot) else str(part)


def amount_of(text: str | None) -> Decimal | None:
    return None if text is None else Decimal(text)


def list_of(text: str) -> tuple[Any, ...]:
    told: object = json.loads(text)
    if not isinstance(told, list):
        raise TypeError(text)
    return tuple(cast("Sequence[Any]", told))


TASKS = Rows(
    "tasks",
    Task,
    {
        "status": Status,
        "mode": Mode,
        "unit": Unit,
        "money": Money,
        "amount": amount_of,
        "quoted": amount_of,
        "warnings": list_of,
        "candidates": list_of,
    },
)
COLUMNS, SELECT = TASKS.columns, TASKS.select
task_of, find_tasks, find_task = TASKS.read, TASKS.find, TASKS.first
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
"""What a task's checksum covers: who bought what, when, for how much. The other columns of
a row may change with every step, and a wrong value there is noticed when it is read."""

CHECKED = f"SELECT {', '.join((*SEALED, 'status', 'money', 'warnings', 'seal'))} FROM tasks"
_STATUSES, _MONEY = frozenset(Status), frozenset(Money)
_REAL = frozenset({"created_at", "updated_at", "made_at", "seconds"})


def exists(db: Connection, query: str, *values: object) -> bool:
    return db.execute(f"{query} LIMIT 1", values).fetchone() is not None


def marks(values: Sized) -> str:
    """Question marks for so many values; for none, what equals nothing."""
    return ", ".join("?" * len(values)) or "NULL"


def row_of(task: Task, reserved_amount: Decimal) -> tuple[Any, ...]:
    values = TASKS.values(task) | {"counted": micro(reserved_amount)}
    return (*values.values(), seal_of([values[name] for name in SEALED]))


def seal_of(values: Sequence[object], names: Sequence[str] = SEALED) -> str:
    """The checksum of a row's sealed columns, in that order."""
    told = [
        float(value) if name in _REAL and value is not None else value  # type: ignore[arg-type]
        for name, value in zip(names, values, strict=True)
    ]
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
