"""One step in a task's life, applied only if the task still stands where the caller saw it."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any

from hailuo_mcp.domain import Money, Status, Task
from hailuo_mcp.journal.sqlite.purchases import take_slot
from hailuo_mcp.journal.sqlite.rows import (
    COLUMNS,
    INSERT,
    SEALED,
    SELECT,
    row_of,
    seal_of,
    task_of,
    text_of,
)
from hailuo_mcp.journal.store import LONGEST_DELAY, IdTaken

SETTLES: Mapping[Status, Money] = {
    Status.SUCCEEDED: Money.SPENT,
    Status.FAILED: Money.RELEASED,
    Status.CANCELLED: Money.RELEASED,
}
"""What an end means for the reservation."""
SEALED_NAMES = frozenset(SEALED)


def change(
    db: sqlite3.Connection,
    task_id: str,
    values: Mapping[str, object],
    *,
    now: float,
    status_in: Collection[Status] = (),
    attempt: int | None = None,
    held_by: str | None = None,
    remote_id: str | None = None,
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
        or (remote_id is not None and task.remote_id != remote_id)
    ):
        return None
    new = dict(values)
    detail = new.pop("detail", None)
    status = new.get("status")
    if isinstance(status, Status) and task.money is Money.RESERVED:
        new.setdefault("money", SETTLES.get(status, Money.RESERVED))
    if isinstance(status, Status) and (task.status is Status.SUBMITTING or attempt is not None):
        take_slot(db, task.account, now)  # its sender speaks, perhaps after it was given up
    if isinstance(due_at := new.get("due_at"), float):
        new["due_at"] = min(due_at, now + LONGEST_DELAY)
    new["updated_at"] = now
    names = [name for name in new if name in COLUMNS]
    db.execute(
        f"UPDATE tasks SET {', '.join(f'{name} = ?' for name in names)} WHERE task_id = ?",
        (*(text_of(new[name]) for name in names), task_id),
    )
    if not SEALED_NAMES.isdisjoint(names):
        seal_again(db, task_id)
    if detail:
        db.execute("UPDATE tasks SET detail = ? WHERE task_id = ?", (str(detail)[:2000], task_id))
    known: dict[str, Any] = {name: new[name] for name in names}
    changed = replace(task, **known)
    if changed.remote_id != task.remote_id:
        _take_from_adopters(db, changed)
    return changed


def seal_again(db: sqlite3.Connection, task_id: str) -> None:
    """After a change of what the row's checksum vouches for."""
    query = f"SELECT {', '.join(SEALED)} FROM tasks WHERE task_id = ?"
    if row := db.execute(query, (task_id,)).fetchone():
        db.execute("UPDATE tasks SET seal = ? WHERE task_id = ?", (seal_of(row), task_id))


def _take_from_adopters(db: sqlite3.Connection, task: Task) -> None:
    """A remote id is known to be this purchase's: whoever adopted it has it no longer."""
    db.execute(
        "UPDATE tasks SET status = ?, caller = ?, error = ?, error_kind = '', error_code = '',"
        " remote_id = '', remote_alias = '', file_id = '', url = '', url_expires_at = NULL,"
        " file = '', owner = '', lease_until = 0, due_at = 0, updated_at = ?"
        " WHERE remote_id != '' AND remote_id IN (?, ?) AND +account = ? AND task_id != ?"
        " AND money = ?",
        (
            Status.CANCELLED,
            task.caller,
            f"It turned out to be task {task.task_id}, where it goes on.",
            task.updated_at,
            task.remote_id,
            task.remote_alias,
            task.account,
            task.task_id,
            Money.UNKNOWN,
        ),
    )


def settle(
    db: sqlite3.Connection, task_id: str, values: Mapping[str, object], *, now: float
) -> Task | IdTaken | None:
    """Set what a person says became of a purchase; None where that is not theirs to say."""
    row = db.execute(SELECT + " WHERE task_id = ?", (task_id,)).fetchone()
    if row is None or not (task := task_of(row)).can_be_settled:
        return None
    remote_id = str(values.get("remote_id", ""))
    if remote_id != task.remote_id:
        for other in _known_as(db, task.account, remote_id):
            if other.task_id != task_id and other.money is not Money.UNKNOWN:
                return IdTaken(task=other)
    said = {**values, "settled_at": now}
    if task.money is Money.UNKNOWN:
        said.pop("money", None)  # whoever bought it elsewhere has paid
    return change(db, task_id, said, now=now)


def adopt(db: sqlite3.Connection, task: Task) -> Task | None:
    """Take in a task that somebody bought elsewhere; an earlier adoption of it wins.

    None where it is another caller's, or may be.
    """
    if found := _known_as(db, task.account, task.remote_id):
        return next((one for one in found if task.caller in ("", one.caller)), None)
    if others_await_ids(db, task.account, task.caller):
        return None
    db.execute(INSERT, row_of(task, Decimal(0)))
    return task


def others_await_ids(db: sqlite3.Connection, account: str, caller: str) -> bool:
    """Whether an id that nobody knows may be of another caller's purchase.

    That is one whose own id did not come, or not yet. The local person sees everybody's.
    """
    return bool(caller) and bool(
        db.execute(
            "SELECT 1 FROM tasks WHERE status IN ('submitting', 'unconfirmed', 'failed')"
            " AND (status != 'failed' OR money = 'spent') AND remote_id = ''"
            " AND +account = ? AND caller != ? LIMIT 1",
            (account, caller),
        ).fetchone()
    )


def _known_as(db: sqlite3.Connection, account: str, remote_id: str) -> list[Task]:
    """The account's tasks that go by this id at the provider."""
    return [
        task_of(row)
        for column in ("remote_id", "remote_alias")
        for row in db.execute(
            SELECT + f" WHERE {column} = ? AND {column} != '' AND +account = ?",
            (remote_id, account),
        ).fetchall()
    ]


def other_with_remote_id(db: sqlite3.Connection, task_id: str, account: str, remote_id: str) -> str:
    """Another task of the account that goes by this id at the provider; empty if there is none."""
    row = db.execute(
        "SELECT task_id FROM tasks WHERE remote_id = ? AND remote_id != '' AND account = ?"
        " AND task_id != ? ORDER BY created_at LIMIT 1",
        (remote_id, account, task_id),
    ).fetchone()
    return str(row[0]) if row else ""
