"""The journal's tables, as numbered append-only migrations: schema_1.sql and so on."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

from hailuo_mcp.journal.sql.contents import newer_error
from hailuo_mcp.journal.sql.rows import seal_of
from hailuo_mcp.journal.sqlite.faults import DamagedJournalError

VERSION = 7
READABLE_SINCE = 1
"""The oldest schema version whose program can still use this one."""
KEEPS_TOTALS = KNOWS_RESCUES = 2
"""Required while losses are not accepted: older programs would buy with this journal."""
KEEPS_RUNNING_TOTALS = 3
KEEPS_FILMS = 5


def version(db: sqlite3.Connection) -> int:
    return int(db.execute("PRAGMA user_version").fetchone()[0])


def is_too_new(db: sqlite3.Connection) -> bool:
    """Whether a newer version has written it, in a format that this one cannot read."""
    if version(db) <= VERSION:
        return False
    (needs,) = db.execute("SELECT readable_since FROM shape").fetchone()
    return int(needs) > VERSION


def refuse_newer(db: sqlite3.Connection) -> None:
    """Check that this version may use it.

    Raises:
        JournalError: a newer version has written it.
    """
    if is_too_new(db):
        raise newer_error(version(db))


def migrate(db: sqlite3.Connection, *, to: int = VERSION) -> None:
    """Migrate the file, or accept a newer one that is compatible with this version.

    The lock is taken before the version is read: of several processes that start at once,
    one migrates and the others find it done.
    """
    db.create_function("seal_of", -1, _seal_of)
    db.execute("BEGIN IMMEDIATE")
    try:
        refuse_newer(db)
        found = version(db)
        if found < 0:
            raise DamagedJournalError("its version is damaged")
        if found < to:
            for number in range(found, to):
                for statement in _statements(number + 1):
                    db.execute(statement)
            db.execute("CREATE TABLE IF NOT EXISTS shape (readable_since INTEGER NOT NULL)")
            db.execute("DELETE FROM shape")
            db.execute("INSERT INTO shape VALUES (?)", (READABLE_SINCE,))
            db.execute(f"PRAGMA user_version = {to}")
        db.execute("COMMIT")
    except BaseException:
        if db.in_transaction:
            db.execute("ROLLBACK")
        raise


def _statements(number: int) -> Iterator[str]:
    """Those of one step: executescript() would commit what was begun."""
    statement = ""
    file = Path(__file__).with_name(f"schema_{number}.sql")
    for line in file.read_text("utf-8").splitlines(keepends=True):
        statement += line
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""


def _seal_of(*row: object) -> str:
    try:
        return seal_of(row)
    except (TypeError, ValueError):  # a damaged row, which a check of all rows finds
        return ""
