"""tasks: the clips and the money so far; --wait ends when no task can change any more."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from collections.abc import Iterable
from datetime import datetime
from typing import TYPE_CHECKING

from hailuo_mcp.cli import arguments, exits, results, words
from hailuo_mcp.cli.arguments import FOREVER
from hailuo_mcp.cli.command import Command
from hailuo_mcp.cli.session import Session, run_with_studio
from hailuo_mcp.cli.terminal import Terminal
from hailuo_mcp.domain import STATUS_WORDS, Status
from hailuo_mcp.text import shown

if TYPE_CHECKING:
    from hailuo_mcp.views import View

_MOST, _MOST_NAMED = 10_000, 20
_NAME = 47
"""Characters of a prompt that tell a clip from others."""
_LACKING = ("unsaved", "unconfirmed")


def _options(parser: ArgumentParser) -> None:
    statuses = "only these: " + ", ".join(STATUS_WORDS)
    arguments.add_text(parser.add_argument, "--status", what=statuses)
    parser.add_argument(
        "--limit",
        type=arguments.whole(1, _MOST),
        default=20,
        metavar="N",
        help="how many of the newest (default: 20)",
    )
    arguments.add_wait(
        parser,
        "wait this many seconds at most for one to end; without a number, until all have ended and "
        "are saved (exit code 1: a clip that was paid for is not saved)",
    )


def _run(args: Namespace, terminal: Terminal) -> int:
    async def job(session: Session) -> int:
        from hailuo_mcp.wording.person import spending_text
        from hailuo_mcp.wording.tasks import task_list

        studio = session.studio
        watched = await _wait_for_all(session) if args.wait == FOREVER else []
        listing = await studio.tasks(
            status=args.status,
            limit=args.limit,
            wait_seconds=args.wait if args.wait not in (None, FOREVER) else 0,
        )
        if terminal.json:
            terminal.data(dict(task_list(listing, limit=args.limit)))
        else:
            _print(terminal, listing.rows, studio.provider.name)
            if len(listing.rows) == args.limit:
                terminal.say(f"The newest {args.limit}; raise --limit to see more.", style="dim")
            terminal.say()
            spent = spending_text(listing.spending)
            terminal.paragraph("", spent, style="dim", result=True)
        for view in watched:
            _report_missing(session, view)
        return max((_exit_code(session, view) for view in watched), default=exits.DONE)

    return run_with_studio(args, terminal, job)


def _print(terminal: Terminal, views: tuple[View, ...], home: str) -> None:
    """A table, with a column for the provider if there are clips of another one."""
    if not views:
        terminal.say("No task.")
        return
    from hailuo_mcp.wording.person import cost

    mixed = any(view.task.provider != home for view in views)
    columns = ("Task", "Status", "Cost", *(("Provider",) if mixed else ()), "When", "Prompt")
    rows = [
        (
            view.task.task_id,
            view.task.state,
            cost(view).removesuffix(" when it succeeds").replace("no published price", "unpriced"),
            *((view.task.provider,) if mixed else ()),
            _when(view.task.created_at, view.now),
            results.named(view.task),
        )
        for view in views
    ]
    terminal.table(columns, rows, wide=len(columns) - 1)


def _when(at: float, now: float) -> str:
    then, today = datetime.fromtimestamp(at), datetime.fromtimestamp(now)  # noqa: DTZ006  local, for a person
    return f"{then:%H:%M}" if then.date() == today.date() else f"{then:%Y-%m-%d}"


async def _wait_for_all(session: Session) -> list[View]:
    """Wait until nothing of this provider can change any more.

    Returns what was waited for, and every other clip that was paid for and is not on disk.
    """
    studio = session.studio
    if studio.settings.auto_download:  # there may be room on the disk by now: save every clip again
        for view in (await studio.tasks(status="unsaved", limit=_MOST)).rows:
            if not session.is_elsewhere(view.task):
                await studio.download(view.task.task_id)
    in_flight = await _in_flight(session)
    elsewhere = [view.task for view in in_flight if session.is_elsewhere(view.task)]
    if elsewhere:
        session.report_elsewhere(elsewhere)
    waiting = _waiting(session, in_flight)
    _report_waiting(session, list(waiting.values()))
    for task_id in waiting:
        await studio.query(task_id)  # brings its next status read forward
    seen: dict[str, View] = {}
    with session.terminal.progress() as progress:
        while waiting:
            seen.update(waiting)
            session.tasks = [view.task for view in waiting.values()]
            last = max(waiting.values(), key=lambda view: view.eta_seconds or 0)
            await progress.show(last, done=len(seen) - len(waiting), of=len(seen))
            await studio.query(last.task.task_id, wait_seconds=1.0)
            waiting = _waiting(session, await _in_flight(session))
    return [
        view
        for view in (await studio.tasks(limit=_MOST)).rows
        if view.task.task_id in seen
        or (view.task.state in _LACKING and not session.is_elsewhere(view.task))
    ]


async def _in_flight(session: Session) -> list[View]:
    """Every task that a worker still has work to do for."""
    unfinished = await session.studio.tasks(status="unfinished", limit=_MOST)
    ready = await session.studio.tasks(status="unsaved", limit=_MOST)
    return [view for view in (*unfinished.rows, *ready.rows) if not view.settled]


def _waiting(session: Session, views: Iterable[View]) -> dict[str, View]:
    """The tasks that can still change on their own and belong to these settings."""
    return {
        view.task.task_id: view
        for view in views
        if not session.is_elsewhere(view.task) and not session.needs_person(view.task)
    }


def _report_waiting(session: Session, waiting: list[View]) -> None:
    if not waiting:
        return
    clips = "1 clip" if len(waiting) == 1 else f"{len(waiting)} clips"
    session.terminal.note(f"Waiting for {clips}:")
    for view in waiting[:_MOST_NAMED]:
        session.terminal.note(f"  {view.task.task_id}  {view.task.state:<10}  {_short(view)}")
    if len(waiting) > _MOST_NAMED:
        session.terminal.note(f"  and {len(waiting) - _MOST_NAMED} more")


def _report_missing(session: Session, view: View) -> None:
    """Name a clip that may have been paid for and is not on disk, and what to do."""
    from hailuo_mcp.wording.person import trouble_text

    task = view.task
    name = f"{task.task_id} ({_short(view)})" if results.named(task) else task.task_id
    say = session.terminal.paragraph
    if task.status is Status.UNCONFIRMED:
        settle = session.command("settle", task.task_id, "bought")
        said = f"{name} may have been bought. Check the provider's bill, then run: {settle}"
        say("Unconfirmed:", f"{said} (or not-bought)", style="bold yellow")
    elif task.status is Status.SUCCEEDED and task.save_error:
        again = session.command("download", task.task_id)
        said = f"{name}. {task.save_error} To try again, free: {again}"
        say("Not saved:", said, style="bold red")
    elif session.needs_person(task):
        why = trouble_text(task, program=words.program())
        say("Not fetched:", f"{name}. {why}", style="bold red")


def _exit_code(session: Session, view: View) -> int:
    """A task that only a person can fix counts as failed."""
    return exits.FAILED if session.needs_person(view.task) else exits.of_view(view)


def _short(view: View) -> str:
    return shown(" ".join(results.named(view.task).split()), _NAME)


COMMANDS = (Command("tasks", "list the clips and the money so far", _run, _options),)
