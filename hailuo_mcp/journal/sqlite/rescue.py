"""Replaces a damaged journal with a new one that has everything still readable."""

from __future__ import annotations

import json
import os
import sqlite3
import time
from collections import defaultdict
from collections.abc import Generator, Iterable
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import NoneType
from typing import cast

from hailuo_mcp.domain import Money, Status, tenant_of
from hailuo_mcp.journal.sql.rows import (
    COLUMNS,
    HELD,
    SEALED,
    DamagedRowError,
    marks,
    seal_of,
    task_of,
)
from hailuo_mcp.journal.sqlite import backup, mark, salvage, schema
from hailuo_mcp.journal.sqlite.faults import UNUSABLE, means_damage
from hailuo_mcp.journal.sqlite.mark import Mark
from hailuo_mcp.journal.sqlite.unfinished import RESCUED
from hailuo_mcp.journal.store import RATE_WINDOW, Rescued

_BUILDING = ".rescuing"
_MAGIC = b"SQLite format 3\0"
_WRITERS = 120
"""The byte of the -shm file that SQLite's writers lock (walLockName, WAL_WRITE_LOCK)."""
_UNSURE = "The journal was damaged, so it is unknown whether this request was sent before."
_KINDS: dict[str, tuple[type, ...]] = {"TEXT": (str,), "INTEGER": (int,), "REAL": (int, float)}

TaskRow = dict[str, salvage.Value]


def rescue(path: Path, flaw: str, known: Mark | None, wal: bytes, *, timeout: float) -> Rescued:
    """Replace a damaged journal.

    The damaged one stays in place, to be found again, until the new one is complete.

    Args:
        path: Where the journal is or should be.
        flaw: What is wrong, in words for the log.
        known: The journal's known content.
        wal: The write-ahead log as it was before the file was opened.
        timeout: Seconds to wait for other processes.
    """
    with _held(path, timeout) as old:
        aside = _aside(path, _next_number(path))
        kept = aside if path.exists() else None
        found = _read(path, wal)
        complete = found.holds(known)
        _build(path, found, known, (kept.name if kept else "", flaw, complete))
        if old is not None and os.name == "nt":
            old.close()  # Windows: open files cannot be moved
        if kept:
            path.rename(aside)  # first: whoever finds it gone ends what is begun here
        _put_into_place(path, aside)
    return Rescued(aside=kept, carried=len(found.tasks), complete=complete)


def finish(path: Path) -> None:
    """Complete a rescue whose process was killed after moving the damaged journal away."""
    if not path.exists() and _beside(path, RESCUED).exists():
        _put_into_place(path, _aside(path, max(1, _next_number(path) - 1)))


def no_database(path: Path) -> bool:
    """Whether the file exists but is not a database."""
    if not path.exists():
        return False
    with path.open("rb") as file:
        start = file.read(len(_MAGIC))
    return bool(start) and start != _MAGIC


def log_of(path: Path) -> bytes:
    """The write-ahead log, before SQLite discards what does not fit."""
    with suppress(OSError):
        return _beside(path, "-wal").read_bytes()
    return b""


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
    """The damaged journal, locked: what another process wrote now would be lost.

    None where there is none, or no database at all. Moved away by the end, it is closed without a
    checkpoint: SQLite looks whether the file is still in its place (3.8.3).
    """
    if not path.exists() or no_database(path):
        with _without_writers(path, timeout):
            yield None
        return
    with closing(sqlite3.connect(path, isolation_level=None, timeout=timeout)) as db:
        try:
            db.execute("BEGIN IMMEDIATE")
        except UNUSABLE as exc:
            if not means_damage(exc):
                raise
            # too damaged for any process to write
        yield db


@contextmanager
def _without_writers(path: Path, timeout: float) -> Generator[None]:
    """SQLite locks no file without its magic, but a process that has it open may still write."""
    shared = _beside(path, "-shm")
    if os.name == "nt" or not shared.exists():
        yield
        return
    import fcntl

    ends = time.monotonic() + timeout
    with shared.open("rb+") as file:
        while True:
            try:
                fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, _WRITERS)
                break
            except OSError:
                if time.monotonic() > ends:
                    raise sqlite3.OperationalError("database is locked") from None
                time.sleep(0.02)
        yield


