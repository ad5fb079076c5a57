"""What moves a film on: start the next shot, stop what a failure makes impossible, join."""

from __future__ import annotations

import tempfile
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

from anyio.to_thread import run_sync

from hailuo_mcp.domain import Film, Status, Task
from hailuo_mcp.errors import ConfigError, Do, HailuoError, InvalidRequestError, JournalError, Step
from hailuo_mcp.files.images import OpenedImage, check_picture, decode_in_thread, most_bytes
from hailuo_mcp.media import frames
from hailuo_mcp.media.opening import UnreadableClipError
from hailuo_mcp.studio.context import Context
from hailuo_mcp.studio.film_views import newest_takes
from hailuo_mcp.studio.request_record import with_picture
from hailuo_mcp.telemetry.events import Event
from hailuo_mcp.worker.joining import join_film
from hailuo_mcp.worker.schedule import retry_save_after

_RELEASED: Mapping[str, object] = {"owner": "", "lease_until": 0.0}


class _NoFrameError(Exception):
    """The clip of the shot before has no last frame, and never will; the text says why."""


async def advance(context: Context, film: Film) -> None:
    """Do what is due for a film whose lease this process holds. Repeatable at any point.

    Each step is one compare-and-set on a task that was never sent, and the film stays due until
    all steps are done: what a killed process leaves, the next one does, and nothing twice.
    """
    tasks = await context.store.film_tasks(film.film_id)
    by_id = {task.task_id: task for task in tasks}
    # In their order: a shot that is stopped here stops those that follow from it.
    for task in tasks:
        if not task.waits:
            continue
        before = by_id.get(task.after)
        try:
            changed = await _next_step(context, task, before)
        except JournalError:
            raise  # repeated when the lease has run out
        except HailuoError as trouble:
            pause = _pause(context, film, before or task, trouble)
            if pause is not None:
                await _try_later(context, film, trouble, pause)
                return
            changed = await _stop(context, task, trouble.what)
        by_id[task.task_id] = changed or task
    shots = [by_id[task.task_id] for task in newest_takes(tasks).values()]
    if shots and all(shot.status is Status.SUCCEEDED and shot.saved for shot in shots):
        await join_film(context, film, shots)
    else:
        await _record(context, film, {"due_at": 0.0, "tries": 0, "save_error": ""})


async def _next_step(context: Context, task: Task, before: Task | None) -> Task | None:
    """Start a waiting shot, or cancel it; None while the shot before may still come."""
    if before is None:
        return await _stop(context, task, "The shot before it is missing in the journal")
    match before.status:
        case Status.FAILED:
            return await _stop(context, task, f"Shot {before.shot} failed")
        case Status.CANCELLED:
            return await _stop(context, task, f"Shot {before.shot} was cancelled")
        case Status.SUCCEEDED if before.saved:
            try:
                picture = await _last_frame(context, before)
            except _NoFrameError as why:
                return await _stop(context, task, f"The clip of shot {before.shot} {why}")
            return await _start(context, task, before, picture)
        case Status.SUCCEEDED if not before.due_at:
            return await _stop(context, task, f"The clip of shot {before.shot} could not be saved")
        case _:
            return None


async def _start(context: Context, task: Task, before: Task, picture: OpenedImage) -> Task | None:
    """Give a shot its first frame, which makes it a task like any other that waits for its turn."""
    await context.pictures.keep(picture.facts.sha256, picture.data)
    source = f"task:{before.task_id}#last"
    values: dict[str, object] = {
        "request": with_picture(task.request, "first_frame_image", picture, source=source),
        "due_at": context.clock(),
    }
    if task.account == context.account:  # another key's shots are for its own processes to send
        values["owner"] = context.owner
    return await _change(context, Event.SHOT_STARTED, task, values)


async def _stop(context: Context, task: Task, why: str) -> Task | None:
    """Cancel a shot that was never sent, free."""
    values = {
        "status": Status.CANCELLED,
        "due_at": 0.0,
        "error": f"{why.removesuffix('.')}, and this one starts from its last frame.",
        "error_kind": "",
        "error_code": "",
    }
    return await _change(context, Event.SHOT_STOPPED, task, values)


async def _change(
    context: Context, event: Event, task: Task, values: Mapping[str, object]
) -> Task | None:
    changed = await context.store.change(
        task.task_id,
        values,
        now=context.clock(),
        status_in=(Status.PENDING,),
        attempt=0,
    )
    if changed is not None:
        context.report(event, changed)
        context.changes.announce(changed.task_id)
    return changed


async def _last_frame(context: Context, shot: Task) -> OpenedImage:
    """The picture that the next shot starts from.

    Raises:
        _NoFrameError: there is none, and trying again would not help.
        HailuoError: it cannot be read now.
    """
    async with _on_disk(context, shot) as path:
        try:
            data = await decode_in_thread(
                lambda: frames.picture_bytes(frames.last_frame(path), most_bytes=most_bytes())
            )
        except UnreadableClipError as why:
            raise _NoFrameError(f"cannot be read ({why})") from why
        except FileNotFoundError as gone:
            raise _NoFrameError("no longer exists") from gone
        except OSError as trouble:
            raise _away(f"The clip of shot {shot.shot} cannot be read now.") from trouble
    from hailuo_mcp.rules.images import image_problems

    try:
        picture = await check_picture("The frame", data)
    except InvalidRequestError as refused:
        raise _NoFrameError(f"ends with a frame that cannot be used ({refused.what})") from refused
    if problems := image_problems("it", picture.facts):
        raise _NoFrameError(f"ends with a frame that cannot be used ({'; '.join(problems)})")
    return picture


@asynccontextmanager
async def _on_disk(context: Context, shot: Task) -> AsyncGenerator[Path]:
    """The clip as a file of this computer; one in a bucket is copied for that long."""
    storage = context.storage_of(shot.caller)
    if not await storage.exists(shot.file):
        local = storage.local_path(shot.file)
        if local is not None and not await run_sync(local.parent.is_dir):
            raise _away(f"The folder of shot {shot.shot}'s clip cannot be reached.")
        raise _NoFrameError("no longer exists")
    if local := storage.local_path(shot.file):
        yield local
        return
    with tempfile.TemporaryDirectory(prefix="hailuo-mcp-") as folder:
        copied = await storage.copy(shot.file, Path(folder) / "clip.mp4", overwrite=True)
        yield copied.path


def _away(what: str) -> ConfigError:
    return ConfigError(what, Step(Do.CHECK, "HAILUO_OUTPUT_DIR"))


def _pause(context: Context, film: Film, before: Task, trouble: HailuoError) -> float | None:
    """Seconds until it is tried again; None: not any more."""
    return retry_save_after(
        trouble,
        tries=film.tries + 1,
        age=context.clock() - (before.finished_at or before.created_at),
        own=True,
        jitter=context.chance(),
    )


async def _try_later(context: Context, film: Film, trouble: HailuoError, pause: float) -> None:
    context.report(Event.FILM_DELAYED, film_id=film.film_id, code=trouble.code)
    values = {"tries": film.tries + 1, "save_error": trouble.what}
    await _record(context, film, {**values, "due_at": context.clock() + pause})


async def _record(context: Context, film: Film, values: Mapping[str, object]) -> None:
    """Record what became due, and give the film back."""
    await context.store.change_film(
        film.film_id,
        {**values, **_RELEASED},
        now=context.clock(),
        held_by=context.owner,
    )
    context.changes.announce(film.film_id)
