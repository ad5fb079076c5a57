"""Which process works on what: claims, leases, and take-over from dead processes."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

from hailuo_mcp.domain.film import Film
from hailuo_mcp.domain.task import Task
from hailuo_mcp.journal.facts import (
    LONGEST_DELAY,
    LONGEST_LEASE,
    ORPHAN_SECONDS,
    PLAN_SECONDS,
    Capacity,
    Claimed,
)
from hailuo_mcp.journal.sql.connection import Connection
from hailuo_mcp.journal.sql.film_rows import FILMS
from hailuo_mcp.journal.sql.purchases import free_slots, next_slot, take_slot
from hailuo_mcp.journal.sql.rows import exists, find_task, find_tasks, marks
from hailuo_mcp.journal.sql.turns import next_to_send, next_turn


def register(
    db: Connection,
    owner: str,
    *,
    account: str,
    provider: str,
    base_url: str,
    pid: int,
    now: float,
) -> None:
    db.execute(
        "INSERT INTO accounts (account, provider, base_url) VALUES (?, ?, ?)"
        " ON CONFLICT (account) DO UPDATE SET provider = excluded.provider,"
        " base_url = excluded.base_url",
        (account, provider, base_url),
    )
    db.execute(
        "INSERT INTO owners VALUES (?, ?, ?, ?) ON CONFLICT (owner) DO UPDATE SET"
        " account = excluded.account, pid = excluded.pid, started_at = excluded.started_at",
        (owner, account, pid, now),
    )


def owners(db: Connection) -> list[str]:
    rows = db.execute(
        "SELECT owner FROM owners UNION SELECT owner FROM tasks WHERE owner != ''"
        " UNION SELECT owner FROM films WHERE owner != ''"
    ).fetchall()
    return [owner for (owner,) in rows]


def claim(
    db: Connection, accounts: Sequence[str], owner: str, capacity: Capacity, *, now: float
) -> Claimed:
    some = marks(accounts)
    db.lock_account(accounts[0])
    db.execute(
        f"UPDATE tasks SET due_at = ? WHERE account IN ({some}) AND due_at > 0 AND due_at > ?"
        " AND status != 'submitting'",
        (now, *accounts, now + LONGEST_DELAY),
    )
    db.execute(
        f"UPDATE films SET due_at = ? WHERE account IN ({some}) AND due_at > 0 AND due_at > ?",
        (now, *accounts, now + LONGEST_DELAY),
    )
    sends = _claim_sends(db, accounts[0], owner, capacity, now)
    films = _claim_films(db, accounts, owner, capacity, now)
    steps = find_tasks(
        db,
        f"WHERE account IN ({some}) AND due_at > 0 AND due_at <= ?"
        " AND (status IN ('queued', 'running', 'succeeded')"
        " OR (status = 'unconfirmed' AND account = ?))"
        " AND (lease_until <= ? OR lease_until > ?) ORDER BY due_at LIMIT ?"
        f"{db.skip_locked}",
        *(*accounts, now, accounts[0], now, now + LONGEST_LEASE, capacity.steps - len(films)),
    )
    db.executemany(
        "UPDATE tasks SET owner = ?, lease_until = ? WHERE task_id = ?",
        [(owner, now + capacity.lease, task.task_id) for task in steps],
    )
    next_at = next_due(db, accounts, capacity, now=now)
    return Claimed(sends=tuple(sends), steps=tuple(steps), films=tuple(films), next_at=next_at)


def _claim_films(
    db: Connection, accounts: Sequence[str], owner: str, capacity: Capacity, now: float
) -> list[Film]:
    """Before the polls: they are few, and their shots wait for them."""
    until = now + capacity.lease
    found = FILMS.find(
        db,
        f"WHERE account IN ({marks(accounts)}) AND due_at > 0 AND due_at <= ?"
        " AND (lease_until <= ? OR lease_until > ?) ORDER BY due_at LIMIT ?"
        f"{db.skip_locked}",
        *(*accounts, now, now, now + LONGEST_LEASE, capacity.steps),
    )
    db.executemany(
        "UPDATE films SET owner = ?, lease_until = ? WHERE film_id = ?",
        [(owner, until, film.film_id) for film in found],
    )
    return [replace(film, owner=owner, lease_until=until) for film in found]


def _claim_sends(
    db: Connection, account: str, owner: str, capacity: Capacity, now: float
) -> list[Task]:
    room = min(capacity.sends, free_slots(db, account, capacity.rpm, now))
    if room <= 0:
        return []
    ids = next_to_send(db, account, room, capacity.caller_rpm, now)
    db.executemany(
        "UPDATE tasks SET status = 'submitting', attempt = attempt + 1, owner = ?,"
        " lease_until = ?, due_at = ?, sent_at = ?, updated_at = ? WHERE task_id = ?",
        [(owner, now + capacity.submit_lease, now, now, now, task_id) for task_id in ids],
    )
    found = (find_task(db, "WHERE task_id = ?", task_id) for task_id in ids)
    return [task for task in found if task]


def next_due(
    db: Connection, accounts: Sequence[str], capacity: Capacity, *, now: float
) -> float | None:
    """When anything is due next, including others' leases."""
    own = accounts[0]
    times = [at for account in accounts for at in _next_steps(db, account, now, own=account == own)]
    send = _next_send(db, own, capacity.caller_rpm, now)
    if send is not None:
        times.append(max(send, next_slot(db, own, capacity.rpm, now)))
    if any(_from_another_clock(db, account, now) for account in accounts):
        times.append(now)  # a claim corrects its time
    return min(times) if times else None


