"""What each way of paying makes of a month of clips, credits that lapse included."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_HALF_UP, Decimal

from hailuo_mcp.catalog.prices import Price, plan_named, plan_rpm, plans
from hailuo_mcp.text import number

_FEN = Decimal("0.01")


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanCost:
    """One way to pay for the month, in CNY."""

    plan: str
    chinese: str
    rpm: int | None
    """Submits a minute."""
    list_cny: Decimal | None
    """One pack's price before its discount."""
    saves_percent: int | None
    buy_at: str
    packs: int
    """How many packs that takes; they are bought whole. 0 for pay as you go."""
    cost: Decimal
    """Of the whole month, lapsing credits included."""
    credits_lapsing: Decimal
    lapsing_cny: Decimal
    """What was paid for the credits that lapse."""
    per_video: Decimal
    """The month's cost over its clips, rounded to a fen."""
    per_video_full: Decimal
    """A clip's cost if every credit were used, rounded to a fen."""
    dearer_at_full_use: bool
    """More than pay as you go, however many clips are made."""


def _rounded(amount: Decimal) -> Decimal:
    return amount.quantize(_FEN, rounding=ROUND_HALF_UP)


def compare(price: Price, count: int, price_list: str) -> tuple[PlanCost, ...]:
    """Cost `count` clips a month under each plan that such an account can have.

    None where no price is published, or no pack is sold.
    """
    sold = [plan for plan in plans() if plan.sold_in == price_list]
    if not sold or price.cny is None or price.credits is None:
        return ()
    needed = price.credits * count
    payg = plan_named("payg")
    zero = Decimal(0)
    ways = [
        PlanCost(
            plan=payg.name,
            chinese=payg.chinese,
            rpm=plan_rpm(payg.name, price_list),
            list_cny=None,
            saves_percent=None,
            buy_at="",
            packs=0,
            cost=price.cny * count,
            credits_lapsing=zero,
            lapsing_cny=zero,
            per_video=price.cny,
            per_video_full=price.cny,
            dearer_at_full_use=False,
        )
    ]
    for plan in sold:
        if plan.price_cny is None or plan.credits is None:
            continue
        bought = int((needed / plan.credits).to_integral_value(rounding=ROUND_CEILING))
        cost = plan.price_cny * bought
        lapsing = plan.credits * bought - needed
        a_credit = plan.price_cny / plan.credits
        ways.append(
            PlanCost(
                plan=plan.name,
                chinese=plan.chinese,
                rpm=plan_rpm(plan.name, price_list),
                list_cny=plan.list_cny,
                saves_percent=plan.saves_percent,
                buy_at=plan.buy_at,
                packs=bought,
                cost=cost,
                credits_lapsing=lapsing,
                lapsing_cny=_rounded(lapsing * a_credit),
                per_video=_rounded(cost / count),
                per_video_full=_rounded(price.credits * a_credit),
                dearer_at_full_use=price.credits * a_credit > price.cny,
            )
        )
    return tuple(ways)


def cheapest(ways: Sequence[PlanCost]) -> PlanCost:
    """Find the cheapest way; of equals the one that binds least."""
    return min(ways, key=lambda way: way.cost)


def compare_words(ways: Sequence[PlanCost], count: int) -> str:
    """Sum the comparison up."""
    if not ways:
        return "Nothing to compare: hailuo-mcp knows of no packs for such an account."
    best = cheapest(ways)
    name = "pay as you go" if best.plan == "payg" else f"{best.packs} × {best.plan}"
    each = f"{number(best.per_video)} CNY each"
    parts = [f"Cheapest for {count} a month: {name}, {number(best.cost)} CNY ({each})."]
    rows = [
        f"{way.plan} {number(way.cost)} CNY"
        + (f", {number(way.credits_lapsing)} credits lapse" if way.packs else "")
        for way in ways
        if way is not best
    ]
    parts.append(f"Otherwise: {'; '.join(rows)}.")
    packs = [way for way in ways if way.list_cny is not None]
    offers = [
        f"{way.plan} {way.rpm} RPM, {way.saves_percent} % off {number(way.list_cny)} CNY"
        for way in packs
        if way.list_cny is not None
    ]
    parts.append(f"The packs: {'; '.join(offers)}; sold at {packs[0].buy_at}.")
    dearer = [way.plan for way in ways if way.dearer_at_full_use]
    if dearer:
        some = f"{' and '.join(dearer)} {'is' if len(dearer) == 1 else 'are'}"
        parts.append(f"For this clip {some} dearer than pay as you go even at full use.")
    return " ".join(parts)
