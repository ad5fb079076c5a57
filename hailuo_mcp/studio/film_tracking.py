"""What a task's id can be used for, with a film's: query, download, cancel."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from hailuo_mcp.domain.film import Film
from hailuo_mcp.domain.task import Status, Task
from hailuo_mcp.errors import JournalError
from hailuo_mcp.studio.cancel_settle import withdraw
from hailuo_mcp.studio.context import Context
from hailuo_mcp.studio.film_views import film_view
from hailuo_mcp.studio.moving import move, need_movable
from hailuo_mcp.studio.provider_cancel import BEING_MADE, SENT, cancel_at_provider, offers_cancel
from hailuo_mcp.studio.waiting import (
    LOOK_SECONDS,
    TICK_SECONDS,
    expedite_overdue_poll,
    expedite_poll,
    read_again,
)
from hailuo_mcp.views import FilmProgress, FilmView, SavedFilm


async def query_film(
    context: Context,
    film: Film,
    *,
    wait_seconds: float = 0,
    on_progress: FilmProgress | None = None,
) -> FilmView:
    """Return a film's view; wait until it is joined or nothing moves any more."""
    for task in await context.store.film_tasks(film.film_id):
        await expedite_poll(context, task)
    return await _wait(context, film, wait_seconds, on_progress, until=lambda view: view.settled)


async def download_film(
    context: Context,
    film: Film,
    *,
    output_path: str = "",
    overwrite: bool = False,
    keep: bool = True,
    wait_seconds: float = 0,
    on_progress: FilmProgress | None = None,
) -> SavedFilm:
    """Put the joined film on disk, and copy it if the caller asks for that.

    Without `keep`, the film is moved to `output_path` in place of a copy; its shots stay.
    """
    if not keep:
        need_movable(context)
    target = None
    if output_path:  # refused before anything is joined for it
        name = Path(film.file).name if film.file else f"{film.film_id}.mp4"
        target = context.folders.target(output_path, default_name=name)
    if film.file and not await context.storage.exists(film.file):
        film = await _change(context, film, {"file": "", "sha256": "", "bytes": None})
    deadline = time.monotonic() + wait_seconds
    film = await _join_now(context, film)
    view = await _wait(context, film, wait_seconds, on_progress, until=_delivered)
    if _is_ready(view) and not view.film.due_at and not view.film.save_error:
        # Its shots became ready while the caller waited, and are not saved automatically.
        film = await _join_now(context, view.film)
        left = deadline - time.monotonic()
        view = await _wait(context, film, left, on_progress, until=_delivered)
    if not view.joined:
        if view.film.saved and _delivered(view):
            earlier = (
                "This is the film as it was before some of its shots were made again; it was not "
                "joined anew."
            )
            view = replace(view, notes=(*view.notes, earlier))
        else:
            saving = _is_ready(view) and not _delivered(view)
            return SavedFilm(view=view, status="saving" if saving else "not_ready")
    file = view.film.file
    if target is not None and target != context.storage.local_path(file):
        if target.name == f"{film.film_id}.mp4":
            target = target.with_name(Path(file).name)
        if not keep:
            return await _move(context, view, target, overwrite=overwrite)
        copied = await context.storage.copy(file, target, overwrite=overwrite)
        file = str(copied.path)
    return SavedFilm(view=view, status="saved", file=file)


async def _move(context: Context, view: FilmView, target: Path, *, overwrite: bool) -> SavedFilm:
    film = view.film

    async def record(file: str) -> Film | None:
        return await context.store.change_film(
            film.film_id, {"file": file}, now=context.clock(), revision=film.revision
        )

    moved, note = await move(
        context, film.file, target, record, whose=film.film_id, overwrite=overwrite
    )
    notes = (*view.notes, note) if note else view.notes
    view = replace(view, film=moved or film, notes=notes)
    return SavedFilm(view=view, status="saved", file=view.film.file)


async def cancel_film(context: Context, film: Film) -> FilmView:
    """Withdraw the plan, or the shots that were not sent or are still queued."""
    if film.made_at is None:
        if film.cancelled:
            return await film_view(context, film, notes=("It was withdrawn before.",))
        if withdrawn := await _withdraw(context, film, {"cancelled": True}):
            return await film_view(context, withdrawn)
        film = await _read_again(context, film)  # somebody has just made it
    if film.redoes and (kept := await withdraw_redo(context, film)):
        shots = _numbered(film.redo)
        note = f"The plan to make {shots} again is withdrawn; the film stays as it was made."
        view = await film_view(context, kept, notes=(note,))
        if any(task.status is Status.PENDING for task in view.tasks):
            more = "What of it was not sent yet goes on; withdraw that by the same call."
            view = replace(view, notes=(*view.notes, more))
        return view
    return await _withdraw_unsent(context, film)


async def withdraw_redo(context: Context, film: Film) -> Film | None:
    """Withdraw this planned redo and nothing else; None if it was made or replaced meanwhile."""
    now = await _read_again(context, film)
    return await _withdraw(context, film, {"redo": ()}) if now.redo == film.redo else None


async def _withdraw(context: Context, film: Film, values: dict[str, object]) -> Film | None:
    """The film with its plan withdrawn; None if that was just made, or made again."""
    found = await context.store.change_film(
        film.film_id, values, now=context.clock(), revision=film.revision
    )
    if found:
        context.changes.announce(film.film_id)
    return found


