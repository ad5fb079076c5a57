"""`journal check`, `backup`, `accept` and `copy`: looking after the record of every purchase."""

from __future__ import annotations

import time
from argparse import ArgumentParser, Namespace
from pathlib import Path
from typing import TYPE_CHECKING

from hailuo_mcp.cli import arguments, exits, setting_sources, words
from hailuo_mcp.cli.output.terminal import Terminal
from hailuo_mcp.text import number, system_reason

if TYPE_CHECKING:
    from hailuo_mcp.journal.facts import Losses


_FILES = {
    "check": ((0,), "no file"),
    "backup": ((0, 1), "one file"),
    "accept": ((0,), "no file"),
    "copy": ((2,), "two journals: FROM and TO"),
}


def journal_options(parser: ArgumentParser) -> None:
    parser.add_argument(
        "action",
        choices=("check", "backup", "accept", "copy"),
        metavar="ACTION",
        help="check: read every page and row, change nothing; backup: make a copy and check it; "
        "accept: allow purchases after a damaged journal may have lost some; copy: fill an empty "
        "journal with another one",
    )
    what = (
        "backup: where it goes (default: beside the journal); copy: FROM and TO, each a state "
        "folder, a journal's file or a database's URL"
    )
    parser.add_argument("file", nargs="*", metavar="FILE", help=what)


def journal(args: Namespace, terminal: Terminal) -> int:
    from hailuo_mcp.errors import InvalidRequestError
    from hailuo_mcp.journal import journal_file

    allowed, meant = _FILES[args.action]
    if len(args.file) not in allowed:
        raise InvalidRequestError(f"journal {args.action} takes {meant}.")
    if args.action == "copy":
        return _copy(args.file[0], args.file[1], terminal)
    settings = setting_sources.settings(args)
    if args.action == "check" and settings.database_url:
        return _check_database(settings.database_url.get_secret_value(), terminal)
    path = journal_file(settings)
    if args.action == "check":
        return _check(path, terminal)
    if args.action == "backup":
        return _back_up(path, "".join(args.file), terminal)
    return _accept(path, terminal)


def _check(path: Path, terminal: Terminal) -> int:
    from hailuo_mcp.journal.sql.contents import newer_error
    from hailuo_mcp.journal.sqlite.examine import FaultyJournalError, examine
    from hailuo_mcp.journal.sqlite.faults import Fault
    from hailuo_mcp.wording import person

    try:
        contents = examine(path)
    except FaultyJournalError as flawed:
        if flawed.fault is Fault.NEWER and not terminal.json:
            raise newer_error(flawed.version) from None
        found = flawed.found or flawed.fault.value
        if terminal.json:
            terminal.data({"status": flawed.fault.value, "file": str(path), "found": found})
        else:
            terminal.paragraph(
                "Problem:",
                f"{path}: {found}. Nothing was changed. The next command that opens it keeps the "
                "file and copies everything readable, also from backups, to a new one.",
                style="bold red",
                result=True,
            )
        return exits.FAILED
    tasks = sum(contents.counts.values())
    lost = contents.losses
    if terminal.json:
        state = "losses" if lost else "sound" if contents.version else "none"
        answer = {"status": state, "file": str(path), "tasks": tasks}
        if lost:
            answer["found"] = person.losses_text(lost, program=words.program())
        terminal.data(answer)
    elif lost:
        _report(lost, terminal)
    elif contents.version == 0:
        terminal.say(f"There is no journal at {path} yet: the first task creates it.")
    else:
        many = words.count(tasks, "task")
        terminal.say(f"{path} is sound: {many}; every page, index and row was checked.")
    return exits.FAILED if lost else exits.DONE


