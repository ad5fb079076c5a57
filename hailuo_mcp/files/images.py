"""Opens input pictures, made fit to be sent."""

import hashlib
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from hailuo_mcp.catalog.video_models import Limits, limits
from hailuo_mcp.domain.remote import Api
from hailuo_mcp.domain.requests import ImageFacts
from hailuo_mcp.errors import Do, InvalidRequestError, Step
from hailuo_mcp.files.folders import Folders
from hailuo_mcp.files.sources import (
    Fetch,
    Kind,
    Opened,
    Source,
    decode_in_thread,
    read_source,
    refused,
    task_in,
)
from hailuo_mcp.text import shown

PICTURE = Kind(
    noun="picture",
    # One above the provider's limit is encoded again.
    most_bytes=64_000_000,
    fetch_seconds=3.0,
    mime="image/png",
    in_base64=re.compile(r"(?:/9j/|iVBORw0KGgo|UklGR)[A-Za-z0-9+/_=\s-]{100,}"),
)
FRAMES = 'end it in "#first", "#last" or a moment such as "#2.5s"'
"""How a frame of a clip is named, as an imperative clause."""

_FRAME = re.compile(r"first|last|(?:[0-9]{1,5}(?:\.[0-9]{0,6})?|\.[0-9]{1,6}) ?s?", re.IGNORECASE)

Frame = Callable[[str, str], Awaitable[bytes]]
"""Gives a frame of a clip as a picture, by the task's id and "first", "last" or such as "2.5s"."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenedImage(Opened[ImageFacts]):
    """A picture that was opened and made fit."""

    changes: tuple[str, ...] = ()
    """What was done to it: clauses that follow "it was"."""


def most_bytes() -> int:
    """How large a picture may be that every API takes."""
    return min(limits(api).image_bytes for api in Api) - 1


def largest_taken() -> Limits:
    """The limits of the API that takes the largest pictures: for those whose model is not known."""
    return max((limits(api) for api in Api), key=lambda rules: rules.image_bytes)


async def open_image(
    source: str,
    *,
    folders: Folders | None,
    fetch: Fetch,
    upload: Callable[[str], Awaitable[bytes | None]] | None = None,
    frame: Frame | None = None,
    fit: str = "",
    rules: Limits | None = None,
) -> OpenedImage:
    """Return the picture that `source` names; raises InvalidRequestError.

    Without `folders` no path is read: the caller is on another computer. Without `frame` there are
    no clips. `fit` and `rules` are as in fit_picture.
    """

    async def of_clip(text: str) -> tuple[bytes, str]:
        task_id, moment = _frame_of(text)
        if frame is None:
            raise refused(
                f"{shown(text)!r} is a frame of a clip, and no clips are kept here",
                "save the frame as a picture, and give its path",
            )
        return await frame(task_id, moment), f"task:{task_id}#{moment}"

    async def uploaded(text: str) -> tuple[bytes, str]:
        found = await upload(text[7:]) if upload else None
        if found is None:
            raise refused(
                f"There is no uploaded picture {shown(text)!r}",
                "upload it again, and use its new id",
            )
        return found, ""

    named = {"task:": of_clip, "upload:": uploaded}
    read = await read_source(source, PICTURE, folders=folders, fetch=fetch, named=named)
    return await decode_in_thread(lambda: _inspect(read, fit, rules))


async def check_picture(name: str, data: bytes, rules: Limits) -> OpenedImage:
    """Look at the bytes themselves; raises InvalidRequestError, in which the picture has `name`."""
    return await decode_in_thread(lambda: _inspect(Source(name=name, data=data), "", rules))


def _frame_of(source: str) -> tuple[str, str]:
    """The task's id and the moment: "first", "last" or seconds such as "2.5s"."""
    task_id, moment = task_in(source, PICTURE, "task:, the task's id and #last")
    if not moment:
        raise refused(f"{shown(source)!r} does not say which frame of the clip is meant", FRAMES)
    if not _FRAME.fullmatch(moment):
        raise refused(f"{shown(source)!r} names no frame of the clip", FRAMES)
    return task_id, moment if moment in ("first", "last") else f"{moment.rstrip(' s')}s"


def _inspect(source: Source, fit: str, rules: Limits | None) -> OpenedImage:
    from hailuo_mcp.media.pictures import fit_picture

    if len(source.data) > PICTURE.most_bytes:
        most = f"{PICTURE.most_bytes // 10**6} MB"
        raise InvalidRequestError(
            f"{source.name} has more than {most}.", Step(Do.TRY, "make the picture smaller")
        )
    made = fit_picture(source.name, source.data, fit=fit, rules=rules)
    facts = ImageFacts(
        sha256=hashlib.sha256(made.data).hexdigest(),
        mime=made.mime,
        size=len(made.data),
        width=made.width,
        height=made.height,
    )
    # A provider would fetch the picture as it was.
    url = "" if made.changes else source.url
    return OpenedImage(
        facts=facts, data=made.data, url=url, origin=source.origin, changes=made.changes
    )
