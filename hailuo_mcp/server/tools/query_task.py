"""query_task: the status of one clip, or of a film."""

from __future__ import annotations

from pydantic import Field

from hailuo_mcp.server.context import Ctx
from hailuo_mcp.server.request import tool_request
from hailuo_mcp.server.tools.arguments import Arguments, Id
from hailuo_mcp.wording.shapes import Storyboard, VideoTask


class QueryTask(Arguments):
    task_id: Id = Field(description="A task's or a film's id, or the provider's own.")
    wait_seconds: float = Field(
        45,
        ge=0,
        description="Longest wait; 0: none.",
    )


async def query_task(wanted: QueryTask, ctx: Ctx) -> VideoTask | Storyboard:
    """Wait for a clip or a film: its status, cost, time left and, once saved, its file. Free.

    Answers once it is on disk or has failed. If it is not ready, call again after
    next_check_seconds; it is saved even if nobody asks.
    """
    from hailuo_mcp.wording import films
    from hailuo_mcp.wording.tasks import still, video_task

    request = await tool_request(ctx)
    with request.wait(wanted.wait_seconds, wanted.task_id) as seconds:
        if film := await request.film(wanted.task_id):
            seen = await request.studio.query_film(
                film, wait_seconds=seconds, on_progress=request.on_progress
            )
            return films.still(seen) if request.knows_film(seen) else films.storyboard(seen)
        view = await request.studio.query(
            wanted.task_id,
            caller=request.caller.name,
            wait_seconds=seconds,
            on_progress=request.on_progress,
        )
    return still(view) if request.knows(view) else video_task(view)
