"""Wait for a task until its file is on disk or it is final."""

from __future__ import annotations

import time
from contextlib import suppress

from hailuo_mcp.domain.task import POLLED, Status, Task
from hailuo_mcp.errors import JournalError
from hailuo_mcp.studio.context import Context
from hailuo_mcp.studio.timing import callback_poll_seconds, earliest_ready
from hailuo_mcp.views import Progress, View

TICK_SECONDS = 1.0
"""How often a waiting caller receives progress."""
LOOK_SECONDS = 5.0
"""How often the journal is read without an announced change; a hundred waiting callers would
overload it with more."""


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
    """Return the task when it has ended or the time is up."""
    deadline = time.monotonic() + seconds
    looked, seen = time.monotonic(), -1  # it may have changed since the caller read it
    view = await context.view(task, reused=reused)
    while not context.changes.closing and (left := deadline - time.monotonic()) > 0:
        asked_to_save = until_saved and view.task.status is Status.SUCCEEDED
        if view.saved_or_given_up if asked_to_save else view.settled:
            break
        if on_progress:
            await on_progress(view)
        # Jitter: callers who started together would all be notified in one burst.
        pause = TICK_SECONDS * (0.8 + 0.4 * context.chance())
        await context.changes.wait((task.task_id,), min(left, pause))
        if context.changes.count != seen or time.monotonic() - looked >= LOOK_SECONDS:
            looked, seen = time.monotonic(), context.changes.count
            task = await read_again(context, task)
            await expedite_overdue_poll(context, task)
        view = await context.view(task, reused=reused)
    return view


async def expedite_poll(context: Context, task: Task) -> None:
    """A caller asks: poll as soon as the interval since the last poll allows.

    Not before such a clip can be ready: that would waste a request. And rarely if the
    provider has used the task's callback address in this process: it will announce the end.
    """
    if task.status not in POLLED:
        return
    now = context.clock()
    began = min(task.submitted_at or task.created_at, now)  # not by a clock that was ahead
    last = min(task.polled_at or began, now)
    times = context.render_times
    first = earliest_ready(await times.recent(task), times.published(task)) or 0.0
    interval = context.settings.poll_seconds
    if task.task_id in context.callback_confirmed:
        interval = callback_poll_seconds(interval)
    await poll_at(context, task, max(now, last + interval, began + first))


async def poll_at(context: Context, task: Task, at: float) -> None:
    """Poll this task at that time; sooner than planned, never later."""
    if task.status in POLLED and at < task.due_at:
        now = context.clock()
        await context.store.change(task.task_id, {"due_at": at}, now=now, status_in=POLLED)
        context.wakeup.notify()


async def expedite_overdue_poll(context: Context, task: Task) -> None:
    """A caller waits: poll, although the next poll was planned late because of a callback.

    The callback may go to another process, which may have ended.
    """
    if task.callback_token:
        with suppress(JournalError):
            await expedite_poll(context, task)
