"""Whether a journal is whole: its pages, each row, and all of it against the mark beside it."""

from __future__ import annotations

import json
import sqlite3

from hailuo_mcp.domain import Money, Status
from hailuo_mcp.journal.sqlite import mark
from hailuo_mcp.journal.sqlite.mark import Mark
from hailuo_mcp.journal.sqlite.rows import HELD, SEALED, SELECT, seal_of, task_of

GONE = "it was deleted or emptied"
OLDER = "it is an older copy, or its last changes are lost"

_ROWS = (
    f"SELECT {', '.join((*SEALED, 'status', 'money', 'warnings', 'seal'))} FROM tasks NOT INDEXED"
)
_STATUSES, _MONEY = frozenset(Status), frozenset(Money)


_SURROUNDINGS = frozenset(
    {
        sqlite3.SQLITE_BUSY,
        sqlite3.SQLITE_LOCKED,
        sqlite3.SQLITE_NOMEM,
        sqlite3.SQLITE_READONLY,
        sqlite3.SQLITE_INTERRUPT,
        sqlite3.SQLITE_IOERR,
        sqlite3.SQLITE_FULL,
        sqlite3.SQLITE_CANTOPEN,
        sqlite3.SQLITE_PROTOCOL,
        sqlite3.SQLITE_CONSTRAINT,
        sqlite3.SQLITE_MISUSE,
    }
)
"""What is the matter with the disk, another program or ours, not with the file."""


class DamagedJournalError(sqlite3.DatabaseError):
    """What a check found; the text is for the log and the doctor."""


def means_damage(exc: sqlite3.Error | UnicodeDecodeError) -> bool:
    """Whether what SQLite says is about the file's content."""
    code = getattr(exc, "sqlite_errorcode", sqlite3.SQLITE_CORRUPT)
    return not isinstance(exc, sqlite3.InterfaceError) and code & 0xFF not in _SURROUNDINGS


def flaw_of(exc: sqlite3.Error | UnicodeDecodeError) -> str:
    """What is the matter, in words; Python cannot decode what SQLite says of a damaged schema."""
    return "its schema is damaged" if isinstance(exc, UnicodeDecodeError) else str(exc)


def pages(db: sqlite3.Connection) -> None:
    """Every page, and every index against its table (130 ms for 20,000 tasks, 2026-11).

    Raises:
        sqlite3.DatabaseError: one of them is damaged.
    """
    said = str(db.execute("PRAGMA integrity_check(1)").fetchone()[0])
    if said != "ok":
        raise DamagedJournalError("a page or an index is damaged")


def rows(db: sqlite3.Connection) -> None:
    """Every row against its own checksum, and all of them against the totals.

    Raises:
        sqlite3.DatabaseError: one is damaged or missing.
    """
    db.execute("BEGIN")  # one moment: other processes go on writing
    try:
        found = _sums_of_sound_rows(db)
        totals = {
            (account, unit): (tasks, reserved_amount)
            for account, unit, tasks, reserved_amount in db.execute(
                "SELECT account, unit, tasks, counted FROM totals WHERE tasks > 0"
            )
        }
    finally:
        db.execute("ROLLBACK")
    if totals != found:
        raise DamagedJournalError("rows of the tasks table are missing")


def _sums_of_sound_rows(db: sqlite3.Connection) -> dict[tuple[str, str], tuple[int, int]]:
    account, unit, reserved_amount = (SEALED.index(name) for name in ("account", "unit", "counted"))
    found = dict[tuple[str, str], tuple[int, int]]()
    for *sealed, status, money, warnings, seal in db.execute(_ROWS):
        if (
            (seal and seal != seal_of(sealed))
            or status not in _STATUSES
            or money not in _MONEY
            or not _is_list(warnings)
        ):
            raise DamagedJournalError("a row of the tasks table is damaged")
        tasks, sum_ = found.get((sealed[account], sealed[unit]), (0, 0))
        held = sealed[reserved_amount] if money in HELD else 0
        found[sealed[account], sealed[unit]] = tasks + 1, sum_ + held
    for row in db.execute(f"{SELECT} WHERE seal = ''"):  # of an older version
        task_of(row)
    return found


def _is_list(text: object) -> bool:
    try:
        return text == "[]" or isinstance(json.loads(str(text)), list)
    except ValueError:
        return False


def against(db: sqlite3.Connection, known: Mark | None, *, marked: bool) -> None:
    """The journal against what it is known to have held; `marked` says that this is kept.

    Raises:
        DamagedJournalError: it held more than it does now.
    """
    now = mark.of(db)
    if known is None:
        if marked and now.steps:
            raise DamagedJournalError("the mark beside it is missing")
        return
    if now.steps < known.steps:
        raise DamagedJournalError(OLDER)
    if now.steps == known.steps and now.newest != known.newest:
        raise DamagedJournalError("it is not the journal that was here before")
