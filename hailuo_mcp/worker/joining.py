"""Joins a film's saved clips to one file, with a poster and a sidecar."""

from __future__ import annotations

import logging
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TypeVar

import anyio
from anyio.from_thread import check_cancelled
from anyio.lowlevel import RunVar
from anyio.to_thread import run_sync

from hailuo_mcp.domain.film import Film
from hailuo_mcp.domain.task import Task
from hailuo_mcp.errors import ConfigError, Do, DownloadError, HailuoError, JournalError, Step
from hailuo_mcp.files import clip_file
from hailuo_mcp.files.clip_file import SavedFile
from hailuo_mcp.files.name_pattern import name_pattern
from hailuo_mcp.files.naming import POSTER, SIDECAR, needs_claim, numbered, sidecar_text
from hailuo_mcp.files.storage import Storage, on_this_disk
from hailuo_mcp.media import film as media
from hailuo_mcp.media.film_clips import BadClipError
from hailuo_mcp.media.opening import UnreadableClipError, need_av
from hailuo_mcp.studio.context import Context
from hailuo_mcp.studio.film_views import amount_of
from hailuo_mcp.telemetry.events import Event, tenant_name
from hailuo_mcp.telemetry.tracing import span
from hailuo_mcp.worker.saving import save_error_values
from hailuo_mcp.worker.sidecar import film_claim, film_facts, film_name_facts

_log = logging.getLogger(__name__)
_joiner = RunVar[anyio.CapacityLimiter]("hailuo_film_joiner")
_RELEASED: Mapping[str, object] = {"owner": "", "lease_until": 0.0}
_T = TypeVar("_T")


async def join_film(context: Context, film: Film, shots: Sequence[Task]) -> None:
    """Join the clips of these tasks, in order, and record the file or why it failed.

    All of them are saved. Nothing that was joined before is replaced: each revision has a name. If
    its file is already there, because a process was killed, that one is used.
    """
    tenant = tenant_name(film.caller)
    with span("join", film.traceparent, film_id=film.film_id, tenant=tenant) as step:
        try:
            file, saved = await _join(context, film, shots)
        except JournalError:
            raise
        except HailuoError as trouble:
            tries, ready_at = film.tries + 1, max(shot.updated_at for shot in shots)
            values = save_error_values(context, trouble, tries=tries, ready_at=ready_at)
            done, outcome = Event.JOIN_FAILED, {"code": trouble.code, "tries": tries}
            step.note(error=trouble.code)
        else:
            values = _saved_values(file, saved)
            done, outcome = Event.FILM_JOINED, {"bytes": saved.bytes}
            step.note(bytes=saved.bytes)
    await _record(context, film, values)
    context.report(done, None, film_id=film.film_id, tenant=tenant, **outcome)


def _saved_values(file: str, saved: SavedFile) -> dict[str, object]:
    return {
        "file": file,
        "bytes": saved.bytes,
        "sha256": saved.sha256,
        "width": saved.width,
        "height": saved.height,
        "seconds": saved.seconds,
        "save_error": "",
        "tries": 0,
        "due_at": 0.0,
    }


async def _record(context: Context, film: Film, values: Mapping[str, object]) -> None:
    kept = await context.store.change_film(
        film.film_id,
        {**values, **_RELEASED},
        now=context.clock(),
        held_by=context.owner,
        revision=film.revision,
    )
    if kept is None:  # made again meanwhile: that is due, and only this lease is in its way
        await context.store.change_film(
            film.film_id, _RELEASED, now=context.clock(), held_by=context.owner
        )
    context.changes.announce(film.film_id)


async def _join(context: Context, film: Film, shots: Sequence[Task]) -> tuple[str, SavedFile]:
    _need_av()
    storage = context.storage_of(film.caller)
    name = name_pattern(context.settings.filename).fill(film_name_facts(film))
    if not needs_claim(name, film.film_id):  # the others get the next free number
        name = numbered(name, film.revision)

    async def make(target: Path) -> SavedFile:
        return await _make(context, film, shots, target)

    claim = sidecar_text(film_claim(film))
    file, saved = await storage.save(name, make, task_id=film.film_id, claim=claim)
    amount = amount_of(await context.store.film_tasks(film.film_id))
    facts = film_facts(film, shots, saved, amount=amount, saved_at=context.clock())
    await _describe(storage, film, file, facts)
    return file, saved


