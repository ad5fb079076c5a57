"""Having a finished clip on disk, and a copy of it where the caller wants one."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path

import anyio

from hailuo_mcp.domain import Status, Task
from hailuo_mcp.studio.desk import Desk
from hailuo_mcp.studio.finding import known
from hailuo_mcp.studio.waiting import wait
from hailuo_mcp.views import Progress, Saved


async def download(
    desk: Desk,
    task_id: str,
    *,
    caller: str,
    output_path: str,
    overwrite: bool,
    wait_seconds: float,
    on_progress: Progress | None = None,
) -> Saved:
    """Have the clip on disk, and a copy where the caller asks for one. Costs nothing."""
    task = await known(desk, task_id, caller)
    target = None
    if output_path:  # refused before anything is fetched for it
        name = Path(task.file).name if task.file else f"{task.task_id}.mp4"
        target = desk.folders.target(output_path, default_name=name)
    if task.file and not await anyio.Path(task.file).exists():
        task = await _set(desk, task, file="", sha256="", bytes=None) or task
    deadline = time.monotonic() + wait_seconds
    if task.status is Status.SUCCEEDED and not task.saved:
        task = await _ask_for(desk, task)
    view = await wait(desk, task, wait_seconds, on_progress, until_saved=True)
    ready = view.task.status is Status.SUCCEEDED and not view.task.saved
    if ready and not view.task.due_at and not view.task.save_error:
        # It became ready while the caller waited, and nobody saves it unasked.
        task = await _ask_for(desk, view.task)
        left = deadline - time.monotonic()
        view = await wait(desk, task, left, on_progress, until_saved=True)
    task = view.task
    if not task.saved:
        saving = task.status is Status.SUCCEEDED and not task.save_error
        return Saved(view=view, status="saving" if saving else "not_ready", url=task.url)
    saved = Saved(
        view=view,
        status="saved",
        file=task.file,
        bytes=task.bytes,
        sha256=task.sha256,
        width=task.width,
        height=task.height,
        seconds=task.seconds,
    )
    if target is None or target == Path(task.file):
        return saved
    from hailuo_mcp.files.clip_file import copy_clip

    if target.name == f"{task.task_id}.mp4":
        target = target.with_name(Path(task.file).name)
    copied = await copy_clip(Path(task.file), target, overwrite=overwrite)
    return replace(saved, file=str(copied.path))


async def _ask_for(desk: Desk, task: Task) -> Task:
    """Have the worker save it now, whatever came of earlier tries.

    They stay counted: who asks again and again makes the pauses in between no shorter.
    """
    changed = await _set(desk, task, due_at=desk.clock(), save_error="")
    desk.wake(None)
    return changed or task


async def _set(desk: Desk, task: Task, **values: object) -> Task | None:
    return await desk.journal.change(task.task_id, values, now=desk.clock())
