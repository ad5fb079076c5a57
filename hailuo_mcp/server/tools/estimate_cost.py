"""estimate_cost: what clips would cost, before any is bought."""

from __future__ import annotations

from pydantic import Field

from hailuo_mcp.server.context import Ctx
from hailuo_mcp.server.request import tool_request
from hailuo_mcp.server.tools.arguments import Arguments, Size
from hailuo_mcp.wording.shapes import CostEstimate


class EstimateCost(Arguments):
    model: str = Field("", description="As in generate_video. Empty: what it would choose.")
    mode: str = Field(
        "",
        description="t2v (text), i2v (first frame), fl2v (first and last frame), s2v (subject) or "
        "template. Empty: the first that the model has.",
    )
    duration: int = Field(0, ge=0, description="Seconds. 0: the model's default.")
    resolution: Size = Field("", description="Empty: the model's default.")
    count: int = Field(1, ge=0, description="How many clips.")
    plan: str = Field(
        "",
        description="payg, free, basic, advanced, plus, enterprise or custom; compare prices that "
        "many clips a month with each pack. Empty: the account's plan.",
    )


async def estimate_cost(wanted: EstimateCost, ctx: Ctx) -> CostEstimate:
    """Price clips before buying, from the published lists. Free.

    Gives credits, CNY and USD and what the account's plan charges; says unknown where nobody
    publishes a price, never a guess. Refuses what cannot be made and names the nearest that can.
    Next: generate_video, with max_cost if the person set a limit.
    """
    from hailuo_mcp.rules.estimate import estimate
    from hailuo_mcp.wording.costs import cost_estimate

    request = await tool_request(ctx)
    found = estimate(request.studio.client.seller, **wanted.given())
    return cost_estimate(found, notice=request.app.notice)
