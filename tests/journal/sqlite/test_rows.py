"""How SQLite keeps money, and what a question costs it."""

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hailuo_mcp.domain.task import Status
from hailuo_mcp.journal.sql.purchases import next_slot
from hailuo_mcp.journal.sql.rows import from_micro, micro


@given(st.decimals(min_value=0, max_value=10**12, places=6))
def test_money_survives_the_way_to_millionths_and_back(amount: Decimal) -> None:
    assert from_micro(micro(amount)) == amount


@given(st.decimals(min_value=0, max_value=1000, places=9))
def test_a_smaller_fraction_counts_up(amount: Decimal) -> None:
    assert Decimal(micro(amount)) / 1_000_000 >= amount


@pytest.mark.anyio
async def test_a_claim_costs_the_same_however_much_was_bought_before(shop: Any) -> None:
    def steps(db: Any) -> int:
        count = 0

        def step() -> None:
            nonlocal count
            count += 1

        db.set_progress_handler(step, 1)
        next_slot(db, "sandbox a 1", 5, shop.now)
        db.set_progress_handler(None, 0)
        return count

    async def buy(many: int) -> int:
        for _ in range(many):
            await shop.becomes(await shop.buy(), Status.QUEUED, attempt=1)
        shop.now += 60
        await shop.buy()
        return int(await shop.journal.read(steps))

    few = await buy(3)
    assert await buy(300) <= few + 20
