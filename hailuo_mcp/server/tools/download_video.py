"""download_video: a finished clip or film on disk, where the person wants it."""

from __future__ import annotations

from pydantic import Field

from hailuo_mcp.errors import Do, InvalidRequestError, Step
from hailuo_mcp.server.context import Ctx
from hailuo_mcp.server.request import tool_request
from hailuo_mcp.server.tools.arguments import Arguments, Id
from hailuo_mcp.wording.shapes import SavedVideo


class DownloadVideo(Arguments):
    task_id: Id = Field(description="As in query_task.")
    output_path: str = Field(
        "",
        description="Also copy it here: a file, or a folder that exists or ends in /; relative to "
        "the server's folder.",
    )
    overwrite: bool = Field(default=False, description="Replace an existing file.")
    wait_seconds: float = Field(25, ge=0, description="Longest wait; 0: none.")


async def download_video(wanted: DownloadVideo, ctx: Ctx) -> SavedVideo:
    """Put a finished clip or film on disk, or copy it elsewhere. Free.

    They are saved by themselves: call this only for a copy or after a failed download. If it is
    not ready, call query_task first.
    """
    from hailuo_mcp.wording.films import saved_film
    from hailuo_mcp.wording.tasks import saved_video

    request = await tool_request(ctx)
    if wanted.output_path and not request.caller.local:
        raise InvalidRequestError(
            "output_path names a place on the server's own disk, which callers on other computers "
            "cannot choose.",
            Step(Do.TRY, "leave it out and fetch the clip from the url"),
        )
    with request.wait(wanted.wait_seconds, wanted.task_id) as seconds:
        if film := await request.film(wanted.task_id):
            joined = await request.studio.download_film(
                film,
                output_path=wanted.output_path,
                overwrite=wanted.overwrite,
                wait_seconds=seconds,
            )
            return saved_film(joined, told=request.knows_film(joined.view))
        saved = await request.studio.download(
            wanted.task_id,
            caller=request.caller.name,
            output_path=wanted.output_path,
            overwrite=wanted.overwrite,
            wait_seconds=seconds,
        )
    return saved_video(saved, told=request.knows(saved.view))
