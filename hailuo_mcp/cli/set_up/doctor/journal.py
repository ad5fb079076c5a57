"""Whether the journal opens, what is unfinished in it, and which processes work on it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Protocol

from hailuo_mcp.catalog.prices import plan_unit
from hailuo_mcp.cli.set_up.doctor.result import Result, note, of_error, ok, problem
from hailuo_mcp.cli.words import count, program
from hailuo_mcp.dialects.providers import PROVIDERS
from hailuo_mcp.domain.task import UNFINISHED, Status, Unit
from hailuo_mcp.errors import ConfigError, JournalDamagedError
from hailuo_mcp.files.private import exposed
from hailuo_mcp.journal import journal_file
from hailuo_mcp.journal.facts import UnitSpending
from hailuo_mcp.journal.sql.contents import Contents, Owner
from hailuo_mcp.journal.sqlite.examine import FaultyJournalError, examine, spent_in_other_units
from hailuo_mcp.journal.sqlite.faults import Fault
from hailuo_mcp.journal.sqlite.processes import ProcessLocks
from hailuo_mcp.settings import Settings
from hailuo_mcp.studio.reader import account_of, period_start
from hailuo_mcp.text import number

LONG = 3 * 86_400.0
"""Seconds after which an unfinished task is more likely forgotten than slow."""


def check_journal(settings: Settings, now: float) -> Iterator[Result]:
    folder = settings.state_dir
    for kept in sorted(folder.glob("journal-unreadable-*.sqlite3")) if folder.is_dir() else []:
        yield note(
            "journal",
            f"{kept} is a damaged journal that was set aside; everything readable was copied.",
            f"Compare the provider's bill with {program()} tasks, then delete it, its -wal and its "
            "-shm.",
        )
    if others_can_read := exposed(folder):
        more = f" and {len(others_can_read) - 1} more" if len(others_can_read) > 1 else ""
        yield problem(
            "privacy",
            f"Other users of this computer can read {others_can_read[0]}{more}.",
            f"Any command that opens the journal makes it private, such as {program()} tasks.",
        )
    try:
        path = journal_file(settings)
    except ConfigError as elsewhere:
        yield note("journal", elsewhere.what)
        return
    try:
        contents = examine(path, old_before=now - LONG)
    except FaultyJournalError as flawed:
        yield _flaw(path, flawed)
        return
    if contents.version == 0:
        yield ok("journal", "none yet: the first task creates it")
        return
    if contents.losses:
        lost = f"The journal was damaged and {contents.losses.many} may be lost"
        until = "so nothing new is bought until you accept that."
        yield of_error("journal", JournalDamagedError(f"{lost}, {until}"))
    many = count(sum(contents.counts.values()), "task")
    yield ok("journal", f"{path} (format {contents.version}, {many})")
    yield from tasks(contents)
    yield from other_units(settings, now, partial(spent_in_other_units, path))
    locks = ProcessLocks(folder / "processes")
    dead = set(locks.dead([owner.name for owner in contents.owners]))
    yield processes([owner for owner in contents.owners if owner.name not in dead])


class SpentInOtherUnits(Protocol):
    def __call__(self, account: str, unit: Unit, *, since: float) -> Sequence[UnitSpending]: ...


def other_units(settings: Settings, now: float, spent: SpentInOtherUnits) -> Iterator[Result]:
    unit = plan_unit(settings.plan, PROVIDERS[settings.provider].region)
    since = period_start(settings.budget_period, now)
    if found := spent(account_of(settings), unit, since=since):
        sums = " and ".join(f"{number(one.spent + one.reserved)} {one.unit}" for one in found)
        yield note(
            "budget",
            f"The same key has {sums} spent or reserved under another plan than {settings.plan}. "
            f"Each unit has a budget of its own: a budget in {unit} does not count them.",
            "Keep to one plan, or set each budget with the other in mind.",
        )


def tasks(contents: Contents) -> Iterator[Result]:
    unfinished = sum(contents.counts.get(status, 0) for status in UNFINISHED)
    if unfinished or contents.unsaved:
        yield note(
            "tasks",
            f"{unfinished} unfinished, {contents.unsaved} finished but not saved yet.",
            f"Finish and save them: {program()} tasks --wait.",
        )
    elif contents.films_due:
        yield note(
            "tasks",
            f"{count(contents.films_due, 'film')} to be continued or joined.",
            f"Finish and save them: {program()} tasks --wait.",
        )
    if contents.old:
        yield note(
            "tasks",
            f"{contents.old} of them began more than three days ago.",
            f"Run {program()} tasks --wait with the provider and key that bought them.",
        )
    if unconfirmed := contents.counts.get(Status.UNCONFIRMED, 0):
        yield note(
            "tasks",
            f"{unconfirmed} unconfirmed: sent, and it is unknown whether they were bought. They "
            "count against the budget.",
            f"Check the provider's bill, then run {program()} tasks --status unconfirmed, and "
            f"{program()} settle TASK_ID bought|not-bought.",
        )


def processes(alive: Sequence[Owner]) -> Result:
    if not alive:
        return ok("servers", "no other hailuo-mcp is running")
    named = ", ".join(
        f"pid {one.pid} ({one.account.split(' ')[0]}, since {_local(one.started_at)})"
        for one in alive
    )
    return ok("servers", f"{len(alive)} running on this journal: {named}")


def _local(at: float) -> str:
    return f"{datetime.fromtimestamp(at):%Y-%m-%d %H:%M}"  # noqa: DTZ006  # for a person


def _flaw(path: Path, found: FaultyJournalError) -> Result:
    if found.fault is Fault.NEWER:
        said = f"{path} was written by a newer hailuo-mcp (format {found.version})."
        return problem("journal", said, "Update this installation, or remove the older one.")
    if found.fault is Fault.LOCKED:
        said = f"Another program keeps {path} locked."
        return problem("journal", said, "Close it, then run this again.")
    if found.fault is Fault.CLOSED:
        fix = "Allow yourself to read and write it, or set HAILUO_STATE_DIR."
        return problem("journal", f"{path} cannot be opened.", fix)
    fix = f"Run {program()} tasks: it keeps the damaged file and copies what it and backups hold."
    return problem("journal", f"{path} is damaged: {found.found}.", fix)
