"""A clip that was made here as an input: task:<id>, and a frame of it as task:<id>#last."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import NoReturn

from hailuo_mcp.domain.film import Film
from hailuo_mcp.domain.task import Status, Task
from hailuo_mcp.errors import Do, DownloadError, InvalidRequestError, Step
from hailuo_mcp.files.images import most_bytes
from hailuo_mcp.files.sources import decode_in_thread
from hailuo_mcp.files.storage import on_this_disk
from hailuo_mcp.media.frames import Frame, first_frame, frame_at, last_frame, picture_bytes
from hailuo_mcp.media.opening import UnreadableClipError
from hailuo_mcp.studio.context import Context
from hailuo_mcp.text import shown

_FILM = "f"
"""What the id of a film begins with."""


async def clip_frame(context: Context, caller: str, some_id: str, moment: str) -> bytes:
    """Return the frame of the caller's saved clip or film: "first", "last" or such as "2.5s".

    The provider is not asked: what only it knows has no file here.

    Raises:
        InvalidRequestError: there is no such clip or frame.
        RateLimitError: the caller has asked for too many unknown ids.
        ConfigError: PyAV is not installed.
    """
    async with _file(context, caller, some_id, "has no frames") as (made, path):
        frame = await decode_in_thread(lambda: _frame(path, moment))
        if frame.past_end:
            raise _past_end(shown(some_id), moment, made.seconds or frame.at)
        return await decode_in_thread(lambda: picture_bytes(frame, most_bytes=most_bytes()))


async def saved_clip(context: Context, caller: str, some_id: str, most: int) -> bytes:
    """Return the caller's saved clip or film; raises as clip_frame."""
    async with _file(context, caller, some_id, "cannot be a reference") as (_, path):
        data = await decode_in_thread(lambda: _read(path, most + 1))
    if len(data) > most:
        raise _refused(
            f"The clip of {shown(some_id)} has more than {most // 10**6} MB",
            "use a smaller clip",
        )
    return data


@asynccontextmanager
async def _file(
    context: Context, caller: str, some_id: str, unsaved: str
) -> AsyncGenerator[tuple[Task | Film, Path]]:
    """The saved clip and its file on this computer; `unsaved`: what follows if it has none."""
    made = await _find(context, caller, some_id)
    if not made.file:
        _refuse_unsaved(made, some_id, unsaved)
    name = shown(some_id)
    try:
        async with on_this_disk(context.storage_of(made.caller), made.file) as path:
            yield made, path
    except UnreadableClipError as why:
        raise _refused(
            f"The clip of {name} cannot be opened, because {why}", "use another clip or a picture"
        ) from None
    except (OSError, DownloadError):
        raise _refused(
            f"The clip of {name} is no longer where it was saved, or cannot be read",
            "save it again, or use another clip or a picture",
        ) from None


def _read(path: Path, most: int) -> bytes:
    with path.open("rb") as file:
        return file.read(most)


async def _find(context: Context, caller: str, some_id: str) -> Task | Film:
    found: Task | Film | None = await context.store.find(some_id, caller=caller)
    if found is None and some_id.startswith(_FILM):
        found = await context.store.find_film(some_id, caller=caller)
    if found is not None:
        return found
    if caller:
        context.lookup_limit.count(caller, now=context.clock())
    raise InvalidRequestError(
        f"There is no task {shown(some_id)!r} in the journal.", Step(Do.LIST_TASKS)
    )


def _refuse_unsaved(made: Task | Film, some_id: str, unsaved: str) -> NoReturn:
    name = shown(some_id)
    if isinstance(made, Film):
        raise InvalidRequestError(
            f"The film {name} is not joined yet, so it {unsaved}.", Step(Do.QUERY, some_id)
        )
    if made.status is Status.SUCCEEDED:
        raise InvalidRequestError(
            f"The clip of {name} is not saved yet, so it {unsaved} here.",
            Step(Do.DOWNLOAD, some_id),
        )
    if made.status.is_final:
        ended = "failed" if made.status is Status.FAILED else "was cancelled"
        raise InvalidRequestError(f"The task {name} {ended} and has no clip.", Step(Do.LIST_TASKS))
    raise InvalidRequestError(
        f"The task {name} is {made.status}, so it {unsaved} yet.", Step(Do.QUERY, some_id)
    )


def _frame(path: Path, moment: str) -> Frame:
    if moment == "first":
        return first_frame(path)
    return last_frame(path) if moment == "last" else frame_at(path, float(moment.removesuffix("s")))


def _past_end(name: str, moment: str, seconds: float) -> InvalidRequestError:
    return _refused(
        f"The clip of {name} is {seconds:g} s long and shows nothing at {moment}",
        'choose an earlier moment, or end it in "#last"',
    )


def _refused(what: str, how: str) -> InvalidRequestError:
    return InvalidRequestError(f"{what}.", Step(Do.TRY, how))
