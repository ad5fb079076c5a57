"""generate_video: the tool that buys a clip."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from pydantic import Field

from hailuo_mcp import answers
from hailuo_mcp.answers.shapes import VideoTask
from hailuo_mcp.catalog import moves
from hailuo_mcp.server.backstage import Ctx
from hailuo_mcp.server.calls import accept
from hailuo_mcp.server.consent import Asked, agreed
from hailuo_mcp.server.tools._reading import Arguments, Id

if TYPE_CHECKING:
    from hailuo_mcp.domain import VideoRequest
    from hailuo_mcp.studio import Terms

TAKE = "1 is the clip itself; 2, 3 … buy one more clip each of the same request."
MOST_TAKES = 1_000_000
_SMALLEST = Decimal("0.000001")  # the journal counts in millionths
REQUEST_KEY = (
    "A name for this one purchase. Repeat a call with the same one and it is never bought twice."
)
WAIT = "Longest wait for the clip within this call; 0 answers at once."
MAX_COST = (
    "Refuse the purchase if it costs more, in the unit of the account's plan (CNY, USD or "
    "credits; estimate_cost tells which). 0: no ceiling."
)
CONFIRM = "The code out of a refusal that asks for the person's consent, once they have said yes."


def ceiling(max_cost: float) -> Decimal | None:
    """What the caller allows; a JSON number becomes exactly the decimal that was written."""
    return max(Decimal(str(max_cost)), _SMALLEST) if max_cost else None


class GenerateVideo(Arguments):
    prompt: str = Field(
        "",
        description="What is to be seen and how it moves, at most 2,000 characters. Camera moves "
        "stand in square brackets where they happen, at most three together: "
        + ", ".join(f"[{move.english}]" for move in moves())
        + ".",
    )
    model: str = Field(
        "",
        description="Empty chooses by the inputs: MiniMax-Hailuo-2.3, with a last frame "
        "MiniMax-Hailuo-02, with a subject S2V-01. MiniMax-Hailuo-2.3-Fast needs a first frame and "
        "is cheaper. All: hailuo://models.",
    )
    first_frame_image: str = Field(
        "",
        description="The picture that the clip starts from: a path, a file:// or https:// URL or a "
        "data URL; JPEG, PNG or WebP under 20 MB. A picture attached to the chat does not reach "
        "this server: ask the person for its path. Never invent a path or write base64.",
    )
    last_frame_image: str = Field(
        "", description="The picture that the clip ends with, given as first_frame_image is."
    )
    subject_image: str = Field(
        "",
        description="A picture of the one person who is to appear, given as first_frame_image is; "
        "not together with frames.",
    )
    duration: int = Field(
        0, ge=0, description="Seconds: 6, or 10 where the model makes it. 0: the model's default."
    )
    resolution: str = Field(
        "",
        description="512P, 720P, 768P or 1080P, as the model makes it. Empty: its default.",
    )
    prompt_optimizer: bool = Field(
        default=True,
        description="Let the provider rewrite the prompt. False keeps wording and camera moves.",
    )
    fast_pretreatment: bool = Field(
        default=False,
        description="Shorten that rewriting (MiniMax-Hailuo-2.3, 2.3-Fast and 02).",
    )
    watermark: bool = Field(default=False, description="Put the provider's watermark on the clip.")
    take: int = Field(1, ge=0, le=MOST_TAKES, description=TAKE)
    request_key: Id = Field("", description=REQUEST_KEY)
    wait_seconds: float = Field(0, ge=0, description=WAIT)
    max_cost: float = Field(0, ge=0, description=MAX_COST)
    confirm: Id = Field("", description=CONFIRM)

    def request(self) -> VideoRequest:
        from hailuo_mcp.domain import VideoRequest

        return VideoRequest(
            prompt=self.prompt,
            model=self.model,
            first_frame_image=self.first_frame_image,
            last_frame_image=self.last_frame_image,
            subject_image=self.subject_image,
            duration=self.duration or None,
            resolution=self.resolution or None,
            # What a provider does anyway is not said: some options are documented for some only.
            prompt_optimizer=None if self.prompt_optimizer else False,
            fast_pretreatment=self.fast_pretreatment or None,
            watermark=self.watermark or None,
        )

    def terms(self) -> Terms:
        from hailuo_mcp.studio import Terms

        return Terms(
            take=self.take,
            request_key=self.request_key,
            max_cost=ceiling(self.max_cost),
            confirm=self.confirm,
        )


async def generate_video(wanted: GenerateVideo, ctx: Ctx, asked: Asked) -> VideoTask:
    """Buy one video clip from Hailuo (MiniMax), made from text or pictures.

    Costs money for each new clip; estimate_cost tells how much, and what cannot be made is refused
    free. Returns a task_id within seconds, long before the clip is ready (minutes); the clip is
    saved to disk without further calls. Next: query_task with that task_id. The same request again
    returns the same task and buys nothing. After an error or a timeout call list_tasks: the clip
    may be on its way.
    """
    call = await accept(ctx)
    terms = agreed(wanted.terms(), asked)
    with call.waiting(wanted.wait_seconds) as seconds:
        view = await call.studio.generate(
            wanted.request(),
            terms,
            caller=call.caller.name,
            local=call.caller.local,
            wait_seconds=seconds,
            on_progress=call.on_progress,
        )
    return answers.video_task(view)
