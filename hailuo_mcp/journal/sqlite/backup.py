"""Backups of the journal: one a day, the newest three are kept, as a basis for a rescue."""

from __future__ import annotations

import os
import sqlite3
import time
from contextlib import closing, suppress
from pathlib import Path

from hailuo_mcp.files.private import private_folder, private_opener
from hailuo_mcp.journal.sqlite import check
from hailuo_mcp.journal.sqlite.background import Background

FOLDER = "backups"
KEPT = 3
_PATIENCE = 10.0
_PAGES = 4000
"""Copied between two rests: 16 MB."""


def newest_first(journal: Path) -> list[Path]:
    try:
        return sorted((journal.parent / FOLDER).glob(f"{journal.stem}-*.sqlite3"), reverse=True)
    except OSError:
        return []


def is_due(journal: Path, now: float) -> bool:
    """Whether there is no backup of this day (UTC)."""
    return journal.exists() and not _of_day(journal, now).exists()


def make(journal: Path, now: float, background: Background | None = None) -> Path | None:
    """Back up the journal, check the copy, and delete all but the newest three.

    Returns None if the journal is empty.

    Raises:
        DamagedJournalError: the copy, so the journal, is damaged; no copy was deleted.
        sqlite3.Error, OSError: it could not be read or written.
    """
    target = _of_day(journal, now)
    private_folder(target.parent)
    if not copy(journal, target, background):
        return None
    copies = newest_first(journal)
    made_later = [one for one in copies if one.name > target.name]  # by a clock that was ahead
    for old in (*made_later, *copies[len(made_later) + KEPT :]):
        with suppress(OSError):
            old.unlink()
    return target


def copy(journal: Path, target: Path, background: Background | None = None) -> bool:
    """Write a checked copy to a file; False if the journal is empty.

    Raises:
        StoppedError: the background was stopped, and there is no copy.
        DamagedJournalError: the copy has a flaw.
        sqlite3.Error, OSError: it could not be read or written.
    """
    part = target.with_name(f"{target.name}.{os.getpid()}.part")
    background = background or Background()
    try:
        make_private(part)
        source = f"{journal.absolute().as_uri()}?mode=ro"
        with (
            closing(sqlite3.connect(source, uri=True, timeout=_PATIENCE)) as old,
            closing(sqlite3.connect(part, isolation_level=None)) as new,
            background.using(old, new),
        ):
            old.execute("BEGIN")  # one moment: it would start again whenever somebody writes
            old.execute("SELECT 1 FROM tasks LIMIT 1").fetchall()
            old.backup(new, pages=_PAGES, progress=lambda _status, _left, _total: background.rest())
            old.execute("ROLLBACK")
            new.execute("PRAGMA journal_mode = DELETE")  # a single, complete file
            if not new.execute("SELECT 1 FROM tasks LIMIT 1").fetchone():
                return False
            check.pages(new)
            check.rows(new, background.rest)
        with part.open("rb+") as file:
            os.fsync(file.fileno())
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)
    return True


def make_private(path: Path) -> None:
    """Create or truncate a file before SQLite opens it, private to its owner."""
    with open(path, "wb", opener=private_opener):  # takes an opener
        pass


def _of_day(journal: Path, now: float) -> Path:
    day = time.strftime("%Y%m%d", time.gmtime(now))
    return journal.parent / FOLDER / f"{journal.stem}-{day}.sqlite3"
