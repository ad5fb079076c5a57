"""upgrade_video: buys a finished clip again at a higher resolution."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import Field

from hailuo_mcp.server.context import Caller, Ctx
from hailuo_mcp.server.request import tool_request
from hailuo_mcp.server.tools.arguments import Id, Size
from hailuo_mcp.server.tools.purchase import Asked, TermsArguments, agreed_terms
from hailuo_mcp.wording.shapes import VideoTask

if TYPE_CHECKING:
    from hailuo_mcp.studio.studio import Studio


class UpgradeVideo(TermsArguments):
    task_id: Id = Field(description="A saved MiniMax-H3 take of 768P.")
    resolution: Size = Field("2K", description="Only 2K.")

    async def question(self, studio: Studio, caller: Caller) -> str | None:
        return await studio.upgrade_question(
            self.task_id, self.resolution, self.terms(), caller=caller.name
        )


async def upgrade_video(wanted: UpgradeVideo, ctx: Ctx, asked: Asked) -> VideoTask:
    """Make the best draft again at 2K: first compare takes with preview_video.

    Costs money; estimate_cost says how much. Next: query_task.
    """
    request = await tool_request(ctx)
    terms = agreed_terms(wanted, asked)
    with request.wait(wanted.wait_seconds) as seconds:
        view = await request.studio.upgrade(
            wanted.task_id,
            wanted.resolution,
            terms,
            caller=request.caller.name,
            local=request.caller.local,
            wait_seconds=seconds,
            on_progress=request.on_progress,
        )
    return request.tell(view)
