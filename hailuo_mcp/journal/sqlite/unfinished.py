"""Whether a journal has unfinished work, without opening it if possible."""

from __future__ import annotations

import time
from contextlib import suppress
from pathlib import Path

FILE_NAME = "journal.sqlite3"
"""In the state folder."""
RESCUED = ".rescued"
"""The suffix of a complete new journal that is about to replace a damaged one."""
PATIENCE = 1.0
"""Seconds to wait for another process's lock."""
QUESTION = (
    "SELECT 1 FROM tasks WHERE due_at > 0 UNION ALL SELECT 1 FROM films WHERE due_at > 0 LIMIT 1"
)
REST_SECONDS = 3.0
"""After this time without a change, any later one shows in the file's time: some disks round it
to whole seconds."""


def has_unfinished_work(state_dir: Path) -> bool:
    """Whether a process must send, poll or save something, or repair the file.

    Keeps nothing open. A note beside the file says that it has nothing unfinished, so that
    the next check need not load SQLite, most of an idle server's extra memory.
    """
    path = state_dir / FILE_NAME
    if not path.exists():
        return path.with_name(path.name + RESCUED).exists()
    note, stamp = path.with_name(f"{path.name}.settled"), stamp_of(path)
    with suppress(OSError, ValueError):
        if stamp and note.read_text("ascii") == stamp:
            return False
    found = _look(path)
    with suppress(OSError):  # a missing or torn note only costs another check
        if stamp and not found and time.time() - path.stat().st_mtime > REST_SECONDS:
            note.write_text(stamp, "ascii")
    return found


def stamp_of(path: Path) -> str:
    """A stamp that changes with the journal; empty while changes are only in the log."""
    wal = path.with_name(f"{path.name}-wal")
    with suppress(OSError):
        if not wal.exists() or not wal.stat().st_size:
            facts = path.stat()
            return f"{facts.st_size} {facts.st_mtime_ns} {facts.st_ino}"
    return ""


def _look(path: Path) -> bool:
    import sqlite3
    from contextlib import closing

    try:
        with closing(
            sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, timeout=PATIENCE)
        ) as db:
            return bool(db.execute(QUESTION).fetchone())
    except sqlite3.Error:
        return True  # the process that opens it finds out why, and reports or migrates it
