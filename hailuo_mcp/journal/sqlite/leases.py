"""Who works on what: claims, leases, and what a vanished process leaves behind."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from hailuo_mcp.domain import Money, Status, Task
from hailuo_mcp.journal.sqlite.change import LONGEST_PAUSE
from hailuo_mcp.journal.sqlite.purchase import free_slots, hold_slot, next_slot
from hailuo_mcp.journal.sqlite.rows import SELECT, task_of

LONGEST_LEASE = 120.0
"""Seconds. A lease that ends further ahead was written under another clock: it is void."""
ORPHAN_SECONDS = 600.0
"""A task that was never sent is sent by another process in this time, later cancelled."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Claimed:
    sends: tuple[Task, ...]
    steps: tuple[Task, ...]
    next_at: float | None
    """When there is something to do next; None when nothing is unfinished."""


def claim(  # noqa: PLR0913  # what the caller can carry, and for how long
    db: sqlite3.Connection,
    accounts: Sequence[str],
    owner: str,
    *,
    rpm: int | None,
    sends: int,
    steps: int,
    submit_lease: float,
    lease: float,
    now: float,
) -> Claimed:
    """Take what is due: submits of the first account as slots allow, reads and saves of all.

    `sends` and `steps` are how many more the caller can carry.
    """
    marks = ", ".join("?" * len(accounts))
    db.execute(
        f"UPDATE tasks SET due_at = ? WHERE account IN ({marks}) AND due_at > 0 AND due_at > ?"
        " AND status != 'submitting'",
        (now, *accounts, now + LONGEST_PAUSE),
    )
    sent = _claim_sends(db, accounts[0], owner, rpm, sends, submit_lease, now)
    rows = db.execute(
        SELECT + f" WHERE account IN ({marks}) AND due_at > 0 AND due_at <= ?"
        " AND status IN ('queued', 'running', 'succeeded')"
        " AND (lease_until <= ? OR lease_until > ?) ORDER BY due_at LIMIT ?",
        (*accounts, now, now, now + LONGEST_LEASE, steps),
    ).fetchall()
    taken = [task_of(row) for row in rows]
    db.executemany(
        "UPDATE tasks SET owner = ?, lease_until = ? WHERE task_id = ?",
        [(owner, now + lease, task.task_id) for task in taken],
    )
    return Claimed(
        sends=tuple(sent), steps=tuple(taken), next_at=next_due(db, accounts, rpm=rpm, now=now)
    )


def _claim_sends(
    db: sqlite3.Connection,
    account: str,
    owner: str,
    rpm: int | None,
    most: int,
    lease: float,
    now: float,
) -> list[Task]:
    room = min(most, free_slots(db, account, rpm, now)) if most > 0 else 0
    if room <= 0:
        return []
    ids = db.execute(
        "SELECT task_id FROM tasks WHERE account = ? AND due_at > 0 AND due_at <= ?"
        " AND status = 'pending' ORDER BY created_at, task_id LIMIT ?",
        (account, now, room),
    ).fetchall()
    sent: list[Task] = []
    for (task_id,) in ids:
        db.execute(
            "UPDATE tasks SET status = 'submitting', attempt = attempt + 1, owner = ?,"
            " lease_until = ?, due_at = ?, updated_at = ? WHERE task_id = ?",
            (owner, now + lease, now, now, task_id),
        )
        sent.append(task_of(db.execute(SELECT + " WHERE task_id = ?", (task_id,)).fetchone()))
    return sent


def next_due(
    db: sqlite3.Connection, accounts: Sequence[str], *, rpm: int | None, now: float
) -> float | None:
    """When anything is due next, leases of others included."""
    times = [at for account in accounts for at in _next_steps(db, account, now)]
    send = _next_send(db, accounts[0])
    if send is not None:
        times.append(max(send, next_slot(db, accounts[0], rpm, now)))
    if any(_from_another_clock(db, account, now) for account in accounts):
        times.append(now)  # a claim puts its time right
    return min(times) if times else None


def _from_another_clock(db: sqlite3.Connection, account: str, now: float) -> bool:
    return bool(
        db.execute(
            "SELECT 1 FROM tasks WHERE account = ? AND due_at > 0 AND due_at > ?"
            " AND status != 'submitting' LIMIT 1",
            (account, now + LONGEST_PAUSE),
        ).fetchone()
    )


