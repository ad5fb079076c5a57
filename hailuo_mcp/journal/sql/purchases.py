"""Deduplication, budget, reservation and rate-limit slot, in one transaction."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from hailuo_mcp.domain.film import Film
from hailuo_mcp.domain.task import Status, Task, tenant_of
from hailuo_mcp.journal.facts import (
    CLOCK_SKEW,
    RATE_WINDOW,
    REUSE_SECONDS,
    REUSE_UNCONFIRMED_SECONDS,
    KeyTaken,
    Limits,
    Losses,
    OverBudget,
    Recorded,
)
from hailuo_mcp.journal.sql.connection import Connection
from hailuo_mcp.journal.sql.rows import (
    INSERT,
    exists,
    find_task,
    micro,
    row_of,
)
from hailuo_mcp.journal.sql.spending import sums

UNLIMITED = 1_000_000


def record(
    db: Connection, draft: Task, reserved_amount: Decimal, limits: Limits, *, now: float
) -> Recorded | OverBudget | KeyTaken | Losses:
    db.lock_account(draft.account)
    if before := find_existing(db, draft, now=now):
        return before
    if lost := db.losses():
        return lost
    if over := over_budget(db, draft, micro(reserved_amount), limits):
        return over
    # It counts in the period in which it is recorded, not drafted.
    task = replace(draft, created_at=now, updated_at=now, due_at=now)
    queued = exists(  # first come, first served
        db,
        "SELECT 1 FROM tasks WHERE account = ? AND due_at > 0 AND due_at <= ?"
        " AND status = 'pending'",
        *(draft.account, now),
    )
    free = not queued and free_slots(db, draft.account, limits.rpm, now) > 0
    if free and free_slots_of(db, draft.account, draft.caller, limits.caller_rpm, now) > 0:
        task = replace(
            task,
            status=Status.SUBMITTING,
            attempt=1,
            sent_at=now,
            lease_until=now + limits.lease,
        )
    db.execute(INSERT, row_of(task, reserved_amount))
    return Recorded(task=task, reused=False)


def over_budget(
    db: Connection, draft: Task | Film, amount: int, limits: Limits
) -> OverBudget | None:
    """The budget that so many millionths more would exceed: the account's or the caller's."""
    of_caller = (limits.caller_budget, limits.caller_since, draft.caller)
    for budget, since, caller in ((limits.budget, limits.since, None), of_caller):
        if budget is None:
            continue
        so_far = sums(db, draft.account, draft.unit, since, caller=caller)
        if micro(so_far.spent + so_far.reserved) + amount > micro(budget):
            callers = caller is not None
            return OverBudget(spent=so_far.spent, reserved=so_far.reserved, callers=callers)
    return None


def find_existing(db: Connection, draft: Task, *, now: float) -> Recorded | KeyTaken | None:
    newest = "AND status NOT IN ('failed', 'cancelled') ORDER BY created_at DESC"
    if draft.request_key:
        named = find_task(
            db,
            f"WHERE account = ? AND caller = ? AND request_key = ? AND request_key != '' {newest}",
            *(draft.account, draft.caller, draft.request_key),
        )
        if named:
            same = named.identity == draft.identity
            return Recorded(task=named, reused=True) if same else KeyTaken(task=named)
    found = find_task(
        db, f"WHERE account = ? AND identity = ? {newest}", draft.account, draft.identity
    )
    if found is None:
        return None
    if found.status is Status.UNCONFIRMED or found.status.is_final:
        unconfirmed = found.status is Status.UNCONFIRMED
        kept = REUSE_UNCONFIRMED_SECONDS if unconfirmed else REUSE_SECONDS
        if now - found.created_at >= kept:
            return None
    return Recorded(task=found, reused=True)


def free_slots(db: Connection, account: str, rpm: int | None, now: float) -> int:
    """How many submits may be sent now; 0 while the provider has asked for a pause.

    A request arrives at some moment between its sending and its response. So it takes a slot for
    all of that time, by being `submitting`, and for a minute more, by a row of `slots`.
    """
    if _paused_until(db, account, now) > now:
        return 0
    if rpm is None:
        return UNLIMITED
    # Before the slots: what is answered in between takes a slot, and counts twice, not never.
    in_flight = _submits_in_flight(db, account)
    # A slot from the far future (the clock was set back) counts as taken now. From the near future
    # are those that others took while this transaction waited for them: `now` is older.
    db.execute(
        "UPDATE slots SET at = ? WHERE account = ? AND at > ?", (now, account, now + CLOCK_SKEW)
    )
    (held,) = db.execute(
        "SELECT COUNT(*) FROM slots WHERE account = ? AND at > ?", (account, now - RATE_WINDOW)
    ).fetchone()
    return max(0, rpm - in_flight - int(held))


def free_slots_of(db: Connection, account: str, caller: str, rpm: int | None, now: float) -> int:
    """The same for a caller with a limit of its own, whatever is free in the account."""
    if rpm is None:
        return UNLIMITED
    return max(0, rpm - sent_lately(db, account, caller, now))


def sent_lately(db: Connection, account: str, caller: str, now: float) -> int:
    """The submits of a tenant that count in this minute."""
    # Before the slots: what is answered in between takes a slot, and counts twice, not never.
    in_flight = _submits_in_flight(db, account, caller)
    of_caller = "account = ? AND caller = ? AND at > ?"
    far = now + CLOCK_SKEW  # as in free_slots
    db.execute(f"UPDATE tenant_slots SET at = ? WHERE {of_caller}", (now, account, caller, far))
    (held,) = db.execute(
        f"SELECT COUNT(*) FROM tenant_slots WHERE {of_caller}",
        (account, caller, now - RATE_WINDOW),
    ).fetchone()
    return in_flight + int(held)


def next_slot_of(db: Connection, account: str, caller: str, rpm: int, now: float) -> float:
    """The earliest moment at which this caller's own limit allows the next submit."""
    left = rpm - _submits_in_flight(db, account, caller)
    if left <= 0:
        return now + RATE_WINDOW
    held = db.execute(
        "SELECT at FROM tenant_slots WHERE account = ? AND caller = ? AND at > ?"
        " ORDER BY at DESC LIMIT 1 OFFSET ?",
        (account, caller, now - RATE_WINDOW, left - 1),
    ).fetchone()
    return float(held[0]) + RATE_WINDOW if held and held[0] <= now + CLOCK_SKEW else now


