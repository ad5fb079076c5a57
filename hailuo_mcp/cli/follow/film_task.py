"""query, download and cancel with a film's id."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING

from hailuo_mcp.cli import exits
from hailuo_mcp.cli.arguments import FOREVER, STANDARD
from hailuo_mcp.cli.follow.film_results import show_film, suggest
from hailuo_mcp.cli.follow.finish import finish
from hailuo_mcp.cli.session import FRESH_SECONDS
from hailuo_mcp.domain.task import Status

if TYPE_CHECKING:
    from hailuo_mcp.cli.output.progress import Bar, Lines
    from hailuo_mcp.cli.session import Session
    from hailuo_mcp.domain.film import Film
    from hailuo_mcp.views import FilmView


async def query(session: Session, film: Film) -> int:
    wait = session.args.wait
    with session.terminal.progress() as progress:
        progress.tell("looking")
        view = await _look(session, film, progress)
        if wait is not None and not view.settled and not session.is_elsewhere(film):
            view = await session.wait_for_film(view.film, wait, progress)
    show_film(session.terminal, view)
    await finish(session, [view])
    suggest(session, view)
    return exits.of_film(view)


async def download(session: Session, film: Film, output: str) -> tuple[int, str]:
    """The exit code, and the path of the film for standard output."""
    from hailuo_mcp.cli.record import saved_record

    args, terminal = session.args, session.terminal
    with terminal.progress() as progress:
        progress.tell("looking")
        view = await _look(session, film, progress)
        wait = 0 if session.is_elsewhere(film) else args.wait_seconds
        saved = await session.save_film(view.film, output, wait, progress)
        file = saved.file
        if args.output == STANDARD:
            file = await session.clip_to_write(file)
    if terminal.json:
        terminal.data(saved_record(saved))
    else:
        show_film(terminal, saved.view, copy=saved.file)
    await finish(session, [saved.view], [saved.file] if saved.file else [])
    if saved.status == "saved":
        return exits.DONE, file
    return exits.of_film(saved.view) or exits.FAILED, ""


async def cancel(session: Session, film: Film) -> int:
    terminal = session.terminal
    view = await session.studio.cancel_film(film)
    done = view.film.cancelled or (film.redoes and not view.film.redoes)
    if not done and view.notes and not terminal.json:
        terminal.paragraph("Not cancelled.", " ".join(view.notes), result=True)
        view = replace(view, notes=())
    show_film(terminal, view)
    return exits.DONE if done else exits.FAILED


async def _look(session: Session, film: Film, progress: Bar | Lines) -> FilmView:
    """The film after one status read of each shot; what is ready is saved and joined."""
    studio, began = session.studio, time.time()
    session.films = [film]
    view = await studio.query_film(film)
    if session.is_elsewhere(film):
        return view
    deadline = time.monotonic() + FRESH_SECONDS
    while time.monotonic() < deadline and any(
        session.is_to_be_read(shot.view.task, began) for shot in view.shots if shot.view
    ):
        view = await studio.query_film(view.film, wait_seconds=0.3)
    if view.status is Status.SUCCEEDED and not view.settled:
        view = await session.wait_for_film(view.film, FOREVER, progress)
    return view
