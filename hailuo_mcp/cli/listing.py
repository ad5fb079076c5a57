"""The clips and the money so far: tasks."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from datetime import datetime
from typing import TYPE_CHECKING

from hailuo_mcp.cli import arguments, errands, results
from hailuo_mcp.cli.command import Command
from hailuo_mcp.cli.errands import FOREVER, Errand
from hailuo_mcp.cli.terminal import Terminal
from hailuo_mcp.cli.waiting import exit_code, tell_missing, wait_for_all
from hailuo_mcp.domain import STATUS_WORDS

if TYPE_CHECKING:
    from hailuo_mcp.studio.studio import Studio
    from hailuo_mcp.views import View


def _tasks_options(parser: ArgumentParser) -> None:
    parser.add_argument(
        "--status",
        default="",
        type=arguments.plain,
        help="only these: " + ", ".join(STATUS_WORDS),
    )
    parser.add_argument(
        "--limit",
        type=arguments.whole(1, 10_000),
        default=20,
        metavar="N",
        help="so many of the newest; 20, unless set",
    )
    parser.add_argument(
        "--wait",
        "--wait-seconds",
        nargs="?",
        type=arguments.seconds,
        const=FOREVER,
        metavar="SECONDS",
        help="wait until one ends, or without a number until all have ended and are saved; "
        "exit code 1 then says that a clip that was paid for is not",
    )


def _tasks(args: Namespace, terminal: Terminal) -> int:
    async def job(errand: Errand, studio: Studio) -> int:
        from hailuo_mcp.wording.person import spending_text
        from hailuo_mcp.wording.tasks import task_list

        watched = await wait_for_all(errand, studio) if args.wait == FOREVER else []
        listing = await studio.tasks(
            status=args.status,
            limit=args.limit,
            wait_seconds=args.wait if args.wait not in (None, FOREVER) else 0,
        )
        if terminal.json:
            terminal.data(dict(task_list(listing, limit=args.limit)))
        else:
            _print_tasks(terminal, listing.rows, studio.provider.name)
            if len(listing.rows) == args.limit:
                terminal.say(f"The newest {args.limit}; a higher --limit shows older.", style="dim")
            terminal.say()
            terminal.say(spending_text(listing.spending), style="dim")
        tell_missing(errand, studio, watched)
        return exit_code(errand, studio, watched)

    return errands.run(args, terminal, job)


def _print_tasks(terminal: Terminal, views: tuple[View, ...], home: str) -> None:
    """A table; who is paid is in it where it is not the provider in use alone."""
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


COMMANDS: tuple[Command, ...] = (
    Command(
        name="tasks", summary="the clips and the money so far", options=_tasks_options, run=_tasks
    ),
)