@dataclass(kw_only=True)
class _Found:
    """What could be read from a journal and its backups."""

    tasks: dict[str, TaskRow] = field(default_factory=dict[str, TaskRow])
    """Column by column, by task_id."""
    steps: int = 0
    """The damaged file's own step count."""
    doubtful: bool = False
    """Whether a task's row is damaged, or comes from an older page or a backup."""

    def totals(self) -> dict[str, list[int]]:
        sums = defaultdict[str, list[int]](lambda: [0, 0])
        for task in self.tasks.values():
            both = sums[f"{task['account']!s} {task['unit']!s}"]
            both[0] += 1
            both[1] += cast("int", task["counted"]) if task["money"] in HELD else 0
        return dict(sums)

    def holds(self, known: Mark | None) -> bool:
        """Whether the journal's known content is here, in its latest state."""
        if known is None or known.locked or self.steps < known.steps or self.doubtful:
            return False
        totals = self.totals()
        return all(totals.get(name) == both for name, both in known.totals.items())


def _read(path: Path, wal: bytes) -> _Found:
    """All readable tasks, each in its best version: current, older, or from a backup."""
    layout = _Layout()
    pages = salvage.opened(path.read_bytes() if path.exists() else b"", log_of(path))
    current, steps, broken = _sorted(pages.rows(), layout)
    found = _Found(tasks=dict(current), steps=steps)
    # SQLite reads a log up to the first flaw, and discards the rest when it is opened.
    lost = salvage.opened(b"", wal)
    for task_id, task in _sorted(lost.rows(), layout)[0].items():
        if task_id not in current or _age(current[task_id]) < _age(task):
            found.tasks[task_id] = task
    for rows in (pages.old_rows(), lost.old_rows()):
        found.tasks = _sorted(rows, layout)[0] | found.tasks
    for copy in backup.newest_first(path):
        with suppress(OSError):
            rows = salvage.opened(copy.read_bytes()).rows()
            found.tasks = _sorted(rows, layout)[0] | found.tasks
    found.tasks = broken | found.tasks  # better than forgetting that it was bought
    found.doubtful = any(task is not current.get(name) for name, task in found.tasks.items())
    for task in found.tasks.values():  # rows may be outdated, and nothing must be sent twice
        if task["status"] in (Status.PENDING, Status.SUBMITTING):
            task |= {"status": Status.UNCONFIRMED, "error": _UNSURE, "error_kind": "unconfirmed"}
            task |= {"owner": "", "lease_until": 0.0, "due_at": 0.0, "money": Money.RESERVED}
    return found


def _sorted(
    rows: Iterable[salvage.Row], layout: _Layout
) -> tuple[dict[str, TaskRow], int, dict[str, TaskRow]]:
    """The newest valid version of each task; the journal's steps; tasks without a valid version."""
    sound, broken = dict[str, TaskRow](), dict[str, TaskRow]()
    steps = defaultdict[tuple[salvage.Value, salvage.Value], int](int)
    for row in rows:
        if [type(value) for value in row] == [str, str, int, int, int]:  # of the totals
            steps[row[0], row[1]] = max(steps[row[0], row[1]], int(row[4] or 0))
        elif (task := layout.task(row)) is not None:
            task_id = str(task["task_id"])
            if task["seal"] and task["seal"] != seal_of([task[name] for name in SEALED]):
                broken[task_id] = task
            elif task_id not in sound or _age(sound[task_id]) <= _age(task):
                sound[task_id] = task
    return sound, sum(steps.values()), broken


def _age(task: TaskRow) -> tuple[float, int]:
    return float(task["updated_at"] or 0), int(task["attempt"] or 0)


