"""Commands about one clip or film that was bought: query, download, cancel, settle."""

from __future__ import annotations

import time
from argparse import ArgumentParser, Namespace
from pathlib import Path
from typing import TYPE_CHECKING

from hailuo_mcp.cli import arguments, exits
from hailuo_mcp.cli.arguments import FOREVER, STANDARD
from hailuo_mcp.cli.follow.finish import finish
from hailuo_mcp.cli.output.terminal import Terminal

if TYPE_CHECKING:
    from hailuo_mcp.cli.output.progress import Bar, Lines
    from hailuo_mcp.cli.session import Session
    from hailuo_mcp.views import View


_LONGEST_ID = 40
"""Characters, more than any id has."""


def query_options(parser: ArgumentParser) -> None:
    arguments.id_option(parser)
    arguments.add_wait(
        parser.add_argument,
        "wait at most this many seconds; without a number, until the task is over",
    )
    arguments.add_when_done(parser.add_argument_group("result").add_argument)


def query(args: Namespace, terminal: Terminal) -> int:
    from hailuo_mcp.cli import results
    from hailuo_mcp.cli.follow import film_task
    from hailuo_mcp.cli.running import run_with_studio
    from hailuo_mcp.domain.task import Status

    if args.follow and args.wait is None:
        args.wait = FOREVER

    async def job(session: Session) -> int:
        if film := await session.studio.film(args.task_id, ""):
            return await film_task.query(session, film)
        with terminal.progress() as progress:
            progress.tell("looking")
            view = await _look(session, args.task_id, progress)
            if args.wait is not None and not view.settled and not session.is_elsewhere(view.task):
                view = await session.wait(args.task_id, args.wait, progress)
        results.show(session, view)
        await finish(session, [view])
        task = view.task
        if view.settled or task.save_error:
            if task.status is Status.SUCCEEDED and not task.saved:
                save = session.command("download", task.task_id)
                results.follow_up(session, "Save it, free", save)
        elif session.is_elsewhere(task):
            session.report_elsewhere([task])
        else:
            wait = session.command("query", task.task_id, "--wait")
            results.follow_up(session, "Wait for it", wait)
        return exits.of_view(view)

    return run_with_studio(args, terminal, job)


async def _look(session: Session, task_id: str, progress: Bar | Lines) -> View:
    """The task after one status read, where it is time for one; a clip that is ready is saved."""
    from hailuo_mcp.cli.session import FRESH_SECONDS
    from hailuo_mcp.domain.task import Status

    studio = session.studio
    began = time.time()
    deadline = time.monotonic() + FRESH_SECONDS
    view = await studio.query(task_id)
    session.tasks = [view.task]
    if session.is_elsewhere(view.task):
        return view
    while session.is_to_be_read(view.task, began) and time.monotonic() < deadline:
        view = await studio.query(task_id, wait_seconds=0.3)
    if view.task.status is Status.SUCCEEDED and not view.settled:
        view = await session.wait(task_id, FOREVER, progress)
    return view


def download_options(parser: ArgumentParser) -> None:
    arguments.id_option(parser)
    arguments.add_subject(
        parser,
        "output",
        "-o",
        "--output",
        "--output-path",
        metavar="OUTPUT",
        what="also copy it here: a file or a folder; - is standard output",
    )
    arguments.add_flag(parser.add_argument, "--overwrite", "replace an existing file")
    arguments.add_no_keep(parser.add_argument)
    parser.add_argument(
        "--wait-seconds",
        type=arguments.seconds,
        default=FOREVER,
        metavar="SECONDS",
        help="wait at most this long for an unfinished clip",
    )
    arguments.add_when_done(parser.add_argument_group("result").add_argument)


