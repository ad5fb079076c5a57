"""Save a finished clip, with its sidecar."""

from __future__ import annotations

import logging
from dataclasses import replace
from pathlib import Path
from typing import Any

from hailuo_mcp.domain.remote import Link
from hailuo_mcp.domain.task import Task
from hailuo_mcp.errors import DownloadError, HailuoError
from hailuo_mcp.files.clip_file import SavedFile
from hailuo_mcp.files.download import CorruptClipError, save
from hailuo_mcp.files.name_pattern import name_pattern
from hailuo_mcp.files.naming import SIDECAR, sidecar_text
from hailuo_mcp.files.storage import Storage
from hailuo_mcp.studio.context import Context
from hailuo_mcp.telemetry.events import Event
from hailuo_mcp.worker.polling import record_step
from hailuo_mcp.worker.schedule import retry_save_after
from hailuo_mcp.worker.sidecar import clip_facts, clip_name_facts

_log = logging.getLogger(__name__)


async def save_clip(context: Context, task: Task) -> None:
    """Save the clip of a task whose lease this process holds, and record the outcome."""
    with context.step("download", task) as step:
        saved = await _save(context, task)
        step.note(bytes=saved.bytes if saved else None, error="" if saved else "download_failed")


async def _save(context: Context, task: Task) -> Task | None:
    name = name_pattern(context.settings.filename).fill(clip_name_facts(task))
    storage = context.storage_of(task.caller)
    asked = False

    async def link(fresh: bool) -> Link:  # noqa: FBT001  # the downloader's signature
        nonlocal asked
        again, asked = asked, True
        return await context.ask_link(task, fresh=fresh or again or task.tries > 0)

    async def download(target: Path) -> SavedFile:
        return await save(link, context.client.stream, target, task_id=task.task_id)

    began = context.clock()
    try:
        claim = sidecar_text(clip_facts(task))
        file, saved = await storage.save(name, download, task_id=task.task_id, claim=claim)
    except HailuoError as exc:
        await record_save_error(context, task, exc)
        return None
    context.remote.observe("download", context.clock() - began)
    values: dict[str, Any] = {
        "file": file,
        "bytes": saved.bytes,
        "sha256": saved.sha256,
        "width": saved.width or task.width,
        "height": saved.height or task.height,
        "seconds": saved.seconds,
        "saved_at": task.saved_at or context.clock(),
        "save_error": "",
        "tries": 0,
        "due_at": 0.0,
    }
    # Before the task counts as saved: from then on, its clip may be moved with what is beside it.
    await _describe(storage, replace(task, **values))
    done = await record_step(context, task, values)
    if done:
        context.report(Event.SAVED, done, bytes=done.bytes)
    return done


async def record_save_error(context: Context, task: Task, exc: HailuoError) -> None:
    ready_at = task.finished_at or task.created_at
    own = task.account == context.account
    values = save_error_values(context, exc, tries=task.tries + 1, ready_at=ready_at, own=own)
    context.report(Event.SAVE_FAILED, task, code=exc.code, tries=task.tries + 1)
    await record_step(context, task, {**values, "detail": exc.detail})


def save_error_values(
    context: Context, exc: HailuoError, *, tries: int, ready_at: float, own: bool = True
) -> dict[str, object]:
    """What is recorded when a clip or a film could not be saved `tries` times, in a row."""
    now, what = context.clock(), exc.what
    age, jitter = now - ready_at, context.chance()
    wait = retry_save_after(exc, tries=tries, age=age, own=own, jitter=jitter)
    if wait is None and isinstance(exc, CorruptClipError):
        what += f" {tries} tries have failed; it is not tried again automatically."
    return {"tries": tries, "save_error": what, "due_at": 0.0 if wait is None else now + wait}


async def _describe(storage: Storage, task: Task) -> None:
    """The sidecar is optional: without it, the clip still counts as saved."""
    try:
        await storage.put_beside(task.file, SIDECAR, sidecar_text(clip_facts(task)))
    except (OSError, DownloadError):
        _log.warning("the description of %s could not be written", task.task_id)
