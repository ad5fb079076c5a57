"""Answers about prices, budgets and templates."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, cast

from hailuo_mcp.catalog.prices import NO_PRICE, price_words
from hailuo_mcp.catalog.video_templates import model_title
from hailuo_mcp.domain.requests import Mode
from hailuo_mcp.domain.task import Quote, Unit
from hailuo_mcp.text import number
from hailuo_mcp.wording.phrases import amount, join
from hailuo_mcp.wording.shapes import (
    Cost,
    CostEstimate,
    PackEstimate,
    Prices,
    PurchaseQuote,
    SpendingSoFar,
    VideoTask,
    only_given,
)

if TYPE_CHECKING:
    from hailuo_mcp.catalog.prices import Price
    from hailuo_mcp.catalog.video_templates import Template
    from hailuo_mcp.rules.estimate import Estimate, PlanCost
    from hailuo_mcp.views import Offer, Spending


_UNPRICED = (
    "A budget counts such a clip as HAILUO_UNPRICED_COST, and refuses it where that is unset."
)
_PARTLY_PRICED = (
    "A budget counts such a clip as HAILUO_UNPRICED_COST if that is more, and refuses it where "
    "that is unset."
)


def cost_estimate(estimate: Estimate, *, notice: str = "") -> CostEstimate:
    clip, several = estimate.clip, estimate.count > 1
    return cast(
        "CostEstimate",
        only_given(
            message=join(notice, estimate_message(estimate)),
            status=estimate.status,
            model=clip.model,
            mode=clip.mode.value,
            duration=clip.duration,
            resolution=clip.resolution,
            count=estimate.count,
            per_video=prices(estimate.per_video),
            total=prices(estimate.total) if several else {},
            plan=estimate.plan.name,
            plan_charges=_quote(estimate.charge),
            plan_total=_quote(estimate.charge_total) if several else {},
            compared=[_pack(way) for way in estimate.packs],
            cheapest=estimate.cheapest.plan.name if estimate.cheapest else "",
            prices_as_of=estimate.prices_as_of,
            source=estimate.source,
        ),
    )


def estimate_message(estimate: Estimate) -> str:
    """What clips would cost, in sentences for every reader."""
    of_template = estimate.clip.mode is Mode.TEMPLATE
    return join(
        _comparison(estimate) if estimate.comparing else "",
        _template_cost(estimate) if of_template else _clip_cost(estimate),
        _UNPRICED if estimate.status == "unknown" else "",
        _PARTLY_PRICED if estimate.charge.lower_bound else "",
        _what_drafts_save(estimate),
        *estimate.warnings,
        "Nothing was charged.",
    )


def _clip_cost(estimate: Estimate) -> str:
    plan, what, price_list = estimate.plan, estimate.clip.words, estimate.seller.price_list
    if not price_list:
        return "Unknown: this provider publishes no prices."
    if estimate.per_video == NO_PRICE:
        return f"Unknown: no price is published for {what}."
    also = _other_schemes(estimate)
    if (each := estimate.charge.amount) is None:
        whose = f"the {plan.name} plan of a {price_list} account"
        return f"Unknown: no price is published for {whose}{also}."
    one = "One upgrade" if estimate.clip.mode is Mode.UPGRADE else "One clip"
    least = "" if estimate.status == "exact" else "at least "
    cost = f"{least}{amount(each, estimate.charge.unit)}{also}{_many(estimate)}"
    said = f"{one} of {what} is {cost}.{_of_inputs(estimate)}"
    if plan.price_cny is not None and plan.credits:
        full = (plan.price_cny / plan.credits * each).quantize(Decimal("0.01"))
        said += (
            f" A pack ({number(plan.price_cny)} CNY, {number(plan.credits)} credits, {plan.valid}) "
            f"makes that {number(full)} CNY a clip if all of it is used; unused credits expire."
        )
    elif plan.name == "custom":
        said += " The contract sets the price of a credit."
    return said


def _of_inputs(estimate: Estimate) -> str:
    """What a clip is made from costs too, where it is sold by the second."""
    rate, mode = estimate.rate, estimate.clip.mode
    if rate is None or mode not in (Mode.R2V, Mode.UPGRADE):
        return ""
    second, image = (
        price_words(estimate.seller.charge(price)) for price in (rate.of_input, rate.of_image)
    )
    again = "again" if mode is Mode.UPGRADE else "too"
    return (
        f" What it is made from is charged {again} (a second of a reference clip: {second}; each "
        f"picture beyond {rate.free_images}: {image})."
    )


def _what_drafts_save(estimate: Estimate) -> str:
    """Drafts against direct takes, where the model has both."""
    found, unit = estimate.drafts, estimate.charge.unit
    if found is None:
        return ""
    draft, upgrade, direct = (
        number(it / found.seconds) for it in (found.draft, found.upgrade, found.direct)
    )
    keeper = "nothing on the keeper"
    if more := found.keeper_more:
        keeper = f"{amount(-more, unit)} on the keeper"
    said = (
        f"Drafts: {draft} {unit} a second at {found.low}, and {upgrade} to upgrade the one that is "
        f"kept to {found.high}, against {direct} directly: that saves {keeper}, "
        f"{found.saved_percent} % on every take that is dropped."
    )
    if estimate.count > 1:
        said += (
            f" {estimate.count} drafts and one upgrade: {amount(found.takes(estimate.count), unit)}"
            f"; {estimate.count} directly: {amount(found.direct * estimate.count, unit)}."
        )
    return said


def _template_cost(estimate: Estimate) -> str:
    low, high = estimate.charge.amount, estimate.ceiling
    if low is None or high is None:
        return "Unknown: no price is published for templates here."
    if estimate.floor:
        return (
            f"At least {number(low)} USD each: by the historical price page the templates cost "
            f"{number(low)} to {number(high)} USD."
        )
    return (
        f"One clip of the template {estimate.clip.model} is {amount(low, estimate.charge.unit)}"
        f"{_many(estimate)}, according to the historical price page."
    )


def _many(estimate: Estimate) -> str:
    total = estimate.charge_total
    if estimate.count == 1 or total.amount is None:
        return ""
    return f"; {estimate.count} are {amount(total.amount, total.unit)}"


def _other_schemes(estimate: Estimate) -> str:
    """Name the other published prices of the same clip, in brackets."""
    price = estimate.per_video
    others = [
        ("pay as you go in China", price.cny, Unit.CNY),
        ("pay as you go globally", price.usd, Unit.USD),
        ("from a Chinese pack", price.credits, Unit.CREDITS),
    ]
    words = [
        f"{amount(known, unit)} {where}"
        for where, known, unit in others
        if known is not None and unit is not estimate.charge.unit
    ]
    return f" ({', '.join(words)})" if words else ""


def _comparison(estimate: Estimate) -> str:
    """Summarise what a month of clips costs under each plan."""
    best = estimate.cheapest
    if best is None and estimate.rate:
        return f"Nothing to compare: packs exclude {estimate.clip.model}."
    if best is None:
        return "Nothing to compare: hailuo-mcp knows no packs for this kind of account."
    name = f"{best.packs} × {best.plan.name}" if best.packs else "pay as you go"
    others = "; ".join(
        f"{way.plan.name} {number(way.cost)} CNY"
        + (f", {number(way.credits_lapsing)} credits unused" if way.packs else "")
        for way in estimate.packs
        if way is not best
    )
    sold = [way for way in estimate.packs if way.packs]
    offers = "; ".join(
        f"{way.plan.name} {way.rpm} RPM, {way.plan.saves_percent} % off "
        f"{number(way.plan.list_cny)} CNY"
        for way in sold
        if way.plan.list_cny is not None
    )
    said = (
        f"Cheapest for {estimate.count} a month: {name}, {number(best.cost)} CNY "
        f"({number(best.per_video)} CNY each). Otherwise: {others}. The packs: {offers}; sold at "
        f"{sold[0].plan.buy_at}. Unused credits expire."
    )
    if dearer := [way.plan.name for way in estimate.packs if way.dearer_at_full_use]:
        cost = "costs" if len(dearer) == 1 else "cost"
        said += (
            f" For this clip, {' and '.join(dearer)} {cost} more than pay as you go, even if every "
            "credit is used."
        )
    return said


def prices(price: Price) -> Prices:
    """Published prices in each unit, as decimal strings."""
    amounts = {"credits": price.credits, "cny": price.cny, "usd": price.usd}
    return cast("Prices", {key: number(it) for key, it in amounts.items() if it is not None})


def _quote(quote: Quote) -> Cost:
    if quote.amount is None:
        return {}
    return {"amount": number(quote.amount), "unit": quote.unit.value}


def _pack(way: PlanCost) -> PackEstimate:
    row: PackEstimate = {"plan": way.plan.name, "cny": number(way.cost)}
    row["per_video_cny"] = number(way.per_video)
    if way.rpm is not None:
        row["rpm"] = way.rpm
    if way.packs:
        row["packs"] = way.packs
        row["per_video_cny_if_used_up"] = number(way.per_video_full)
        row["credits_lapsing"] = number(way.credits_lapsing)
        row["lapsing_cny"] = number(way.lapsing_cny)
    if way.plan.list_cny is not None and way.plan.saves_percent is not None:
        row["list_cny"] = number(way.plan.list_cny)
        row["saves_percent"] = way.plan.saves_percent
    if way.dearer_at_full_use:
        row["dearer_than_payg"] = True
    return row


def spending(so_far: Spending) -> SpendingSoFar:
    amounts: dict[str, Decimal | None] = {
        "spent": so_far.spent,
        "reserved": so_far.reserved,
        "uncertain": so_far.uncertain,
        "budget": so_far.budget,
        "left": so_far.left,
    }
    known = {key: number(amount) for key, amount in amounts.items() if amount is not None}
    return cast("SpendingSoFar", {"unit": str(so_far.unit), "period": so_far.period, **known})


def offer_words(offer: Offer) -> str:
    """A purchase before it is made: its price and the remaining budget."""
    draft, so_far = offer.draft, offer.spending
    if offer.repeats:
        task = offer.repeats.task
        return (
            f"the same request is task {task.task_id} ({task.status}), so nothing is bought or "
            "charged. Another take would be a new clip."
        )
    parts = (
        model_title(draft.model),
        f"{draft.duration} s" if draft.duration else "",
        draft.resolution or "",
        "" if draft.mode is Mode.TEMPLATE else draft.mode.value,
    )
    what = ", ".join(part for part in parts if part)
    known = "unknown, none is published"
    if draft.amount is not None:
        known = price_words(offer.quote)
    said = [f"{known} for {what}."]
    if offer.reserved_amount is not None and offer.reserved_amount != draft.amount:
        said.append(f"It counts as {amount(offer.reserved_amount, draft.unit)}.")
    if so_far.budget is not None and so_far.left is not None:
        when = {"day": " today", "month": " this month"}.get(so_far.period, "")
        after = so_far.left - (offer.reserved_amount or 0)
        said.append(
            f"Left of the budget: {number(so_far.left)} of {amount(so_far.budget, draft.unit)}"
            f"{when}, {number(after)} after this clip."
        )
    return join(*said, *draft.warnings)


def purchase_quote(offer: Offer) -> PurchaseQuote:
    draft = offer.draft
    task = offer.repeats.task if offer.repeats else None
    opening = "Not a new clip:" if task else "Would cost:" if offer.notice else "Price:"
    told = f"{opening} {offer_words(offer)}" + ("" if task else " Nothing was sent or charged.")
    price = None if draft.amount is None else number(draft.amount)
    return cast(
        "PurchaseQuote",
        only_given(
            message=join(offer.notice, told),
            task_id=task.task_id if task else "",
            status=task.status.value if task else "",
            reused=task is not None,
            cost=only_given(
                amount=price,
                lower_bound=offer.lower_bound,
                unit=draft.unit.value,
                charged="no",
            ),
            needs_consent=offer.asks,
            prompt=draft.prompt,
            provider=draft.provider,
            model=draft.model,
            mode=draft.mode.value,
            duration=draft.duration,
            resolution=draft.resolution,
            spending=spending(offer.spending),
        ),
    )


NO_TEMPLATES = "This provider offers no templates. Nothing was charged."


def template_choice(templates: Sequence[Template], *, notice: str = "") -> VideoTask:
    """The answer to an empty template_id: the available templates."""
    if not templates:
        said = f"{NO_TEMPLATES} generate_video makes a clip from a prompt."
    else:
        unpriced = all(template.usd is None for template in templates)
        none = " No prices are published for them." if unpriced else ""
        lines = "; ".join(template.line for template in templates)
        said = f"Nothing was made or charged. Choose a template: {lines}.{none}"
    return {"message": join(notice, said)}
