"""estimate_cost: what clips would cost, before any is bought."""

from __future__ import annotations

from pydantic import Field

from hailuo_mcp.server.context import Ctx
from hailuo_mcp.server.request import tool_request
from hailuo_mcp.server.tools.arguments import Arguments, Size
from hailuo_mcp.wording.shapes import CostEstimate


class EstimateCost(Arguments):
    model: str = Field("", description="As in generate_video.")
    mode: str = Field(
        "",
        description="t2v (text), i2v (first frame), fl2v (and last), s2v (subject), r2v "
        "(references), template or upgrade.",
    )
    duration: int = Field(0, ge=0, description="Seconds. 0: default.")
    resolution: Size = Field("", description="Empty: default.")
    count: int = Field(1, ge=0, description="How many clips.")
    plan: str = Field(
        "",
        description="payg, free, basic, advanced, plus, enterprise or custom; compare prices that "
        "many clips a month with each pack. Empty: the account's.",
    )


async def estimate_cost(wanted: EstimateCost, ctx: Ctx) -> CostEstimate:
    """Price clips before buying, from the published lists. Free.

    Gives credits, CNY, USD and what the account's plan charges; unknown or lower_bound, never a
    guess. What cannot be made is refused with the nearest that can.
    Next: generate_video, with max_cost if the person set a limit.
    """
    from hailuo_mcp.rules.estimate import estimate
    from hailuo_mcp.wording.costs import cost_estimate

    request = await tool_request(ctx)
    found = estimate(request.studio.client.seller, **wanted.given())
    return cost_estimate(found, notice=request.app.notice)
