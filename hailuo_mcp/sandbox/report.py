"""The book's report: what each account requested, bought, received and owes."""

from __future__ import annotations

import json
import time
from collections import Counter, defaultdict
from dataclasses import asdict
from decimal import Decimal
from pathlib import Path
from typing import Any

from hailuo_mcp.sandbox.book import CANCEL, DELETE, connect, job_from
from hailuo_mcp.sandbox.job import Ends, Job, Phase
from hailuo_mcp.sandbox.v2 import tasks as v2

_EVENTS = {
    "status": "status_requests",
    "file": "file_requests",
    "download": "download_requests",
    "link": "links_given",
    "callback": "callbacks",
    "callback-failed": "callbacks_failed",
    "challenge": "challenges",
    "challenge-failed": "challenges_failed",
    "leak": "leaked_keys",
    "list": "list_requests",
    CANCEL: "cancellations",
    DELETE: "deletions",
}
_COUNTS = (*_EVENTS.values(), "download_bytes")


def read_book(state_dir: Path, *, now: float | None = None) -> dict[str, Any]:
    """Read the whole book without a server; an absent one is empty."""
    path = Path(state_dir) / "sandbox.sqlite3"
    if not path.exists():
        return _summary([], {}, [], 0.0)
    connection = connect(path)
    try:
        connection.execute("BEGIN")  # one snapshot for all three tables
        creates = [dict(row) for row in connection.execute("SELECT * FROM creates ORDER BY id")]
        tasks = {
            row["task_id"]: (job_from(row["facts"]), str(row["fingerprint"]))
            for row in connection.execute("SELECT * FROM tasks ORDER BY rowid")
        }
        events = [dict(row) for row in connection.execute("SELECT * FROM events ORDER BY id")]
        connection.execute("COMMIT")
    finally:
        connection.close()
    return _summary(creates, tasks, events, time.time() if now is None else now)


def read_requests(state_dir: Path, last: int = 100) -> list[dict[str, Any]]:
    """Return the last creates with their bodies, newest last; data URLs are cut (see `creates`)."""
    connection = connect(Path(state_dir) / "sandbox.sqlite3")
    try:
        rows = connection.execute("SELECT * FROM creates ORDER BY id DESC LIMIT ?", (last,))
        found = [dict(row) for row in rows]
    finally:
        connection.close()
    for row in found:
        row["body"] = _body(row["body"])
    return found[::-1]


def _body(text: str) -> object:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text


def _summary(
    creates: list[dict[str, Any]],
    tasks: dict[str, tuple[Job, str]],
    events: list[dict[str, Any]],
    now: float,
) -> dict[str, Any]:
    counts: defaultdict[str, Counter[str]] = defaultdict(Counter)
    strays: Counter[str] = Counter()
    ended: defaultdict[str, dict[str, float]] = defaultdict(dict)
    for event in events:
        place = counts[event["task_id"]] if event["task_id"] in tasks else strays
        place[_EVENTS[str(event["kind"])]] += 1
        if event["kind"] in (CANCEL, DELETE):
            ended[event["task_id"]].setdefault(event["kind"], event["at"])
        if event["kind"] == "download":
            place["download_bytes"] += event["amount"]
    described = {
        task_id: _describe(
            task,
            Ends(cancelled_at=ended[task_id].get(CANCEL), deleted_at=ended[task_id].get(DELETE)),
            now,
        )
        | {"fingerprint": fingerprint, **{name: counts[task_id][name] for name in _COUNTS}}
        for task_id, (task, fingerprint) in tasks.items()
    }
    keys = sorted({row["key"] for row in creates} | {task.key for task, _ in tasks.values()})
    accounts = {
        key: _account(
            [row for row in creates if row["key"] == key],
            {name: facts for name, facts in described.items() if facts["key"] == key},
        )
        for key in keys
    }
    return {
        "now": now,
        "accounts": accounts,
        "totals": _totals(list(accounts.values()), strays),
        "leaked_keys": sum(1 for event in events if event["kind"] == "leak"),
    }


def _describe(task: Job, ends: Ends, now: float) -> dict[str, Any]:
    phase = task.phase(now, ends)
    is_v2 = task.family == v2.FAMILY
    ended_at = {
        Phase.SUCCESS: task.finished_at,
        Phase.FAIL: task.finished_at,
        Phase.CANCELLED: ends.cancelled_at,
    }
    facts = asdict(task)
    return {
        **{name: value for name, value in facts.items() if value not in ("", [])},
        "status": v2.status(task, phase) if is_v2 else phase.value,
        "finished_at": ended_at.get(phase),
        # Failed and moderated clips are free (seed 000); a running one counts until it has failed.
        "billed": phase not in (Phase.FAIL, Phase.CANCELLED),
        "charged": phase is Phase.SUCCESS,
        **({"usage": v2.usage(task, phase)} if is_v2 else {}),
        **({"cancelled_at": ends.cancelled_at} if ends.cancelled_at is not None else {}),
        **({"deleted_at": ends.deleted_at} if ends.deleted_at is not None else {}),
    }


def _account(creates: list[dict[str, Any]], tasks: dict[str, dict[str, Any]]) -> dict[str, Any]:
    accepted = [row for row in creates if row["outcome"] == "accepted"]
    times = Counter(row["fingerprint"] for row in accepted)
    listed = [{name: value for name, value in row.items() if name != "body"} for row in creates]
    return {
        "creates_received": len(creates),
        "creates_accepted": len(accepted),
        "creates_refused": len(creates) - len(accepted),
        "creates": listed,
        "duplicates": {print_: count for print_, count in times.items() if count > 1},
        "tasks": tasks,
        "bill": _bill([facts for facts in tasks.values() if facts["billed"]]),
        "charged": _bill([facts for facts in tasks.values() if facts["charged"]]),
        **{name: sum(facts[name] for facts in tasks.values()) for name in _COUNTS},
    }


def _bill(tasks: list[dict[str, Any]]) -> dict[str, Any]:
    units = ("credits", "cny", "usd")
    return {
        **{unit: _sum(tasks, unit) for unit in units},
        "videos": len(tasks),
        "unpriced": sum(1 for facts in tasks if not any(facts.get(unit) for unit in units)),
    }


def _sum(tasks: list[dict[str, Any]], unit: str) -> str:
    return str(sum((Decimal(facts.get(unit) or 0) for facts in tasks), Decimal(0)))


def _totals(accounts: list[dict[str, Any]], strays: Counter[str]) -> dict[str, Any]:
    names = ("creates_received", "creates_accepted", "creates_refused", *_COUNTS)
    totals: dict[str, Any] = {
        name: sum(account.get(name, 0) for account in accounts) + strays[name] for name in names
    }
    totals["duplicates"] = sum(
        count - 1 for account in accounts for count in account["duplicates"].values()
    )
    totals["tasks"] = sum(len(account["tasks"]) for account in accounts)
    return totals
