"""The wall: what counts, what is given back, and that nothing passes it."""

from decimal import Decimal
from typing import Any

import pytest

from hailuo_mcp.domain.task import Money, Status, Unit
from hailuo_mcp.journal.facts import OverBudget

pytestmark = pytest.mark.anyio


async def test_reservations_fill_the_budget_to_the_last_millionth(shop: Any) -> None:
    await shop.buy(cost="0.7", budget="1")
    refused = await shop.try_to_buy(cost="0.300001", budget="1")
    assert refused == OverBudget(spent=Decimal(0), reserved=Decimal("0.7"))
    await shop.buy(cost="0.3", budget="1")
    assert isinstance(await shop.try_to_buy(cost="0.000001", budget="1"), OverBudget)


@pytest.mark.parametrize(
    ("status", "money"),
    [
        (Status.SUCCEEDED, Money.SPENT),
        (Status.FAILED, Money.RELEASED),
        (Status.CANCELLED, Money.RELEASED),
        (Status.UNCONFIRMED, Money.RESERVED),
        (Status.QUEUED, Money.RESERVED),
        (Status.RUNNING, Money.RESERVED),
        (Status.PENDING, Money.RESERVED),
    ],
)
async def test_every_status_settles_its_money(shop: Any, status: Status, money: Money) -> None:
    task = await shop.becomes(await shop.buy(budget="1"), status)
    assert task.money is money
    assert (await shop.read(task)).money is money
    found = await shop.try_to_buy(budget="1")
    assert isinstance(found, OverBudget) == (money is not Money.RELEASED)
    sums = await shop.journal.sums(task.account, Unit.CNY, 0.0)
    expected = Decimal(1)
    if money is Money.SPENT:
        assert (sums.spent, sums.reserved) == (expected, 0)
    else:
        assert (sums.spent, sums.reserved) == (0, expected)


async def test_what_is_uncertain_is_told_apart_within_the_reserved(shop: Any) -> None:
    await shop.becomes(await shop.buy(cost="2"), Status.UNCONFIRMED)
    await shop.buy(cost="3")
    sums = await shop.journal.sums("sandbox a 1", Unit.CNY, 0.0)
    assert (sums.spent, sums.reserved, sums.uncertain) == (0, 5, 2)


async def test_only_the_period_counts(shop: Any) -> None:
    await shop.becomes(await shop.buy(budget="1"), Status.SUCCEEDED)
    shop.now += 100
    assert isinstance(await shop.try_to_buy(budget="1", since=shop.now - 100), OverBudget)
    await shop.buy(budget="1", since=shop.now - 99)


@pytest.mark.parametrize(
    "difference", [{"account": "sandbox a 2"}, {"unit": Unit.CREDITS}], ids=["account", "unit"]
)
async def test_accounts_and_units_have_budgets_of_their_own(
    shop: Any, difference: dict[str, Any]
) -> None:
    await shop.buy(budget="1")
    await shop.buy(budget="1", **difference)
    assert isinstance(await shop.try_to_buy(budget="1", **difference), OverBudget)


async def test_a_budget_of_nothing_buys_nothing(shop: Any) -> None:
    assert isinstance(await shop.try_to_buy(budget="0"), OverBudget)
    await shop.buy(budget="0", cost="0")


async def test_a_task_of_tomorrow_counts_when_the_clock_was_set_back(shop: Any) -> None:
    shop.now += 86_400
    await shop.buy(budget="1")
    shop.now -= 86_400
    assert isinstance(await shop.try_to_buy(budget="1", since=shop.now), OverBudget)


async def test_what_somebody_else_bought_costs_this_budget_nothing(shop: Any) -> None:
    draft = shop.draft(status=Status.QUEUED, money=Money.UNKNOWN, remote_id="7", amount=None)
    adopted = await shop.journal.adopt(draft)
    done = await shop.becomes(adopted, Status.SUCCEEDED)
    assert done.money is Money.UNKNOWN
    await shop.buy(budget="1")


async def test_a_refusal_writes_nothing(shop: Any) -> None:
    await shop.try_to_buy(budget="0")
    assert await shop.journal.newest() == []
