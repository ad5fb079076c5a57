"""All tasks that can still be read of a damaged journal, its write-ahead log and its backups."""

from __future__ import annotations

import sqlite3
from collections import defaultdict
from collections.abc import Generator, Iterable, Mapping, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import NoneType
from typing import cast

from hailuo_mcp.domain import Money, Status
from hailuo_mcp.journal.sqlite import backup, salvage, schema
from hailuo_mcp.journal.sqlite.mark import Mark
from hailuo_mcp.journal.sqlite.rows import COLUMNS, HELD, SEALED, DamagedRowError, seal_of, task_of

_UNSURE = "The journal was damaged, and nobody knows whether this request was sent before."
TaskRow = dict[str, salvage.Value]


def log_of(path: Path) -> bytes:
    """The write-ahead log, before SQLite has thrown away what does not fit."""
    with suppress(OSError):
        return path.with_name(path.name + "-wal").read_bytes()
    return b""


@dataclass(kw_only=True)
class Found:
    """What could be read of a journal and its backups."""

    tasks: dict[str, TaskRow] = field(default_factory=dict[str, TaskRow])
    """Column by column, by task_id."""
    steps: int = 0
    """How far the damaged file itself had come."""
    doubtful: int = 0
    """Tasks whose row is damaged, or comes from an older page or a backup."""

    def totals(self) -> dict[str, tuple[int, int]]:
        sums = defaultdict[str, list[int]](lambda: [0, 0])
        for task in self.tasks.values():
            both = sums[f"{task['account']!s} {task['unit']!s}"]
            both[0] += 1
            both[1] += cast("int", task["counted"]) if task["money"] in HELD else 0
        return {name: (tasks, reserved_amount) for name, (tasks, reserved_amount) in sums.items()}

    def holds(self, known: Mark | None) -> bool:
        """Whether all that the journal is known to have held is here, as it stood last."""
        if known is None or known.locked or self.steps < known.steps or self.doubtful:
            return False
        totals = self.totals()
        return all(totals.get(name) == both for name, both in known.totals.items())


def read(path: Path, wal: bytes) -> Found:
    """All tasks that can be read, each in its best version: as it stands, older, from a backup."""
    found = Found()
    layout = _layout()
    pages = salvage.opened(path.read_bytes() if path.exists() else b"", log_of(path))
    found.steps = _take(found, pages.rows(), layout)
    current = dict(found.tasks)
    broken = dict(_broken(pages.rows(), layout))
    # SQLite reads a log up to the first flaw, and forgets the rest when it is opened.
    lost = salvage.opened(b"", wal)
    _take(found, lost.rows(), layout, newer=True)
    for rows in (pages.old_rows(), lost.old_rows()):
        _take(found, rows, layout)
    for copy in backup.newest_first(path):
        with suppress(OSError):
            _take(found, salvage.opened(copy.read_bytes()).rows(), layout)
    for task_id, task in broken.items():  # better than to forget that it was bought
        found.tasks.setdefault(task_id, task)
    found.doubtful = sum(task is not current.get(task_id) for task_id, task in found.tasks.items())
    for task in found.tasks.values():
        _doubt(task)
    return found


def _take(
    found: Found, rows: Iterable[salvage.Row], layout: _Layout, *, newer: bool = False
) -> int:
    """Add the tasks that are not there yet, of several versions the newest. Returns the steps."""
    taken = dict[str, TaskRow]()
    steps = defaultdict[tuple[salvage.Value, salvage.Value], int](int)
    for row in rows:
        if _is_total(row):
            steps[row[0], row[1]] = max(steps[row[0], row[1]], int(row[4] or 0))
        elif (task := layout.task(row)) is not None and layout.is_sound(task):
            before = taken.get(str(task["task_id"]))
            if before is None or _age(before) <= _age(task):
                taken[str(task["task_id"])] = task
    for task_id, task in taken.items():
        before = found.tasks.setdefault(task_id, task)
        if newer and _age(before) < _age(task):
            found.tasks[task_id] = task
    return sum(steps.values())


def _broken(rows: Iterable[salvage.Row], layout: _Layout) -> Generator[tuple[str, TaskRow]]:
    """Rows that can be read, though not all that stands in them is what was written."""
    for row in rows:
        if (task := layout.task(row)) is not None and not layout.is_sound(task):
            yield str(task["task_id"]), task


def _age(task: TaskRow) -> tuple[float, int]:
    return float(task["updated_at"] or 0), int(task["attempt"] or 0)


def _doubt(task: TaskRow) -> None:
    """What waits or is being sent, as its row says: rows may be old, and nothing is sent twice."""
    if task["status"] in (Status.PENDING, Status.SUBMITTING):
        task |= {"status": Status.UNCONFIRMED, "error": _UNSURE, "error_kind": "unconfirmed"}
        task |= {"owner": "", "lease_until": 0.0, "due_at": 0.0, "money": Money.RESERVED}


def _is_total(row: salvage.Row) -> bool:
    return [type(value) for value in row] == [str, str, int, int, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Layout:
    """The columns of the tasks table in the order of the file, and what a short row leaves out."""

    names: Sequence[str]
    defaults: Sequence[salvage.Value]
    kinds: Sequence[tuple[type, ...]]
    """What each column may hold."""

    def task(self, row: salvage.Row) -> TaskRow | None:
        """The row by column, if it is one of the tasks table that hailuo-mcp can work with."""
        if not self.oldest <= len(row) <= len(self.names):
            return None
        task = dict(zip(self.names, (*row, *self.defaults[len(row) :]), strict=True))
        if not all(
            isinstance(task[name], kinds)
            for name, kinds in zip(self.names, self.kinds, strict=True)
        ):
            return None
        try:
            task_of(tuple(task[name] for name in COLUMNS))
            seal_of([task[name] for name in SEALED])
        except (DamagedRowError, TypeError, ValueError):
            return None
        return task if task["task_id"] else None

    def is_sound(self, task: TaskRow) -> bool:
        return not task["seal"] or task["seal"] == seal_of([task[name] for name in SEALED])

    @property
    def oldest(self) -> int:
        """A row of the first version has so many."""
        return self.names.index("seal")


_KINDS: Mapping[str, tuple[type, ...]] = {"TEXT": (str,), "INTEGER": (int,), "REAL": (int, float)}


def _layout() -> _Layout:
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as db:
        schema.migrate(db)
        columns = db.execute(
            "SELECT name, dflt_value, type, \"notnull\" OR pk FROM pragma_table_info('tasks')"
        ).fetchall()
    return _Layout(
        names=[name for name, *_ in columns],
        defaults=["" if default == "''" else None for _, default, *_ in columns],
        kinds=[_KINDS[kind] + (() if needed else (NoneType,)) for _, _, kind, needed in columns],
    )
