"""In the place of a damaged journal comes a sound one with all that can still be read of it."""

from __future__ import annotations

import json
import os
import sqlite3
import time
from collections import defaultdict
from collections.abc import Generator, Iterable, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

from hailuo_mcp.domain import Money, Status
from hailuo_mcp.journal import backup, mark, salvage, schema
from hailuo_mcp.journal.mark import Mark
from hailuo_mcp.journal.peek import RESCUED
from hailuo_mcp.journal.rows import COLUMNS, SEALED, DamagedRowError, seal_of, task_of

_BUILDING = ".rescuing"
_MAGIC = b"SQLite format 3\0"
_UNSURE = "The journal was damaged, and nobody knows whether this request was sent before."
_TaskRow = dict[str, salvage.Value]


def no_database(path: Path) -> bool:
    """Whether a file is there that is something else altogether."""
    if not path.exists():
        return False
    with path.open("rb") as file:
        start = file.read(len(_MAGIC))
    return bool(start) and start != _MAGIC


def log_of(path: Path) -> bytes:
    """The write-ahead log, before SQLite has thrown away what does not fit."""
    with suppress(OSError):
        return _beside(path, "-wal").read_bytes()
    return b""


@dataclass(kw_only=True)
class Found:
    """What could be read of a journal and its backups."""

    tasks: dict[str, _TaskRow] = field(default_factory=dict[str, _TaskRow])
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
            both[1] += cast("int", task["counted"])
        return {name: (tasks, counted) for name, (tasks, counted) in sums.items()}


@dataclass(frozen=True, slots=True, kw_only=True)
class Rescued:
    aside: Path | None
    """Where the damaged file is kept; None where there was none."""
    carried: int
    complete: bool
    """Whether nothing that was recorded can be missing."""


def rescue(path: Path, flaw: str, known: Mark | None, wal: bytes, *, timeout: float) -> Rescued:
    """Replace a damaged journal.

    The damaged one stays in place, to be found damaged again, until the new one is whole.

    Args:
        path: Where the journal is, or should be.
        flaw: What was found, in words for the log.
        known: What the journal is known to have held.
        wal: The write-ahead log as it was before the file was opened.
        timeout: Seconds to wait for other processes.
    """
    with _held(path, timeout) as old:
        number = _next_number(path)
        found = _read(path, wal)
        complete = _is_complete(found, known)
        kept = _aside(path, number).name if path.exists() else ""
        _build(path, found, known, flaw, kept, complete=complete)
        if old is not None and os.name == "nt":
            old.close()  # there nobody moves a file that is open, whoever has it open
        aside = _aside(path, number)
        if path.exists():
            path.rename(aside)  # the main file first: whoever finds it gone ends what is begun here
        _put_into_place(path, aside)
    return Rescued(aside=aside if kept else None, carried=len(found.tasks), complete=complete)


def finish(path: Path) -> None:
    """End a rescue whose process was killed after it had moved the damaged journal away."""
    if not path.exists() and _beside(path, RESCUED).exists():
        _put_into_place(path, _aside(path, max(1, _next_number(path) - 1)))


def _put_into_place(path: Path, aside: Path) -> None:
    for tail in ("-wal", "-shm"):
        with suppress(FileNotFoundError):
            _beside(path, tail).rename(_beside(aside, tail))
    _beside(path, RESCUED).rename(path)


def _beside(path: Path, tail: str) -> Path:
    return path.with_name(path.name + tail)


def _aside(path: Path, number: int) -> Path:
    return path.with_name(f"{path.stem}-unreadable-{number}{path.suffix}")


def _next_number(path: Path) -> int:
    number = 1
    while _aside(path, number).exists():
        number += 1
    return number


@contextmanager
def _held(path: Path, timeout: float) -> Generator[sqlite3.Connection | None]:
    """The damaged journal, locked: what another process writes now would be left behind.

    None where there is none, or no database at all. Moved away by the end, it is closed without a
    checkpoint: SQLite looks whether the file is still in its place (3.8.3).
    """
    if not path.exists() or no_database(path):
        yield None
        return
    with closing(sqlite3.connect(path, isolation_level=None, timeout=timeout)) as db:
        try:
            db.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError:
            raise
        except sqlite3.DatabaseError:
            pass  # too damaged to be written by anybody
        yield db


# ── reading ───────────────────────────────────────────────────────────────────────────────────


def _read(path: Path, wal: bytes) -> Found:
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
    for task_id, task in found.tasks.items():
        if task is not current.get(task_id):
            found.doubtful += 1
            _doubt(task)
    return found


def _take(
    found: Found, rows: Iterable[salvage.Row], layout: _Layout, *, newer: bool = False
) -> int:
    """Add the tasks that are not there yet, of several versions the newest. Returns the steps."""
    taken = dict[str, _TaskRow]()
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


