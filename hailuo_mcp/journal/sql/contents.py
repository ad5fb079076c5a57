"""What a journal contains, for the doctor."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from hailuo_mcp.domain.task import UNFINISHED
from hailuo_mcp.errors import Do, JournalError, Step
from hailuo_mcp.journal.facts import Losses
from hailuo_mcp.journal.sql.connection import Statements
from hailuo_mcp.journal.sql.rows import marks


@dataclass(frozen=True, slots=True, kw_only=True)
class Owner:
    """A process that has registered and not left; it may be dead."""

    name: str
    account: str
    pid: int
    started_at: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Contents:
    version: int
    """0 for an empty journal."""
    counts: Mapping[str, int]
    """Tasks by status."""
    unsaved: int = 0
    """Succeeded, and the clip is still to be saved."""
    films_due: int = 0
    """Films that are to go on or to be joined."""
    old: int = 0
    """Unfinished, and asked for before the time in question."""
    owners: tuple[Owner, ...] = ()
    losses: Losses | None = None
    """What an earlier rescue may have lost and nobody has accepted."""


def contents_of(
    db: Statements,
    version: int,
    old_before: float,
    losses: Losses | None = None,
    *,
    keeps_films: bool,
) -> Contents:
    unsaved, old = db.execute(
        "SELECT COUNT(*) FILTER (WHERE status = 'succeeded' AND file = '' AND due_at > 0),"
        f" COUNT(*) FILTER (WHERE status IN ({marks(UNFINISHED)}) AND created_at < ?) FROM tasks",
        (*UNFINISHED, old_before),
    ).fetchone()
    films_due = 0
    if keeps_films:
        (films_due,) = db.execute("SELECT COUNT(*) FROM films WHERE due_at > 0").fetchone()
    owners = db.execute("SELECT owner, account, pid, started_at FROM owners").fetchall()
    return Contents(
        version=version,
        counts=dict(db.execute("SELECT status, COUNT(*) FROM tasks GROUP BY status").fetchall()),
        unsaved=unsaved,
        films_due=films_due,
        old=old,
        losses=losses,
        owners=tuple(
            Owner(name=name, account=account, pid=pid, started_at=at)
            for name, account, pid, at in owners
        ),
    )


def newer_error(version: int) -> JournalError:
    return JournalError(
        f"The journal was written by a newer hailuo-mcp (format {version}), and this version "
        "cannot use it. Nothing in it was changed.",
        Step(Do.ARRANGE, "update this installation, or use the newer one"),
    )
