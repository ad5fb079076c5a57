"""A look at a journal that nobody has opened: whether there is anything to go on with."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

PATIENCE = 1.0
"""Seconds to wait for another process's lock."""


def unfinished(path: Path) -> bool:
    """Whether a process is needed: to send, poll or save something, or to mend the file.

    Changes nothing and keeps nothing open.
    """
    if not path.exists():
        return False
    try:
        with closing(
            sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, timeout=PATIENCE)
        ) as db:
            return bool(db.execute("SELECT 1 FROM tasks WHERE due_at > 0 LIMIT 1").fetchone())
    except sqlite3.Error:
        return True  # whoever opens it properly finds out why, and says so
