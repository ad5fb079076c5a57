"""tasks --wait: until no task can change any more and all are saved."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from hailuo_mcp.cli import exits, words
from hailuo_mcp.cli.follow.list_limits import MOST
from hailuo_mcp.cli.session import Session
from hailuo_mcp.cli.task_rows import name_of, named
from hailuo_mcp.domain.film import Film
from hailuo_mcp.domain.task import Status
from hailuo_mcp.text import shown

if TYPE_CHECKING:
    from hailuo_mcp.views import FilmView, View

_MOST_NAMED = 20
_NAME = 47
"""Characters of a prompt that tell a clip from others."""
_LACKING = ("unsaved", "unconfirmed")


async def wait_for_all(session: Session) -> list[View | FilmView]:
    """Wait until nothing of this provider can change any more.

    Returns what was waited for, and every other clip or film that was paid for and is not on disk.
    """
    studio = session.studio
    if studio.settings.auto_download:  # there may be room on the disk by now: save every clip again
        unsaved = await studio.tasks(status="unsaved", limit=MOST)
        for clip in unsaved.rows:
            if not session.is_elsewhere(clip.task):
                await studio.download(clip.task.task_id)
        for whole in unsaved.films:
            if not session.is_elsewhere(whole.film):
                await studio.download_film(whole.film)
    in_flight = await _in_flight(session)
    elsewhere = [view.made for view in in_flight if session.is_elsewhere(view.made)]
    if elsewhere:
        session.report_elsewhere(elsewhere)
    waiting = _waiting(session, in_flight)
    _report_waiting(session, list(waiting.values()))
    for view in waiting.values():
        await _look(session, view)  # brings its next status read forward
    seen: dict[str, View | FilmView] = {}
    with session.terminal.progress() as progress:
        while waiting:
            seen.update(waiting)
            session.tasks = [task for view in waiting.values() for task in view.tasks]
            last = max(waiting.values(), key=lambda view: view.eta_seconds or 0)
            session.report_search(list(waiting.values()))
            await progress.show_all(list(seen.values()))
            await _look(session, last, wait_seconds=1.0)
            waiting = _waiting(session, await _in_flight(session))
            seen.update(await _ended(session, seen, waiting))
        await progress.show_all(list(seen.values()))
    return [
        view
        for view in (await studio.tasks(limit=MOST)).entries
        if view.known_as in seen or (view.state in _LACKING and not session.is_elsewhere(view.made))
    ]


async def _ended(
    session: Session,
    seen: Mapping[str, View | FilmView],
    waiting: Mapping[str, View | FilmView],
) -> dict[str, View | FilmView]:
    """What is no longer waited for, as it ended."""
    over = [view for name, view in seen.items() if name not in waiting and not view.settled]
    return {view.known_as: await _look(session, view) for view in over}


async def _look(
    session: Session, view: View | FilmView, *, wait_seconds: float = 0
) -> View | FilmView:
    from hailuo_mcp.views import FilmView

    if isinstance(view, FilmView):
        return await session.studio.query_film(view.film, wait_seconds=wait_seconds)
    return await session.studio.query(view.task.task_id, wait_seconds=wait_seconds)


async def _in_flight(session: Session) -> list[View | FilmView]:
    """Everything that a worker still has work to do for; a film stands for its shots."""
    unfinished = await session.studio.tasks(status="unfinished", limit=MOST)
    ready = await session.studio.tasks(status="unsaved", limit=MOST)
    films = [view for view in (*unfinished.films, *ready.films) if not view.settled]
    of_films = {view.film.film_id for view in films}
    return [
        *films,
        *(
            view
            for view in (*unfinished.rows, *ready.rows)
            # A shot that waits for one that a person must settle does not move.
            if not (view.settled or view.task.waits or view.task.film_id in of_films)
        ),
    ]


def _waiting(session: Session, views: Iterable[View | FilmView]) -> dict[str, View | FilmView]:
    """What can still change on its own and belongs to these settings."""
    return {
        view.known_as: view
        for view in views
        if not session.is_elsewhere(view.made) and not _needs_person(session, view)
    }


def _needs_person(session: Session, view: View | FilmView) -> bool:
    from hailuo_mcp.views import FilmView

    if isinstance(view, FilmView):
        return session.film_needs_person(view)
    return session.needs_person(view.task)


def _report_waiting(session: Session, waiting: list[View | FilmView]) -> None:
    if not waiting:
        return
    films = sum(isinstance(view.made, Film) for view in waiting)
    counted = (("clip", len(waiting) - films), ("film", films))
    said = [f"{many} {what}{'' if many == 1 else 's'}" for what, many in counted if many]
    session.terminal.note(f"Waiting for {' and '.join(said)}:")
    for view in waiting[:_MOST_NAMED]:
        session.terminal.note(f"  {view.known_as}  {view.state:<10}  {_short(view)}")
    if len(waiting) > _MOST_NAMED:
        session.terminal.note(f"  and {len(waiting) - _MOST_NAMED} more")


def report_missing(session: Session, view: View | FilmView) -> None:
    """Name a clip or film that may have been paid for and is not on disk, and what to do."""
    from hailuo_mcp.views import FilmView
    from hailuo_mcp.wording.person import trouble_text

    say, name = session.terminal.paragraph, f"{view.known_as} ({_short(view)})"
    if isinstance(view, FilmView):
        if view.film.save_error and not view.joined:
            again = session.command("download", view.film.film_id)
            said = f"{name}. {view.film.save_error} To try again, free: {again}"
            say("Not joined:", said, style="bold red")
        return
    task = view.task
    name = name if named(task) else task.task_id
    if task.status is Status.UNCONFIRMED:
        settle = session.command("settle", task.task_id, "bought", "--remote-id", "ID")
        said = f"{name} may have been bought. Check the provider's bill, then run: {settle}"
        say("Unconfirmed:", f"{said} (or not-bought)", style="bold yellow")
    elif task.status is Status.SUCCEEDED and task.save_error:
        again = session.command("download", task.task_id)
        said = f"{name}. {task.save_error} To try again, free: {again}"
        say("Not saved:", said, style="bold red")
    elif session.needs_person(task):
        why = trouble_text(task, program=words.program())
        say("Not fetched:", f"{name}. {why}", style="bold red")


def exit_code(session: Session, view: View | FilmView) -> int:
    """What only a person can fix counts as failed."""
    from hailuo_mcp.views import FilmView

    if _needs_person(session, view):
        return exits.FAILED
    return exits.of_film(view) if isinstance(view, FilmView) else exits.of_view(view)


def _short(entry: View | FilmView) -> str:
    return shown(" ".join(name_of(entry).split()), _NAME)
