"""A saved clip for a page: its bytes, a part at a time, and its poster."""

from __future__ import annotations

import stat
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from anyio.to_thread import run_sync

from hailuo_mcp.domain.film import Film
from hailuo_mcp.domain.task import Task
from hailuo_mcp.errors import ConfigError, Do, HailuoError, InvalidRequestError, Step
from hailuo_mcp.files.sources import decode_in_thread
from hailuo_mcp.files.storage import Storage, on_this_disk
from hailuo_mcp.media.opening import UnreadableClipError, need_av
from hailuo_mcp.studio.context import Context
from hailuo_mcp.studio.film_views import find_film
from hailuo_mcp.text import LONGEST_ID

POSTER_WIDTH = 640
_MOST_POSTERS = 200
"""Kept in memory: some ten megabytes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """Bytes of a file from `offset` on."""

    data: bytes
    mime: str
    offset: int
    total: int
    """Bytes of the whole."""


@cache
def makes_posters() -> bool:
    """Whether the media extra is installed."""
    try:
        need_av()
    except ConfigError:
        return False
    return True


async def clip_part(
    context: Context, some_id: str, *, caller: str = "", offset: int = 0, most: int
) -> Part:
    """At most so many bytes of the caller's saved clip or film.

    Raises:
        TaskNotFoundError: it is unknown, or another caller's. The provider is not asked.
        InvalidRequestError: it has no file, or not so many bytes.
        HailuoError: the file cannot be read now.
    """
    made = await _saved(context, some_id, caller)
    storage, known = context.storage_of(made.caller), _id_of(made)
    try:
        data, total = await _read(storage, made.file, offset, most)
    except OSError:
        raise _gone(known) from None
    if offset > total:
        raise InvalidRequestError(
            f"The file of {known} has {total} bytes, and none from byte {offset} on.",
            Step(Do.TRY, "begin at 0 again: it may have been saved anew"),
            task_id=known,
        )
    return Part(data=data, mime="video/mp4", offset=offset, total=total)


async def clip_poster(context: Context, some_id: str, *, caller: str = "") -> Part:
    """The first picture of the caller's saved clip or film that is not black, as a small JPEG.

    Raises:
        ConfigError: the media extra is not installed.
        HailuoError: as clip_part; or no picture can be read from it.
    """
    made = await _saved(context, some_id, caller)
    known = _id_of(made)
    key = (known, made.file)
    jpeg = context.posters.pop(key, b"")
    if not jpeg:
        jpeg = await _poster(context.storage_of(made.caller), made.file, known)
    context.posters[key] = jpeg  # now the youngest
    while len(context.posters) > _MOST_POSTERS:
        del context.posters[next(iter(context.posters))]
    return Part(data=jpeg, mime="image/jpeg", offset=0, total=len(jpeg))


async def _poster(storage: Storage, file: str, known: str) -> bytes:
    from hailuo_mcp.media.film import poster

    try:
        async with on_this_disk(storage, file) as path:
            return await decode_in_thread(lambda: poster(_regular(path), width=POSTER_WIDTH))
    except UnreadableClipError as why:
        raise InvalidRequestError(
            f"The file of {known} cannot be opened, because {why}.",
            Step(Do.DOWNLOAD, known),
            task_id=known,
        ) from None
    except OSError:
        raise _gone(known) from None


async def _saved(context: Context, some_id: str, caller: str) -> Task | Film:
    made = await find_made(context, some_id, caller)
    if made is None:
        raise unknown(context, some_id, caller)
    if not made.file:
        known = _id_of(made)
        raise InvalidRequestError(f"{known} has no file yet.", Step(Do.QUERY, known), task_id=known)
    return made


async def find_made(context: Context, some_id: str, caller: str) -> Task | Film | None:
    """The caller's task or film in the journal, by any of its ids."""
    some_id = some_id.strip()
    if not some_id or len(some_id) > LONGEST_ID:
        return None
    return await context.store.find(some_id, caller=caller) or await find_film(
        context, some_id, caller
    )


def unknown(context: Context, some_id: str, caller: str) -> HailuoError:
    """The error about an id that is nobody's, or another caller's.

    Raises:
        RateLimitError: the caller has asked for too many of them.
    """
    if caller:
        context.lookup_limit.count(caller, now=context.clock())
    return context.unknown_task(some_id)


def _id_of(made: Task | Film) -> str:
    return made.film_id if isinstance(made, Film) else made.task_id


async def _read(storage: Storage, file: str, offset: int, most: int) -> tuple[bytes, int]:
    """The bytes, and how many there are in all; nothing beyond the end. Raises OSError."""
    path = storage.local_path(file)
    if path is not None:
        return await run_sync(_read_path, path, offset, most)
    clip = await storage.find(file)
    if clip is None:
        raise FileNotFoundError(file)
    end = min(offset + most, clip.bytes)
    if offset >= end:
        return b"", clip.bytes
    return b"".join([block async for block in storage.read(clip, offset, end)]), clip.bytes


def _read_path(path: Path, offset: int, most: int) -> tuple[bytes, int]:
    total = _regular(path).stat().st_size
    if offset >= total:
        return b"", total
    with path.open("rb") as file:
        file.seek(offset)
        return file.read(most), total


def _regular(path: Path) -> Path:
    """Refuse what somebody has put in the clip's place, such as a link to another file."""
    if not stat.S_ISREG(path.lstat().st_mode):
        raise FileNotFoundError(path)
    return path


def _gone(known: str) -> HailuoError:
    return InvalidRequestError(
        f"The file of {known} is gone: it was moved or deleted.",
        Step(Do.DOWNLOAD, known),
        task_id=known,
    )
