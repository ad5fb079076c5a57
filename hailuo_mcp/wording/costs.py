"""Prices, budgets and templates, as their readers get them."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, cast

from hailuo_mcp.catalog.video_templates import model_title
from hailuo_mcp.domain import Mode, Quote
from hailuo_mcp.errors import Do, InvalidRequestError, Step
from hailuo_mcp.text import number, shown
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
    from hailuo_mcp.catalog.packs import PlanCost
    from hailuo_mcp.catalog.prices import Price
    from hailuo_mcp.catalog.video_templates import Template
    from hailuo_mcp.rules.estimate import Estimate
    from hailuo_mcp.views import Offer, Spending


def cost_estimate(estimate: Estimate, *, notice: str = "") -> CostEstimate:
    said = join(notice, estimate.message)
    return cast(
        "CostEstimate",
        only_given(
            message=said,
            status=estimate.status,
            model=estimate.model,
            mode=estimate.mode.value,
            duration=estimate.duration,
            resolution=estimate.resolution,
            count=estimate.count,
            per_video=prices(estimate.per_video),
            total=prices(estimate.total) if estimate.count > 1 else {},
            plan=estimate.plan,
            plan_charges=_quote(estimate.charge),
            plan_total=_quote(estimate.charge_total) if estimate.count > 1 else {},
            compared=[_pack(way) for way in estimate.packs],
            cheapest=estimate.cheapest,
            prices_as_of=estimate.prices_as_of,
            source=estimate.source,
        ),
    )


def prices(price: Price) -> Prices:
    """Published prices in each unit, as decimal strings."""
    amounts = {"credits": price.credits, "cny": price.cny, "usd": price.usd}
    return cast("Prices", {key: number(it) for key, it in amounts.items() if it is not None})


def _quote(quote: Quote) -> Cost:
    if quote.amount is None:
        return {}
    return {"amount": number(quote.amount), "unit": quote.unit.value}


def _pack(way: PlanCost) -> PackEstimate:
    row: PackEstimate = {"plan": way.plan, "cny": number(way.cost)}
    row["per_video_cny"] = number(way.per_video)
    if way.rpm is not None:
        row["rpm"] = way.rpm
    if way.packs:
        row["packs"] = way.packs
        row["per_video_cny_if_used_up"] = number(way.per_video_full)
        row["credits_lapsing"] = number(way.credits_lapsing)
        row["lapsing_cny"] = number(way.lapsing_cny)
    if way.list_cny is not None and way.saves_percent is not None:
        row["list_cny"] = number(way.list_cny)
        row["saves_percent"] = way.saves_percent
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
    """A purchase before it is made: what it would cost, and what is left for it."""
    draft, so_far = offer.draft, offer.spending
    if offer.repeats:
        task = offer.repeats.task
        return (
            f"the same request is task {task.task_id} ({task.status}), so nothing is bought or "
            "charged. Another take of it would be."
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
        known = amount(draft.amount, draft.unit)
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
            cost=only_given(amount=price, unit=draft.unit.value, charged="no"),
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


def template_lines(templates: Sequence[Template]) -> str:
    """Each template with its id, inputs and price."""
    return "; ".join(
        f'"{template.template_id}" {template.title}: {template.inputs}'
        + (f", {number(template.usd)} USD" if template.usd is not None else "")
        for template in templates
    )


NO_TEMPLATES = "This provider offers no templates. Nothing was charged."


def template_choice(templates: Sequence[Template], *, notice: str = "") -> VideoTask:
    """The answer to an empty template_id: what there is to choose from."""
    if not templates:
        said = f"{NO_TEMPLATES} generate_video makes a clip from a prompt."
    else:
        unpriced = all(template.usd is None for template in templates)
        none = " No prices are published for them." if unpriced else ""
        said = f"Nothing was made or charged. Choose a template: {template_lines(templates)}.{none}"
    return {"message": join(notice, said)}


def no_such_template(name: str, templates: Sequence[Template]) -> InvalidRequestError:
    """The refusal of a name that no template has."""
    choose = Step(Do.TRY, f"choose a template: {template_lines(templates)}")
    return InvalidRequestError(f"There is no template {shown(name)!r}.", choose)
