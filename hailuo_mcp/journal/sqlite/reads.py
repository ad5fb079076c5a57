"""Questions to the journal that change nothing."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection

from hailuo_mcp.domain import POLLED, Status, Task
from hailuo_mcp.journal.sqlite.rows import SELECT, task_of
from hailuo_mcp.journal.store import RenderTime


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


def by_callback(db: sqlite3.Connection, token: str) -> Task | None:
    row = db.execute(
        SELECT + " WHERE callback_token = ? AND callback_token != ''", (token,)
    ).fetchone()
    return task_of(row) if row else None


def newest(
    db: sqlite3.Connection,
    *,
    caller: str | None = None,
    statuses: Collection[Status] = (),
    saved: bool | None = None,
    limit: int = 20,
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
) -> list[RenderTime]:
    """How long the newest tasks of this kind took, newest first."""
    rows = db.execute(
        "SELECT COALESCE(unfinished_at, submitted_at) - submitted_at, finished_at - submitted_at"
        " FROM tasks WHERE provider = ? AND model = ? AND resolution IS ? AND duration IS ?"
        " AND finished_at IS NOT NULL AND submitted_at IS NOT NULL AND finished_at > submitted_at"
        " ORDER BY finished_at DESC LIMIT 20",
        (provider, model, resolution, duration),
    ).fetchall()
    return [RenderTime(least=max(0.0, least), most=top) for least, top in rows]


def pictures_in_use(db: sqlite3.Connection) -> str:
    """The requests of all tasks that may still be sent, joined: pictures stand in it by sha256."""
    rows = db.execute(
        "SELECT request FROM tasks WHERE status IN ('pending', 'submitting', 'unconfirmed')"
    ).fetchall()
    return "\n".join(request for (request,) in rows)
