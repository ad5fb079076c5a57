"""Waiting for a task: until its file is on disk, or nothing more can come."""

from __future__ import annotations

import random
import time
from collections.abc import Sequence
from contextlib import suppress

from hailuo_mcp.domain import POLLED, Status, Task
from hailuo_mcp.errors import JournalError
from hailuo_mcp.journal.store import RenderTime
from hailuo_mcp.studio.desk import ENOUGH, Desk
from hailuo_mcp.views import Progress, View

TICK_SECONDS = 1.0
"""How often a waiting caller hears how it goes."""
LOOK_SECONDS = 5.0
"""How often they look though nobody has told of a change; a hundred who wait would keep the journal
busy with more."""


async def reread(desk: Desk, task: Task) -> Task:
    try:
        return await desk.journal.find(task.task_id) or task
    except JournalError:
        return task  # what is known is still true enough to answer with


async def wait(
    desk: Desk,
    task: Task,
    seconds: float,
    on_progress: Progress | None = None,
    *,
    reused: bool = False,
    until_saved: bool = False,
) -> View:
    """The task as it stands when it has ended or the time is up."""
    deadline = time.monotonic() + seconds
    looked, news = time.monotonic(), -1  # what happened since the caller read it is not known
    view = await desk.view(task, reused=reused)
    while not desk.changes.closing and (left := deadline - time.monotonic()) > 0:
        asked_to_save = until_saved and view.task.status is Status.SUCCEEDED
        if view.saved_or_given_up if asked_to_save else view.settled:
            break
        if on_progress:
            await on_progress(view)
        # Not all at the same moment: those who began to wait together would be told in one burst.
        pause = TICK_SECONDS * random.uniform(0.8, 1.2)  # noqa: S311  # spreads, guards nothing
        await desk.changes.wait((task.task_id,), min(left, pause))
        if desk.changes.told != news or time.monotonic() - looked >= LOOK_SECONDS:
            looked, news = time.monotonic(), desk.changes.told
            task = await reread(desk, task)
            await insist(desk, task)
        view = await desk.view(task, reused=reused)
    return view


def told_seconds(poll_seconds: float) -> float:
    """The interval of a task whose provider tells: asked only in case it forgets to."""
    return max(60.0, 3 * poll_seconds)


def soonest(render_times: Sequence[RenderTime], usual: float) -> float | None:
    """The age at which such a clip is first asked about; None where too few were seen.

    What was done at its first read was never seen undone: it may be much faster than known, but
    hardly twice as fast, and if so, the next ones are asked about earlier still. Later than at the
    `usual` time of the catalogue it never is: a slow day must not hide the fast ones after it.
    """
    if len(render_times) < ENOUGH:
        return None
    learned = max(
        min(span.least for span in render_times), 0.5 * min(span.most for span in render_times)
    )
    return min(learned, usual)


async def nudge(desk: Desk, task: Task) -> None:
    """Somebody asks: read the status as soon as the interval since the last read allows.

    Not before one of its kind can be ready: that would only spend a request. Nor often where the
    provider was heard at the task's callback address, in this process: it will say so itself.
    """
    if task.status not in POLLED:
        return
    now = desk.clock()
    began = min(task.submitted_at or task.created_at, now)  # not under a clock that was ahead
    last = min(task.polled_at or began, now)
    first = soonest(await desk.render_times(task), desk.catalogued(task)) or 0.0
    told = task.task_id in desk.heard
    interval = told_seconds(desk.rules.poll_seconds) if told else desk.rules.poll_seconds
    at = max(now, last + interval, began + first)
    if at < task.due_at:
        await desk.journal.change(task.task_id, {"due_at": at}, now=now, status_in=POLLED)
        desk.wake(None)


async def insist(desk: Desk, task: Task) -> None:
    """Somebody waits: ask though the next read was planned late because the provider would tell.

    It may tell another process, which may be gone.
    """
    if task.callback_token:
        with suppress(JournalError):
            await nudge(desk, task)