async def _withdraw_unsent(context: Context, film: Film) -> FilmView:
    withdrawn, left = list[Task](), dict[int, str]()
    # From the last one: otherwise a worker would do the same to those that depend on the first.
    for task in reversed(await context.store.film_tasks(film.film_id)):
        done = await withdraw(context, task) if task.status is Status.PENDING else None
        if done is None and offers_cancel(context, task):
            task = await read_again(context, task)  # noqa: PLW2901  # it may have been sent now
            if task.status in SENT:
                outcome = await cancel_at_provider(context, task)
                done = None if outcome.why_not else outcome.task
                left[task.shot] = outcome.why_not
        if done:
            withdrawn.append(done)
            context.changes.announce(task.task_id)
    if withdrawn:
        await _change(context, film, {"cancelled": True})
        context.changes.announce(film.film_id)
        context.wakeup.notify()
    view = await film_view(context, await _read_again(context, film))
    notes = _what_is_left(context, view, left, done=bool(withdrawn))
    return replace(view, notes=(*view.notes, *notes))


def _what_is_left(
    context: Context, view: FilmView, left: Mapping[int, str], *, done: bool
) -> Iterable[str]:
    """What could not be withdrawn; the view itself says what was. `left`: why, by shot."""
    shots = [(it.number, it.view.task.status) for it in view.shots if it.view]
    sent = [number for number, status in shots if status in SENT]
    made = [number for number in sent if left.get(number) == BEING_MADE]
    fixed = [number for number in sent if number not in left]
    doubtful = [number for number, status in shots if status is Status.UNCONFIRMED]
    if fixed:
        yield (
            f"{_capital(_numbered(fixed))} could not be withdrawn: already sent, and "
            f"{context.provider.name} offers no way to cancel such clips. What succeeds is "
            "charged, and saved as usual."
        )
    if made:
        yield (
            f"{_capital(_numbered(made))} could not be withdrawn: already being made. What "
            "succeeds is charged, and saved as usual."
        )
    for number in sent:
        if left.get(number, BEING_MADE) != BEING_MADE:
            yield f"Shot {number} could not be withdrawn: {left[number]}."
    if doubtful:
        yield (
            f"{_capital(_numbered(doubtful))} could not be withdrawn: it is unknown whether the "
            "provider accepted it."
        )
    if not (done or sent or doubtful) and view.status is not Status.CANCELLED:
        yield f"There is nothing to withdraw: it has already ended ({view.status})."


async def _wait(
    context: Context,
    film: Film,
    seconds: float,
    on_progress: FilmProgress | None,
    *,
    until: Callable[[FilmView], bool],
) -> FilmView:
    """Return the film when this holds or the time is up; as waiting.wait does for a task."""
    deadline = time.monotonic() + seconds
    looked, seen = time.monotonic(), context.changes.count
    view = await _view(context, film)
    while not context.changes.closing and (left := deadline - time.monotonic()) > 0:
        if until(view):
            break
        if on_progress:
            await on_progress(view)
        pause = TICK_SECONDS * (0.8 + 0.4 * context.chance())
        await context.changes.wait(_ids(view), min(left, pause))
        if context.changes.count != seen or time.monotonic() - looked >= LOOK_SECONDS:
            looked, seen = time.monotonic(), context.changes.count
            with suppress(JournalError):  # what is known is still true enough to answer with
                view = await _view(context, await _read_again(context, view.film))
            for task in view.tasks:
                await expedite_overdue_poll(context, task)
        else:
            view = _later(view, context.clock())
    return view


async def _view(context: Context, film: Film) -> FilmView:
    """The film with its shots.

    A shot that ended since the film was read has made it due: without a second look, a film whose
    last shot was just saved would look as if nobody were about to join it.
    """
    view = await film_view(context, film)
    if view.film.made_at is not None and view.settled:
        view = await film_view(context, await _read_again(context, film))
    return view


def _later(view: FilmView, now: float) -> FilmView:
    """The same facts after a while, without reading the journal."""
    eta = view.eta_seconds
    if eta is not None:
        left = round(eta - (now - view.now))
        eta = left if left >= 1 else None
    return replace(view, now=now, eta_seconds=eta)


def _ids(view: FilmView) -> list[str]:
    return [view.known_as, *(task.task_id for task in view.tasks)]


def _is_ready(view: FilmView) -> bool:
    """Whether all shots are ready at the provider, and the film itself is not on disk."""
    return view.status is Status.SUCCEEDED and not view.joined


def _delivered(view: FilmView) -> bool:
    """It is joined, or nobody is about to join it, although somebody asked for that."""
    if not view.settled:
        return False
    made = [it.view for it in view.shots if it.view]
    return view.status is not Status.SUCCEEDED or all(shot.saved_or_given_up for shot in made)


async def _join_now(context: Context, film: Film) -> Film:
    """If all shots are ready, have the worker save them and join the film, despite failures."""
    film = await _read_again(context, film)  # a worker may have joined it meanwhile
    view = await film_view(context, film)
    if film.made_at is None or not _is_ready(view):
        return film
    for task in view.tasks:
        saved = task.saved and await context.storage.exists(task.file)
        if not saved:
            values = {"file": "", "sha256": "", "bytes": None, "save_error": ""}
            await context.store.change(
                task.task_id,
                {**values, "due_at": context.clock()},
                now=context.clock(),
                status_in=(Status.SUCCEEDED,),
            )
    film = await _change(context, film, {"due_at": context.clock(), "save_error": ""})
    context.wakeup.notify()
    return film


async def _change(context: Context, film: Film, values: Mapping[str, object]) -> Film:
    changed = await context.store.change_film(film.film_id, values, now=context.clock())
    return changed or film


async def _read_again(context: Context, film: Film) -> Film:
    with suppress(JournalError):
        return await context.store.find_film(film.film_id) or film
    return film


def _numbered(shots: Iterable[int]) -> str:
    *most, last = map(str, shots)
    return f"shots {', '.join(most)} and {last}" if most else f"shot {last}"


def _capital(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}"
