"""Replaces a damaged journal with a new one that has everything still readable."""

from __future__ import annotations

import json
import os
import sqlite3
import time
from collections.abc import Generator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from hailuo_mcp.domain.task import tenant_of
from hailuo_mcp.journal.facts import RATE_WINDOW, Rescued
from hailuo_mcp.journal.sql import film_rows
from hailuo_mcp.journal.sql.rows import SEALED, marks, seal_of
from hailuo_mcp.journal.sqlite import backup, mark, schema
from hailuo_mcp.journal.sqlite.faults import UNUSABLE, means_damage
from hailuo_mcp.journal.sqlite.mark import Mark
from hailuo_mcp.journal.sqlite.unfinished import RESCUED

if TYPE_CHECKING:
    from hailuo_mcp.journal.sqlite import legible

_BUILDING = ".rescuing"
_MAGIC = b"SQLite format 3\0"
_WRITERS = 120
"""The byte of the -shm file that SQLite's writers lock (walLockName, WAL_WRITE_LOCK)."""


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
    from hailuo_mcp.journal.sqlite import legible  # only where something is damaged

    with _held(path, timeout) as old:
        aside = _aside(path, _next_number(path))
        kept = aside if path.exists() else None
        found = legible.read(path, log_of(path), wal)
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


def _build(
    path: Path, found: legible.Found, known: Mark | None, outcome: tuple[str, str, bool]
) -> None:
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


def _fill(db: sqlite3.Connection, found: legible.Found, now: float) -> None:
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
        _insert(db, "tasks", task | {"seal": seal_of([task[name] for name in SEALED])})
    for film in found.films.values():
        sealed = [film[name] for name in film_rows.SEALED]
        _insert(db, "films", film | {"seal": seal_of(sealed, film_rows.SEALED)})


def _insert(db: sqlite3.Connection, table: str, row: legible.FoundRow) -> None:
    db.execute(f"INSERT INTO {table} ({', '.join(row)}) VALUES ({marks(row)})", tuple(row.values()))
