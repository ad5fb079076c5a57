"""Query one task, or list the newest and wait for one of them."""

from __future__ import annotations

import time

from hailuo_mcp.journal.facts import EVERYTHING, Filter
from hailuo_mcp.studio.context import Context
from hailuo_mcp.studio.download import with_link
from hailuo_mcp.studio.film_views import film_view
from hailuo_mcp.studio.listing import listing
from hailuo_mcp.studio.lookup import find_task
from hailuo_mcp.studio.waiting import expedite_overdue_poll, expedite_poll, wait
from hailuo_mcp.views import Listing, Progress, View


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
    listed = await listing(context, caller=caller, status=status, only=only, limit=limit)
    open_tasks = {row.task.task_id for row in listed.rows if not row.settled}
    open_films = {row.film.film_id for row in listed.films if not row.settled}
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
        return await listing(context, caller=caller, status=status, only=only, limit=limit)
    return listed