class _Layout:
    """The columns of the tasks table in the order of the file."""

    def __init__(self) -> None:
        with closing(sqlite3.connect(":memory:", isolation_level=None)) as db:
            schema.migrate(db)
            columns = db.execute(
                "SELECT name, dflt_value, type, \"notnull\" OR pk FROM pragma_table_info('tasks')"
            ).fetchall()
        self.names = [name for name, *_ in columns]
        self.defaults = ["" if default == "''" else None for _, default, *_ in columns]
        """Columns that rows of earlier versions lack at the end."""
        self.kinds = [_KINDS[kind] + (() if must else (NoneType,)) for _, _, kind, must in columns]
        """What each column may contain."""

    def task(self, row: salvage.Row) -> TaskRow | None:
        """The row by column, if it is a valid row of the tasks table."""
        if not self.names.index("seal") <= len(row) <= len(self.names):
            return None
        values = (*row, *self.defaults[len(row) :])
        task = dict(zip(self.names, values, strict=True))
        try:
            task_of(tuple(task[name] for name in COLUMNS))
            seal_of([task[name] for name in SEALED])
        except (DamagedRowError, TypeError, ValueError):
            return None
        fits = all(map(isinstance, values, self.kinds))
        return task if fits and task["task_id"] else None


def _build(path: Path, found: _Found, known: Mark | None, outcome: tuple[str, str, bool]) -> None:
    """Create the new journal beside the old one: a single file, durable or absent.

    It says what became of the old one, and counts on from where that was. `outcome` is the name
    under which that one is kept, its flaw, and whether all of it is carried over.
    """
    building = _beside(path, _BUILDING)
    building.unlink(missing_ok=True)
    kept, flaw, complete = outcome
    totals, held = found.totals(), (known or Mark()).totals
    gone = {name: cost - totals.get(name, [0, 0])[1] for name, (_, cost) in held.items()}
    missing = json.dumps({name: cost for name, cost in gone.items() if cost > 0})
    expected, carried = known.tasks if known else None, len(found.tasks)
    try:
        backup.make_private(building)
        with closing(sqlite3.connect(building, isolation_level=None)) as db:
            db.execute("PRAGMA journal_mode = MEMORY")
            db.execute("PRAGMA synchronous = FULL")
            schema.migrate(db)
            db.execute("BEGIN IMMEDIATE")
            _fill(db, found, time.time())
            db.execute(
                "INSERT INTO rescues VALUES (?, ?, ?, ?, ?, ?, ?, NULL)",
                (time.time(), kept, flaw, expected, carried, missing, complete),
            )
            behind = max(found.steps, (known or Mark()).steps) + 1 - mark.of(db).steps
            if behind > 0:
                db.execute("INSERT OR IGNORE INTO totals VALUES ('', '', 0, 0, 0)")
                db.execute("UPDATE totals SET steps = steps + ? WHERE account = ''", (behind,))
            if not complete:
                db.execute("UPDATE shape SET readable_since = ?", (schema.KNOWS_RESCUES,))
            db.execute("COMMIT")
        building.replace(_beside(path, RESCUED))
    finally:
        building.unlink(missing_ok=True)


def _fill(db: sqlite3.Connection, found: _Found, now: float) -> None:
    for account in {str(task["account"]) for task in found.tasks.values()}:
        provider, _, rest = account.partition(" ")
        db.execute(
            "INSERT INTO accounts (account, provider, base_url) VALUES (?, ?, ?)",
            (account, provider, rest.rpartition(" ")[0]),
        )
    for task in sorted(found.tasks.values(), key=lambda task: float(task["created_at"] or 0)):
        if task["attempt"] and now - RATE_WINDOW < (sent := float(task["updated_at"] or 0)):
            slot = (task["account"], min(sent, now))
            db.execute("INSERT INTO slots VALUES (?, ?)", slot)
            if caller := tenant_of(str(task["caller"])):
                db.execute("INSERT INTO tenant_slots VALUES (?, ?, ?)", (slot[0], caller, slot[1]))
        sealed = task | {"seal": seal_of([task[name] for name in SEALED])}
        db.execute(
            f"INSERT INTO tasks ({', '.join(sealed)}) VALUES ({marks(sealed)})",
            tuple(sealed.values()),
        )
