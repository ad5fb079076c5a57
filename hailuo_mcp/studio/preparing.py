"""Check and price a request for a caller, who may be on another computer."""

from __future__ import annotations

from collections.abc import Collection
from functools import partial

from hailuo_mcp.client import Prepared
from hailuo_mcp.domain import IMAGE_FIELDS, AnyRequest, TemplateRequest, UpgradeRequest
from hailuo_mcp.errors import Do, InvalidRequestError, Step
from hailuo_mcp.studio.clip_frames import clip_frame
from hailuo_mcp.studio.context import Context, Uploads


async def prepare(
    context: Context,
    request: AnyRequest,
    *,
    caller: str,
    local: bool,
    promised: Collection[str] = (),
) -> Prepared:
    """Open the pictures, check and price; a remote caller learns how to upload a picture.

    `promised`: arguments whose pictures do not exist yet; they will be valid.
    """
    uploads = context.remote.uploads
    try:
        find = uploads.find if uploads else None
        frame = partial(clip_frame, context, caller)
        return await context.client.prepare(
            request, local=local, upload=find, frame=frame, promised=promised
        )
    except InvalidRequestError as exc:
        if local or not uploads or not await _has_pictures_to_upload(request, uploads):
            raise
        invitation = Step(Do.TRY, uploads.invitation().removesuffix("."))
        raise InvalidRequestError(exc.what, *exc.then, invitation) from None


async def _has_pictures_to_upload(request: AnyRequest, uploads: Uploads) -> bool:
    """Whether a picture is on a remote caller's computer, so that it must be uploaded."""
    if isinstance(request, UpgradeRequest):
        return False
    if isinstance(request, TemplateRequest):
        given = list(request.media_inputs)
    else:
        given = [getattr(request, name) for name in IMAGE_FIELDS]
    for text in given:
        if text.startswith("upload:"):
            if await uploads.find(text[7:]) is None:
                return True
        elif text and not text.lower().startswith(("data:", "https://", "http://", "task:")):
            return True
    return False
