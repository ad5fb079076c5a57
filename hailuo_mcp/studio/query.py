"""Query one task, look one up, or list the newest with the spending so far."""

from __future__ import annotations

import time

from hailuo_mcp.domain import STATUS_WORDS, UNFINISHED, Status
from hailuo_mcp.errors import Do, InvalidRequestError, Step
from hailuo_mcp.journal.store import EVERYTHING, Filter, ProviderSums
from hailuo_mcp.studio.context import Context
from hailuo_mcp.studio.download import with_link
from hailuo_mcp.studio.film_views import film_view
from hailuo_mcp.studio.lookup import find_task
from hailuo_mcp.studio.waiting import expedite_overdue_poll, expedite_poll, wait
from hailuo_mcp.text import shown
from hailuo_mcp.views import FilmView, Listing, Progress, View, newest_first

PLANNED = "planned"
"""The status of a film whose shots are not bought."""
MOST_FILMS = 100
"""Looked at beside those whose shots are listed: each needs a look at its shots."""


async def query_task(
    context: Context,
    task_id: str,
    *,
    caller: str = "",
    wait_seconds: float = 0,
    on_progress: Progress | None = None,
) -> View:
    """Return a task's view; wait until its file is on disk or it is final."""
    task = await find_task(context, task_id, caller)
    await expedite_poll(context, task)
    return await with_link(context, await wait(context, task, wait_seconds, on_progress))


async def known_task(context: Context, task_id: str, *, caller: str = "") -> View:
    """The caller's task by our own id, as the journal has it; the provider is not asked.

    Raises:
        TaskNotFoundError: it is unknown, or another caller's.
    """
    task = await context.store.find(task_id, caller=caller)
    if task is None or task.task_id != task_id:
        raise context.unknown_task(task_id)
    return await context.view(task)


async def list_tasks(
    context: Context,
    *,
    caller: str = "",
    status: str = "",
    only: Filter = EVERYTHING,
    limit: int = 20,
    wait_seconds: float = 0,
) -> Listing:
    """The newest tasks and films, and the spending; a wait ends when any listed one ends."""
    rows, films = await _newest(context, caller, status, limit, only)
    open_tasks = {row.task.task_id for row in rows if not row.settled}
    open_films = {row.film.film_id for row in films if not row.settled}
    changes, deadline = context.changes, time.monotonic() + wait_seconds
    open_ids = open_tasks | open_films
    while open_ids and not changes.closing and (left := deadline - time.monotonic()) > 0:
        await changes.wait(open_ids, min(left, 5.0))
        tasks = [await context.store.find(task_id) for task_id in open_tasks]
        views = [await context.view(task) for task in tasks if task]
        still_open = [view.task for view in views if not view.settled]
        found = [await context.store.find_film(film_id) for film_id in open_films]
        shown_films = [await film_view(context, film) for film in found if film]
        going_on = {view.film.film_id for view in shown_films if not view.settled}
        if {task.task_id for task in still_open} | going_on != open_ids:
            break
        for task in still_open:
            await expedite_overdue_poll(context, task)
    if wait_seconds > 0:
        rows, films = await _newest(context, caller, status, limit, only)
    return Listing(
        rows=rows,
        films=films,
        spending=await context.spending(),
        losses=context.losses,
        of_tenant=bool(context.tenant),
    )


async def sums_of(
    context: Context, *, caller: str = "", status: str = "", only: Filter = EVERYTHING
) -> list[ProviderSums]:
    """What all of the caller's tasks cost that such a list shows, by provider and unit."""
    wanted, saved = _statuses(status)
    if wanted is None:
        return []
    return await context.store.sums_of(
        caller=caller or None, statuses=wanted, saved=saved, only=only
    )


async def ids_that_begin(
    context: Context, text: str, *, caller: str = "", limit: int = 20
) -> list[View | FilmView]:
    """The caller's tasks and films whose ids begin like this, newest first."""
    only = Filter(begins=text)
    tasks = await context.store.newest(caller=caller or None, only=only, limit=limit)
    films = await context.store.newest_films(
        caller=caller or None, only=only, limit=limit, now=context.clock()
    )
    found = [await context.view(task) for task in tasks]
    return newest_first([*found, *[await film_view(context, film) for film in films]])[:limit]


async def _newest(
    context: Context, caller: str, status: str, limit: int, only: Filter
) -> tuple[tuple[View, ...], tuple[FilmView, ...]]:
    """The newest tasks and films of this status, together at most `limit`."""
    wanted, saved = _statuses(status)
    tasks = (
        await context.store.newest(
            caller=caller or None, statuses=wanted or (), saved=saved, only=only, limit=limit
        )
        if wanted is not None
        else []
    )
    found = await context.store.newest_films(
        caller=caller or None, only=only, limit=min(limit, MOST_FILMS), now=context.clock()
    )
    films = {film.film_id: film for film in found}
    # A film has the status of one of its shots: where these are listed, it may be, too.
    for film_id in {task.film_id for task in tasks} - {"", *films}:
        if film := await context.store.find_film(film_id):
            films[film_id] = film
    seen = [await film_view(context, film) for film in films.values()]
    kept = [view for view in seen if _has_status(view, wanted, saved=saved)]
    newest = newest_first([*[await context.view(task) for task in tasks], *kept])[:limit]
    return (
        tuple(one for one in newest if isinstance(one, View)),
        tuple(one for one in newest if isinstance(one, FilmView)),
    )


def _has_status(view: FilmView, wanted: tuple[Status, ...] | None, *, saved: bool | None) -> bool:
    if wanted is None:
        return view.status is None
    if view.status is Status.SUCCEEDED and wanted == tuple(UNFINISHED):
        return not view.settled  # all shots are ready, and it is still to be joined
    if wanted and view.status not in wanted:
        return False
    return saved is None or saved is view.joined


async def recent_ids_of(context: Context, prefix: str, *, caller: str = "") -> list[str]:
    """The ids of the caller's newest tasks and films that start with this, newest first."""
    films = await recent_film_ids_of(context, prefix, caller=caller)
    found = await context.store.newest(caller=caller or None, limit=200)
    tasks = [task.task_id for task in found if task.task_id.startswith(prefix)]
    # By their ids, which are sortable apart from the letter that tells a film.
    return sorted([*films, *tasks], key=lambda known: known[1:], reverse=True)[:100]


async def recent_film_ids_of(context: Context, prefix: str, *, caller: str = "") -> list[str]:
    """The ids of the caller's newest films that start with this, newest first."""
    found = await context.store.newest_films(
        caller=caller or None, limit=MOST_FILMS, now=context.clock()
    )
    return [film.film_id for film in found if film.film_id.startswith(prefix)]


def _statuses(text: str) -> tuple[tuple[Status, ...] | None, bool | None]:
    """The statuses that a word means, none for all, and whether the clip must be on disk.

    None instead of statuses: what is only planned, which no task is.
    """
    word = text.strip().lower()
    if not word:
        return (), None
    if word == PLANNED:
        return None, None
    if word == "unfinished":
        return tuple(UNFINISHED), None
    if word in ("saved", "unsaved"):
        return (Status.SUCCEEDED,), word == "saved"
    try:
        return (Status(word),), None
    except ValueError:
        raise InvalidRequestError(
            f"Unknown status {shown(text)!r}.",
            Step(Do.TRY, f"use one of: {', '.join((*STATUS_WORDS, PLANNED))}"),
        ) from None
