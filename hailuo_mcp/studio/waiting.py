"""Waiting for a task: until its file is on disk, or nothing more can come."""

from __future__ import annotations

import time
from contextlib import suppress

from hailuo_mcp.domain import POLLED, Status, Task
from hailuo_mcp.errors import JournalError
from hailuo_mcp.studio.context import Context
from hailuo_mcp.studio.timing import callback_poll_seconds, earliest_ready
from hailuo_mcp.views import Progress, View

TICK_SECONDS = 1.0
"""How often a waiting caller is told of progress."""
LOOK_SECONDS = 5.0
"""How often the journal is read although no change was announced; a hundred waiting callers would
keep it busy with more."""


async def read_again(context: Context, task: Task) -> Task:
    try:
        return await context.store.find(task.task_id) or task
    except JournalError:
        return task  # what is known is still true enough to answer with


async def wait(
    context: Context,
    task: Task,
    seconds: float,
    on_progress: Progress | None = None,
    *,
    reused: bool = False,
    until_saved: bool = False,
) -> View:
    """The task as it stands when it has ended or the time is up."""
    deadline = time.monotonic() + seconds
    looked, seen = time.monotonic(), -1  # what happened since the caller read it is not known
    view = await context.view(task, reused=reused)
    while not context.changes.closing and (left := deadline - time.monotonic()) > 0:
        asked_to_save = until_saved and view.task.status is Status.SUCCEEDED
        if view.saved_or_given_up if asked_to_save else view.settled:
            break
        if on_progress:
            await on_progress(view)
        # Spread: callers who began to wait together would all be told in one burst.
        pause = TICK_SECONDS * (0.8 + 0.4 * context.chance())
        await context.changes.wait((task.task_id,), min(left, pause))
        if context.changes.count != seen or time.monotonic() - looked >= LOOK_SECONDS:
            looked, seen = time.monotonic(), context.changes.count
            task = await read_again(context, task)
            await expedite_overdue_poll(context, task)
        view = await context.view(task, reused=reused)
    return view


async def expedite_poll(context: Context, task: Task) -> None:
    """Somebody asks: read the status as soon as the interval since the last read allows.

    Not before such a clip can be ready: that would only spend a request. And rarely where the
    provider has confirmed the task's callback address to this process: it will announce the end.
    """
    if task.status not in POLLED:
        return
    now = context.clock()
    began = min(task.submitted_at or task.created_at, now)  # not under a clock that was ahead
    last = min(task.polled_at or began, now)
    times = context.render_times
    first = earliest_ready(await times.recent(task), times.published(task)) or 0.0
    interval = context.settings.poll_seconds
    if task.task_id in context.callback_confirmed:
        interval = callback_poll_seconds(interval)
    await poll_at(context, task, max(now, last + interval, began + first))


async def poll_at(context: Context, task: Task, at: float) -> None:
    """Read this task's status at that time; sooner than planned, never later."""
    if task.status in POLLED and at < task.due_at:
        now = context.clock()
        await context.store.change(task.task_id, {"due_at": at}, now=now, status_in=POLLED)
        context.wakeup.notify()


async def expedite_overdue_poll(context: Context, task: Task) -> None:
    """Somebody waits: poll although the next read was planned late because of a callback.

    The callback may go to another process, which may be gone.
    """
    if task.callback_token:
        with suppress(JournalError):
            await expedite_poll(context, task)
