"""Query one task, look one up, or list the newest with the spending so far."""

from __future__ import annotations

import time

from hailuo_mcp.domain import STATUS_WORDS, UNFINISHED, Status
from hailuo_mcp.errors import Do, InvalidRequestError, Step
from hailuo_mcp.studio.context import Context
from hailuo_mcp.studio.download import with_link
from hailuo_mcp.studio.lookup import find_task
from hailuo_mcp.studio.waiting import expedite_overdue_poll, expedite_poll, wait
from hailuo_mcp.text import shown
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
    limit: int = 20,
    wait_seconds: float = 0,
) -> Listing:
    """The newest tasks and the spending so far; a wait ends when any listed task ends."""
    wanted, saved = _statuses(status)

    async def read() -> tuple[View, ...]:
        found = await context.store.newest(
            caller=caller or None, statuses=wanted, saved=saved, limit=limit
        )
        return tuple([await context.view(task) for task in found])

    rows = await read()
    open_ids = {row.task.task_id for row in rows if not row.settled}
    changes, deadline = context.changes, time.monotonic() + wait_seconds
    while open_ids and not changes.closing and (left := deadline - time.monotonic()) > 0:
        await changes.wait(open_ids, min(left, 5.0))
        tasks = [await context.store.find(task_id) for task_id in open_ids]
        views = [await context.view(task) for task in tasks if task]
        still_open = [view.task for view in views if not view.settled]
        if {task.task_id for task in still_open} != open_ids:
            break
        for task in still_open:
            await expedite_overdue_poll(context, task)
    if wait_seconds > 0:
        rows = await read()
    return Listing(
        rows=rows,
        spending=await context.spending(),
        losses=context.losses,
        of_tenant=bool(context.tenant),
    )


async def recent_ids_of(context: Context, prefix: str, *, caller: str = "") -> list[str]:
    """The ids of the caller's newest tasks that start with this, newest first."""
    found = await context.store.newest(caller=caller or None, limit=200)
    return [task.task_id for task in found if task.task_id.startswith(prefix)][:100]


def _statuses(text: str) -> tuple[tuple[Status, ...], bool | None]:
    """The statuses that a word means, and whether the clip must be on disk."""
    word = text.strip().lower()
    if not word:
        return (), None
    if word == "unfinished":
        return tuple(UNFINISHED), None
    if word in ("saved", "unsaved"):
        return (Status.SUCCEEDED,), word == "saved"
    try:
        return (Status(word),), None
    except ValueError:
        raise InvalidRequestError(
            f"Unknown status {shown(text)!r}.",
            Step(Do.TRY, f"use one of: {', '.join(STATUS_WORDS)}"),
        ) from None
