"""The second form of an upgrade: the saved clip itself, for accounts that may not name its id."""

from __future__ import annotations

import hashlib
from pathlib import Path

from anyio.to_thread import run_sync

from hailuo_mcp.catalog.video_models import api_of, limits
from hailuo_mcp.domain.requests import IMAGE_FIELDS, REFERENCE_FIELDS, UpgradeRequest, VideoRequest
from hailuo_mcp.domain.task import Task
from hailuo_mcp.errors import InvalidRequestError, JournalError
from hailuo_mcp.files.storage import on_this_disk
from hailuo_mcp.studio.context import Context
from hailuo_mcp.studio.request_record import request_from_json, upgrade_of, with_base_video

MOST_BYTES = 48_000_000
"""Of the clip: as text it is a third longer, and the whole request has a limit."""


async def record_with_clip(context: Context, task: Task) -> str:
    """The task's request with the saved clip of its source, whose bytes are kept to be sent.

    Raises:
        InvalidRequestError: that is not possible, so the upgrade cannot be bought.
        HailuoError: the clip cannot be read now; `retry` says whether to try again.
    """
    source = await context.store.find(upgrade_of(task.request))
    if source is None or not source.saved:
        raise _impossible("that clip is not saved here", "Save it")
    try:
        async with on_this_disk(context.storage_of(source.caller), source.file) as path:
            data = await run_sync(_read, path)
    except OSError:
        raise _impossible("its file is gone or cannot be read", "Download it again") from None
    if data is None:
        raise _impossible(f"it is larger than {MOST_BYTES // 1_000_000} MB", "")
    sha256 = await run_sync(lambda: hashlib.sha256(data).hexdigest())
    if sha256 != source.sha256:
        raise _impossible("its file was altered after it was saved", "Restore the file")
    await context.pictures.keep(sha256, data)
    record = with_base_video(task.request, sha256)
    await _need_sendable(context, record)
    return record


def _read(path: Path) -> bytes | None:
    """The clip's bytes; None if they are too many."""
    return path.read_bytes() if path.stat().st_size <= MOST_BYTES else None


async def _need_sendable(context: Context, record: str) -> None:
    """Raise unless all that the source was made from is kept, and fits into one request."""
    try:
        request = await request_from_json(record, context.pictures.data_url)
    except KeyError:
        raise _impossible("a picture that it was made from is no longer kept", "") from None
    except OSError:
        away = "The pictures of this request could not be read, so it was not sent."
        raise JournalError(away) from None
    if not isinstance(request, UpgradeRequest) or request.source is None:
        raise _impossible("it is not known what that clip was made from", "")
    known = limits(api_of(request.model)).references
    if known and _characters(request, request.source) > known.body_bytes:
        most = known.body_bytes // 1_000_000
        raise _impossible(f"with what it was made from it is larger than {most} MB", "")


def _characters(request: UpgradeRequest, source: VideoRequest) -> int:
    """About how long the request is as text."""
    several = (text for name in REFERENCE_FIELDS for text in getattr(source, name))
    single = (getattr(source, name) for name in IMAGE_FIELDS)
    return sum(map(len, (request.base_video, *single, *several))) + 2 * len(source.prompt.encode())


def _impossible(why: str, remedy: str) -> InvalidRequestError:
    remedy = f"{remedy} and upgrade it again" if remedy else "Make the clip at 2K directly"
    return InvalidRequestError(
        "This account may not name the clip to upgrade by its id, so the clip itself has to be "
        f"sent, but {why}. {remedy}."
    )
