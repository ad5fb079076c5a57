"""Whose task is sent next: the tenants of an account take turns."""

from __future__ import annotations

from collections.abc import Mapping

from hailuo_mcp.domain.task import TENANT
from hailuo_mcp.journal.facts import RATE_WINDOW
from hailuo_mcp.journal.sql.connection import Connection
from hailuo_mcp.journal.sql.purchases import free_slots_of, next_slot_of, sent_lately

_WAITING = "account = ? AND due_at > 0 AND due_at <= ? AND status = 'pending'"
_IS_TENANT = f"substr(caller, 1, {len(TENANT)}) = '{TENANT}'"


def next_to_send(
    db: Connection, account: str, room: int, caller_rpm: Mapping[str, int], now: float
) -> list[str]:
    """The ids of at most `room` tasks that wait, in the order in which they are sent.

    Each is from whoever has sent least in the last minute, so a tenant with a thousand waiting
    clips delays another tenant's first one by a few slots at most. The operator's own callers
    count as one tenant.
    """
    rows = db.execute(
        f"SELECT DISTINCT caller FROM tasks WHERE {_WAITING} AND {_IS_TENANT}", (account, now)
    ).fetchall()
    queues = {"": _queue(db, account, "", room, now)}
    for (caller,) in rows:
        most = min(room, free_slots_of(db, account, caller, caller_rpm.get(caller), now))
        queues[caller] = _queue(db, account, caller, most, now)
    queues = {caller: queue for caller, queue in queues.items() if queue}
    if len(queues) <= 1:
        return [task_id for queue in queues.values() for _, task_id in queue]
    sent = {caller: sent_lately(db, account, caller, now) for caller in queues if caller}
    sent[""] = _others_sent(db, account, now)
    turns = list[str]()
    while queues and len(turns) < room:
        caller = min(queues, key=lambda name: (sent[name], queues[name][0]))
        turns.append(queues[caller].pop(0)[1])
        sent[caller] += 1
        if not queues[caller]:
            del queues[caller]
    return turns


def next_turn(
    db: Connection, account: str, caller_rpm: Mapping[str, int], now: float
) -> float | None:
    """When the next waiting task may be sent by its caller's own limit; None if none waits."""
    rows = db.execute(
        "SELECT caller, MIN(due_at) FROM tasks WHERE account = ? AND due_at > 0"
        " AND status = 'pending' GROUP BY caller",
        (account,),
    ).fetchall()
    times = [
        max(float(due), next_slot_of(db, account, caller, caller_rpm[caller], now))
        if caller in caller_rpm
        else float(due)
        for caller, due in rows
    ]
    return min(times) if times else None


def _queue(
    db: Connection, account: str, caller: str, most: int, now: float
) -> list[tuple[float, str]]:
    """The oldest waiting tasks of a tenant, or of all callers that are none."""
    if most <= 0:
        return []
    whose, callers = ("caller = ?", (caller,)) if caller else (f"NOT {_IS_TENANT}", ())
    rows = db.execute(
        f"SELECT created_at, task_id FROM tasks WHERE {_WAITING} AND {whose}"
        f" ORDER BY created_at, task_id LIMIT ?{db.skip_locked}",
        (account, now, *callers, most),
    ).fetchall()
    return [(float(at), task_id) for at, task_id in rows]


def _others_sent(db: Connection, account: str, now: float) -> int:
    """The submits in this minute of callers that are no tenants."""
    (flying,) = db.execute(
        "SELECT COUNT(*) FROM tasks WHERE status = 'submitting' AND account = ?"
        f" AND NOT {_IS_TENANT}",
        (account,),
    ).fetchone()
    counts = [
        db.execute(
            f"SELECT COUNT(*) FROM {table} WHERE account = ? AND at > ?",
            (account, now - RATE_WINDOW),
        ).fetchone()[0]
        for table in ("slots", "tenant_slots")
    ]
    return int(flying) + max(0, int(counts[0]) - int(counts[1]))
