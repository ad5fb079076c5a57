"""Buying on paper: dedupe, budget, reservation and the rate limit's slot in one transaction."""

from __future__ import annotations

import sqlite3
from dataclasses import replace
from decimal import Decimal

from hailuo_mcp.domain import Money, Status, Task, Unit
from hailuo_mcp.journal.sqlite.losses import losses
from hailuo_mcp.journal.sqlite.rows import INSERT, SELECT, from_micro, micro, row_of, task_of
from hailuo_mcp.journal.store import (
    RATE_WINDOW,
    REUSE_SECONDS,
    REUSE_UNCONFIRMED_SECONDS,
    KeyTaken,
    Limits,
    Losses,
    OverBudget,
    Recorded,
    Sums,
    UnitSpending,
)


def record(
    db: sqlite3.Connection, draft: Task, reserved_amount: Decimal, limits: Limits, *, now: float
) -> Recorded | OverBudget | KeyTaken | Losses:
    """Record a purchase, or find the one that it repeats.

    Returns the task `submitting` and owned by its writer when a slot was free, else `pending`.
    """
    if before := find_existing(db, draft, now=now):
        return before
    if lost := losses(db):
        return lost
    if limits.budget is not None:
        spent, reserved = spent_and_reserved(db, draft.account, draft.unit, limits.since)
        if spent + reserved + micro(reserved_amount) > micro(limits.budget):
            return OverBudget(spent=from_micro(spent), reserved=from_micro(reserved))
    # Counted in the period in which it is written, not in that in which it was thought of.
    task = replace(draft, created_at=now, updated_at=now, due_at=now)
    if _no_queue(db, draft.account, now) and free_slots(db, draft.account, limits.rpm, now) > 0:
        task = replace(task, status=Status.SUBMITTING, attempt=1, lease_until=now + limits.lease)
    db.execute(INSERT, row_of(task, reserved_amount))
    return Recorded(task=task, reused=False)


def find_existing(db: sqlite3.Connection, draft: Task, *, now: float) -> Recorded | KeyTaken | None:
    """The purchase that this one would repeat, if there is one."""
    if draft.request_key and (named := _named(db, draft)):
        if named.identity == draft.identity:
            return Recorded(task=named, reused=True)
        return KeyTaken(task=named)
    same = _same(db, draft, now)
    return Recorded(task=same, reused=True) if same else None


def _named(db: sqlite3.Connection, draft: Task) -> Task | None:
    row = db.execute(
        SELECT + " WHERE account = ? AND caller = ? AND request_key = ?"
        " AND status NOT IN ('failed', 'cancelled') ORDER BY created_at DESC LIMIT 1",
        (draft.account, draft.caller, draft.request_key),
    ).fetchone()
    return task_of(row) if row else None


def _same(db: sqlite3.Connection, draft: Task, now: float) -> Task | None:
    row = db.execute(
        SELECT + " WHERE account = ? AND identity = ?"
        " AND status NOT IN ('failed', 'cancelled') ORDER BY created_at DESC LIMIT 1",
        (draft.account, draft.identity),
    ).fetchone()
    if row is None:
        return None
    task = task_of(row)
    if not task.status.is_final and task.status is not Status.UNCONFIRMED:
        return task
    kept = REUSE_UNCONFIRMED_SECONDS if task.status is Status.UNCONFIRMED else REUSE_SECONDS
    return task if now - task.created_at < kept else None


def sums(db: sqlite3.Connection, account: str, unit: Unit, since: float) -> Sums:
    spent, reserved = spent_and_reserved(db, account, unit, since)
    (uncertain,) = db.execute(
        "SELECT SUM(counted) FROM tasks WHERE account = ? AND unit = ? AND money = 'reserved'"
        " AND created_at >= ? AND status = 'unconfirmed'",
        (account, unit, since),
    ).fetchone()
    return Sums(
        spent=from_micro(spent),
        reserved=from_micro(reserved),
        uncertain=from_micro(uncertain),
        others=other_units(db, account, unit, since),
    )


def other_units(
    db: sqlite3.Connection, account: str, unit: Unit, since: float
) -> tuple[UnitSpending, ...]:
    found = (
        (other, *spent_and_reserved(db, account, other, since))
        for other in Unit
        if other is not unit
    )
    return tuple(
        UnitSpending(unit=other, spent=from_micro(spent), reserved=from_micro(reserved))
        for other, spent, reserved in found
        if spent or reserved
    )


