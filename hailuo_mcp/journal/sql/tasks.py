"""Steps in a task's life, applied only if the task is unchanged; and queries."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any

from hailuo_mcp.domain.task import POLLED, Money, Status, Task, Unit
from hailuo_mcp.journal.facts import (
    EVERYTHING,
    LONGEST_DELAY,
    ORPHAN_SECONDS,
    PLAN_SECONDS,
    Filter,
    IdTaken,
    ProviderSums,
    RenderTime,
)
from hailuo_mcp.journal.sql.connection import Connection
from hailuo_mcp.journal.sql.purchases import take_slot
from hailuo_mcp.journal.sql.rows import (
    COLUMNS,
    INSERT,
    SEALED,
    exists,
    find_task,
    find_tasks,
    from_micro,
    marks,
    micro,
    row_of,
    seal_of,
    text_of,
)

SETTLES: Mapping[Status, Money] = {
    Status.SUCCEEDED: Money.SPENT,
    Status.FAILED: Money.RELEASED,
    Status.CANCELLED: Money.RELEASED,
}
"""What an end means for the reservation."""
_ACCOUNTED = frozenset({"status", "money", "amount", "remote_id"})
"""What changes more than the task: its account's sums and slots, or another task with the same id.
"""


def change(  # the conditions of one compare-and-set
    db: Connection,
    task_id: str,
    values: Mapping[str, object],
    *,
    now: float,
    status_in: Collection[Status] = (),
    attempt: int | None = None,
    held_by: str | None = None,
    remote_id: str | None = None,
) -> Task | None:
    if not _ACCOUNTED.isdisjoint(values):
        lock_account_of(db, task_id)
    task = locked_task(db, task_id)
    if (
        task is None
        or (status_in and task.status not in status_in)
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
        take_slot(
            db, task.account, task.caller, now
        )  # from its sender, perhaps after it was given up
    if isinstance(due_at := new.get("due_at"), float):
        new["due_at"] = min(due_at, now + LONGEST_DELAY)
    new["updated_at"] = now
    known: dict[str, Any] = {name: new[name] for name in new if name in COLUMNS}
    # What it counts as in the sums: a task without an amount counts what was reserved for it.
    amount = known.get("amount")
    counted = {"counted": micro(amount)} if isinstance(amount, Decimal) else {}
    written = known | counted
    db.execute(
        f"UPDATE tasks SET {', '.join(f'{name} = ?' for name in written)} WHERE task_id = ?",
        (*map(text_of, written.values()), task_id),
    )
    if not known.keys().isdisjoint(SEALED):
        _seal(db, task_id)
    if detail:
        db.execute("UPDATE tasks SET detail = ? WHERE task_id = ?", (str(detail)[:2000], task_id))
    changed = replace(task, **known)
    if changed.remote_id != task.remote_id:
        _take_from_adopters(db, changed)
    return changed


def lock_account_of(db: Connection, task_id: str) -> None:
    """Before the task itself: whoever changes both locks them in this order."""
    row = db.execute("SELECT account FROM tasks WHERE task_id = ?", (task_id,)).fetchone()
    if row:
        db.lock_account(row[0])


def locked_task(db: Connection, task_id: str) -> Task | None:
    found = find_tasks(db, f"WHERE task_id = ?{db.for_update}", task_id)
    return found[0] if found else None


def _seal(db: Connection, task_id: str) -> None:
    """After a change of columns that the row's checksum covers."""
    query = f"SELECT {', '.join(SEALED)} FROM tasks WHERE task_id = ?"
    row = db.execute(query, (task_id,)).fetchone()
    db.execute("UPDATE tasks SET seal = ? WHERE task_id = ?", (seal_of(row), task_id))


def _take_from_adopters(db: Connection, task: Task) -> None:
    """A remote id turns out to be this purchase's: callers who adopted it lose it."""
    for known_as in {task.remote_id, task.remote_alias} - {""}:  # IN would pass over its index
        db.execute(
            "UPDATE tasks SET status = 'cancelled', caller = ?, error = ?, error_kind = '',"
            " error_code = '', remote_id = '', remote_alias = '', file_id = '', url = '',"
            " url_expires_at = NULL, file = '', owner = '', lease_until = 0, due_at = 0,"
            " updated_at = ? WHERE remote_id = ? AND remote_id != '' AND account = ?"
            " AND task_id != ? AND money = 'unknown'",
            (
                task.caller,
                f"It is the same clip as task {task.task_id}, which continues.",
                task.updated_at,
                *(known_as, task.account, task.task_id),
            ),
        )


def settle(
    db: Connection, task_id: str, values: Mapping[str, object], *, now: float
) -> Task | IdTaken | None:
    lock_account_of(db, task_id)
    task = locked_task(db, task_id)
    if task is None or not task.can_be_settled:
        return None
    remote_id = str(values.get("remote_id", ""))
    if remote_id != task.remote_id:
        for other in _known_as(db, task.account, remote_id):
            if other.task_id != task_id and other.money is not Money.UNKNOWN:
                return IdTaken(task=other)
    said = {**values, "settled_at": now}
    if task.money is Money.UNKNOWN:
        said.pop("money", None)  # the account that bought it elsewhere has paid
    return change(db, task_id, said, now=now)


