"""download_video: a finished clip on disk, where the person wants it."""

from __future__ import annotations

from pydantic import Field

from hailuo_mcp.errors import InvalidRequestError
from hailuo_mcp.server.calls import accept
from hailuo_mcp.server.context import Ctx
from hailuo_mcp.server.tools._reading import Arguments, Id
from hailuo_mcp.wording.shapes import SavedVideo
from hailuo_mcp.wording.tasks import saved_video


class DownloadVideo(Arguments):
    task_id: Id = Field(description="From generate_video or list_tasks, or the provider's own id.")
    output_path: str = Field(
        "",
        description="Copy the clip here as well: a file, or a folder that exists or ends in /; "
        "relative to the server's folder. Empty: only there.",
    )
    overwrite: bool = Field(default=False, description="Replace a file that is already there.")
    wait_seconds: float = Field(
        25, ge=0, description="Longest wait for the clip; 0 answers at once."
    )


async def download_video(wanted: DownloadVideo, ctx: Ctx) -> SavedVideo:
    """Put a finished clip on disk, or copy it elsewhere, and tell where it is. Free.

    Clips are saved on their own, so this is needed only to copy one to a place of the person's
    choice or to try again after a failed download. If it is not ready, call query_task first.
    """
    call = await accept(ctx)
    if wanted.output_path and not call.caller.local:
        raise InvalidRequestError(
            "output_path is a place on the server's own disk, which callers elsewhere cannot "
            "choose. Nothing was charged. Leave it out and fetch the clip from the url."
        )
    with call.waiting(wanted.wait_seconds, wanted.task_id) as seconds:
        saved = await call.studio.download(
            wanted.task_id,
            caller=call.caller.name,
            output_path=wanted.output_path,
            overwrite=wanted.overwrite,
            wait_seconds=seconds,
        )
    return saved_video(saved, told=call.was_told(saved.view))
