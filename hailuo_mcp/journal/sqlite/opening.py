"""Opening a journal: checked before it is trusted, and rescued where it is damaged."""

from __future__ import annotations

import logging
import sqlite3
import time
from pathlib import Path

from hailuo_mcp.journal.sqlite import backup, check, legible, mark, rescue, schema
from hailuo_mcp.journal.sqlite.unfinished import stamp_of
from hailuo_mcp.journal.store import Rescued

BUSY_SECONDS = 10.0
ALWAYS_BYTES = 8 * 1024 * 1024
"""A journal up to this size (some 10,000 tasks) is checked whenever it is opened: bits that rot
leave the file's time as it was. A larger one is checked once a day, and when it is not as it was
left."""
DAY = 86_400.0
_log = logging.getLogger(__name__)


def connect(path: Path, *, suspect: bool) -> tuple[sqlite3.Connection, Rescued | None, bool]:
    """A connection to a whole journal, new or as it was or rescued; and whether it was checked.

    Only one process at a time may do this. `suspect` says that a check cannot be left out.

    Raises:
        JournalError: it was written by a newer version.
        sqlite3.Error, OSError: it cannot be reached.
    """
    rescue.finish(path)
    known, wal = mark.read(path), legible.log_of(path)
    try:
        db, checked = _connect(path, known, suspect=suspect)
        return db, None, checked  # noqa: TRY300  # what comes next belongs to the failure
    except (sqlite3.DatabaseError, UnicodeDecodeError) as exc:
        if not check.means_damage(exc):
            raise
        flaw = check.flaw_of(exc)
        _log.warning("%s is damaged: %s", path.name, flaw)
        found = rescue.rescue(path, flaw, known.mark, wal, timeout=BUSY_SECONDS)
    _log.warning(
        "%d tasks of it were carried over%s",
        found.carried,
        "" if found.complete else "; some may be missing",
    )
    db, _ = _connect(path, None, suspect=True)
    return db, found, True


def _connect(
    path: Path, known: mark.Remembered | None, *, suspect: bool
) -> tuple[sqlite3.Connection, bool]:
    """`known` is None of a journal that was just rescued: it is ahead of what was known."""
    stamp, new = stamp_of(path), known is None
    known = known or mark.Remembered()
    if not path.exists() or not path.stat().st_size:
        if (known.mark and known.mark.steps) or backup.newest_first(path):
            raise check.DamagedJournalError(check.GONE)
        backup.make_private(path)
    if rescue.no_database(path):
        # Not even opened: on closing, SQLite would throw away a -wal that does not fit.
        raise check.DamagedJournalError("the file is not a database")
    db = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=BUSY_SECONDS)
    try:
        db.execute("PRAGMA journal_mode = WAL")
        db.execute("PRAGMA synchronous = FULL")
        small = path.stat().st_size <= ALWAYS_BYTES
        trusted = stamp and stamp == known.checked and 0 <= time.time() - known.checked_at < DAY
        unchecked = suspect or small or not trusted
        if unchecked:
            check.pages(db)
        marked = schema.version(db) >= schema.KEEPS_TOTALS
        if not marked:
            mark.write(path, mark.Mark())  # now: a kill must not leave the journal without one
        schema.migrate(db)
        if unchecked:
            check.rows(db)
        check.against(db, known.mark, marked=marked and not new)
    except BaseException:
        db.close()
        raise
    return db, unchecked
