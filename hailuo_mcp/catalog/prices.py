"""Published prices and plans; nothing is converted between currencies or guessed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import cache

from hailuo_mcp.catalog.tables import rows
from hailuo_mcp.domain.remote import Usage
from hailuo_mcp.domain.task import Quote, Unit
from hailuo_mcp.text import number, squeeze


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How an account pays."""

    name: str
    chinese: str
    aliases: tuple[str, ...]
    pack: bool
    """The pack's credits; unused ones expire."""
    rpm: Mapping[str, int]
    """Submits a minute by region; no entry: no limit."""
    source: str
    checked: str
    price_cny: Decimal | None = None
    list_cny: Decimal | None = None
    """One pack's price before its discount."""
    credits: Decimal | None = None
    months: int = 0
    """How long a pack is valid."""
    buy_at: str = ""
    sold_in: str = ""
    """The price list of the accounts that can buy it; empty if nothing is bought."""

    @property
    def valid(self) -> str:
        return f"{self.months} month{'' if self.months == 1 else 's'}" if self.months else ""

    @property
    def saves_percent(self) -> int | None:
        """The discount on the list price, rounded as on its page."""
        if self.price_cny is None or self.list_cny is None:
            return None
        return round(100 * (1 - self.price_cny / self.list_cny))


@dataclass(frozen=True, slots=True, kw_only=True)
class Price:
    """The published prices of one clip, in three schemes that are not proportional."""

    credits: Decimal | None = None
    cny: Decimal | None = None
    usd: Decimal | None = None
    partial: frozenset[Unit] = frozenset()
    """The units in which no price is published for a part of it: it costs at least so much."""


NO_PRICE = Price()


@dataclass(frozen=True, slots=True, kw_only=True)
class Inputs:
    """What a clip is made from, where that has a price of its own."""

    images: int = 0
    """Frames and reference pictures."""
    video_seconds: int | None = 0
    """Of the reference clips, each rounded up; None if unknown."""


NO_INPUTS = Inputs()


@cache
def plans() -> tuple[Plan, ...]:
    return tuple(Plan(**row) for row in rows("plans", "plan"))


def plan_named(text: str) -> Plan:
    """Find a plan by its English or Chinese name; ValueError lists them all."""
    wanted = squeeze(text)
    for plan in plans():
        if wanted in {squeeze(name) for name in (plan.name, plan.chinese, *plan.aliases)}:
            return plan
    raise ValueError(", ".join(f"{plan.name} ({plan.chinese})" for plan in plans()))


def plan_unit(plan: str, region: str) -> Unit:
    """The unit of a plan's costs: money for pay as you go, else credits."""
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
            credits=row.get("credits"), cny=row.get("cny"), usd=row.get("usd")
        )
        for row in rows("prices", "price")
        for model in row["models"]
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate:
    """The published prices of what is sold by the second."""

    models: tuple[str, ...]
    resolution: str
    upgrade: bool = False
    free_images: int
    """So many cost nothing."""
    usd: Decimal | None = None
    """A second of the clip."""
    cny: Decimal | None = None
    usd_input: Decimal | None = None
    """A second of a reference clip."""
    cny_input: Decimal | None = None
    usd_image: Decimal | None = None
    """Each picture beyond `free_images`."""
    cny_image: Decimal | None = None

    @property
    def of_output(self) -> Price:
        """A second of the clip."""
        return Price(usd=self.usd, cny=self.cny)

    @property
    def of_input(self) -> Price:
        """A second of a reference clip."""
        return Price(usd=self.usd_input, cny=self.cny_input)

    @property
    def of_image(self) -> Price:
        """Each picture beyond `free_images`."""
        return Price(usd=self.usd_image, cny=self.cny_image)


@cache
def _rates() -> Mapping[tuple[str, str, bool], Rate]:
    found = [Rate(**row) for row in rows("prices", "rate")]
    return {(model, it.resolution, it.upgrade): it for it in found for model in it.models}


def published(
    model: str,
    resolution: str | None,
    duration: int | None,
    *,
    inputs: Inputs = NO_INPUTS,
    upgrade: bool = False,
) -> Price:
    """Look up every price that is published for such a clip, or for an upgrade to it."""
    if resolution is None or duration is None:
        return NO_PRICE
    if rate := rate_of(model, resolution, upgrade=upgrade):
        return _by_the_second(rate, duration, inputs)
    return NO_PRICE if upgrade else _prices().get((model, resolution, duration), NO_PRICE)


def rate_of(model: str, resolution: str | None, *, upgrade: bool = False) -> Rate | None:
    """Look up the prices by the second; None if it is not sold so."""
    return _rates().get((model, resolution or "", upgrade))


def price_of_usage(model: str, resolution: str, usage: Usage, *, upgrade: bool) -> Price:
    """What the provider's own count of seconds and pictures costs, by the published prices."""
    inputs = Inputs(images=usage.images, video_seconds=usage.input_seconds)
    return published(model, resolution, usage.output_seconds, inputs=inputs, upgrade=upgrade)


def _by_the_second(rate: Rate, duration: int, inputs: Inputs) -> Price:
    charged_images = max(0, inputs.images - rate.free_images)
    amounts, partial = dict[Unit, Decimal | None](), set[Unit]()
    for unit, second, input_second, image in (
        (Unit.USD, rate.usd, rate.usd_input, rate.usd_image),
        (Unit.CNY, rate.cny, rate.cny_input, rate.cny_image),
    ):
        if second is None:
            amounts[unit] = None
            continue
        amount = second * duration
        for each, count in ((input_second, inputs.video_seconds), (image, charged_images)):
            if count is None or (count and each is None):
                partial.add(unit)
            elif each is not None:
                amount += each * count
        amounts[unit] = amount
    return Price(cny=amounts[Unit.CNY], usd=amounts[Unit.USD], partial=frozenset(partial))


def prices_read(model: str) -> tuple[str, str]:
    """When and where the prices of this model were read; the oldest date counts."""
    by_second = any(model == named for named, _, _ in _rates())
    sources = [row for row in rows("prices", "source") if ("rate" in row["of"]) is by_second]
    return min(row["checked"] for row in sources), "; ".join(row["source"] for row in sources)


def price_words(quote: Quote) -> str:
    """Write a price for use in a sentence."""
    if quote.amount is None:
        return "no published price"
    unit = "credit" if quote.unit is Unit.CREDITS and quote.amount == 1 else quote.unit.value
    least = "at least " if quote.lower_bound else ""
    return f"{least}{number(quote.amount)} {unit}"
