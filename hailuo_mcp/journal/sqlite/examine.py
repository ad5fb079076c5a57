"""Reads a journal for the doctor, without creating, changing or repairing anything."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from hailuo_mcp.domain.task import Unit
from hailuo_mcp.journal.facts import Losses, UnitSpending
from hailuo_mcp.journal.sql.contents import Contents, contents_of
from hailuo_mcp.journal.sql.spending import sums
from hailuo_mcp.journal.sqlite import backup, check, mark, schema
from hailuo_mcp.journal.sqlite.connection import SqliteConnection
from hailuo_mcp.journal.sqlite.faults import (
    UNUSABLE,
    DamagedJournalError,
    Fault,
    described,
    fault_of,
)
from hailuo_mcp.journal.sqlite.losses import losses
from hailuo_mcp.journal.sqlite.mark import Mark

_PATIENCE = 5.0
"""Seconds to wait for a writer."""


class FaultyJournalError(Exception):
    def __init__(self, fault: Fault, version: int = 0, found: str = "") -> None:
        super().__init__(fault)
        self.fault = fault
        self.version = version
        self.found = found
        """What is wrong with a damaged journal."""


def examine(path: Path, *, old_before: float = 0.0) -> Contents:
    """Read a journal's content and check all of it; `old_before` is in Unix seconds.

    Raises:
        FaultyJournalError: it cannot be read or is damaged, and why.
    """
    known = mark.read(path).mark
    try:
        if not path.exists() or not path.stat().st_size:
            if (known and known.steps) or backup.newest_first(path):
                raise DamagedJournalError(check.GONE)
            return Contents(version=0, counts={})
        with closing(_read_only(path)) as db:
            return _contents(db, known, old_before)
    except UNUSABLE as exc:
        raise FaultyJournalError(fault_of(exc), found=described(exc).lower()) from exc


def spent_in_other_units(
    path: Path, account: str, unit: Unit, *, since: float
) -> tuple[UnitSpending, ...]:
    """What an account spent under plans of other units; nothing if that cannot be read."""
    try:
        with closing(_read_only(path)) as db:
            return sums(db, account, unit, since).others
    except UNUSABLE:
        return ()


def _read_only(path: Path) -> SqliteConnection:
    name = f"{path.absolute().as_uri()}?mode=ro"
    return sqlite3.connect(name, uri=True, timeout=_PATIENCE, factory=SqliteConnection)


def _contents(db: SqliteConnection, known: Mark | None, old_before: float) -> Contents:
    version = schema.version(db)
    if schema.is_too_new(db):
        raise FaultyJournalError(Fault.NEWER, version)
    check.pages(db)
    if version == 0:
        return Contents(version=0, counts={})
    lost: Losses | None = None
    if version >= schema.KNOWS_RESCUES:
        check.rows(db)
        check.against(db, known, marked=True)
        lost = losses(db)
    keeps_films = version >= schema.KEEPS_FILMS
    return contents_of(db, version, old_before, lost, keeps_films=keeps_films)
