"""Prices are those that are published, in Decimal, and nothing is converted or guessed."""

from decimal import Decimal

import pytest

from hailuo_mcp.catalog.prices import (
    Inputs,
    Price,
    plan_named,
    plan_rpm,
    plan_unit,
    plans,
    price_of_usage,
    price_words,
    prices_read,
    published,
)
from hailuo_mcp.domain.remote import Capabilities, Usage
from hailuo_mcp.domain.requests import Mode
from hailuo_mcp.domain.task import Quote, Unit
from hailuo_mcp.rules.judge import Seller
from hailuo_mcp.rules.nearest import legal_combinations
from hailuo_mcp.text import number

ANY = Capabilities(modes=frozenset(Mode))

# Typed from the pricing pages by hand: credits, CNY, USD.
PRICES = [
    ("MiniMax-Hailuo-2.3-Fast", "768P", 6, "0.7", "1.35", "0.19"),
    ("MiniMax-Hailuo-2.3-Fast", "768P", 10, "1.1", "2.25", "0.32"),
    ("MiniMax-Hailuo-2.3-Fast", "1080P", 6, "1.3", "2.31", "0.33"),
    ("MiniMax-Hailuo-2.3", "768P", 6, "1", "2", "0.28"),
    ("MiniMax-Hailuo-2.3", "768P", 10, "2", "4", "0.56"),
    ("MiniMax-Hailuo-2.3", "1080P", 6, "2", "3.5", "0.49"),
    ("MiniMax-Hailuo-02", "768P", 6, "1", "2", "0.28"),
    ("MiniMax-Hailuo-02", "768P", 10, "2", "4", "0.56"),
    ("MiniMax-Hailuo-02", "1080P", 6, "2", "3.5", "0.49"),
    ("MiniMax-Hailuo-02", "512P", 6, "0.3", "0.6", "0.1"),
    ("MiniMax-Hailuo-02", "512P", 10, "0.5", "1", "0.15"),
]


@pytest.mark.parametrize(("model", "resolution", "duration", "credits_", "cny", "usd"), PRICES)
def test_a_clip_costs_what_is_published(model, resolution, duration, credits_, cny, usd):
    def price(price_list, plan):
        seller = Seller(name="here", capabilities=ANY, price_list=price_list, plan=plan)
        return seller.charge(published(model, resolution, duration))

    assert price("cn", "payg") == Quote(amount=Decimal(cny), unit=Unit.CNY)
    assert price("global", "payg") == Quote(amount=Decimal(usd), unit=Unit.USD)
    assert price("cn", "basic") == Quote(amount=Decimal(credits_), unit=Unit.CREDITS)
    assert price("cn", "企业包") == Quote(amount=Decimal(credits_), unit=Unit.CREDITS)
    assert price("global", "basic").amount is None
    assert price("", "payg").amount is None


def test_whatever_is_not_in_the_list_has_no_price():
    known = {row[:3] for row in PRICES}
    by_second = {row[:2] for row in RATES}
    for call in legal_combinations(list(Mode), ANY):
        clip = (call.model, call.resolution, call.duration)
        listed = clip in known or clip[:2] in by_second
        assert (published(*clip) == Price()) == (not listed)


# Typed from reference/minimax_v2.md by hand: a second, a second of input, a further picture.
RATES = [
    ("MiniMax-H3", "768P", False, 5, ("0.08", "0.08", "0.04"), ("0.5", "0.5", "0.2")),
    ("MiniMax-H3", "2K", False, 5, ("0.13", "0.13", "0.04"), ("0.8", "0.8", "0.2")),
    ("MiniMax-H3", "2K", True, 5, ("0.05", "0.05", "0.025"), ("0.3", "0.3", None)),
    ("MiniMax-H3-Max", "480P", False, 2, ("0.05", "0.0553", "0.074"), ("0.33", None, None)),
    ("MiniMax-H3-Max", "768P", False, 2, ("0.08", "0.143", "0.074"), ("0.5", None, None)),
]


@pytest.mark.parametrize(("model", "size", "upgrade", "free", "usd", "cny"), RATES)
def test_a_clip_sold_by_the_second_costs_its_seconds_and_inputs(
    model, size, upgrade, free, usd, cny
):
    for seconds in (5, 9, 15):
        for video_seconds in (0, 1, 7):
            for images in (0, free, free + 1, 9):
                inputs = Inputs(images=images, video_seconds=video_seconds)
                price = published(model, size, seconds, inputs=inputs, upgrade=upgrade)
                for unit, (second, input_, image) in ((Unit.USD, usd), (Unit.CNY, cny)):
                    more = max(0, images - free)
                    unknown = (video_seconds and input_ is None) or (more and image is None)
                    wanted = Decimal(second) * seconds
                    wanted += Decimal(input_ or 0) * video_seconds + Decimal(image or 0) * more
                    assert getattr(price, unit.name.lower()) == wanted
                    assert (unit in price.partial) == bool(unknown)
                assert price.credits is None


def test_the_length_of_a_clip_that_nobody_knows_makes_a_lower_bound():
    price = published("MiniMax-H3", "768P", 6, inputs=Inputs(images=6, video_seconds=None))
    assert (price.usd, price.cny) == (Decimal("0.52"), Decimal("3.2"))
    assert price.partial == {Unit.USD, Unit.CNY}


