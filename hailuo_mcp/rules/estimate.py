"""What clips would cost under a plan, and a month of them under each plan."""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import ROUND_CEILING, ROUND_HALF_UP, Decimal
from functools import partial
from typing import Literal

from hailuo_mcp.catalog.prices import (
    NO_PRICE,
    Plan,
    Price,
    Rate,
    plan_named,
    plan_rpm,
    plans,
    prices_read,
    rate_of,
)
from hailuo_mcp.catalog.video_templates import templates
from hailuo_mcp.domain.requests import Mode
from hailuo_mcp.domain.task import Quote
from hailuo_mcp.errors import Do, Step
from hailuo_mcp.rules.drafts import Drafts, drafts_of, judge_upgrade, nearest_upgrade
from hailuo_mcp.rules.judge import (
    MODE_WORDS,
    Combination,
    Seller,
    Verdict,
    judge,
    refusal,
)
from hailuo_mcp.rules.nearest import nearest, offer_words
from hailuo_mcp.rules.template import TemplateVerdict, need_template
from hailuo_mcp.text import shown

_MOST_CLIPS = 1_000_000
_FEN = Decimal("0.01")
_ZERO = Decimal(0)
_MODES = (Mode.T2V, Mode.I2V, Mode.FL2V, Mode.S2V)
"""What is tried where no mode is asked for: the references of a clip are not known here."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanCost:
    """One way to pay for a month of clips, in CNY."""

    plan: Plan
    rpm: int | None
    """Submits a minute."""
    packs: int = 0
    """How many packs are needed; 0 for pay as you go."""
    cost: Decimal
    """For the whole month, unused credits included."""
    credits_lapsing: Decimal = _ZERO
    """Credits that are unused when the packs end."""
    lapsing_cny: Decimal = _ZERO
    """What the unused credits cost."""
    per_video: Decimal
    """The month's cost over its clips, rounded to a fen."""
    per_video_full: Decimal
    """A clip's cost if every credit were used, rounded to a fen."""
    dearer_at_full_use: bool = False
    """Costs more than pay as you go, however many clips are made."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """A price before anything is bought."""

    clip: Combination
    """For a template, the model is its title, or the given name."""
    count: int
    per_video: Price
    """The published prices of one clip, in every unit."""
    seller: Seller
    """Its plan is the requested one."""
    floor: bool = False
    """The lowest price, because something that decides it is not known: which template, or what
    the references are."""
    ceiling: Decimal | None = None
    """The highest of them."""
    warnings: tuple[str, ...] = ()
    prices_as_of: str = ""
    source: str = ""
    comparing: bool = False
    packs: tuple[PlanCost, ...] = ()
    """With plan="compare": every way to pay for `count` clips a month."""

    @property
    def plan(self) -> Plan:
        return plan_named(self.seller.plan)

    @property
    def status(self) -> Literal["exact", "lower_bound", "unknown"]:
        """In the plan's unit; other list prices may be known nevertheless."""
        if self.charge.amount is None:
            return "unknown"
        return "lower_bound" if self.floor or self.charge.lower_bound else "exact"

    @property
    def rate(self) -> Rate | None:
        """The prices by the second, if it is sold so."""
        upgrade = self.clip.mode is Mode.UPGRADE
        return rate_of(self.clip.model, self.clip.resolution, upgrade=upgrade)

    @property
    def drafts(self) -> Drafts | None:
        """What drafts save, in the plan's unit; None if the model has none, or no such prices."""
        return drafts_of(self.clip, self.seller)

    @property
    def total(self) -> Price:
        one, many = self.per_video, self.count
        return replace(
            one,
            credits=_times(one.credits, many),
            cny=_times(one.cny, many),
            usd=_times(one.usd, many),
        )

    @property
    def charge(self) -> Quote:
        """What the plan charges for one clip."""
        return self.seller.charge(self.per_video)

    @property
    def charge_total(self) -> Quote:
        return replace(self.charge, amount=_times(self.charge.amount, self.count))

    @property
    def cheapest(self) -> PlanCost | None:
        """The cheapest way to pay; among equals, the one with the shortest commitment."""
        return min(self.packs, key=lambda way: way.cost, default=None)


def _times(amount: Decimal | None, count: int) -> Decimal | None:
    return None if amount is None else amount * count