def _check_database(url: str, terminal: Terminal) -> int:
    from hailuo_mcp.journal import require_postgres

    require_postgres()
    from hailuo_mcp.journal.postgres.examine import check

    tasks, found = check(url)
    if terminal.json:
        answer = {"status": "damaged", "found": found} if found else {"status": "sound"}
        terminal.data({**answer, "tasks": tasks})
    elif found:
        said = f"{found}. Nothing was changed. Restore a backup of the database."
        terminal.paragraph("Problem:", said, style="bold red", result=True)
    else:
        many = words.count(tasks, "task")
        terminal.say(f"The database is sound: {many}; every row and total was checked.")
    return exits.FAILED if found else exits.DONE


def _copy(source: str, target: str, terminal: Terminal) -> int:
    from dataclasses import asdict

    import anyio

    from hailuo_mcp.journal.copy import book, copy

    copied = anyio.run(copy, book(source), book(target))
    if terminal.json:
        rows = [asdict(one) | {"amount": str(one.amount)} for one in copied.sums]
        terminal.data(
            {"status": "copied", "rows": dict(copied.rows), "sums": rows, "secrets": copied.secrets}
        )
        return exits.DONE
    tasks = words.count(copied.rows["tasks"], "task")
    terminal.say(f"Copied: {tasks}. Source and target agree:")
    for one in copied.sums:
        many = words.count(one.tasks, "task")
        terminal.say(f"  {one.account}: {number(one.amount)} {one.unit} {one.money} ({many})")
    return exits.DONE


def _back_up(path: Path, file: str, terminal: Terminal) -> int:
    import sqlite3

    from hailuo_mcp.errors import Do, InvalidRequestError, JournalError, Step
    from hailuo_mcp.journal.sqlite import backup

    target = Path(arguments.output_path(file)) if file else None
    if target is not None and target.exists():
        raise InvalidRequestError(f"{target} exists.", Step(Do.TRY, "choose another name"))
    if not path.exists():
        raise InvalidRequestError(f"There is no journal at {path} yet, so nothing to back up.")
    try:
        if target is not None:
            made = target if backup.copy(path, target) else None
        else:
            made = backup.make(path, time.time())
    except (sqlite3.Error, OSError) as exc:
        why = system_reason(exc) if isinstance(exc, OSError) else str(exc)
        step = Step(Do.TRY, f"run {words.program()} journal check, which says more")
        what = f"No backup was made of {path}: {why}. Nothing was changed."
        raise JournalError(what, step, detail=str(exc)) from exc
    if terminal.json:
        terminal.data({"status": "saved" if made else "empty", "file": str(made or "")})
    elif made:
        terminal.say(f"Saved and checked: {made}")
    else:
        terminal.say("The journal is empty: there is nothing to back up.")
    return exits.DONE


def _accept(path: Path, terminal: Terminal) -> int:
    import anyio

    lost = anyio.run(_accepted, path)
    if terminal.json:
        terminal.data({"status": "accepted" if lost else "nothing to accept", "file": str(path)})
    elif lost is None:
        terminal.say("There is nothing to accept: the journal has no losses.")
    else:
        _report(lost, terminal)
        terminal.say("Accepted: new clips can be bought again.")
    return exits.DONE


async def _accepted(path: Path) -> Losses | None:
    from hailuo_mcp.journal.sqlite.store import SqliteStore

    journal = SqliteStore(path)
    await journal.open()
    try:
        lost = journal.losses
        if lost:
            await journal.accept_losses(now=time.time())
        return lost
    finally:
        await journal.close()


def _report(lost: Losses, terminal: Terminal) -> None:
    when = time.strftime("%Y-%m-%d %H:%M", time.localtime(lost.at))
    missing = "; ".join(
        f"{amount} {unit} at {provider}" for (provider, unit), amount in lost.missing.items()
    )
    kept = f" The damaged file is kept as {lost.kept}." if lost.kept else ""
    terminal.paragraph(
        "Problem:",
        f"on {when} the journal was found damaged ({lost.flaw}). {lost.carried} tasks were "
        f"recovered; {lost.many} may be lost"
        f"{f', which had cost or reserved {missing}' if missing else ''}.{kept} Budgets count only "
        f"what was recovered. Compare the provider's bill with {words.program()} tasks.",
        style="bold red",
        result=True,
    )
