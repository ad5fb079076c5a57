"""generate_video: the tool that buys a clip."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import Field

from hailuo_mcp.catalog.camera_moves import moves
from hailuo_mcp.server.context import Ctx
from hailuo_mcp.server.request import tool_request
from hailuo_mcp.server.tools.arguments import Size, Texts
from hailuo_mcp.server.tools.purchase import Asked, PurchaseArguments, buy
from hailuo_mcp.wording.shapes import VideoTask

if TYPE_CHECKING:
    from hailuo_mcp.domain.requests import VideoRequest


class GenerateVideo(PurchaseArguments):
    prompt: str = Field(
        "",
        description="What the clip shows and how it moves, at most 2,000 characters (H3: 7,000). "
        "Camera moves in brackets where they happen, at most 3 together: "
        + ", ".join(f"[{move.english}]" for move in moves())
        + ".",
    )
    model: str = Field(
        "",
        description="Empty chooses by the inputs: MiniMax-Hailuo-2.3; with a last frame "
        "MiniMax-Hailuo-02; with a subject S2V-01; with 2K, references or aspect_ratio MiniMax-H3 "
        "(Hailuo 03: sound, 4 to 15 s, other prices: estimate_cost; 768P drafts for "
        "upgrade_video). By name: MiniMax-Hailuo-2.3-Fast (only a first frame; cheaper), "
        "MiniMax-H3-Max. All: hailuo://models.",
    )
    first_frame_image: str = Field(
        "",
        description="The picture that the clip starts from: a path, an https, file or data URL, or "
        "a clip's frame: task:<id>#last, #first, #2.5s. JPEG, PNG or WebP (others are converted). "
        "A picture attached to the chat does not reach this server: ask the person for its path. "
        "Never invent a path or write base64.",
    )
    last_frame_image: str = Field(
        "",
        description="Where the clip ends, as first_frame_image.",
    )
    subject_image: str = Field(
        "",
        description="The one person who appears, as first_frame_image; not with frames.",
    )
    reference_images: Texts = Field(
        [],
        description="H3: up to 9 pictures, as first_frame_image; not with frames.",
    )
    reference_videos: Texts = Field(
        [],
        description="H3: up to 3 clips, 15 s in all, charged too: path, URL or task:<id>.",
    )
    reference_audios: Texts = Field(
        [],
        description="H3: up to 3 sounds (WAV, MP3), 15 s in all, beside other references.",
    )
    aspect_ratio: str = Field(
        "",
        description="H3, without frames: 21:9, 16:9, 4:3, 1:1, 3:4, 9:16; adaptive with "
        "references.",
    )
    duration: int = Field(0, ge=0, description="Seconds: 6 or 10, H3 4 to 15. 0: the default.")
    resolution: Size = Field(
        "",
        description="512P, 720P, 768P or 1080P, by model; H3 768P or 2K. Empty: the default.",
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

        from hailuo_mcp.domain.requests import REFERENCE_FIELDS, VideoRequest

        # What a provider does anyway is not sent: some options are documented for some only.
        names = {field.name for field in fields(VideoRequest)}
        given = {name: value for name, value in self.given().items() if name in names}
        for name in REFERENCE_FIELDS:
            given[name] = tuple(one for one in given.get(name, ()) if one.strip())
        return VideoRequest(**given)


async def generate_video(wanted: GenerateVideo, ctx: Ctx, asked: Asked) -> VideoTask:
    """Buy one video clip from Hailuo (MiniMax), from text, pictures or references.

    Costs money for each new clip; estimate_cost says how much. What cannot be made is refused,
    free. Returns a task_id within seconds; the clip takes minutes and is saved by itself. Next:
    query_task. The same request again is the same task, free. After an error or a timeout call
    list_tasks: it may be on its way.
    """
    return await buy(await tool_request(ctx), wanted, asked)
