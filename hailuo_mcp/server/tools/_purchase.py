"""What the two tools that spend have in common: their terms in words, and the purchase itself."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Protocol

from hailuo_mcp.server.calls import Call
from hailuo_mcp.server.consent import Asked, Purchase, agreed
from hailuo_mcp.wording.shapes import VideoTask

if TYPE_CHECKING:
    from hailuo_mcp.views import Terms

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


def _ceiling(max_cost: float) -> Decimal | None:
    """What the caller allows; a JSON number becomes exactly the decimal that was written."""
    return max(Decimal(str(max_cost)), _SMALLEST) if max_cost else None


class Wanted(Purchase, Protocol):
    """The arguments of a tool that spends."""

    take: int
    request_key: str
    wait_seconds: float
    max_cost: float
    confirm: str


def terms_of(wanted: Wanted) -> Terms:
    from hailuo_mcp.views import Terms

    return Terms(
        take=wanted.take,
        request_key=wanted.request_key,
        max_cost=_ceiling(wanted.max_cost),
        confirm=wanted.confirm,
    )


async def buy(call: Call, wanted: Wanted, asked: Asked) -> VideoTask:
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
    return call.told(view)
