"""Commands about one clip that was bought: query, download, cancel, settle."""

from __future__ import annotations

import time
from argparse import ArgumentParser, Namespace
from dataclasses import replace
from typing import TYPE_CHECKING

from hailuo_mcp.cli import arguments, errands, exits, results, words
from hailuo_mcp.cli.command import Command
from hailuo_mcp.cli.errands import FOREVER, FRESH_SECONDS, Errand
from hailuo_mcp.cli.terminal import Terminal
from hailuo_mcp.domain import POLLED, Status
from hailuo_mcp.errors import InvalidRequestError

if TYPE_CHECKING:
    from hailuo_mcp.cli.progress import Watcher
    from hailuo_mcp.studio.studio import Studio
    from hailuo_mcp.views import View

_WAIT = "wait at most so many seconds, or without a number until it is over"


def _id_option(parser: ArgumentParser) -> None:
    arguments.add_subject(
        parser,
        "task_id",
        "--task-id",
        metavar="ID",
        what="the task's id, or the provider's",
        needed=True,
    )


def _query_options(parser: ArgumentParser) -> None:
    _id_option(parser)
    parser.add_argument(
        "--wait",
        "--wait-seconds",
        nargs="?",
        type=arguments.seconds,
        const=FOREVER,
        metavar="SECONDS",
        help=_WAIT,
    )


def _query(args: Namespace, terminal: Terminal) -> int:
    async def job(errand: Errand, studio: Studio) -> int:
        with terminal.watching() as watcher:
            watcher.tell("looking")
            view = await _look(errand, studio, args.task_id, watcher)
            if (
                args.wait is not None
                and not view.settled
                and not errands.elsewhere(studio, view.task)
            ):
                view = await errand.wait(studio, args.task_id, args.wait, watcher)
        return _report(errand, studio, view)

    return errands.run(args, terminal, job)


async def _look(errand: Errand, studio: Studio, task_id: str, watcher: Watcher) -> View:
    """The task after one status read, where it is time for one; a clip that is ready is saved."""
    began = time.time()
    deadline = time.monotonic() + FRESH_SECONDS
    view = await studio.query(task_id)
    errand.tasks = [view.task]
    if errands.elsewhere(studio, view.task):
        return view
    due = (view.task.polled_at or view.task.submitted_at or 0) + studio.settings.poll_seconds
    while (
        view.task.status in POLLED
        and due <= began + FRESH_SECONDS
        and (view.task.polled_at or 0) < began
        and time.monotonic() < deadline
    ):
        view = await studio.query(task_id, wait_seconds=0.3)
    if view.task.status is Status.SUCCEEDED and not view.settled:
        view = await errand.wait(studio, task_id, FOREVER, watcher)
    return view


def _report(errand: Errand, studio: Studio, view: View) -> int:
    results.show(errand, view)
    task = view.task
    if view.settled or task.save_error:
        if task.status is Status.SUCCEEDED and not task.saved:
            results.follow_up(errand, "Save it, free", errand.command("download", task.task_id))
    elif errands.elsewhere(studio, task):
        errands.tell_strangers(errand, [task])
    else:
        results.follow_up(errand, "Wait for it", errand.command("query", task.task_id, "--wait"))
    return exits.of_view(view)


def _download_options(parser: ArgumentParser) -> None:
    _id_option(parser)
    arguments.add_subject(
        parser,
        "output",
        "-o",
        "--output",
        "--output-path",
        metavar="OUTPUT",
        what="copy it here as well: a file, or a folder; - is standard output",
    )
    parser.add_argument("--overwrite", action="store_true", help="replace what is there")
    parser.add_argument(
        "--wait-seconds",
        type=arguments.seconds,
        default=FOREVER,
        metavar="SECONDS",
        help="wait at most so long for a clip that is not finished",
    )


def _download(args: Namespace, terminal: Terminal) -> int:
    if args.output == words.STANDARD:
        terminal.give_stdout()

    async def job(errand: Errand, studio: Studio) -> tuple[int, str]:
        from hailuo_mcp.wording.tasks import saved_video

        output = errand.place(args.output, overwrite=args.overwrite)
        with terminal.watching() as watcher:
            watcher.tell("looking")
            view = await _look(errand, studio, args.task_id, watcher)
            if not errands.elsewhere(studio, view.task):
                view = await errand.wait(studio, args.task_id, args.wait_seconds, watcher)
                watcher.tell("saving the clip")
            wait = 0 if errands.elsewhere(studio, view.task) else args.wait_seconds
            saved = await errand.save(studio, args.task_id, output, wait, watcher)
        if terminal.json:
            terminal.data(dict(saved_video(saved)))
        else:
            results.show(errand, saved.view, copy=saved.file)
        if saved.status == "saved":
            return exits.DONE, saved.file
        return exits.of_view(saved.view) or exits.FAILED, ""

    code, clip = errands.run(args, terminal, job)
    if clip and args.output == words.STANDARD:
        terminal.pour(clip)
    return code


def _cancel(args: Namespace, terminal: Terminal) -> int:
    async def job(errand: Errand, studio: Studio) -> int:
        view = await studio.cancel(args.task_id)
        if view.task.status is not Status.CANCELLED and view.notes and not terminal.json:
            terminal.paragraph("Not withdrawn.", " ".join(view.notes), result=True)
            view = replace(view, notes=())
        results.show(errand, view)
        return exits.DONE if view.task.status is Status.CANCELLED else exits.FAILED

    return errands.run(args, terminal, job)


def _settle_options(parser: ArgumentParser) -> None:
    _id_option(parser)
    parser.add_argument(
        "outcome",
        choices=("bought", "not-bought"),
        metavar="bought|not-bought",
        help="what the provider's bill says about it",
    )
    parser.add_argument(
        "--remote-id",
        default="",
        type=arguments.plain,
        metavar="ID",
        help="the provider's id of it, so that the clip can be fetched",
    )


def _settle(args: Namespace, terminal: Terminal) -> int:
    bought = args.outcome == "bought"
    if args.remote_id and not bought:
        raise InvalidRequestError(
            "--remote-id belongs to what was bought. Nothing was changed or charged."
        )

    async def job(errand: Errand, studio: Studio) -> int:
        view = await studio.settle(args.task_id, bought=bought, remote_id=args.remote_id)
        results.show(errand, view)
        if not view.task.status.is_final:
            results.follow_up(
                errand, "Fetch it", errand.command("query", view.task.task_id, "--wait")
            )
        return exits.DONE

    return errands.run(args, terminal, job)


COMMANDS: tuple[Command, ...] = (
    Command(name="query", summary="how a clip is getting on", options=_query_options, run=_query),
    Command(
        name="download",
        summary="have a finished clip on disk, or copy it",
        options=_download_options,
        run=_download,
    ),
    Command(
        name="cancel",
        summary="withdraw a clip that was not sent yet",
        options=_id_option,
        run=_cancel,
    ),
    Command(
        name="settle",
        summary="say what became of an unconfirmed purchase",
        options=_settle_options,
        run=_settle,
    ),
)
