"""Whether the journal opens, what is unfinished in it, and who else works on it."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from hailuo_mcp.bootstrap import account_of
from hailuo_mcp.catalog.prices import plan_unit
from hailuo_mcp.cli.doctor.finding import Finding, note, ok, problem
from hailuo_mcp.dialects.providers import PROVIDERS
from hailuo_mcp.domain import UNFINISHED, Status
from hailuo_mcp.files.private import exposed
from hailuo_mcp.journal.sqlite.examine import (
    Contents,
    FaultyJournalError,
    examine,
    spent_in_other_units,
)
from hailuo_mcp.journal.sqlite.faults import Fault
from hailuo_mcp.journal.sqlite.unfinished import FILE_NAME
from hailuo_mcp.settings import Settings
from hailuo_mcp.studio.context import period_start
from hailuo_mcp.text import number
from hailuo_mcp.worker.processes import ProcessLocks

_LONG = 3 * 86_400.0
"""Seconds after which an unfinished task is forgotten rather than slow."""


def check_journal(settings: Settings, now: float) -> list[Finding]:
    path = settings.state_dir / FILE_NAME
    findings = [*_aside(settings.state_dir), *_exposed(settings.state_dir)]
    try:
        contents = examine(path, old_before=now - _LONG)
    except FaultyJournalError as found:
        return [*findings, _flaw(path, found)]
    if contents.version == 0:
        return [*findings, ok("journal", "none yet: it is made with the first task")]
    if contents.losses:
        findings.append(
            problem(
                "journal",
                f"The journal was damaged and {contents.losses.many} may be lost, so nothing new "
                "is bought until you accept that.",
                "Compare the provider's bill with hailuo-mcp tasks, then: hailuo-mcp journal "
                "accept.",
            )
        )
    many = sum(contents.counts.values())
    told = f"{path} (format {contents.version}, {many} {'task' if many == 1 else 'tasks'})"
    return [
        *findings,
        ok("journal", told),
        *_tasks(contents),
        *_walls(settings, now),
        *_others(contents, settings),
    ]


def _walls(settings: Settings, now: float) -> list[Finding]:
    unit = plan_unit(settings.plan, PROVIDERS[settings.provider].region)
    since = period_start(settings.budget_period, now)
    found = spent_in_other_units(
        settings.state_dir / FILE_NAME, account_of(settings), unit, since=since
    )
    if not found:
        return []
    sums = " and ".join(f"{number(one.spent + one.reserved)} {one.unit}" for one in found)
    return [
        note(
            "budget",
            f"The same key has {sums} spent or reserved under another plan than {settings.plan}. "
            f"Each unit is a wall of its own: a budget in {unit} does not count them.",
            "Keep to one plan, or set HAILUO_BUDGET for each unit with the other in mind.",
        )
    ]


def _tasks(contents: Contents) -> list[Finding]:
    findings = list[Finding]()
    unfinished = sum(contents.counts.get(status, 0) for status in UNFINISHED)
    if unfinished or contents.unsaved:
        findings.append(
            note(
                "tasks",
                f"{unfinished} unfinished, {contents.unsaved} finished but not saved yet.",
                "Finish and save them: hailuo-mcp tasks --wait.",
            )
        )
    if contents.old:
        findings.append(
            note(
                "tasks",
                f"{contents.old} of them began more than three days ago.",
                "They wait for their own provider and key: run hailuo-mcp tasks --wait with those.",
            )
        )
    if unconfirmed := contents.counts.get(Status.UNCONFIRMED, 0):
        findings.append(
            note(
                "tasks",
                f"{unconfirmed} unconfirmed: sent, but nobody knows whether they were bought. They "
                "count against the budget.",
                "Look at the provider's bill, then: hailuo-mcp tasks --status unconfirmed, and "
                "hailuo-mcp settle TASK_ID bought|not-bought.",
            )
        )
    return findings


def _others(contents: Contents, settings: Settings) -> list[Finding]:
    locks = ProcessLocks(settings.state_dir / "processes")
    dead = set(locks.dead([owner.name for owner in contents.owners]))
    alive = [owner for owner in contents.owners if owner.name not in dead]
    if not alive:
        return [ok("servers", "no other hailuo-mcp is running")]
    told = ", ".join(
        f"pid {one.pid} ({one.account.split(' ')[0]}, since {_local(one.started_at)})"
        for one in alive
    )
    return [ok("servers", f"{len(alive)} running on this journal: {told}")]


def _aside(folder: Path) -> list[Finding]:
    kept = sorted(folder.glob("journal-unreadable-*.sqlite3")) if folder.is_dir() else []
    return [
        note(
            "journal",
            f"{path} is a damaged journal that was put aside; what could be read was kept.",
            "Compare the provider's bill with hailuo-mcp tasks, then delete it, its -wal and its "
            "-shm.",
        )
        for path in kept
    ]


def _exposed(folder: Path) -> list[Finding]:
    if not (open_to_others := exposed(folder)):
        return []
    many = f" and {len(open_to_others) - 1} more" if len(open_to_others) > 1 else ""
    return [
        problem(
            "privacy",
            f"Other users of this computer can read {open_to_others[0]}{many}.",
            "Any command that opens the journal closes it to them, such as hailuo-mcp tasks.",
        )
    ]


def _local(at: float) -> str:
    return f"{datetime.fromtimestamp(at):%Y-%m-%d %H:%M}"  # noqa: DTZ006  # for a person


def _flaw(path: Path, found: FaultyJournalError) -> Finding:
    match found.fault:
        case Fault.NEWER:
            said = f"{path} was written by a newer hailuo-mcp (format {found.version}) than this."
            action = "Update this installation, or remove the older one."
        case Fault.LOCKED:
            said = f"Another program keeps {path} locked."
            action = "Close it, then run this again."
        case Fault.CLOSED:
            said = f"{path} cannot be opened."
            action = "Give yourself the right to read and write it, or set HAILUO_STATE_DIR."
        case Fault.DAMAGED | Fault.FULL:
            said = f"{path} is damaged: {found.found}."
            action = (
                "Run hailuo-mcp tasks: it keeps the damaged file and carries over all that can be "
                "read of it and of its backups."
            )
    return problem("journal", said, action)
