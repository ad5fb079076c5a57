"""The clips and the money so far: tasks."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from datetime import datetime
from typing import TYPE_CHECKING

from hailuo_mcp.cli import arguments, errands, exits, results
from hailuo_mcp.cli.command import Command
from hailuo_mcp.cli.errands import FOREVER, Errand
from hailuo_mcp.cli.terminal import Terminal
from hailuo_mcp.domain import Status

if TYPE_CHECKING:
    from hailuo_mcp.studio import Studio, View

_MOST_UNFINISHED, _MOST_READY = 10_000, 200


def _tasks_options(parser: ArgumentParser) -> None:
    parser.add_argument(
        "--status",
        default="",
        type=arguments.plain,
        help="only these: " + ", ".join((*Status, "unfinished")),
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
        help="wait until one ends, or without a number until all have ended and are saved",
    )


def _tasks(args: Namespace, terminal: Terminal) -> int:
    async def job(errand: Errand, studio: Studio) -> int:
        from hailuo_mcp import answers

        watched = await _wait_for_all(errand, studio) if args.wait == FOREVER else []
        listing = await studio.tasks(
            status=args.status,
            limit=args.limit,
            wait_seconds=args.wait if args.wait not in (None, FOREVER) else 0,
        )
        if terminal.json:
            told = answers.task_list(listing, notice=studio.notice, limit=args.limit)
            terminal.data(dict(told))
        else:
            _print_tasks(terminal, listing.rows, studio.provider.name)
            if len(listing.rows) == args.limit:
                terminal.say(f"The newest {args.limit}; a higher --limit shows older.", style="dim")
            terminal.say()
            terminal.say(results.spending(listing.spending, studio.provider.name), style="dim")
            if studio.losses:
                terminal.paragraph("Problem:", studio.losses.notice, style="bold red")
        return max((exits.of_view(view) for view in watched), default=exits.DONE)

    return errands.run(args, terminal, job)


async def _wait_for_all(errand: Errand, studio: Studio) -> list[View]:
    """Wait until nothing of this account is unfinished or unsaved; returns what was waited for."""
    if strangers := [view for view in await _under_way(studio) if _elsewhere(studio, view)]:
        errands.tell_strangers(errand, [view.task for view in strangers])
    seen: dict[str, View] = {}
    with errand.terminal.watching() as watcher:
        while True:
            open_now = {
                view.task.task_id: view
                for view in await _under_way(studio)
                if not _elsewhere(studio, view)
            }
            for task_id in seen.keys() - open_now.keys():
                if not seen[task_id].settled:
                    seen[task_id] = await studio.query(task_id)
            seen.update(open_now)
            errand.tasks = [view.task for view in open_now.values()]
            if not open_now:
                return list(seen.values())
            last = max(open_now.values(), key=lambda view: view.eta_seconds or 0)
            await watcher.show(last, done=len(seen) - len(open_now), of=len(seen))
            await studio.query(last.task.task_id, wait_seconds=1.0)


async def _under_way(studio: Studio) -> list[View]:
    """Everything that a worker still has to do something for."""
    unfinished = await studio.tasks(status="unfinished", limit=_MOST_UNFINISHED)
    ready = await studio.tasks(status=Status.SUCCEEDED, limit=_MOST_READY)
    return [view for view in (*unfinished.rows, *ready.rows) if not view.settled]


def _elsewhere(studio: Studio, view: View) -> bool:
    return errands.elsewhere(studio, view.task)


def _print_tasks(terminal: Terminal, views: tuple[View, ...], home: str) -> None:
    """A table; who is paid is in it where it is not the provider in use alone."""
    if not views:
        terminal.say("No task.")
        return
    mixed = any(view.task.provider != home for view in views)
    columns = ("Task", "Status", "Cost", *(("Provider",) if mixed else ()), "When", "Prompt")
    rows = [
        (
            view.task.task_id,
            _state(view),
            results.cost(view)
            .removesuffix(" when it succeeds")
            .replace("no published price", "unpriced"),
            *((view.task.provider,) if mixed else ()),
            _when(view.task.created_at, view.now),
            view.task.prompt or view.task.model,
        )
        for view in views
    ]
    terminal.table(columns, rows, wide=len(columns) - 1)


def _state(view: View) -> str:
    if view.task.status is Status.SUCCEEDED:
        return "saved" if view.task.saved else "not saved"
    return view.task.status.value


def _when(at: float, now: float) -> str:
    then, today = datetime.fromtimestamp(at), datetime.fromtimestamp(now)  # noqa: DTZ006  local, for a person
    return f"{then:%H:%M}" if then.date() == today.date() else f"{then:%Y-%m-%d}"


COMMANDS: tuple[Command, ...] = (
    Command(
        name="tasks", summary="the clips and the money so far", options=_tasks_options, run=_tasks
    ),
)