def spent_and_reserved(
    db: sqlite3.Connection, account: str, unit: Unit, since: float
) -> tuple[int, int]:
    """In millionths."""
    found = dict(
        db.execute(
            "SELECT money, SUM(counted) FROM tasks WHERE account = ? AND unit = ?"
            " AND money IN ('spent', 'reserved') AND created_at >= ? GROUP BY money",
            (account, unit, since),
        ).fetchall()
    )
    return found.get(Money.SPENT, 0), found.get(Money.RESERVED, 0)


def free_slots(db: sqlite3.Connection, account: str, rpm: int | None, now: float) -> int:
    """How many submits may leave now; 0 while the provider has asked for a pause.

    A request arrives at some moment between its sending and its answer. So it takes a slot for
    all of that time, by being `submitting`, and for a minute more, by a row of `slots`.
    """
    row = db.execute("SELECT paused_until FROM accounts WHERE account = ?", (account,)).fetchone()
    if row and now < row[0] <= now + 2 * RATE_WINDOW:  # a pause from a clock set back is void
        return 0
    if rpm is None:
        return 1_000_000
    # a slot from the future (the clock was set back) counts as taken now
    db.execute("UPDATE slots SET at = ? WHERE account = ? AND at > ?", (now, account, now))
    (held,) = db.execute(
        "SELECT COUNT(*) FROM slots WHERE account = ? AND at > ?", (account, now - RATE_WINDOW)
    ).fetchone()
    return max(0, rpm - _submits_in_flight(db, account) - int(held))


def next_slot(db: sqlite3.Connection, account: str, rpm: int | None, now: float) -> float:
    """The earliest moment at which the next submit may leave."""
    row = db.execute("SELECT paused_until FROM accounts WHERE account = ?", (account,)).fetchone()
    pause = row[0] if row and now < row[0] <= now + 2 * RATE_WINDOW else now
    if rpm is None:
        return max(now, pause)
    left = rpm - _submits_in_flight(db, account)
    if left <= 0:  # even if one of them is answered at this moment
        return max(now + RATE_WINDOW, pause)
    held = db.execute(
        "SELECT at FROM slots WHERE account = ? AND at > ? ORDER BY at DESC LIMIT 1 OFFSET ?",
        (account, now - RATE_WINDOW, left - 1),
    ).fetchone()
    # One from the future is put right by whoever looks under the lock: at once, or never.
    free_at = held[0] + RATE_WINDOW if held and held[0] <= now else now
    return max(now, pause, free_at)


def _submits_in_flight(db: sqlite3.Connection, account: str) -> int:
    # By status, of which there are few: SQLite would walk all of the account's (hence the plus).
    (count,) = db.execute(
        "SELECT COUNT(*) FROM tasks WHERE status = 'submitting' AND +account = ?", (account,)
    ).fetchone()
    return int(count)


def take_slot(db: sqlite3.Connection, account: str, now: float) -> None:
    """A submit has ended, so its request cannot arrive any more: it holds its slot from now on."""
    db.execute("DELETE FROM slots WHERE account = ? AND at <= ?", (account, now - RATE_WINDOW))
    db.execute("INSERT INTO slots VALUES (?, ?)", (account, now))


def _no_queue(db: sqlite3.Connection, account: str, now: float) -> bool:
    """Nobody has waited longer: first come, first served."""
    return not db.execute(
        "SELECT 1 FROM tasks WHERE account = ? AND due_at > 0 AND due_at <= ?"
        " AND status = 'pending' LIMIT 1",
        (account, now),
    ).fetchone()


def pause(db: sqlite3.Connection, account: str, seconds: float | None, *, now: float) -> float:
    """The provider said "too fast": nobody submits until then. Returns the time.

    Whatever Retry-After says, the shortest pause doubles with each refusal in a row, to a minute.
    """
    row = db.execute("SELECT refusals FROM accounts WHERE account = ?", (account,)).fetchone()
    refusals = int(row[0]) if row else 0
    wait = max(min(60.0, 3.0 * 2.0**refusals), min(seconds or 0.0, 2 * RATE_WINDOW))
    db.execute(
        "UPDATE accounts SET paused_until = MAX(?, CASE WHEN paused_until > ? THEN 0 ELSE"
        " paused_until END), refusals = MIN(refusals + 1, 10) WHERE account = ?",
        (now + wait, now + 2 * RATE_WINDOW, account),
    )
    return now + wait


def reset_backoff(db: sqlite3.Connection, account: str) -> None:
    db.execute("UPDATE accounts SET refusals = 0 WHERE account = ?", (account,))