def _need_av() -> None:
    try:
        need_av()
    except ConfigError as trouble:
        raise ConfigError(
            "The shots are saved as separate clips. They cannot be joined here, because PyAV is "
            'not installed: pip install "hailuo-mcp[media]" does that.',
            *trouble.then,
        ) from trouble


async def _make(context: Context, film: Film, shots: Sequence[Task], target: Path) -> SavedFile:
    """Write the film to `target`, whole or not at all; one that is there is used as it is."""
    find_existing = partial(clip_file.find_existing, target, film.film_id)
    if found := await run_sync(find_existing):
        return found
    async with clip_file.locked(target, sleep=anyio.sleep):
        if found := await run_sync(find_existing):
            return found
        part = target.with_name(target.name + ".part")
        try:
            async with _on_this_disk(context, shots) as clips:
                joined = await _in_thread(lambda: _write(clips, part, film, shots))
            ours = clip_file.is_our_placeholder(target, film.film_id)
            await run_sync(lambda: clip_file.put_in_place(part, target, overwrite=ours))
        finally:
            with anyio.CancelScope(shield=True):
                await run_sync(lambda: part.unlink(missing_ok=True))
        saved = await run_sync(clip_file.saved_file, target, None)
    return replace(saved, width=joined.width, height=joined.height, seconds=joined.seconds)


@asynccontextmanager
async def _on_this_disk(context: Context, shots: Sequence[Task]) -> AsyncGenerator[list[Path]]:
    async with AsyncExitStack() as stack:
        clips = list[Path]()
        for shot in shots:
            storage = context.storage_of(shot.caller)
            try:
                clips.append(await stack.enter_async_context(on_this_disk(storage, shot.file)))
            except FileNotFoundError as gone:
                raise _gone(storage, shot) from gone
        yield clips


def _gone(storage: Storage, shot: Task) -> DownloadError:
    local = storage.local_path(shot.file)
    trouble = DownloadError(
        f"The clip of shot {shot.shot} is no longer there: {shot.file}.",
        Step(Do.DOWNLOAD, shot.task_id),
    )
    trouble.retry = local is not None and not local.parent.is_dir()  # a disk that may come back
    return trouble


def _write(clips: list[Path], target: Path, film: Film, shots: Sequence[Task]) -> media.Joined:
    with clip_file.explained(target.parent):
        try:
            return media.join_clips(
                clips, target, transition=film.transition, check=check_cancelled
            )
        except BadClipError as trouble:
            number = shots[trouble.number - 1].shot
            raise _lasting(
                f"The clip of shot {number} cannot be joined: {trouble}.",
                f"make shot {number} again",
            ) from trouble
        except (media.WrongFilmError, UnreadableClipError) as trouble:
            raise _lasting(
                f"The clips could not be joined to a film: {trouble}. They are unchanged.",
                "use the clips of the shots",
            ) from trouble


def _lasting(what: str, how: str) -> DownloadError:
    """The same clips would give the same again."""
    trouble = DownloadError(what, Step(Do.TRY, how))
    trouble.retry = False
    return trouble


async def _in_thread(work: Callable[[], _T]) -> _T:
    """One at a time: encoding takes all processors that there are."""
    try:
        limiter = _joiner.get()
    except LookupError:
        limiter = anyio.CapacityLimiter(1)
        _joiner.set(limiter)
    return await run_sync(work, limiter=limiter)


async def _describe(storage: Storage, film: Film, file: str, facts: Mapping[str, object]) -> None:
    """Poster and sidecar are optional: without them, the film still counts as joined."""
    try:
        async with on_this_disk(storage, file) as path:
            picture = await _in_thread(lambda: media.poster(path))
        await storage.put_beside(file, POSTER, picture)
    except (OSError, HailuoError, UnreadableClipError):
        _log.warning("the poster of %s could not be written", film.film_id)
    try:
        await storage.put_beside(file, SIDECAR, sidecar_text(facts))
    except (OSError, HailuoError):
        _log.warning("the description of %s could not be written", film.film_id)
