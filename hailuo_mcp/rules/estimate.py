"""What clips would cost under a plan, and what each pack would make of a month of them."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from hailuo_mcp.catalog.data import rows
from hailuo_mcp.catalog.packs import PlanCost, cheapest, compare, compare_words
from hailuo_mcp.catalog.prices import (
    NO_PRICE,
    Plan,
    Price,
    list_price,
    plan_named,
    plan_unit,
    price_words,
    published,
)
from hailuo_mcp.catalog.video_models import (
    default_model,
    find_model,
    models,
    nearest_model,
    offered_by,
)
from hailuo_mcp.catalog.video_templates import find_template, template_price, templates
from hailuo_mcp.domain import Capabilities, Mode, Quote, Unit
from hailuo_mcp.rules.combinations import MODE_WORDS, Call, nearest_call, resolve_size, size_name
from hailuo_mcp.text import number, refusal, shown


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """A price before anything is bought."""

    status: Literal["exact", "lower_bound", "unknown"]
    """Of what the plan charges; single list prices may be known even so."""
    model: str
    mode: Mode
    duration: int | None
    resolution: str | None
    count: int
    per_video: Price
    total: Price
    plan: str
    charge: Quote
    """What the plan charges for one."""
    charge_total: Quote
    prices_as_of: str
    source: str
    message: str
    packs: tuple[PlanCost, ...] = ()
    """With plan="compare": every way to pay for `count` clips a month."""
    cheapest: str = ""


_MOST_CLIPS = 1_000_000
_FREE = "Nothing was charged."
_BUDGET = "A budget counts such a clip as HAILUO_UNPRICED_COST, and refuses it where that is unset."


def _times(amount: Decimal | None, count: int) -> Decimal | None:
    return None if amount is None else amount * count


def _total(price: Price, count: int) -> Price:
    return Price(
        credits=_times(price.credits, count),
        cny=_times(price.cny, count),
        usd=_times(price.usd, count),
    )


def _mode_for(mode: str, model: str, resolution: str, capabilities: Capabilities) -> Mode:
    """Read the mode, or take the first one that this model and size have."""
    word = mode.strip().lower()
    if word:
        try:
            return Mode(word)
        except ValueError:
            raise refusal(
                [f"there is no mode {shown(mode)}"], f"The modes are {', '.join(Mode)}."
            ) from None
    known = find_model(nearest_model(model) or model) if model.strip() else None
    pairs = [
        (m, rules)
        for each in ([known] if known else models())
        for m, rules in each.modes.items()
        if m in capabilities.modes and offered_by(each.name, capabilities)
    ]
    fitting = [m for m, rules in pairs if resolution in rules.sizes]
    own = list(known.modes) if known else [Mode.T2V]
    return (fitting or [m for m, _ in pairs] or own)[0]


def _call(
    model: str, mode: Mode, duration: int, resolution: str, capabilities: Capabilities
) -> tuple[Call, list[str]]:
    """Resolve defaults as the check before the purchase does; with the problems found."""
    problems: list[str] = []
    size = size_name(resolution)
    if mode not in capabilities.modes:
        problems.append(f"this provider makes no clip from {MODE_WORDS[mode]}")
    name = model.strip() or default_model(mode, size, capabilities)
    known = find_model(name) if name else None
    if known is None:
        if near := nearest_model(name) if name else None:
            problems.append(f"there is no model {shown(name)} (the nearest is {near})")
        elif name and capabilities.models is not None:
            problems.append(f"this provider does not offer {shown(name)}")
        return Call(
            model=name, mode=mode, resolution=size or None, duration=duration or None
        ), problems
    if not offered_by(known.name, capabilities):
        problems.append(f"this provider does not offer {known.name}")
    if mode not in known.modes:
        offered = " or ".join(MODE_WORDS[m] for m in known.modes)
        problems.append(f"{known.name} makes clips from {offered}, not from {MODE_WORDS[mode]}")
        return Call(model=known.name, mode=mode), problems
    resolved, seconds, wrong = resolve_size(known, mode, size or None, duration or None)
    return Call(model=known.name, mode=mode, resolution=resolved, duration=seconds), [
        *problems,
        *wrong,
    ]


def _dates(*units: str) -> tuple[str, str]:
    """Find when and where the prices of these schemes were read; the oldest date counts."""
    used = [row for row in rows("prices", "source") if set(units) & set(row["of"])]
    return min(str(row["checked"]) for row in used), "; ".join(row["source"] for row in used)


def _plan(text: str) -> tuple[Plan, bool]:
    asked = text.strip().lower()
    if asked == "compare":
        return plan_named("payg"), True
    try:
        return plan_named(asked or "payg"), False
    except ValueError as wrong:
        raise refusal([f"{shown(text)} is no plan"], f'{wrong} "compare" compares them.') from None


def _also(price: Price, charge: Quote) -> str:
    """Name the other published prices of the same clip, in brackets."""
    others = [
        ("pay as you go in China", price.cny, Unit.CNY),
        ("pay as you go globally", price.usd, Unit.USD),
        ("from a Chinese pack", price.credits, Unit.CREDITS),
    ]
    words = [
        f"{price_words(Quote(amount=amount, unit=unit))} {where}"
        for where, amount, unit in others
        if amount is not None and unit is not charge.unit
    ]
    return f" ({', '.join(words)})" if words else ""


def _words(call: Call, charge: Quote, price: Price, plan: Plan, price_list: str, count: int) -> str:
    what = call.words.removeprefix("model ")
    if not price_list:
        return f"Unknown: this provider publishes no prices. {_BUDGET} {_FREE}"
    if price == NO_PRICE:
        return f"Unknown: no price is published for {what}, in any scheme. {_BUDGET} {_FREE}"
    if charge.amount is None:
        where = f"the {plan.name} plan of a {price_list} account"
        return (
            f"Unknown: no price is published for {where}{_also(price, charge)}. {_BUDGET} {_FREE}"
        )
    total = Quote(amount=charge.amount * count, unit=charge.unit)
    many = f"; {count} are {price_words(total)}" if count > 1 else ""
    pack = ""
    if plan.price_cny is not None and plan.credits:
        full = (plan.price_cny / plan.credits * charge.amount).quantize(Decimal("0.01"))
        pack = (
            f" A pack ({number(plan.price_cny)} CNY, {number(plan.credits)} credits, {plan.valid}) "
            f"makes that {number(full)} CNY a clip if all of it is used; the rest lapses."
        )
    elif plan.name == "custom":
        pack = " What a credit costs is in the contract."
    return f"One clip of {what} is {price_words(charge)}{_also(price, charge)}{many}.{pack} {_FREE}"


def _template(name: str, plan: Plan, count: int, price_list: str) -> Estimate:
    """Price a template, or the cheapest where only the mode is known."""
    offered = templates(price_list)
    one = find_template(name, price_list)
    if name and offered and not one and not name.isdigit():  # a number may be newer than the list
        titles = ", ".join(template.title for template in offered)
        raise refusal([f"there is no template {shown(name)}"], f"The templates here: {titles}.")
    asked = (one,) if name else offered
    quotes = [template_price(it, price_list=price_list, plan=plan.name) for it in asked]
    known = sorted(quote.amount for quote in quotes if quote.amount is not None)
    charge = Quote(amount=known[0] if known else None, unit=plan_unit(plan.name, price_list))
    total = Quote(amount=_times(charge.amount, count), unit=charge.unit)
    price = Price(usd=charge.amount)
    whole = next(iter(templates("global")))
    message = f"Unknown: no price is published for templates here. {_BUDGET} {_FREE}"
    if known and one:
        many = f"; {count} are {price_words(total)}" if count > 1 else ""
        message = (
            f"One clip of the template {one.title} is {price_words(charge)}{many}, by the "
            f"historical price page. {_FREE}"
        )
    elif known:
        message = (
            f"At least {number(known[0])} USD each: by the historical price page the templates "
            f"cost {number(known[0])} to {number(known[-1])} USD. {_FREE}"
        )
    return Estimate(
        status=("exact" if one else "lower_bound") if known else "unknown",
        model=one.title if one else name,
        mode=Mode.TEMPLATE,
        duration=None,
        resolution=None,
        count=count,
        per_video=price,
        total=_total(price, count),
        plan=plan.name,
        charge=charge,
        charge_total=total,
        prices_as_of=whole.checked if known else "",
        source=whole.source if known else "",
        message=message,
    )


def estimate(  # noqa: PLR0913  one for each argument of the tool
    model: str = "",
    mode: str = "",
    duration: int = 0,
    resolution: str = "",
    count: int = 1,
    plan: str = "",
    *,
    price_list: str,
    region: str,
    capabilities: Capabilities,
) -> Estimate:
    """Price `count` clips; InvalidRequestError names what is wrong and the nearest legal call.

    Empty inputs get the defaults that the check before the purchase gives them. `price_list` is the
    provider's ("" if it publishes none), `region` decides the unit of an unpriced one.
    """
    chosen, comparing = _plan(plan)
    if not 1 <= count <= _MOST_CLIPS:
        raise refusal([f"count must lie between 1 and {_MOST_CLIPS:,}"])
    size = size_name(resolution)
    wanted = _mode_for(mode, model, size, capabilities)
    if wanted is Mode.TEMPLATE:
        return _template(model.strip(), chosen, count, price_list)
    call, problems = _call(model, wanted, duration, resolution, capabilities)
    if problems:
        raise refusal(problems, _nearest(call, duration, size, capabilities, price_list, chosen))
    price = published(call.model, call.resolution, call.duration) if price_list else NO_PRICE
    quote = list_price(
        call.model, call.resolution, call.duration, price_list=price_list, plan=chosen.name
    )
    charge = Quote(amount=quote.amount, unit=plan_unit(chosen.name, price_list or region))
    ways = compare(price, count, price_list) if comparing else ()
    message = _words(call, charge, price, chosen, price_list, count)
    if comparing and price != NO_PRICE:
        message = f"{compare_words(ways, count)} {message}"
    checked, source = _dates("credits", "cny", "usd") if price != NO_PRICE else ("", "")
    return Estimate(
        status="unknown" if charge.amount is None else "exact",
        model=call.model,
        mode=wanted,
        duration=call.duration,
        resolution=call.resolution,
        count=count,
        per_video=price,
        total=_total(price, count),
        plan=chosen.name,
        charge=charge,
        charge_total=Quote(amount=_times(charge.amount, count), unit=charge.unit),
        prices_as_of=checked,
        source=source,
        message=message,
        packs=ways,
        cheapest=cheapest(ways).plan if ways else "",
    )


def _nearest(
    call: Call, duration: int, size: str, capabilities: Capabilities, price_list: str, plan: Plan
) -> str:
    name = call.model if find_model(call.model) else nearest_model(call.model) or ""
    modes = list(dict.fromkeys([call.mode, Mode.T2V, Mode.I2V, Mode.FL2V, Mode.S2V]))
    near = nearest_call(name, modes, size, duration, capabilities)
    if near is None:
        return ""
    price = list_price(
        near.model, near.resolution, near.duration, price_list=price_list, plan=plan.name
    )
    made = f"{near.words}, from {MODE_WORDS[near.mode]}"
    return f"Nearest that works: {made}, {price_words(price)}."