@pytest.mark.parametrize(
    ("price_list", "plan", "quote"),
    [
        ("global", "payg", Quote(amount=Decimal("0.324"), unit=Unit.USD)),
        ("cn", "payg", Quote(amount=Decimal("1.65"), unit=Unit.CNY, lower_bound=True)),
        ("cn", "free", Quote(amount=None, unit=Unit.CREDITS)),
        ("", "payg", Quote(amount=None, unit=Unit.CNY)),
    ],
)
def test_a_quote_is_a_lower_bound_only_in_the_unit_that_lacks_a_price(price_list, plan, quote):
    seller = Seller(name="here", capabilities=ANY, price_list=price_list, plan=plan)
    inputs = Inputs(images=3, video_seconds=0)
    assert seller.charge(published("MiniMax-H3-Max", "480P", 5, inputs=inputs)) == quote


def test_usage_is_priced_as_a_quote_is():
    usage = Usage(output_seconds=6, input_seconds=4, images=7)
    price = price_of_usage("MiniMax-H3", "2K", usage, upgrade=True)
    assert (price.usd, price.cny) == (Decimal("0.55"), Decimal(3))
    assert price.partial == {Unit.CNY}
    quoted = published("MiniMax-H3", "2K", 6, inputs=Inputs(images=7, video_seconds=4))
    assert price_of_usage("MiniMax-H3", "2K", usage, upgrade=False) == quoted
    assert price_of_usage("MiniMax-H3", "768P", usage, upgrade=True) == Price()
    assert price_of_usage("unlisted", "768P", usage, upgrade=False) == Price()


def test_each_kind_of_price_has_its_own_date_and_source():
    assert prices_read("MiniMax-Hailuo-2.3")[0] == "2026-07-10"
    when, where = prices_read("MiniMax-H3")
    assert when == "2026-10-24"
    assert "platform.minimax.io" in where
    assert "platform.minimaxi.com" in where


def test_prices_are_decimals_to_the_last_digit():
    price = published("MiniMax-Hailuo-2.3-Fast", "768P", 6)
    assert price.credits * 10 == 7
    assert isinstance(price.cny, Decimal)


PACKS = [
    ("basic", "基础包", 7000, 7368, 3680, 20),
    ("advanced", "高级包", 15000, 16667, 8330, 30),
    ("plus", "进阶包", 30000, 35294, 17650, 40),
    ("enterprise", "企业包", 40000, 50000, 25000, 50),
]


@pytest.mark.parametrize(("name", "chinese", "price", "list_", "credits_", "rpm"), PACKS)
def test_the_four_packs_are_those_of_the_page(name, chinese, price, list_, credits_, rpm):
    plan = plan_named(chinese)
    assert plan.name == name
    assert (plan.price_cny, plan.list_cny, plan.credits) == (price, list_, credits_)
    assert plan.valid == "1 month"
    assert plan_rpm(name, "cn") == rpm


@pytest.mark.parametrize(
    ("plan", "region", "rpm"),
    [
        ("payg", "cn", 20),
        ("payg", "global", 5),
        ("free", "cn", 5),
        ("custom", "cn", None),
        ("payg", "", 20),
    ],
)
def test_the_rate_is_the_plans(plan, region, rpm):
    assert plan_rpm(plan, region) == rpm


@pytest.mark.parametrize(
    ("plan", "region", "unit"),
    [
        ("payg", "cn", Unit.CNY),
        ("payg", "global", Unit.USD),
        ("payg", "", Unit.CNY),
        ("basic", "cn", Unit.CREDITS),
        ("free", "cn", Unit.CREDITS),
        ("商务定制", "cn", Unit.CREDITS),
    ],
)
def test_a_plan_counts_in_its_own_unit(plan, region, unit):
    assert plan_unit(plan, region) is unit


@pytest.mark.parametrize("written", ["Basic", " BASIC ", "视频基础包", "基础包"])
def test_plans_go_by_either_language(written):
    assert plan_named(written).name == "basic"


def test_an_unknown_plan_is_refused_with_the_list():
    with pytest.raises(ValueError, match=r"payg.*basic \(基础包\).*custom"):
        plan_named("gold")
    assert [p.name for p in plans()] == [
        "payg",
        "free",
        "basic",
        "advanced",
        "plus",
        "enterprise",
        "custom",
    ]


@pytest.mark.parametrize(
    ("amount", "unit", "words"),
    [
        ("2.00", Unit.CNY, "2 CNY"),
        ("0.70", Unit.CREDITS, "0.7 credits"),
        ("1.0", Unit.CREDITS, "1 credit"),
        ("7000", Unit.CNY, "7000 CNY"),
        ("1E+3", Unit.USD, "1000 USD"),
    ],
)
def test_prices_read_as_people_write_them(amount, unit, words):
    assert price_words(Quote(amount=Decimal(amount), unit=unit)) == words


def test_a_lower_bound_says_so():
    quote = Quote(amount=Decimal("0.40"), unit=Unit.USD, lower_bound=True)
    assert price_words(quote) == "at least 0.4 USD"


def test_no_price_says_so():
    assert price_words(Quote(amount=None, unit=Unit.CNY)) == "no published price"
    assert number(Decimal("0.00")) == "0"