def bring_home(
    db: Connection, task_id: str, values: Mapping[str, object], *, attempt: int, now: float
) -> Task | None:
    lock_account_of(db, task_id)
    task = locked_task(db, task_id)
    if task is None or task.settled_at is not None or task.remote_id:
        return None
    if known_ids(db, [str(values["remote_id"])]):
        return None
    return change(db, task_id, values, now=now, status_in=(Status.UNCONFIRMED,), attempt=attempt)


def known_ids(db: Connection, ids: Collection[str]) -> frozenset[str]:
    return frozenset(
        one
        for one in ids  # IN would pass over the indexes
        for column in ("remote_id", "remote_alias")
        if exists(
            db,
            f"SELECT 1 FROM tasks WHERE {column} = ? AND {column} != '' AND money != 'unknown'",
            one,
        )
    )


def keys_elsewhere(
    db: Connection, keys: Collection[str], *, provider: str, account: str
) -> frozenset[str]:
    rows = db.execute(
        "SELECT DISTINCT request_key FROM tasks WHERE provider = ? AND account != ?"
        " AND caller = '' AND status NOT IN ('failed', 'cancelled')"
        f" AND request_key != '' AND request_key IN ({marks(keys)})",
        (provider, account, *keys),
    ).fetchall()
    return frozenset(key for (key,) in rows)


def awaiting_ids(db: Connection, account: str) -> list[Task]:
    return find_tasks(  # in the words of an index
        db,
        "WHERE remote_id = '' AND (status IN ('submitting', 'unconfirmed')"
        " OR (status = 'failed' AND money = 'spent')) AND account = ?",
        account,
    )


def adopt(db: Connection, task: Task) -> Task | None:
    db.lock_account(task.account)
    if found := _known_as(db, task.account, task.remote_id):
        return next((one for one in found if task.caller in ("", one.caller)), None)
    if others_await_ids(db, task.account, task.caller):
        return None
    db.execute(INSERT, row_of(task, Decimal(0)))
    return task


def others_await_ids(db: Connection, account: str, caller: str) -> bool:
    return bool(caller) and any(
        exists(  # in the words of an index
            db,
            "SELECT 1 FROM tasks WHERE remote_id = '' AND (status IN ('submitting', 'unconfirmed')"
            f" OR (status = 'failed' AND money = 'spent')) AND account = ? AND caller {other} ?",
            *(account, caller),
        )
        for other in ("<", ">")  # two short scans: one for != passes all of the caller's own
    )


def _known_as(db: Connection, account: str, remote_id: str) -> list[Task]:
    """The account's tasks with this remote id."""
    return [
        task
        for column in ("remote_id", "remote_alias")
        for task in find_tasks(
            db, f"WHERE {column} = ? AND {column} != '' AND account = ?", remote_id, account
        )
    ]


def other_with_remote_id(db: Connection, task_id: str, account: str, remote_id: str) -> str:
    other = find_task(
        db,
        "WHERE remote_id = ? AND remote_id != '' AND account = ? AND task_id != ?"
        " ORDER BY created_at",
        *(remote_id, account, task_id),
    )
    return other.task_id if other else ""


def find(db: Connection, some_id: str, *, caller: str = "") -> Task | None:
    for column in ("task_id", "remote_id", "remote_alias"):
        clauses = f"WHERE {column} = ? AND {column} != '' AND ? IN ('', caller)"
        if task := find_task(db, f"{clauses} ORDER BY created_at DESC", some_id, caller):
            return task
    return None


def by_callback(db: Connection, token: str) -> Task | None:
    return find_task(db, "WHERE callback_token = ? AND callback_token != ''", token)


def newest(
    db: Connection,
    *,
    caller: str | None = None,
    statuses: Collection[Status] = (),
    saved: bool | None = None,
    only: Filter = EVERYTHING,
    limit: int = 20,
) -> list[Task]:
    order = "ORDER BY created_at DESC, task_id DESC LIMIT ?"
    if caller is None and not statuses and saved is None and only == EVERYTHING:
        return find_tasks(db, order, limit)
    more, values = wanted(caller, only, saved=saved)
    # The newest of each status by its index: one query for several sorts all of their tasks.
    each = [
        f"SELECT task_id FROM (SELECT task_id FROM tasks WHERE status = '{status}'{more} {order})"
        f" AS {status}"
        for status in statuses or Status
    ]
    some = " UNION ALL ".join(each)
    return find_tasks(
        db, f"WHERE task_id IN ({some}) {order}", *[*values, limit] * len(each), limit
    )


