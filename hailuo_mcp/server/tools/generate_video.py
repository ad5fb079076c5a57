"""generate_video: the tool that buys a clip."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import Field

from hailuo_mcp.catalog.camera_moves import moves
from hailuo_mcp.server.context import Ctx
from hailuo_mcp.server.request import tool_request
from hailuo_mcp.server.tools.arguments import Size
from hailuo_mcp.server.tools.purchase import Asked, PurchaseArguments, buy
from hailuo_mcp.wording.shapes import VideoTask

if TYPE_CHECKING:
    from hailuo_mcp.domain import VideoRequest


class GenerateVideo(PurchaseArguments):
    prompt: str = Field(
        "",
        description="What the clip shows and how it moves, at most 2,000 characters. Camera moves "
        "in brackets where they happen, at most 3 together: "
        + ", ".join(f"[{move.english}]" for move in moves())
        + ".",
    )
    model: str = Field(
        "",
        description="Empty chooses by the inputs: MiniMax-Hailuo-2.3, with a last frame "
        "MiniMax-Hailuo-02, with a subject S2V-01. MiniMax-Hailuo-2.3-Fast: First frame only; "
        "quicker and cheaper. All: hailuo://models.",
    )
    first_frame_image: str = Field(
        "",
        description="The picture that the clip starts from: a path, a file:// or https:// URL, a "
        "data URL, or a clip's frame: task:<id>#last, #first, #2.5s. JPEG, PNG or WebP under 20 MB "
        "(others are converted). A picture attached to the chat does not reach this server: ask "
        "the person for its path. Never invent a path or write base64.",
    )
    last_frame_image: str = Field(
        "",
        description="Where the clip ends, as first_frame_image.",
    )
    subject_image: str = Field(
        "",
        description="The one person who appears, as first_frame_image; not with frames.",
    )
    duration: int = Field(0, ge=0, description="Seconds: 6 or 10, by model. 0: its default.")
    resolution: Size = Field(
        "",
        description="512P or 720P or 768P or 1080P, by model. Empty: its default.",
    )
    image_fit: str = Field(
        "",
        description="For a picture outside 2:5 to 5:2: crop its edges, or pad with white. Empty "
        "refuses it.",
    )
    prompt_optimizer: bool = Field(
        default=True,
        description="Let the provider rewrite the prompt; false keeps words and moves.",
    )
    fast_pretreatment: bool = Field(
        default=False,
        description="Make that faster, where possible.",
    )
    watermark: bool = Field(default=False, description="Add the provider's watermark.")

    def request(self) -> VideoRequest:
        from dataclasses import fields

        from hailuo_mcp.domain import VideoRequest

        # What a provider does anyway is not sent: some options are documented for some only.
        names = {field.name for field in fields(VideoRequest)}
        return VideoRequest(**{k: value for k, value in self.given().items() if k in names})


async def generate_video(wanted: GenerateVideo, ctx: Ctx, asked: Asked) -> VideoTask:
    """Buy one video clip from Hailuo (MiniMax), from text or pictures.

    Costs money for each new clip; estimate_cost says how much. What cannot be made is refused,
    free. Returns a task_id within seconds; the clip takes minutes and is saved without further
    calls. Next: query_task. The same request again is the same task and buys nothing. After an
    error or a timeout call list_tasks: the clip may be on its way.
    """
    return await buy(await tool_request(ctx), wanted, asked)