def _from_another_clock(db: Connection, account: str, now: float) -> bool:
    return exists(
        db,
        "SELECT 1 FROM tasks WHERE account = ? AND due_at > 0 AND due_at > ?"
        " AND status != 'submitting'"
        " UNION ALL SELECT 1 FROM films WHERE account = ? AND due_at > 0 AND due_at > ?",
        *(account, now + LONGEST_DELAY) * 2,
    )


def _next_send(
    db: Connection, account: str, caller_rpm: Mapping[str, int], now: float
) -> float | None:
    if caller_rpm:
        return next_turn(db, account, caller_rpm, now)
    (at,) = db.execute(
        "SELECT MIN(due_at) FROM tasks WHERE account = ? AND due_at > 0 AND status = 'pending'",
        (account,),
    ).fetchone()
    return None if at is None else float(at)


def _next_steps(db: Connection, account: str, now: float, *, own: bool) -> list[float]:
    """When the first unclaimed task and film are due, and when their first leases expire.

    Only its own key can look for an account's unconfirmed tasks: those of others wait for it.
    Short scans, by due time and by owner: one query for both reads every unfinished task.
    """
    longest = now + LONGEST_LEASE
    free = (
        "SELECT * FROM (SELECT due_at FROM {} WHERE account = ? AND due_at > 0"
        " AND NOT (lease_until > due_at AND lease_until <= ?){} ORDER BY due_at LIMIT 1) AS {}"
    )
    held = (
        "SELECT MIN(lease_until) FROM {} WHERE owner != '' AND account = ? AND due_at > 0"
        " AND lease_until > due_at AND lease_until <= ?{}"
    )
    sent = " AND status != 'pending'"
    sent += "" if own else " AND status != 'unconfirmed'"
    rows = [
        *db.execute(
            f"{free.format('tasks', sent, 'a')} UNION ALL {free.format('films', '', 'b')}",
            (account, longest) * 2,
        ).fetchall(),
        *db.execute(
            f"{held.format('tasks', sent)} UNION ALL {held.format('films', '')}",
            (account, longest) * 2,
        ).fetchall(),
    ]
    return [float(at) for (at,) in rows if at is not None]


def submitting(db: Connection, owner: str) -> list[Task]:
    return find_tasks(db, "WHERE owner = ? AND owner != '' AND status = 'submitting'", owner)


def renew(db: Connection, owner: str, ids: Collection[str], *, until: float) -> None:
    for table, name in (("tasks", "task_id"), ("films", "film_id")):
        db.executemany(
            f"UPDATE {table} SET lease_until = ? WHERE {name} = ? AND owner = ?",
            [(until, one, owner) for one in sorted(ids)],
        )


