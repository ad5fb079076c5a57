"""Who works on what: claims, leases, and what a vanished process leaves behind."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Sequence

from hailuo_mcp.domain import Money, Status, Task
from hailuo_mcp.journal.sqlite.purchases import free_slots, next_slot, take_slot
from hailuo_mcp.journal.sqlite.rows import SELECT, task_of
from hailuo_mcp.journal.store import (
    LONGEST_DELAY,
    LONGEST_LEASE,
    ORPHAN_SECONDS,
    Capacity,
    Claimed,
)


def claim(
    db: sqlite3.Connection,
    accounts: Sequence[str],
    owner: str,
    capacity: Capacity,
    *,
    now: float,
) -> Claimed:
    marks = ", ".join("?" * len(accounts))
    db.execute(
        f"UPDATE tasks SET due_at = ? WHERE account IN ({marks}) AND due_at > 0 AND due_at > ?"
        " AND status != 'submitting'",
        (now, *accounts, now + LONGEST_DELAY),
    )
    sends = _claim_sends(db, accounts[0], owner, capacity, now)
    rows = db.execute(
        SELECT + f" WHERE account IN ({marks}) AND due_at > 0 AND due_at <= ?"
        " AND status IN ('queued', 'running', 'succeeded')"
        " AND (lease_until <= ? OR lease_until > ?) ORDER BY due_at LIMIT ?",
        (*accounts, now, now, now + LONGEST_LEASE, capacity.steps),
    ).fetchall()
    taken = [task_of(row) for row in rows]
    db.executemany(
        "UPDATE tasks SET owner = ?, lease_until = ? WHERE task_id = ?",
        [(owner, now + capacity.lease, task.task_id) for task in taken],
    )
    next_at = next_due(db, accounts, capacity.rpm, now=now)
    return Claimed(sends=tuple(sends), steps=tuple(taken), next_at=next_at)


def _claim_sends(
    db: sqlite3.Connection, account: str, owner: str, capacity: Capacity, now: float
) -> list[Task]:
    if capacity.sends <= 0:
        return []
    room = min(capacity.sends, free_slots(db, account, capacity.rpm, now))
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
            (owner, now + capacity.submit_lease, now, now, task_id),
        )
        sent.append(task_of(db.execute(SELECT + " WHERE task_id = ?", (task_id,)).fetchone()))
    return sent


def next_due(
    db: sqlite3.Connection, accounts: Sequence[str], rpm: int | None, *, now: float
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
            (account, now + LONGEST_DELAY),
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
        take_slot(db, account, now)
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


def owners(db: sqlite3.Connection) -> list[str]:
    """Every process that registered or still holds something."""
    rows = db.execute(
        "SELECT owner FROM owners UNION SELECT owner FROM tasks WHERE owner != ''"
    ).fetchall()
    return [owner for (owner,) in rows]


def submitting(db: sqlite3.Connection, owner: str) -> list[Task]:
    """What this process has undertaken to send, sent or not."""
    rows = db.execute(
        SELECT + " WHERE owner = ? AND owner != '' AND status = 'submitting'", (owner,)
    ).fetchall()
    return [task_of(row) for row in rows]


def unattended_accounts(
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
