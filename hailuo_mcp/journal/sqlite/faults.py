"""What SQLite's errors mean: a damaged file, or a problem with the disk."""

from __future__ import annotations

import errno
import sqlite3
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path

from hailuo_mcp.errors import Do, JournalError, Step
from hailuo_mcp.journal.sql.rows import DamagedRowError

Unusable = sqlite3.Error | UnicodeDecodeError | DamagedRowError
UNUSABLE = (sqlite3.Error, UnicodeDecodeError, DamagedRowError)
"""What reading a journal raises."""

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


class Fault(StrEnum):
    """The reasons why a journal cannot be used."""

    NEWER = "newer"
    """Written by a newer version, in a format that this one cannot read."""
    FULL = "full"
    """Its disk is full."""
    CLOSED = "closed"
    """The file or its folder cannot be opened or written."""
    LOCKED = "locked"
    DAMAGED = "damaged"


_SAID: Mapping[Fault, tuple[str, *tuple[Step, ...]]] = {
    Fault.FULL: (
        "cannot be written, because its disk is full",
        Step(Do.ARRANGE, "free some space"),
    ),
    Fault.CLOSED: (
        "cannot be opened or written",
        Step(Do.ARRANGE, "check the permissions of its folder, or choose another folder"),
        Step(Do.SET, "HAILUO_STATE_DIR"),
    ),
    Fault.LOCKED: (
        "is locked by another program",
        Step(Do.ARRANGE, "close that program, or wait a moment"),
    ),
    Fault.DAMAGED: ("could not be used", Step(Do.DOCTOR)),
}


class DamagedJournalError(sqlite3.DatabaseError):
    """What a check found; the text is for the log and the doctor."""


def means_damage(exc: Unusable) -> bool:
    """Whether the error is about the file's content."""
    code = getattr(exc, "sqlite_errorcode", sqlite3.SQLITE_CORRUPT)
    return not isinstance(exc, sqlite3.InterfaceError) and code & 0xFF in _DAMAGE


def described(exc: Unusable) -> str:
    """What is wrong, in words; Python cannot decode SQLite's message about a damaged schema."""
    return "its schema is damaged" if isinstance(exc, UnicodeDecodeError) else str(exc)


def fault_of(exc: Exception) -> Fault:
    text = str(exc).lower()
    if "full" in text or (isinstance(exc, OSError) and exc.errno in _DISK_FULL):
        return Fault.FULL
    if isinstance(exc, OSError) or "readonly" in text or "unable to open" in text:
        return Fault.CLOSED
    return Fault.LOCKED if "locked" in text or "busy" in text else Fault.DAMAGED


def journal_error(path: Path, exc: Exception) -> JournalError:
    """The error for a journal that does not work, with the next steps."""
    what, *steps = _SAID[fault_of(exc)]
    return JournalError(
        f"The journal cannot be used, and nothing is bought without it: {path} {what}.",
        *steps,
        detail=str(exc),
    )