def _broken(rows: Iterable[salvage.Row], layout: _Layout) -> Generator[tuple[str, _TaskRow]]:
    """Rows that can be read, though not all that stands in them is what was written."""
    for row in rows:
        if (task := layout.task(row)) is not None and not layout.is_sound(task):
            yield str(task["task_id"]), task


def _age(task: _TaskRow) -> tuple[float, int]:
    return float(task["updated_at"] or 0), int(task["attempt"] or 0)


def _doubt(task: _TaskRow) -> None:
    """What may have gone on since then is not to be sent again."""
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

    def task(self, row: salvage.Row) -> _TaskRow | None:
        """The row by column, if it is one of the tasks table that hailuo-mcp can work with."""
        if not self.oldest <= len(row) <= len(self.names):
            return None
        task = dict(zip(self.names, (*row, *self.defaults[len(row) :]), strict=True))
        try:
            task_of(tuple(task[name] for name in COLUMNS))
            seal_of([task[name] for name in SEALED])
        except (DamagedRowError, TypeError, ValueError):
            return None
        return task if isinstance(task["counted"], int) and task["task_id"] else None

    def is_sound(self, task: _TaskRow) -> bool:
        return not task["seal"] or task["seal"] == seal_of([task[name] for name in SEALED])

    @property
    def oldest(self) -> int:
        """A row of the first version has so many."""
        return self.names.index("seal")


def _layout() -> _Layout:
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as db:
        schema.migrate(db)
        columns = db.execute("SELECT name, dflt_value FROM pragma_table_info('tasks')").fetchall()
    return _Layout(
        names=[name for name, _ in columns],
        defaults=["" if default == "''" else None for _, default in columns],
    )


def _is_complete(found: Found, known: Mark | None) -> bool:
    """Whether all that the journal is known to have held is here, as it stood last."""
    if known is None or known.locked or found.steps < known.steps or found.doubtful:
        return False
    totals = found.totals()
    return all(totals.get(name, (0, 0)) == both for name, both in known.totals.items() if both[0])


# ── writing ───────────────────────────────────────────────────────────────────────────────────


def _build(  # what is to stand in the new journal
    path: Path, found: Found, known: Mark | None, flaw: str, kept: str, *, complete: bool
) -> None:
    """Make the new journal beside the old one, of one file, safe on the disk or not there."""
    building = _beside(path, _BUILDING)
    building.unlink(missing_ok=True)
    try:
        backup.make_private(building)
        with closing(sqlite3.connect(building, isolation_level=None)) as db:
            db.execute("PRAGMA journal_mode = MEMORY")
            db.execute("PRAGMA synchronous = FULL")
            schema.migrate(db)
            db.execute("BEGIN IMMEDIATE")
            _fill(db, found, complete=complete)
            _record(db, found, known, flaw, kept, complete=complete)
            db.execute("COMMIT")
        building.replace(_beside(path, RESCUED))
    finally:
        building.unlink(missing_ok=True)


def _fill(db: sqlite3.Connection, found: Found, *, complete: bool) -> None:
    for account in {str(task["account"]) for task in found.tasks.values()}:
        provider, _, rest = account.partition(" ")
        db.execute(
            "INSERT INTO accounts (account, provider, base_url) VALUES (?, ?, ?)",
            (account, provider, rest.rpartition(" ")[0]),
        )
    for task in sorted(found.tasks.values(), key=lambda task: float(task["created_at"] or 0)):
        if not complete:
            _doubt(task)
        sealed = task | {"seal": seal_of([task[name] for name in SEALED])}
        names, marks = ", ".join(sealed), ", ".join("?" * len(sealed))
        db.execute(f"INSERT INTO tasks ({names}) VALUES ({marks})", tuple(sealed.values()))


def _record(  # the same
    db: sqlite3.Connection,
    found: Found,
    known: Mark | None,
    flaw: str,
    kept: str,
    *,
    complete: bool,
) -> None:
    """Say in the new journal what became of the old one, and count on from where it was."""
    totals = found.totals()
    missing = {
        name: counted - totals.get(name, (0, 0))[1]
        for name, (_, counted) in (known.totals if known else {}).items()
        if counted > totals.get(name, (0, 0))[1]
    }
    db.execute(
        "INSERT INTO rescues VALUES (?, ?, ?, ?, ?, ?, ?, NULL)",
        (
            time.time(),
            kept,
            flaw,
            known.tasks if known else None,
            len(found.tasks),
            json.dumps(missing),
            complete,
        ),
    )
    behind = max(found.steps, known.steps if known else 0) + 1 - mark.steps(db)
    if behind > 0:
        db.execute("INSERT OR IGNORE INTO totals VALUES ('', '', 0, 0, 0)")
        db.execute("UPDATE totals SET steps = steps + ? WHERE account = ''", (behind,))
    if not complete:
        db.execute("UPDATE shape SET readable_since = ?", (schema.KNOWS_RESCUES,))
