"""What SQLite's errors mean: damage to the file, or trouble with the disk around it."""

from __future__ import annotations

import errno
import sqlite3
from pathlib import Path

from hailuo_mcp.errors import Do, JournalError, Step

_DAMAGE = frozenset(
    {
        sqlite3.SQLITE_ERROR,  # of statements that are ours: a table or column is gone
        sqlite3.SQLITE_INTERNAL,
        sqlite3.SQLITE_CORRUPT,
        sqlite3.SQLITE_SCHEMA,
        sqlite3.SQLITE_MISMATCH,
        sqlite3.SQLITE_FORMAT,
        sqlite3.SQLITE_NOTADB,
    }
)
_DISK_FULL = frozenset({errno.ENOSPC, errno.EFBIG, getattr(errno, "EDQUOT", errno.ENOSPC)})


class DamagedJournalError(sqlite3.DatabaseError):
    """What a check found; the text is for the log and the doctor."""


def means_damage(exc: sqlite3.Error | UnicodeDecodeError) -> bool:
    """Whether the error is about the file's content."""
    code = getattr(exc, "sqlite_errorcode", sqlite3.SQLITE_CORRUPT)
    return not isinstance(exc, sqlite3.InterfaceError) and code & 0xFF in _DAMAGE


def flaw_of(exc: sqlite3.Error | UnicodeDecodeError) -> str:
    """What is wrong, in words; Python cannot decode what SQLite says of a damaged schema."""
    return "its schema is damaged" if isinstance(exc, UnicodeDecodeError) else str(exc)


def journal_error(path: Path, exc: Exception) -> JournalError:
    """What keeps the journal from working, and what can be done about it."""
    text = str(exc).lower()
    other_folder = Step(Do.SET, "HAILUO_STATE_DIR")
    if "full" in text or (isinstance(exc, OSError) and exc.errno in _DISK_FULL):
        what, steps = f"the disk of {path.parent} is full", [Step(Do.ARRANGE, "free some space")]
    elif "readonly" in text or "read-only" in text or isinstance(exc, OSError):
        advice = Step(Do.ARRANGE, "make that folder writable, or choose another one")
        what, steps = f"{path.parent} cannot be written", [advice, other_folder]
    elif "locked" in text or "busy" in text:
        advice = Step(Do.ARRANGE, "close that program, or wait a moment")
        what, steps = f"another program keeps {path.name} locked", [advice]
    elif "unable to open" in text:
        advice = Step(Do.ARRANGE, "check the folder's permissions, or choose another one")
        what, steps = f"{path} cannot be opened", [advice, other_folder]
    else:
        what, steps = f"{path} could not be used", [Step(Do.DOCTOR)]
    return JournalError(
        f"The journal, without which nothing is bought, is out of reach: {what}.",
        *steps,
        detail=str(exc),
    )