def recover(db: Connection, dead: Collection[str], *, now: float) -> tuple[str, ...]:
    gone = tuple(dead)
    accounts = _lock_accounts_to_recover(db, gone, now)
    if not (accounts or gone):
        return ()
    some = marks(accounts)
    lost = db.execute(
        "UPDATE tasks SET status = 'unconfirmed', owner = '', lease_until = 0, due_at = ?,"
        f" tries = 0, updated_at = ? WHERE status = 'submitting' AND (owner IN ({marks(gone)})"
        f" OR lease_until <= ? OR lease_until > ?) AND account IN ({some})"
        " RETURNING task_id, account, caller",
        (now, now, *gone, now, now + LONGEST_LEASE, *accounts),
    ).fetchall()
    for _, account, caller in lost:
        take_slot(db, account, caller, now)
    if not gone:
        return tuple(row[0] for row in lost)
    cancelled = db.execute(
        "UPDATE tasks SET status = 'cancelled', money = 'released', owner = '', due_at = 0,"
        " updated_at = ?, error_code = '', error_kind = '', error = 'It was never sent:"
        " hailuo-mcp was closed, and no other process sent it within ' || CASE WHEN film_id = ''"
        " THEN 'ten minutes.' ELSE 'a day.' END"
        f" WHERE status = 'pending' AND owner IN ({marks(gone)})"
        " AND (created_at <= CASE WHEN film_id = '' THEN ? ELSE ? END OR created_at > ?)"
        f" AND account IN ({some}) RETURNING task_id",
        # With a date in the future, it is from a wrong clock: its age is unknown.
        (now, *gone, now - ORPHAN_SECONDS, now - PLAN_SECONDS, now + ORPHAN_SECONDS, *accounts),
    ).fetchall()
    release(db, gone)
    return tuple(row[0] for row in (*lost, *cancelled))


def _lock_accounts_to_recover(db: Connection, gone: Collection[str], now: float) -> list[str]:
    """The accounts with something to recover, locked in an order that all processes keep."""
    rows = db.execute(
        "SELECT DISTINCT account FROM tasks WHERE"
        f" (status = 'submitting' AND (owner IN ({marks(gone)})"
        " OR lease_until <= ? OR lease_until > ?))"
        f" OR (status = 'pending' AND owner IN ({marks(gone)}))",
        (*gone, now, now + LONGEST_LEASE, *gone),
    ).fetchall()
    accounts = sorted(account for (account,) in rows)
    for account in accounts:
        db.lock_account(account)
    return accounts


def release(db: Connection, owners: Collection[str]) -> None:
    """Release what these hold, except submits, and forget those that hold nothing more."""
    names, some = tuple(owners), marks(owners)
    db.execute(
        f"UPDATE tasks SET owner = '', lease_until = 0 WHERE owner != '' AND owner IN ({some})"
        " AND status NOT IN ('pending', 'submitting')",
        names,
    )
    db.execute(
        f"UPDATE films SET owner = '', lease_until = 0 WHERE owner != '' AND owner IN ({some})",
        names,
    )
    db.execute(
        f"DELETE FROM owners WHERE owner IN ({some}) AND NOT EXISTS"
        " (SELECT 1 FROM tasks WHERE tasks.owner = owners.owner AND tasks.owner != '')",
        names,
    )


def unattended_accounts(
    db: Connection, account: str, provider: str, base_url: str, alive: Collection[str]
) -> list[str]:
    rows = db.execute(
        "SELECT account FROM accounts WHERE account != ? AND provider = ? AND base_url = ?"
        " AND NOT EXISTS (SELECT 1 FROM owners WHERE owners.account = accounts.account"
        f" AND owners.owner IN ({marks(alive)})) AND (EXISTS (SELECT 1 FROM tasks WHERE"
        " tasks.account = accounts.account AND tasks.due_at > 0 AND tasks.status != 'unconfirmed')"
        " OR EXISTS (SELECT 1 FROM films"
        " WHERE films.account = accounts.account AND films.due_at > 0))",
        (account, provider, base_url, *alive),
    ).fetchall()
    return [account for (account,) in rows]
