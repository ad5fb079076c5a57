"""A look into a journal that makes, changes and repairs nothing, for the doctor."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from hailuo_mcp.domain import UNFINISHED, Status
from hailuo_mcp.journal.sqlite import backup, check, mark
from hailuo_mcp.journal.sqlite.losses import losses
from hailuo_mcp.journal.sqlite.mark import Mark
from hailuo_mcp.journal.sqlite.schema import KNOWS_RESCUES, STEPS
from hailuo_mcp.journal.store import Losses

_PATIENCE = 5.0
"""Seconds to wait for whoever is writing."""


class Flaw(StrEnum):
    NEWER = "newer"
    """Written by a later version, in a shape that this one cannot read."""
    LOCKED = "locked"
    CLOSED = "closed"
    """The file or its folder cannot be opened."""
    DAMAGED = "damaged"


class FlawedJournalError(Exception):
    def __init__(self, flaw: Flaw, version: int = 0, found: str = "") -> None:
        super().__init__(flaw)
        self.flaw = flaw
        self.version = version
        self.found = found
        """What is the matter with a damaged one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Owner:
    """A process that has signed in and not out; it may be gone."""

    name: str
    account: str
    pid: int
    started_at: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Contents:
    version: int
    """0 for a journal that nobody has written to yet."""
    counts: Mapping[str, int]
    """Tasks by status."""
    unsaved: int = 0
    """Succeeded, and the clip is still to be saved."""
    old: int = 0
    """Unfinished, and asked for before the time in question."""
    owners: tuple[Owner, ...] = ()
    losses: Losses | None = None
    """What an earlier rescue may have lost, and nobody has accepted."""


def examine(path: Path, *, old_before: float = 0.0) -> Contents:
    """Read what a journal holds, and check all of it; `old_before` is in Unix seconds.

    Raises:
        FlawedJournalError: it cannot be read or is not whole, and why.
    """
    known = mark.read(path).mark
    try:
        if not path.exists() or not path.stat().st_size:
            if (known and known.steps) or backup.newest_first(path):
                raise check.DamagedJournalError(check.GONE)
            return Contents(version=0, counts={})
        with closing(
            sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, timeout=_PATIENCE)
        ) as db:
            return _contents(db, known, old_before)
    except (sqlite3.Error, UnicodeDecodeError) as exc:
        text = check.flaw_of(exc).lower()
        if "locked" in text or "busy" in text:
            flaw = Flaw.LOCKED
        elif "unable to open" in text or "readonly" in text:
            flaw = Flaw.CLOSED
        else:
            flaw = Flaw.DAMAGED
        raise FlawedJournalError(flaw, found=text) from exc


def _contents(db: sqlite3.Connection, known: Mark | None, old_before: float) -> Contents:
    version = int(db.execute("PRAGMA user_version").fetchone()[0])
    if version > len(STEPS):
        (needs,) = db.execute("SELECT readable_since FROM shape").fetchone()
        if int(needs) > len(STEPS):
            raise FlawedJournalError(Flaw.NEWER, version)
    check.pages(db)
    if version == 0:
        return Contents(version=0, counts={})
    lost: Losses | None = None
    if version >= KNOWS_RESCUES:
        check.rows(db)
        check.against(db, known, marked=True)
        lost = losses(db)
    going = tuple(UNFINISHED)
    marks = ", ".join("?" * len(going))
    (unsaved,) = db.execute(
        "SELECT COUNT(*) FROM tasks WHERE status = ? AND file = '' AND due_at > 0",
        (Status.SUCCEEDED,),
    ).fetchone()
    (old,) = db.execute(
        f"SELECT COUNT(*) FROM tasks WHERE status IN ({marks}) AND created_at < ?",  # marks only
        (*going, old_before),
    ).fetchone()
    return Contents(
        version=version,
        counts=dict(db.execute("SELECT status, COUNT(*) FROM tasks GROUP BY status").fetchall()),
        unsaved=unsaved,
        old=old,
        losses=lost,
        owners=tuple(
            Owner(name=name, account=account, pid=pid, started_at=at)
            for name, account, pid, at in db.execute(
                "SELECT owner, account, pid, started_at FROM owners"
            )
        ),
    )
