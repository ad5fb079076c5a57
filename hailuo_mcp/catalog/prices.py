"""What a clip costs and how an account pays, as published; nothing is ever converted or guessed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import cache

from hailuo_mcp.catalog.data import rows, squeeze
from hailuo_mcp.domain import Quote, Unit
from hailuo_mcp.text import number


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How an account pays."""

    name: str
    chinese: str
    aliases: tuple[str, ...]
    pack: bool
    """Credits that are bought whole and lapse."""
    price_cny: Decimal | None
    list_cny: Decimal | None
    credits: Decimal | None
    valid: str
    buy_at: str
    sold_in: str
    """Whose accounts can buy it, by price list; empty where nothing is bought."""
    rpm: Mapping[str, int]
    """Submits a minute by region; no entry: no limit."""
    source: str
    checked: str

    @property
    def saves_percent(self) -> int | None:
        """What the pack is below its list price, as its page rounds it."""
        if self.price_cny is None or self.list_cny is None:
            return None
        return round(100 * (1 - self.price_cny / self.list_cny))


@dataclass(frozen=True, slots=True, kw_only=True)
class Price:
    """The published prices of one clip, in three schemes that are not proportional."""

    credits: Decimal | None = None
    cny: Decimal | None = None
    usd: Decimal | None = None


NO_PRICE = Price()


def _decimal(row: Mapping[str, object], key: str) -> Decimal | None:
    return Decimal(str(row[key])) if key in row else None


@cache
def plans() -> tuple[Plan, ...]:
    return tuple(
        Plan(
            name=row["name"],
            chinese=row["chinese"],
            aliases=tuple(row["aliases"]),
            pack=row["pack"],
            price_cny=_decimal(row, "price_cny"),
            list_cny=_decimal(row, "list_cny"),
            credits=_decimal(row, "credits"),
            valid=f"{row['months']} month" if "months" in row else "",
            buy_at=row.get("buy_at", ""),
            sold_in=row.get("sold_in", ""),
            rpm=row["rpm"],
            source=row["source"],
            checked=str(row["checked"]),
        )
        for row in rows("plans", "plan")
    )


def plan_named(text: str) -> Plan:
    """Find the plan of that English or Chinese name; ValueError lists them all."""
    wanted = squeeze(text)
    for plan in plans():
        if wanted in {squeeze(name) for name in (plan.name, plan.chinese, *plan.aliases)}:
            return plan
    known = ", ".join(f"{plan.name} ({plan.chinese})" for plan in plans())
    raise ValueError(f"There is no such plan; the plans are {known}.")


def plan_unit(plan: str, region: str) -> Unit:
    """Say what a plan's costs are counted in: money when paying as one goes, else credits."""
    if plan_named(plan).name != "payg":
        return Unit.CREDITS
    return Unit.USD if region == "global" else Unit.CNY


def plan_rpm(plan: str, region: str) -> int | None:
    """Look up the submits a minute; None: no limit. An unknown region counts as China."""
    rpm = plan_named(plan).rpm
    return rpm.get(region, rpm.get("cn"))


@cache
def _prices() -> Mapping[tuple[str, str, int], Price]:
    return {
        (model, row["resolution"], row["duration"]): Price(
            credits=row["credits"], cny=row["cny"], usd=row["usd"]
        )
        for row in rows("prices", "price")
        for model in row["models"]
    }


def published(model: str, resolution: str | None, duration: int | None) -> Price:
    """Look up every price that is published for such a clip."""
    if resolution is None or duration is None:
        return NO_PRICE
    return _prices().get((model, resolution, duration), NO_PRICE)


def list_price(
    model: str, resolution: str | None, duration: int | None, *, price_list: str, plan: str
) -> Quote:
    """Price one clip in the plan's unit; no amount where nobody publishes one.

    `price_list` is "cn" or "global", or empty for a provider without published prices. Credits are
    published for the packs that are sold in China only.
    """
    unit = plan_unit(plan, price_list)
    price = published(model, resolution, duration)
    amount = {
        ("cn", Unit.CNY): price.cny,
        ("cn", Unit.CREDITS): price.credits,
        ("global", Unit.USD): price.usd,
    }.get((price_list, unit))
    return Quote(amount=amount, unit=unit)


def price_words(quote: Quote) -> str:
    """Put a price into a sentence."""
    if quote.amount is None:
        return "no published price"
    unit = "credit" if quote.unit is Unit.CREDITS and quote.amount == 1 else quote.unit.value
    return f"{number(quote.amount)} {unit}"
