"""Opening a journal: checked before it is trusted, and rescued where it is damaged."""

from __future__ import annotations

import logging
import sqlite3
from pathlib import Path

from hailuo_mcp.journal import backup, check, legible, mark, rescue, schema
from hailuo_mcp.journal.peek import stamp_of

BUSY_SECONDS = 10.0
_log = logging.getLogger(__name__)


def connect(path: Path, *, suspect: bool) -> tuple[sqlite3.Connection, rescue.Rescued | None]:
    """A connection to a whole journal, new or as it was or rescued.

    Only one process at a time may do this. `suspect` says that a check cannot be left out.

    Raises:
        JournalError: it was written by a newer version.
        sqlite3.Error, OSError: it cannot be reached.
    """
    rescue.finish(path)
    known, wal = mark.read(path), legible.log_of(path)
    try:
        return _connect(path, known, suspect=suspect), None
    except sqlite3.DatabaseError as exc:
        if not check.means_damage(exc):
            raise
        _log.warning("%s is damaged: %s", path.name, exc)
        found = rescue.rescue(path, str(exc), known.mark, wal, timeout=BUSY_SECONDS)
    _log.warning(
        "%d tasks of it were carried over%s",
        found.carried,
        "" if found.complete else "; some may be missing",
    )
    return _connect(path, mark.Remembered(), suspect=False), found


def _connect(path: Path, known: mark.Remembered, *, suspect: bool) -> sqlite3.Connection:
    stamp = stamp_of(path)
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
        unchecked = suspect or not stamp or stamp != known.checked
        if unchecked:
            check.pages(db)
        schema.migrate(db)
        if unchecked:
            check.rows(db)
        check.against(db, known.mark)
    except BaseException:
        db.close()
        raise
    return db