def estimate(
    seller: Seller,
    *,
    model: str = "",
    mode: str = "",
    duration: int = 0,
    resolution: str = "",
    count: int = 1,
    plan: str = "",
) -> Estimate:
    """Price `count` clips; InvalidRequestError names the problems and the nearest valid clip.

    The judge decides, as for a purchase. Without a mode, the first is used in which the rest can
    be made; without a plan, the seller's.
    """
    comparing = plan.strip().lower() == "compare"
    seller = replace(seller, plan="payg" if comparing else _plan(plan or seller.plan).name)
    if not 1 <= count <= _MOST_CLIPS:
        raise refusal([f"the number of clips must be between 1 and {_MOST_CLIPS:,}"])
    wanted = _mode(mode)
    if wanted is Mode.TEMPLATE:
        return _template(model.strip(), count, seller)
    asked = [
        Combination(model=model, mode=it, resolution=resolution, duration=duration)
        for it in ([wanted] if wanted else _MODES)
    ]
    decide = judge_upgrade if wanted is Mode.UPGRADE else judge
    verdict = min((decide(it, seller) for it in asked), key=partial(_badness, seller=seller))
    if verdict.problems:
        raise refusal(verdict.problems, *_nearest(verdict, seller), remark=verdict.caveat)
    clip = verdict.combination
    price = clip.price if seller.price_list else NO_PRICE
    as_of, source = prices_read(clip.model) if price != NO_PRICE else ("", "")
    return Estimate(
        clip=clip,
        count=count,
        per_video=price,
        seller=seller,
        floor=clip.mode is Mode.R2V,
        warnings=tuple(verdict.warnings),
        prices_as_of=as_of,
        source=source,
        comparing=comparing and price != NO_PRICE,
        packs=_compare(price, count, seller.price_list) if comparing else (),
    )


def _plan(text: str) -> Plan:
    try:
        return plan_named(text)
    except ValueError as names:
        hint = Step(Do.TRY, f"choose one of {names}, or compare to see what each pack costs")
        raise refusal([f"unknown plan {shown(text)}"], hint) from None


def _mode(text: str) -> Mode | None:
    word = text.strip().lower()
    if word not in ("", *Mode):
        hint = Step(Do.TRY, f"choose one of the modes {', '.join(Mode)}")
        raise refusal([f"unknown mode {shown(text)}"], hint)
    return Mode(word) if word else None


def _badness(verdict: Verdict, seller: Seller) -> tuple[bool, bool, bool]:
    """Prefer a mode without problems, then one of the model's, then one of the provider's."""
    model, mode = verdict.model, verdict.asked.mode
    return (
        bool(verdict.problems),
        model is not None and mode not in model.modes,
        mode not in seller.capabilities.modes,
    )


def _nearest(verdict: Verdict, seller: Seller) -> list[Step]:
    if verdict.asked.mode is Mode.UPGRADE:
        return nearest_upgrade(verdict, seller)
    modes = list(dict.fromkeys([verdict.asked.mode, *_MODES]))
    near = None if verdict.caveat else nearest(verdict, modes, seller)
    if near is None:
        return []
    return [Step(Do.NEAREST, offer_words(near, seller, f"from {MODE_WORDS[near.mode]}"))]


def _template(name: str, count: int, seller: Seller) -> Estimate:
    """Price a template, or the cheapest one if only the mode is known."""
    any_of_them = not name and seller.capabilities.templates
    verdict = TemplateVerdict() if any_of_them else need_template(name, seller)
    offered = templates(seller.templates) if any_of_them else (verdict.template,)
    known = sorted(
        amount
        for it in offered
        if it and (amount := seller.charge(Price(usd=it.usd)).amount) is not None
    )
    listed = next(iter(templates("global")))
    return Estimate(
        clip=Combination(
            model=verdict.template.title if verdict.template else name, mode=Mode.TEMPLATE
        ),
        count=count,
        per_video=Price(usd=known[0] if known else None),
        seller=seller,
        floor=any_of_them,
        ceiling=known[-1] if known else None,
        warnings=tuple(verdict.warnings),
        prices_as_of=listed.checked if known else "",
        source=listed.source if known else "",
    )


def _compare(price: Price, count: int, price_list: str) -> tuple[PlanCost, ...]:
    """Price `count` clips a month under each plan that such an account can have.

    None if no price is published, or no pack is sold.
    """
    sold = [plan for plan in plans() if plan.sold_in == price_list]
    if not sold or price.cny is None or price.credits is None:
        return ()
    ways = [
        PlanCost(
            plan=plan_named("payg"),
            rpm=plan_rpm("payg", price_list),
            cost=price.cny * count,
            per_video=price.cny,
            per_video_full=price.cny,
        )
    ]
    needed = price.credits * count
    for plan in sold:
        if plan.price_cny is None or plan.credits is None:
            continue
        packs = int((needed / plan.credits).to_integral_value(rounding=ROUND_CEILING))
        unused = plan.credits * packs - needed
        a_credit = plan.price_cny / plan.credits
        ways.append(
            PlanCost(
                plan=plan,
                rpm=plan_rpm(plan.name, price_list),
                packs=packs,
                cost=plan.price_cny * packs,
                credits_lapsing=unused,
                lapsing_cny=_rounded(unused * a_credit),
                per_video=_rounded(plan.price_cny * packs / count),
                per_video_full=_rounded(price.credits * a_credit),
                dearer_at_full_use=price.credits * a_credit > price.cny,
            )
        )
    return tuple(ways)


def _rounded(amount: Decimal) -> Decimal:
    return amount.quantize(_FEN, rounding=ROUND_HALF_UP)
