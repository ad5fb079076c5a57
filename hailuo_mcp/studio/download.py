"""Deliver a finished clip: save it, copy it, or give a link."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path

import anyio

from hailuo_mcp.domain.remote import Link
from hailuo_mcp.domain.task import Status, Task
from hailuo_mcp.errors import HailuoError
from hailuo_mcp.studio.context import Context
from hailuo_mcp.studio.lookup import find_task
from hailuo_mcp.studio.moving import move, need_movable
from hailuo_mcp.studio.waiting import wait
from hailuo_mcp.views import Progress, Saved, View

LINK_SECONDS = 3.0
"""The longest wait for a link, for a caller who does not wait for the clip."""


async def download_clip(
    context: Context,
    task_id: str,
    *,
    caller: str = "",
    output_path: str = "",
    overwrite: bool = False,
    keep: bool = True,
    wait_seconds: float = 0,
    on_progress: Progress | None = None,
) -> Saved:
    """Save the clip, and copy it if the caller asks for that. Costs nothing.

    Without `keep`, the clip is moved to `output_path` in place of a copy.
    """
    task = await find_task(context, task_id, caller)
    target = _target(context, task, output_path, keep=keep)
    if task.file and not await context.storage.exists(task.file):
        task = await _change(context, task, file="", sha256="", bytes=None)
    deadline = time.monotonic() + wait_seconds
    if task.status is Status.SUCCEEDED and not task.saved:
        task = await _save_now(context, task)
    view = await wait(context, task, wait_seconds, on_progress, until_saved=True)
    ready = view.task.status is Status.SUCCEEDED and not view.task.saved
    if ready and not view.task.due_at and not view.task.save_error:
        # It became ready while the caller waited, and is not saved automatically.
        task = await _save_now(context, view.task)
        left = deadline - time.monotonic()
        view = await wait(context, task, left, on_progress, until_saved=True)
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
    if target is None or target == context.storage.local_path(task.file):
        return saved
    if target.name == f"{task.task_id}.mp4":
        target = target.with_name(Path(task.file).name)
    if keep:
        copied = await context.storage.copy(task.file, target, overwrite=overwrite)
        return replace(saved, file=str(copied.path))
    return await _move(context, saved, target, overwrite=overwrite)


def _target(context: Context, task: Task, output_path: str, *, keep: bool) -> Path | None:
    """Where the caller wants it; refused before anything is downloaded for it."""
    if not keep:
        need_movable(context)
    if not output_path:
        return None
    name = Path(task.file).name if task.file else f"{task.task_id}.mp4"
    return context.folders.target(output_path, default_name=name)


async def _move(context: Context, saved: Saved, target: Path, *, overwrite: bool) -> Saved:
    view, task = saved.view, saved.view.task

    async def record(file: str) -> Task | None:
        return await context.store.change(task.task_id, {"file": file}, now=context.clock())

    moved, note = await move(
        context, task.file, target, record, whose=task.task_id, overwrite=overwrite
    )
    notes = (*view.notes, note) if note else view.notes
    view = replace(view, task=moved or task, notes=notes)
    return replace(saved, view=view, file=view.task.file)


async def _save_now(context: Context, task: Task) -> Task:
    """Have the worker save it now, despite earlier failures.

    Those still count: repeated calls do not shorten the pauses in between.
    """
    changed = await _change(context, task, due_at=context.clock(), save_error="")
    context.wakeup.notify()
    return changed


async def _change(context: Context, task: Task, **values: object) -> Task:
    return await context.store.change(task.task_id, values, now=context.clock()) or task


async def with_link(context: Context, view: View) -> View:
    """The view with a working link, if the clip is not on this disk and will not be soon.

    The provider is asked only if no link is known; without an answer the view stays as it is.
    """
    task = view.task
    saving = view.auto_download and not task.save_error
    if task.status is not Status.SUCCEEDED or task.saved or saving:
        return view
    expired = task.url_expires_at is not None and task.url_expires_at <= view.now
    if task.account != context.account or (task.url and not expired):
        return view
    link: Link | None = None
    with anyio.move_on_after(LINK_SECONDS):
        try:
            link = await context.ask_link(task, fresh=True)
        except HailuoError:
            return view  # the message says how to save it; asking again is free
    if link is None or link.authorised:  # such a path needs the key
        return view
    values = {"url": link.url, "url_expires_at": link.expires_at}
    kept = await context.store.change(
        task.task_id, values, now=context.clock(), status_in=(Status.SUCCEEDED,)
    )
    return replace(view, task=kept or task)
