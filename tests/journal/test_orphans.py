"""Purchases without an answer: who looks for them, and what may be taken to be one of them."""

from decimal import Decimal
from typing import Any

import pytest

from hailuo_mcp.domain.task import Money, Status
from hailuo_mcp.journal.facts import Capacity

from .conftest import ACCOUNT, LEASE, OTHER, SUBMIT_LEASE

pytestmark = pytest.mark.anyio
ROOM = Capacity(rpm=None, sends=0, steps=8, submit_lease=SUBMIT_LEASE, lease=LEASE)


async def _lost(shop: Any, **facts: Any) -> Any:
    return await shop.becomes(await shop.buy(**facts), Status.UNCONFIRMED, due_at=shop.now)


async def test_when_a_request_was_sent_is_kept(shop: Any) -> None:
    at_once, waits = await shop.buy(rpm=1), await shop.buy(rpm=1)
    assert (await shop.read(at_once)).sent_at == shop.now
    assert (await shop.read(waits)).sent_at is None
    shop.now += 61
    (sent,) = (await shop.claim()).sends
    assert sent.sent_at == shop.now


async def test_what_a_dead_process_was_sending_is_due_to_be_looked_for(
    shop: Any, neighbour: Any
) -> None:
    task = await neighbour.buy()
    await shop.journal.recover(["other"], now=shop.now + 5)
    task = await shop.read(task)
    assert (task.status, task.due_at, task.sent_at) == (Status.UNCONFIRMED, shop.now + 5, shop.now)
    shop.now += 5
    assert [one.task_id for one in (await shop.claim()).steps] == [task.task_id]
    shop.now += 1
    found = await shop.claim()
    assert (found.steps, found.next_at) == ((), shop.now - 1 + LEASE)


async def test_another_keys_are_left_to_that_key_and_keep_nobody_awake(shop: Any) -> None:
    task = await _lost(shop, account=OTHER)
    both = await shop.journal.claim([ACCOUNT, OTHER], "me", ROOM, now=shop.now)
    assert (both.steps, both.next_at) == ((), None)
    alive = ["me"]
    await shop.journal.unregister("me")
    assert OTHER not in await shop.journal.unattended_accounts(ACCOUNT, "sandbox", "a", alive)
    shop.now += 7 * 86_400  # its process comes back
    mine = await shop.journal.claim([OTHER, ACCOUNT], "me", ROOM, now=shop.now)
    assert [one.task_id for one in mine.steps] == [task.task_id]


async def test_an_id_is_given_only_to_what_still_needs_it(shop: Any) -> None:
    async def bring_home(task: Any, remote_id: str = "7", attempt: int = 1) -> Any:
        values = {"status": Status.QUEUED, "remote_id": remote_id, "due_at": shop.now}
        return await shop.journal.bring_home(task.task_id, values, attempt=attempt, now=shop.now)

    task, other = await _lost(shop), await _lost(shop)
    assert await bring_home(task, attempt=2) is None
    home = await bring_home(task)
    assert (home.status, home.remote_id, home.money) == (Status.QUEUED, "7", Money.RESERVED)
    assert await bring_home(task, "8") is None
    assert await bring_home(other) is None
    await shop.journal.settle(
        other.task_id, {"status": Status.FAILED, "money": Money.RELEASED}, now=shop.now
    )
    assert await bring_home(other, "8") is None
    sending = await shop.buy()
    assert await bring_home(sending, "8") is None


async def test_which_ids_are_known_and_which_purchases_await_one(shop: Any) -> None:
    lost, sending = await _lost(shop), await shop.buy()
    blind = await _lost(shop)
    await shop.journal.settle(
        blind.task_id, {"status": Status.FAILED, "money": Money.SPENT}, now=shop.now
    )
    away = await _lost(shop, account=OTHER)
    done = await shop.becomes(await shop.buy(), Status.RUNNING, remote_id="7", remote_alias="p7")
    adopted = await shop.becomes(
        await shop.buy(), Status.RUNNING, remote_id="9", money=Money.UNKNOWN
    )
    assert await shop.journal.known_ids({"7", "p7", "8", "9", ""}) == {"7", "p7"}
    awaiting = {task.task_id for task in await shop.journal.awaiting_ids(ACCOUNT)}
    assert awaiting == {task.task_id for task in (lost, sending, blind)}
    assert not awaiting & {task.task_id for task in (away, done, adopted)}


@pytest.mark.parametrize("money", [Money.RESERVED, Money.SPENT])
async def test_a_new_amount_is_what_counts_in_the_same_step(shop: Any, money: Money) -> None:
    task = await shop.buy(cost="5", amount=Decimal(4), caller="kim")
    status = Status.SUCCEEDED if money is Money.SPENT else Status.RUNNING
    changed = await shop.becomes(task, status, amount=Decimal("4.5"), quoted=Decimal(4))
    assert changed == await shop.read(task)
    assert (changed.amount, changed.quoted) == (Decimal("4.5"), Decimal(4))
    for caller in (None, "kim"):
        sums = await shop.journal.sums(ACCOUNT, task.unit, 0.0, caller=caller)
        assert (sums.spent + sums.reserved, sums.spent > 0) == (
            Decimal("4.5"),
            money is Money.SPENT,
        )


async def test_a_task_without_an_amount_counts_what_was_reserved_for_it(shop: Any) -> None:
    task = await shop.buy(cost="5", amount=None)
    await shop.becomes(task, Status.SUCCEEDED, amount=None)
    assert (await shop.journal.sums(ACCOUNT, task.unit, 0.0)).spent == 5