def _next_send(db: sqlite3.Connection, account: str) -> float | None:
    if not db.execute("SELECT 1 FROM tasks WHERE status = 'pending' LIMIT 1").fetchone():
        return None  # or the next question would walk past everything that is on its way
    (at,) = db.execute(
        "SELECT MIN(due_at) FROM tasks WHERE account = ? AND due_at > 0 AND status = 'pending'",
        (account,),
    ).fetchone()
    return None if at is None else float(at)


def _next_steps(db: sqlite3.Connection, account: str, now: float) -> list[float]:
    """When the first task that nobody holds is due, and when the first lease runs out.

    Two short walks, by due time and by owner: one question for both reads every unfinished task.
    """
    free = db.execute(
        "SELECT due_at FROM tasks WHERE account = ? AND due_at > 0 AND status != 'pending'"
        " AND NOT (lease_until > due_at AND lease_until <= ?) ORDER BY due_at LIMIT 1",
        (account, now + LONGEST_LEASE),
    ).fetchone()
    held = db.execute(
        "SELECT MIN(lease_until) FROM tasks WHERE owner != '' AND +account = ? AND +due_at > 0"
        " AND +status != 'pending' AND lease_until > due_at AND lease_until <= ?",
        (account, now + LONGEST_LEASE),
    ).fetchone()
    return [float(row[0]) for row in (free, held) if row and row[0] is not None]


def renew(db: sqlite3.Connection, owner: str, task_ids: Collection[str], *, until: float) -> None:
    db.executemany(
        "UPDATE tasks SET lease_until = ? WHERE task_id = ? AND owner = ?",
        [(until, task_id, owner) for task_id in task_ids],
    )


def recover(db: sqlite3.Connection, dead: Collection[str], *, now: float) -> tuple[str, ...]:
    """Take over from processes that are gone. Returns the ids of tasks that changed.

    A submit whose owner is gone or whose lease ran out may have been bought: `unconfirmed`.
    Reads and saves are simply free again. What was never sent stays for ten minutes.
    """
    marks = ", ".join("?" * len(dead))
    gone = tuple(dead)
    lost = db.execute(
        f"UPDATE tasks SET status = ?, owner = '', lease_until = 0, due_at = 0, updated_at = ?"
        f" WHERE status = 'submitting' AND (owner IN ({marks}) OR lease_until <= ?"
        " OR lease_until > ?) RETURNING task_id, account",
        (Status.UNCONFIRMED, now, *gone, now, now + LONGEST_LEASE),
    ).fetchall()
    for _, account in lost:
        hold_slot(db, account, now)
    changed = [task_id for task_id, _ in lost]
    if not gone:
        return tuple(changed)
    changed += [
        task_id
        for (task_id,) in db.execute(
            f"UPDATE tasks SET status = ?, money = ?, owner = '', due_at = 0, updated_at = ?,"
            " error = ?, error_code = '', error_kind = ''"
            f" WHERE status = 'pending' AND owner IN ({marks})"
            " AND (created_at <= ? OR created_at > ?) RETURNING task_id",
            (
                Status.CANCELLED,
                Money.RELEASED,
                now,
                "It was never sent: hailuo-mcp was closed and nobody took it up in ten minutes.",
                *gone,
                now - ORPHAN_SECONDS,
                now + ORPHAN_SECONDS,  # from another clock: nobody knows how old it is
            ),
        ).fetchall()
    ]
    release(db, gone)
    return tuple(changed)


def release(db: sqlite3.Connection, owners: Collection[str]) -> None:
    """Set free what these hold, but not what they send, and forget those who hold nothing more."""
    marks, names = ", ".join("?" * len(owners)), tuple(owners)
    db.execute(
        f"UPDATE tasks SET owner = '', lease_until = 0 WHERE owner != '' AND owner IN ({marks})"
        " AND status NOT IN ('pending', 'submitting')",
        names,
    )
    db.execute(
        f"DELETE FROM owners WHERE owner IN ({marks}) AND NOT EXISTS"
        " (SELECT 1 FROM tasks WHERE tasks.owner = owners.owner)",
        names,
    )