def matching(only: Filter, *, at: str = "created_at") -> tuple[str, list[object]]:
    """Further conditions of a query, and their values; `at` says when something was written."""
    more, values = "", list[object]()
    if only.since is not None:
        more += f" AND {at} >= ?"
        values.append(only.since)
    if only.until is not None:
        more += f" AND {at} < ?"
        values.append(only.until)
    if only.provider:
        more += " AND provider = ?"
        values.append(only.provider)
    return more, values


def containing(column: str, text: str) -> tuple[str, list[object]]:
    """A condition for text anywhere in a column, in any case."""
    if not text:
        return "", []
    plain = text.replace("!", "!!").replace("%", "!%").replace("_", "!_")
    return f" AND lower({column}) LIKE lower(?) ESCAPE '!'", [f"%{plain}%"]


def beginning(column: str, text: str) -> tuple[str, list[object]]:
    """A condition for the first characters of an id, which its index can answer."""
    return (f" AND {column} >= ? AND {column} < ?", [text, text + "~"]) if text else ("", [])


def wanted(
    caller: str | None, only: Filter, *, saved: bool | None = None
) -> tuple[str, list[object]]:
    """All conditions of a filter, and their values."""
    more, values = matching(only)
    if saved is not None:
        more += " AND file != ''" if saved else " AND file = ''"
    parts = [containing("prompt", only.search), beginning("task_id", only.begins)]
    if caller is not None:
        parts.append((" AND caller = ?", [caller]))
    for condition, given in parts:
        more += condition
        values += given
    return more, values


def sums_of(
    db: Connection,
    *,
    caller: str | None = None,
    statuses: Collection[Status] = (),
    saved: bool | None = None,
    only: Filter = EVERYTHING,
) -> list[ProviderSums]:
    more, values = wanted(caller, only, saved=saved)
    if statuses:
        more += f" AND status IN ({marks(statuses)})"
        values += statuses
    found = dict[tuple[str, str], list[int]]()
    for provider, unit, money, status, tasks, counted in db.execute(
        "SELECT provider, unit, money, status, COUNT(*), SUM(counted) FROM tasks"
        f" WHERE money IN ('spent', 'reserved'){more} GROUP BY provider, unit, money, status",
        values,
    ).fetchall():
        sums = found.setdefault((provider, unit), [0, 0, 0, 0])
        sums[0] += int(tasks)
        sums[1 if money == Money.SPENT else 2] += int(counted)
        sums[3] += int(counted) if money == Money.RESERVED and status == Status.UNCONFIRMED else 0
    return [
        ProviderSums(
            provider=provider,
            unit=Unit(unit),
            tasks=tasks,
            spent=from_micro(spent),
            reserved=from_micro(reserved),
            uncertain=from_micro(uncertain),
        )
        for (provider, unit), (tasks, spent, reserved, uncertain) in sorted(found.items())
    ]


def counts(db: Connection, *, caller: str | None = None) -> dict[Status, int]:
    whose = "account_counts" if caller is None else "caller_counts WHERE caller = ?"
    query = f"SELECT status, SUM(tasks) FROM {whose} GROUP BY status"
    rows = db.execute(query, () if caller is None else (caller,)).fetchall()
    return {Status(status): int(number) for status, number in rows if number}


def in_flight(db: Connection, account: str) -> int:
    query = (
        "SELECT count(*) FROM tasks WHERE account = ? AND due_at > 0"
        f" AND status IN ({marks(POLLED)})"
    )
    return int(db.execute(query, (account, *POLLED)).fetchone()[0])


def render_times(
    db: Connection,
    provider: str,
    model: str,
    resolution: str | None,
    duration: int | None,
) -> list[RenderTime]:
    kind = {"provider": provider, "model": model, "resolution": resolution, "duration": duration}
    same = [f"{name} {'IS NULL' if value is None else '= ?'}" for name, value in kind.items()]
    rows = db.execute(
        "SELECT COALESCE(unfinished_at, submitted_at) - submitted_at, finished_at - submitted_at"
        f" FROM tasks WHERE {' AND '.join(same)} AND finished_at IS NOT NULL"
        " AND submitted_at IS NOT NULL AND finished_at > submitted_at"
        " ORDER BY resolution DESC, duration DESC, finished_at DESC LIMIT 20",  # as the index
        [value for value in kind.values() if value is not None],
    ).fetchall()
    return [RenderTime(least=max(0.0, least), most=most) for least, most in rows]


def pictures_in_use(db: Connection, *, now: float) -> str:
    rows = db.execute(
        "SELECT request FROM tasks WHERE status = 'pending'"
        " UNION ALL SELECT request FROM tasks WHERE status = 'submitting'"
        # Its sender may still hear that it was refused only for now.
        " UNION ALL SELECT request FROM tasks WHERE status = 'unconfirmed' AND updated_at > ?"
        " UNION ALL SELECT shots FROM films WHERE updated_at > ?",
        (now - ORPHAN_SECONDS, now - PLAN_SECONDS),
    ).fetchall()
    return "\n".join(request for (request,) in rows)
