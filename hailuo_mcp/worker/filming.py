"""What moves a film on: start the next shot, stop what a failure makes impossible, join."""

from __future__ import annotations

from collections.abc import Mapping

from anyio.to_thread import run_sync

from hailuo_mcp.catalog.video_models import Limits, api_of, limits
from hailuo_mcp.domain.film import Film
from hailuo_mcp.domain.task import Status, Task
from hailuo_mcp.errors import (
    Do,
    DownloadError,
    HailuoError,
    InvalidRequestError,
    JournalError,
    Step,
)
from hailuo_mcp.files.images import OpenedImage, check_picture
from hailuo_mcp.files.sources import decode_in_thread
from hailuo_mcp.files.storage import on_this_disk
from hailuo_mcp.journal.facts import PLAN_SECONDS
from hailuo_mcp.media import frames
from hailuo_mcp.media.opening import UnreadableClipError
from hailuo_mcp.studio.context import Context
from hailuo_mcp.studio.film_views import newest_takes
from hailuo_mcp.studio.request_record import with_picture
from hailuo_mcp.telemetry.events import Event, tenant_name
from hailuo_mcp.worker.joining import join_film
from hailuo_mcp.worker.saving import save_error_values

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
            if await _tries_later(context, film, before or task, trouble):
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
    why = _why_not(before)
    if why:
        return await _stop(context, task, why)
    if before is None or not before.saved:
        return None
    try:
        picture = await _last_frame(context, before, limits(api_of(task.model)))
    except _NoFrameError as lost:
        return await _stop(context, task, f"The clip of shot {before.shot} {lost}")
    return await _start(context, task, before, picture)


def _why_not(before: Task | None) -> str:
    """Why there will be no clip to start from; empty if there is one, or may be."""
    if before is None:
        return "The shot before it is missing in the journal"
    match before.status:
        case Status.FAILED:
            return f"Shot {before.shot} failed"
        case Status.CANCELLED:
            return f"Shot {before.shot} was cancelled"
        case Status.SUCCEEDED if not before.saved and not before.due_at:
            return f"The clip of shot {before.shot} could not be saved"
        case _:
            return ""


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


async def _last_frame(context: Context, shot: Task, rules: Limits) -> OpenedImage:
    """The picture that the next shot starts from; `rules` are those of its model.

    Raises:
        _NoFrameError: there is none, and trying again would not help.
        HailuoError: it cannot be read now.
    """
    try:
        async with on_this_disk(context.storage_of(shot.caller), shot.file) as path:
            most = rules.image_bytes - 1
            data = await decode_in_thread(
                lambda: frames.picture_bytes(frames.last_frame(path), most_bytes=most)
            )
    except UnreadableClipError as why:
        raise _NoFrameError(f"cannot be read ({why})") from why
    except FileNotFoundError as gone:
        raise await run_sync(_gone, context, shot) from gone
    except OSError as trouble:
        raise _away(f"The clip of shot {shot.shot} cannot be read now.") from trouble
    from hailuo_mcp.rules.images import image_problems, size_problems

    try:
        picture = await check_picture("The frame", data, rules)
    except InvalidRequestError as refused:
        raise _NoFrameError(f"ends with a frame that cannot be used ({refused.what})") from refused
    facts = picture.facts
    if problems := image_problems("it", facts, rules) + size_problems("it", facts, rules):
        raise _NoFrameError(f"ends with a frame that cannot be used ({'; '.join(problems)})")
    return picture


def _gone(context: Context, shot: Task) -> Exception:
    """A clip that is not there: deleted, or on a disk that may come back."""
    local = context.storage_of(shot.caller).local_path(shot.file)
    if local is None or local.parent.is_dir():
        return _NoFrameError("no longer exists")
    return _away(f"The folder of the clip of shot {shot.shot} cannot be reached.")


def _away(what: str) -> DownloadError:
    return DownloadError(what, Step(Do.CHECK, "HAILUO_OUTPUT_DIR"))


async def _tries_later(context: Context, film: Film, before: Task, trouble: HailuoError) -> bool:
    """Have it tried again after a pause; False if that was tried often or long enough.

    What waits for a day is not sent any more, as if no process had been there.
    """
    made_at = film.made_at or film.created_at
    ready_at = before.finished_at or before.created_at
    values = save_error_values(context, trouble, tries=film.tries + 1, ready_at=ready_at)
    if not values["due_at"] or context.clock() - made_at > PLAN_SECONDS:
        return False
    tenant = tenant_name(film.caller)
    context.report(Event.FILM_DELAYED, film_id=film.film_id, code=trouble.code, tenant=tenant)
    await _record(context, film, values)
    return True


async def _record(context: Context, film: Film, values: Mapping[str, object]) -> None:
    """Record what became due, and give the film back."""
    await context.store.change_film(
        film.film_id,
        {**values, **_RELEASED},
        now=context.clock(),
        held_by=context.owner,
    )
    context.changes.announce(film.film_id)
