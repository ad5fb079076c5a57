"""One step in a task's life, applied only if the task still stands where the caller saw it."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any

from hailuo_mcp.domain import Money, Status, Task
from hailuo_mcp.journal.purchase import hold_slot
from hailuo_mcp.journal.rows import COLUMNS, INSERT, SELECT, row_of, task_of, text_of

SETTLES: Mapping[Status, Money] = {
    Status.SUCCEEDED: Money.SPENT,
    Status.FAILED: Money.RELEASED,
    Status.CANCELLED: Money.RELEASED,
}
"""What an end means for the reservation."""
LONGEST_PAUSE = 7200.0
"""Seconds. No task is put off further: what is due later was planned by a clock that was ahead."""


def change(
    db: sqlite3.Connection,
    task_id: str,
    values: Mapping[str, object],
    *,
    now: float,
    status_in: Collection[Status] = (),
    attempt: int | None = None,
    held_by: str | None = None,
) -> Task | None:
    """Set `values` where the conditions hold; None where they do not.

    A status that ends the task settles its money in the same transaction, unless the money is
    not the account's own (adopted) or `values` says otherwise.
    """
    row = db.execute(SELECT + " WHERE task_id = ?", (task_id,)).fetchone()
    if row is None:
        return None
    task = task_of(row)
    if (
        (status_in and task.status not in status_in)
        or (attempt is not None and task.attempt != attempt)
        or (held_by is not None and task.owner != held_by)
    ):
        return None
    new = dict(values)
    detail = new.pop("detail", None)
    status = new.get("status")
    if isinstance(status, Status) and task.money is Money.RESERVED:
        new.setdefault("money", SETTLES.get(status, Money.RESERVED))
    if isinstance(status, Status) and (task.status is Status.SUBMITTING or attempt is not None):
        hold_slot(db, task.account, now)  # its sender speaks, perhaps after it was given up
    if isinstance(due_at := new.get("due_at"), float):
        new["due_at"] = min(due_at, now + LONGEST_PAUSE)
    new["updated_at"] = now
    names = [name for name in new if name in COLUMNS]
    db.execute(
        f"UPDATE tasks SET {', '.join(f'{name} = ?' for name in names)} WHERE task_id = ?",
        (*(text_of(new[name]) for name in names), task_id),
    )
    if detail:
        db.execute("UPDATE tasks SET detail = ? WHERE task_id = ?", (str(detail)[:2000], task_id))
    known: dict[str, Any] = {name: new[name] for name in names}
    return replace(task, **known)


def adopt(db: sqlite3.Connection, task: Task) -> Task:
    """Take in a task that somebody bought elsewhere; an earlier adoption of it wins."""
    row = db.execute(
        SELECT + " WHERE account = ? AND (remote_id = ? OR remote_alias = ?)",
        (task.account, task.remote_id, task.remote_id),
    ).fetchone()
    if row:
        return task_of(row)
    db.execute(INSERT, row_of(task, Decimal(0)))
    return task
