"""The journal's tables, as numbered append-only migrations: schema_1.sql and so on."""

from __future__ import annotations

import hashlib
from math import inf
from pathlib import Path

from hailuo_mcp.journal.postgres.connection import ServerConnection
from hailuo_mcp.journal.sql.contents import newer_error

VERSION = 4
READABLE_SINCE = 1
"""The oldest schema version whose program can still use this one."""
KEEPS_FILMS = 2


def version(db: ServerConnection) -> int:
    """0 if there are no tables yet."""
    if db.execute("SELECT to_regclass('shape')").fetchone() == (None,):
        return 0
    row = db.execute("SELECT version FROM shape").fetchone()
    return int(row[0]) if row else 0


def is_too_new(db: ServerConnection) -> bool:
    """Whether a newer version has written it, in a format that this one cannot use."""
    if version(db) <= VERSION:
        return False
    row = db.execute("SELECT readable_since FROM shape").fetchone()
    return row is not None and int(row[0]) > VERSION


def refuse_newer(db: ServerConnection) -> None:
    """Check that this version may use it.

    Raises:
        JournalError: a newer version has written it.
    """
    if is_too_new(db):
        raise newer_error(version(db))


def migrate(db: ServerConnection) -> None:
    """Migrate the database, or accept a newer one that is compatible with this version.

    The lock is taken before the version is read: of several processes that start at once,
    one migrates and the others find it done.
    """
    db.answers_within = inf
    with db.transaction():
        db.execute("SET LOCAL statement_timeout = 0")
        db.execute("SET LOCAL lock_timeout = 0")
        db.execute("SELECT pg_advisory_xact_lock(%s)", (key_of(db, "migration"),))
        refuse_newer(db)
        found = version(db)
        for number in range(found, VERSION):
            file = Path(__file__).with_name(f"schema_{number + 1}.sql")
            db.execute(file.read_bytes(), prepare=False)
        if found < VERSION:
            db.execute("DELETE FROM shape")
            db.execute("INSERT INTO shape VALUES (%s, %s)", (VERSION, READABLE_SINCE))
    db.answers_within = None


def key_of(db: ServerConnection, name: str) -> int:
    """The number of an advisory lock: they have no names, and a database's schemas share them."""
    text = f"hailuo-mcp {db.schema} {name}"
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), signed=True)