def next_slot(db: Connection, account: str, rpm: int | None, now: float) -> float:
    """The earliest moment at which the next submit may be sent."""
    pause = _paused_until(db, account, now)
    if rpm is None:
        return pause
    left = rpm - _submits_in_flight(db, account)
    if left <= 0:  # even if one of them is answered right now
        return max(now + RATE_WINDOW, pause)
    held = db.execute(
        "SELECT at FROM slots WHERE account = ? AND at > ? ORDER BY at DESC LIMIT 1 OFFSET ?",
        (account, now - RATE_WINDOW, left - 1),
    ).fetchone()
    # A slot from the future is corrected under the lock: at once, or never.
    free_at = held[0] + RATE_WINDOW if held and held[0] <= now + CLOCK_SKEW else now
    return max(pause, free_at)


def _paused_until(db: Connection, account: str, now: float) -> float:
    """When the provider's requested pause ends; now if there is none."""
    row = db.execute("SELECT paused_until FROM accounts WHERE account = ?", (account,)).fetchone()
    # A pause that ends later was written before the clock was set back: it is void.
    return float(row[0]) if row and now < row[0] <= now + 2 * RATE_WINDOW else now


def _submits_in_flight(db: Connection, account: str, caller: str | None = None) -> int:
    own, callers = ("", ()) if caller is None else (" AND caller = ?", (caller,))
    (count,) = db.execute(
        f"SELECT COUNT(*) FROM tasks WHERE status = 'submitting' AND account = ?{own}",
        (account, *callers),
    ).fetchone()
    return int(count)


def take_slot(db: Connection, account: str, caller: str, now: float) -> None:
    """A submit has ended, so its request cannot arrive later: its slot's minute starts now."""
    old = now - RATE_WINDOW
    db.execute("DELETE FROM slots WHERE account = ? AND at <= ?", (account, old))
    db.execute("INSERT INTO slots VALUES (?, ?)", (account, now))
    if tenant_of(caller):
        db.execute("DELETE FROM tenant_slots WHERE account = ? AND at <= ?", (account, old))
        db.execute("INSERT INTO tenant_slots VALUES (?, ?, ?)", (account, caller, now))


def pause(db: Connection, account: str, seconds: float | None, *, now: float) -> float:
    db.lock_account(account)
    row = db.execute("SELECT refusals FROM accounts WHERE account = ?", (account,)).fetchone()
    refusals = int(row[0]) if row else 0
    wait = max(min(60.0, 3.0 * 2.0**refusals), min(seconds or 0.0, 2 * RATE_WINDOW))
    until = max(now + wait, _paused_until(db, account, now))
    db.execute(
        "UPDATE accounts SET paused_until = ?, refusals = CASE WHEN refusals < 10 THEN"
        " refusals + 1 ELSE 10 END WHERE account = ?",
        (until, account),
    )
    return now + wait


def reset_backoff(db: Connection, account: str) -> None:
    db.execute("UPDATE accounts SET refusals = 0 WHERE account = ?", (account,))
