"""How many tasks are asked about: those of the account that were sent and have not ended."""

import pytest

from hailuo_mcp.domain.task import Status

pytestmark = pytest.mark.anyio


async def test_only_what_is_asked_about_at_this_account_counts(shop, neighbour) -> None:
    flying = [await shop.buy() for _ in range(3)]
    for task in flying:
        await shop.becomes(task, Status.RUNNING, due_at=shop.now + 10)
    await shop.becomes(await shop.buy(), Status.SUCCEEDED, due_at=shop.now)  # only to be saved
    await shop.buy()  # not sent yet
    await shop.becomes(await shop.buy(account="other"), Status.RUNNING, due_at=shop.now)

    assert await shop.journal.in_flight(flying[0].account) == 3
    assert await neighbour.journal.in_flight(flying[0].account) == 3