def download(args: Namespace, terminal: Terminal) -> int:
    from hailuo_mcp.cli import results
    from hailuo_mcp.cli.follow import film_task
    from hailuo_mcp.cli.running import run_with_studio

    arguments.check_no_keep(args)
    if args.output == STANDARD:
        terminal.reserve_stdout()
    second = _like_an_id(args.output)

    async def job(session: Session) -> tuple[int, str]:
        from hailuo_mcp.cli import copy_path
        from hailuo_mcp.cli.record import saved_record

        await _need_no_task(session, second)
        output = copy_path.checked(session, args.output)
        if film := await session.studio.film(args.task_id, ""):
            return await film_task.download(session, film, output)
        with terminal.progress() as progress:
            progress.tell("looking")
            view = await _look(session, args.task_id, progress)
            wait = 0 if session.is_elsewhere(view.task) else args.wait_seconds
            if wait:
                await session.wait(args.task_id, wait, progress)
                progress.tell("saving the clip")
            saved = await session.save(args.task_id, output, wait, progress)
            clip = saved.file
            if args.output == STANDARD:
                clip = await session.clip_to_write(clip)
        if terminal.json:
            terminal.data(saved_record(saved))
        else:
            results.show(session, saved.view, copy=saved.file)
        await finish(session, [saved.view], [saved.file] if saved.file else [])
        if saved.status == "saved":
            return exits.DONE, clip
        return exits.of_view(saved.view) or exits.FAILED, ""

    code, clip = run_with_studio(args, terminal, job)
    if clip and args.output == STANDARD:
        terminal.write_clip(clip)
    return code


def _like_an_id(output: str) -> str:
    """The place of a copy, if it may be meant as the name of a task."""
    from hailuo_mcp.cli.task_names import LEAST_CHARACTERS

    name = output.strip()
    likely = LEAST_CHARACTERS <= len(name) <= _LONGEST_ID and name.lstrip("@-").isalnum()
    return name if likely and not Path(name).exists() else ""


async def _need_no_task(session: Session, name: str) -> None:
    """Refuse a second id: it would be taken for the name of a file."""
    from hailuo_mcp.cli import task_names
    from hailuo_mcp.errors import Do, InvalidRequestError, Step

    if name and await task_names.is_task(session.studio, name):
        raise InvalidRequestError(
            f"{name} is a task, and one clip is downloaded at a time.",
            Step(
                Do.TRY,
                "download each by a command of its own; a folder ends with a slash, and "
                "a file with .mp4",
            ),
        )


def cancel(args: Namespace, terminal: Terminal) -> int:
    from dataclasses import replace

    from hailuo_mcp.cli import results
    from hailuo_mcp.cli.follow import film_task
    from hailuo_mcp.cli.running import run_with_studio
    from hailuo_mcp.domain.task import Status

    async def job(session: Session) -> int:
        if film := await session.studio.film(args.task_id, ""):
            return await film_task.cancel(session, film)
        view = await session.studio.cancel(args.task_id)
        if view.task.status is not Status.CANCELLED and view.notes and not terminal.json:
            terminal.paragraph("Not cancelled.", " ".join(view.notes), result=True)
            view = replace(view, notes=())
        results.show(session, view)
        return exits.DONE if view.task.status is Status.CANCELLED else exits.FAILED

    return run_with_studio(args, terminal, job)


cancel_options = arguments.id_option


def settle_options(parser: ArgumentParser) -> None:
    arguments.id_option(parser)
    parser.add_argument(
        "outcome",
        choices=("bought", "not-bought"),
        metavar="bought|not-bought",
        help="what the provider's bill says",
    )
    what = "the provider's id, with which the clip can be fetched"
    arguments.add_text(parser.add_argument, "--remote-id", metavar="ID", what=what)


def settle(args: Namespace, terminal: Terminal) -> int:
    from hailuo_mcp.cli import results
    from hailuo_mcp.cli.running import run_with_studio
    from hailuo_mcp.errors import InvalidRequestError

    bought = args.outcome == "bought"
    if args.remote_id and not bought:
        raise InvalidRequestError("--remote-id cannot be combined with not-bought.")

    async def job(session: Session) -> int:
        view = await session.studio.settle(args.task_id, bought=bought, remote_id=args.remote_id)
        results.show(session, view)
        if not view.task.status.is_final:
            fetch = session.command("query", view.task.task_id, "--wait")
            results.follow_up(session, "Fetch it", fetch)
        return exits.DONE

    return run_with_studio(args, terminal, job)
