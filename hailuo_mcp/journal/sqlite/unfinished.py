"""A look at a journal that nobody has opened: whether there is anything to go on with."""

from __future__ import annotations

import time
from contextlib import suppress
from pathlib import Path

FILE_NAME = "journal.sqlite3"
"""In the state folder."""
RESCUED = ".rescued"
"""Ends the name of a whole new journal on its way into a damaged one's place."""
PATIENCE = 1.0
"""Seconds to wait for another process's lock."""
REST_SECONDS = 3.0
"""After so long without a change, any later one shows in the time of the file: some disks round it
to whole seconds."""


def has_unfinished_work(state_dir: Path) -> bool:
    """Whether a process is needed: to send, poll or save something, or to repair the file.

    Keeps nothing open. That a file as it stands has nothing unfinished is noted beside it, so that
    the next look need not load SQLite, which is most of what an idle server would add.
    """
    path = state_dir / FILE_NAME
    if not path.exists():
        return path.with_name(path.name + RESCUED).exists()
    note, stamp = path.with_name(f"{path.name}.settled"), stamp_of(path)
    with suppress(OSError, ValueError):
        if stamp and note.read_text("ascii") == stamp:
            return False
    found = _look(path)
    with suppress(OSError):  # a note that is missing or torn only costs another look
        if stamp and not found and time.time() - path.stat().st_mtime > REST_SECONDS:
            note.write_text(stamp, "ascii")
    return found


def stamp_of(path: Path) -> str:
    """What changes with any change of the journal; empty while its changes are still elsewhere."""
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
            return bool(db.execute("SELECT 1 FROM tasks WHERE due_at > 0 LIMIT 1").fetchone())
    except sqlite3.Error:
        return True  # the process that opens it properly finds out why, and says so
