"""Replaces a damaged journal with a sound one that holds all that can still be read of it."""

from __future__ import annotations

import json
import os
import sqlite3
import time
from collections.abc import Generator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

from hailuo_mcp.journal.sqlite import backup, legible, mark, schema
from hailuo_mcp.journal.sqlite.check import means_damage
from hailuo_mcp.journal.sqlite.legible import Found
from hailuo_mcp.journal.sqlite.mark import Mark
from hailuo_mcp.journal.sqlite.rows import SEALED, seal_of
from hailuo_mcp.journal.sqlite.unfinished import RESCUED
from hailuo_mcp.journal.store import RATE_WINDOW, Rescued

_BUILDING = ".rescuing"
_MAGIC = b"SQLite format 3\0"


def no_database(path: Path) -> bool:
    """Whether a file is there that is something else altogether."""
    if not path.exists():
        return False
    with path.open("rb") as file:
        start = file.read(len(_MAGIC))
    return bool(start) and start != _MAGIC


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
        found = legible.read(path, wal)
        complete = found.holds(known)
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
        with _without_writers(path, timeout):
            yield None
        return
    with closing(sqlite3.connect(path, isolation_level=None, timeout=timeout)) as db:
        try:
            db.execute("BEGIN IMMEDIATE")
        except (sqlite3.DatabaseError, UnicodeDecodeError) as exc:
            if not means_damage(exc):
                raise
            # too damaged to be written by anybody
        yield db


_WRITERS = 120
"""The byte of the -shm file that SQLite's writers lock (walLockName, WAL_WRITE_LOCK)."""


@contextmanager
def _without_writers(path: Path, timeout: float) -> Generator[None]:
    """Of a file without its magic SQLite takes no lock; who has it open may write to it still."""
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
            _fill(db, found, time.time())
            _record(db, found, known, flaw, kept, complete=complete)
            db.execute("COMMIT")
        building.replace(_beside(path, RESCUED))
    finally:
        building.unlink(missing_ok=True)


def _fill(db: sqlite3.Connection, found: Found, now: float) -> None:
    for account in {str(task["account"]) for task in found.tasks.values()}:
        provider, _, rest = account.partition(" ")
        db.execute(
            "INSERT INTO accounts (account, provider, base_url) VALUES (?, ?, ?)",
            (account, provider, rest.rpartition(" ")[0]),
        )
    for task in sorted(found.tasks.values(), key=lambda task: float(task["created_at"] or 0)):
        if task["attempt"] and now - RATE_WINDOW < (sent := float(task["updated_at"] or 0)):
            db.execute("INSERT INTO slots VALUES (?, ?)", (task["account"], min(sent, now)))
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
    held = (known or Mark()).totals
    missing = {
        name: reserved_amount - totals.get(name, (0, 0))[1]
        for name, (_, reserved_amount) in held.items()
        if reserved_amount > totals.get(name, (0, 0))[1]
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
    behind = max(found.steps, (known or Mark()).steps) + 1 - mark.of(db).steps
    if behind > 0:
        db.execute("INSERT OR IGNORE INTO totals VALUES ('', '', 0, 0, 0)")
        db.execute("UPDATE totals SET steps = steps + ? WHERE account = ''", (behind,))
    if not complete:
        db.execute("UPDATE shape SET readable_since = ?", (schema.KNOWS_RESCUES,))
