"""Check and price a request for a caller, who may be on another computer."""

from __future__ import annotations

from collections.abc import Collection
from functools import partial

from hailuo_mcp.client import Prepared
from hailuo_mcp.domain.requests import (
    IMAGE_FIELDS,
    PROVIDER_FILE,
    AnyRequest,
    TemplateRequest,
    VideoRequest,
)
from hailuo_mcp.errors import Do, InvalidRequestError, Step
from hailuo_mcp.studio.clip_frames import clip_frame, saved_clip
from hailuo_mcp.studio.context import Context
from hailuo_mcp.studio.reader import Uploads

_ELSEWHERE = ("data:", "https://", "http://", "task:", PROVIDER_FILE)
"""What begins the name of a picture that is not a file of the caller's computer."""


async def prepare(
    context: Context,
    request: AnyRequest,
    *,
    caller: str,
    local: bool,
    promised: Collection[str] = (),
) -> Prepared:
    """Open the pictures and references, check and price.

    A remote caller learns how to upload a picture.

    `promised`: arguments whose pictures do not exist yet; they will be valid.
    """
    uploads = context.remote.uploads
    try:
        find = uploads.find if uploads else None
        frame = partial(clip_frame, context, caller)
        return await context.client.prepare(
            request,
            local=local,
            upload=find,
            frame=frame,
            clip=partial(saved_clip, context, caller),
            promised=promised,
        )
    except InvalidRequestError as exc:
        if local or not uploads or not await _has_pictures_to_upload(request, uploads):
            raise
        invitation = Step(Do.TRY, uploads.invitation().removesuffix("."))
        raise InvalidRequestError(exc.what, *exc.then, invitation) from None


async def _has_pictures_to_upload(request: AnyRequest, uploads: Uploads) -> bool:
    """Whether a picture is on a remote caller's computer, so that it must be uploaded."""
    given = list[str]()
    if isinstance(request, TemplateRequest):
        given = list(request.media_inputs)
    elif isinstance(request, VideoRequest):
        given = [getattr(request, name) for name in IMAGE_FIELDS]
        given += request.reference_images
    for text in given:
        if text.startswith("upload:"):
            if await uploads.find(text[7:]) is None:
                return True
        elif text and not text.lower().startswith(_ELSEWHERE):
            return True
    return False
