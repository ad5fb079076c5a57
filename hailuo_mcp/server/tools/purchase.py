"""What the tools that spend have in common: five arguments, and the purchase itself."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from hailuo_mcp.server.consent import Asked, PurchaseArguments, agreed_terms
from hailuo_mcp.server.request import ToolRequest
from hailuo_mcp.server.tools.arguments import Id
from hailuo_mcp.wording.shapes import VideoTask

MOST_TAKES = 1_000_000

Take = Annotated[
    int,
    Field(
        ge=0,
        le=MOST_TAKES,
        description="1 is the clip itself; 2, 3 … buy one more clip each of the same request.",
    ),
]
RequestKey = Annotated[
    Id,
    Field(
        description="A name for this one purchase. Repeat a call with the same one and it is never "
        "bought twice."
    ),
]
Wait = Annotated[
    float,
    Field(ge=0, description="Longest wait for the clip within this call; 0 answers at once."),
]
MaxCost = Annotated[
    float,
    Field(
        ge=0,
        description="Refuse the purchase if it costs more, in the unit of the account's plan (CNY, "
        "USD or credits; estimate_cost tells which). 0: no ceiling.",
    ),
]
Confirm = Annotated[
    Id,
    Field(
        description="The code out of a refusal that asks for the person's consent, once they have "
        "said yes."
    ),
]


async def buy(request: ToolRequest, wanted: PurchaseArguments, asked: Asked) -> VideoTask:
    terms = agreed_terms(wanted, asked)
    with request.wait(wanted.wait_seconds) as seconds:
        view = await request.studio.generate(
            wanted.request(),
            terms,
            caller=request.caller.name,
            local=request.caller.local,
            wait_seconds=seconds,
            on_progress=request.on_progress,
        )
    return request.tell(view)
