"""preview_video: what a clip shows, as one picture and one line."""

from __future__ import annotations

from base64 import b64encode

from mcp.types import CallToolResult, ImageContent, TextContent
from pydantic import Field

from hailuo_mcp.server.context import Ctx
from hailuo_mcp.server.request import tool_request
from hailuo_mcp.server.tools.arguments import Arguments, Id, Ids


class PreviewVideo(Arguments):
    task_id: Id = Field(description="Or film_id.")
    frames: int = Field(6, ge=1, le=16, description="Per clip.")
    at_seconds: float = Field(-1, description="Only this moment's frame.")
    compare_with: Ids = Field([], description="More ids.")


async def preview_video(wanted: PreviewVideo, ctx: Ctx) -> CallToolResult:
    """Look at a saved clip: timed frames, what is wrong. Free; after query_task."""
    from hailuo_mcp.wording.preview import preview_text

    request = await tool_request(ctx)
    preview = await request.studio.preview(
        wanted.task_id,
        caller=request.caller.name,
        frames=wanted.frames if "frames" in wanted.model_fields_set else 0,
        at_seconds=wanted.at_seconds,
        compare_with=wanted.compare_with,
    )
    # No structured result beside it: some clients would then drop the picture.
    return CallToolResult(
        content=[
            ImageContent(
                type="image", data=b64encode(preview.jpeg).decode("ascii"), mime_type="image/jpeg"
            ),
            TextContent(type="text", text=preview_text(preview)),
        ]
    )
