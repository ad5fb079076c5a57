"""Questions to the journal that change nothing."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection
from dataclasses import dataclass
from decimal import Decimal

from hailuo_mcp.domain import POLLED, Status, Task, Unit
from hailuo_mcp.journal.sqlite.purchase import sums, uncertain
from hailuo_mcp.journal.sqlite.rows import SELECT, from_micro, task_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Wall:
    """What one unit's budget counts."""

    unit: Unit
    spent: Decimal
    reserved: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Sums:
    spent: Decimal
    reserved: Decimal
    uncertain: Decimal
    """The part of `reserved` that belongs to `unconfirmed` tasks."""
    others: tuple[Wall, ...] = ()
    """What was bought in other units, under another plan."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RenderTime:
    """How long one finished task took: more than `least`, at most `most` seconds."""

    least: float
    most: float


def find(db: sqlite3.Connection, some_id: str, *, caller: str = "") -> Task | None:
    """By our id, or by either of the provider's; only this caller's, where one is named."""
    for column in ("task_id", "remote_id", "remote_alias"):
        row = db.execute(
            SELECT + f" WHERE {column} = ? AND {column} != '' AND ? IN ('', caller)"
            " ORDER BY created_at DESC",
            (some_id, caller),
        ).fetchone()
        if row:
            return task_of(row)
    return None


def sharing(db: sqlite3.Connection, task_id: str, account: str, remote_id: str) -> str:
    """Another task of the account that goes by this id at the provider; empty if there is none."""
    row = db.execute(
        "SELECT task_id FROM tasks WHERE remote_id = ? AND remote_id != '' AND account = ?"
        " AND task_id != ? ORDER BY created_at LIMIT 1",
        (remote_id, account, task_id),
    ).fetchone()
    return str(row[0]) if row else ""


def by_callback(db: sqlite3.Connection, token: str) -> Task | None:
    row = db.execute(
        SELECT + " WHERE callback_token = ? AND callback_token != ''", (token,)
    ).fetchone()
    return task_of(row) if row else None


def newest(
    db: sqlite3.Connection,
    *,
    caller: str | None,
    statuses: Collection[Status],
    saved: bool | None,
    limit: int,
) -> list[Task]:
    wanted, values = ["1 = 1"], list[object]()
    if caller is not None:
        wanted.append("caller = ?")
        values.append(caller)
    if statuses:
        wanted.append(f"status IN ({', '.join('?' * len(statuses))})")
        values += list(statuses)
    if saved is not None:
        wanted.append("file != ''" if saved else "file = ''")
    rows = db.execute(
        SELECT + f" WHERE {' AND '.join(wanted)} ORDER BY created_at DESC, task_id DESC LIMIT ?",
        (*values, limit),
    ).fetchall()
    return [task_of(row) for row in rows]


def money(db: sqlite3.Connection, account: str, unit: Unit, since: float) -> Sums:
    spent, reserved = sums(db, account, unit, since)
    return Sums(
        spent=from_micro(spent),
        reserved=from_micro(reserved),
        uncertain=from_micro(uncertain(db, account, unit, since)),
        others=other_walls(db, account, unit, since),
    )


def other_walls(db: sqlite3.Connection, account: str, unit: Unit, since: float) -> tuple[Wall, ...]:
    found = ((other, *sums(db, account, other, since)) for other in Unit if other is not unit)
    return tuple(
        Wall(unit=other, spent=from_micro(spent), reserved=from_micro(reserved))
        for other, spent, reserved in found
        if spent or reserved
    )


def counts(db: sqlite3.Connection) -> dict[Status, int]:
    """How many tasks stand at each status."""
    rows = db.execute("SELECT status, count(*) FROM tasks GROUP BY status").fetchall()
    return {Status(status): number for status, number in rows}


def in_flight(db: sqlite3.Connection, account: str) -> int:
    """How many tasks of the account the provider is asked about."""
    query = (
        "SELECT count(*) FROM tasks WHERE account = ? AND due_at > 0 "
        f"AND status IN ({', '.join('?' * len(POLLED))})"
    )
    return int(db.execute(query, (account, *POLLED)).fetchone()[0])


def render_times(
    db: sqlite3.Connection,
    provider: str,
    model: str,
    resolution: str | None,
    duration: int | None,
    *,
    most: int = 20,
) -> list[RenderTime]:
    """How long the newest tasks of this kind took, newest first."""
    rows = db.execute(
        "SELECT COALESCE(unfinished_at, submitted_at) - submitted_at, finished_at - submitted_at"
        " FROM tasks WHERE provider = ? AND model = ? AND resolution IS ? AND duration IS ?"
        " AND finished_at IS NOT NULL AND submitted_at IS NOT NULL AND finished_at > submitted_at"
        " ORDER BY finished_at DESC LIMIT ?",
        (provider, model, resolution, duration, most),
    ).fetchall()
    return [RenderTime(least=max(0.0, least), most=top) for least, top in rows]


def owners(db: sqlite3.Connection) -> list[str]:
    """Every process that signed in or still holds something."""
    rows = db.execute(
        "SELECT owner FROM owners UNION SELECT owner FROM tasks WHERE owner != ''"
    ).fetchall()
    return [owner for (owner,) in rows]


def submitting(db: sqlite3.Connection, owner: str) -> list[Task]:
    """What this process has taken upon itself to send, sent or not."""
    rows = db.execute(
        SELECT + " WHERE owner = ? AND owner != '' AND status = 'submitting'", (owner,)
    ).fetchall()
    return [task_of(row) for row in rows]


def neighbours(
    db: sqlite3.Connection, account: str, provider: str, base_url: str, alive: Collection[str]
) -> list[str]:
    """Accounts of another key at the same provider with work left and nobody to do it."""
    marks = ", ".join("?" * len(alive))
    rows = db.execute(
        "SELECT account FROM accounts WHERE account != ? AND provider = ? AND base_url = ?"
        f" AND NOT EXISTS (SELECT 1 FROM owners WHERE owners.account = accounts.account"
        f" AND owners.owner IN ({marks})) AND EXISTS (SELECT 1 FROM tasks WHERE"
        " tasks.account = accounts.account AND tasks.due_at > 0)",
        (account, provider, base_url, *alive),
    ).fetchall()
    return [account for (account,) in rows]


def pictures_in_use(db: sqlite3.Connection) -> str:
    """The requests of all tasks that may still be sent, joined: pictures stand in it by sha256."""
    rows = db.execute(
        "SELECT request FROM tasks WHERE status IN ('pending', 'submitting', 'unconfirmed')"
    ).fetchall()
    return "\n".join(request for (request,) in rows)
