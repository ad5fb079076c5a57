"""cancel_task: withdraw what was not sent yet, or is still queued at the provider."""

from __future__ import annotations

from pydantic import Field

from hailuo_mcp.server.context import Ctx
from hailuo_mcp.server.request import tool_request
from hailuo_mcp.server.tools.arguments import Arguments, Id
from hailuo_mcp.wording.shapes import Storyboard, VideoTask


class CancelTask(Arguments):
    task_id: Id = Field(description="A task's or a film's id.")


async def cancel_task(wanted: CancelTask, ctx: Ctx) -> VideoTask | Storyboard:
    """Withdraw a clip that is pending (H3: or queued), or a film's plan and unsent shots. Free.

    What else was sent is made, charged and saved. Ask the person first.
    """
    from hailuo_mcp.wording.films import storyboard
    from hailuo_mcp.wording.tasks import video_task

    request = await tool_request(ctx)
    if film := await request.film(wanted.task_id):
        return storyboard(await request.studio.cancel_film(film))
    return video_task(await request.studio.cancel(wanted.task_id, caller=request.caller.name))
