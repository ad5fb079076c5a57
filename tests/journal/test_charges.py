"""The account book agrees with the journal's own sums, to the last millionth."""

from __future__ import annotations

from decimal import Decimal
from random import Random
from typing import Any

import pytest

from hailuo_mcp.domain.task import Money, Status, Unit
from hailuo_mcp.journal.facts import Charge, Filter
from hailuo_mcp.studio.account_book import Line, lines

from .conftest import ACCOUNT, OTHER

pytestmark = pytest.mark.anyio

PROVIDERS = {ACCOUNT: "minimax-cn", OTHER: "sandbox"}
ENDS = (Status.SUCCEEDED, Status.FAILED, Status.CANCELLED, Status.UNCONFIRMED, Status.RUNNING, None)


async def _history(shop: Any, random: Random, many: int) -> list[float]:
    """Purchases of two accounts in three units, with every end; returns when each was made."""
    moments = list[float]()
    for number in range(many):
        shop.now += random.choice((1.0, 313.7, 900.0, 40_000.0))
        account, unit = random.choice((ACCOUNT, OTHER)), random.choice(list(Unit))
        cost = Decimal(random.randrange(0, 9_999_999)) / 10 ** random.randrange(7)
        priced = random.random() < 0.8
        task = await shop.buy(
            account=account,
            provider=PROVIDERS[account],
            unit=unit,
            cost=str(cost),
            amount=cost if priced else None,
            prompt=f"clip {number}",
        )
        moments.append(shop.now)
        if end := random.choice(ENDS):
            values: dict[str, Any] = {}
            if end is Status.SUCCEEDED and random.random() < 0.3:
                values = {"amount": cost + Decimal("0.04"), "quoted": cost}
            await shop.becomes(task, end, **values)
    return moments


@pytest.mark.parametrize("seed", range(3))
async def test_what_the_book_adds_up_is_what_the_budget_counts(shop: Any, seed: int) -> None:
    random = Random(seed)
    moments = await _history(shop, random, 30)
    for since in (0.0, *random.sample(moments, 3)):
        book = await shop.journal.charges(Filter(since=since))
        added = {(line.of[0], line.unit): line for line in lines(book, ("provider",))}
        for account, provider in PROVIDERS.items():
            for unit in Unit:
                line = added.get((provider, unit), Line(of=(), unit=unit))
                sums = await shop.journal.sums(account, unit, since)
                assert (line.spent, line.reserved, line.uncertain) == (
                    *(sums.spent, sums.reserved, sums.uncertain),
                )
        for by in (("day", "provider", "model"), ("month",)):
            parts = lines(book, by)
            assert sum(line.tasks for line in parts) == len(book)
            for unit in Unit:
                of_unit = [line.spent for line in parts if line.unit is unit]
                whole = [line.spent for (_, one), line in added.items() if one is unit]
                assert sum(of_unit) == sum(whole)


async def test_the_book_has_every_task_once_from_the_oldest(shop: Any) -> None:
    task = await shop.buy(prompt="猫", cost="0.5", amount=Decimal("0.5"), model="m", duration=6)
    shop.now += 1
    await shop.buy(provider="minimax-cn")
    first, second = await shop.journal.charges()
    assert first == Charge(
        task_id=task.task_id,
        remote_id="",
        provider="sandbox",
        created_at=task.created_at,
        status=task.status,
        money=Money.RESERVED,
        counted=Decimal("0.5"),
        amount=Decimal("0.5"),
        quoted=None,
        unit=Unit.CNY,
        mode=task.mode,
        model="m",
        duration=6,
        resolution=None,
        prompt="猫",
    )
    assert await shop.journal.charges(Filter(provider="minimax-cn")) == [second]
    assert await shop.journal.charges(Filter(until=shop.now, search="猫")) == [first]
