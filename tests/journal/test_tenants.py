"""Tenants of one account: walls within a wall, a limit within a limit, and turns."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from hailuo_mcp.domain.task import Status
from hailuo_mcp.journal.facts import Limits, OverBudget, Recorded

from .conftest import SUBMIT_LEASE

pytestmark = pytest.mark.anyio
ACME, BIRD = "tenant:acme", "tenant:bird"


async def buy(
    shop: Any,
    caller: str,
    *,
    cost: str = "1",
    rpm: int | None = None,
    budget: str | None = None,
    own: str | None = None,
    own_rpm: int | None = None,
    **facts: Any,
) -> Any:
    limits = Limits(
        rpm=rpm,
        budget=None if budget is None else Decimal(budget),
        since=0.0,
        caller_budget=None if own is None else Decimal(own),
        caller_rpm=own_rpm,
        lease=SUBMIT_LEASE,
    )
    draft = shop.draft(caller=caller, **facts)
    found = await shop.journal.record(draft, Decimal(cost), limits, now=shop.now)
    return found.task if isinstance(found, Recorded) else found


async def test_a_wall_of_its_own_and_the_operators_above_it(shop: Any) -> None:
    assert (await buy(shop, ACME, cost="6", own="10", budget="15")).caller == ACME
    over = await buy(shop, ACME, cost="5", own="10", budget="15")
    assert isinstance(over, OverBudget)
    assert (over.callers, over.spent, over.reserved) == (True, 0, 6)
    assert (await buy(shop, BIRD, cost="9", own="10", budget="15")).caller == BIRD
    over = await buy(shop, ACME, cost="1", own="10", budget="15")
    assert isinstance(over, OverBudget)
    assert not over.callers


async def test_what_others_spend_is_not_the_callers(shop: Any) -> None:
    await buy(shop, ACME, cost="6")
    await buy(shop, "alice", cost="3")
    account = shop.draft().account
    mine = await shop.journal.sums(account, shop.draft().unit, 0.0, caller=ACME)
    all_of_it = await shop.journal.sums(account, shop.draft().unit, 0.0)
    assert (mine.reserved, all_of_it.reserved) == (6, 9)


async def answered(shop: Any, task: Any) -> None:
    await shop.becomes(task, Status.QUEUED, remote_id=f"r {task.task_id}")


async def test_a_limit_of_its_own_holds_below_the_accounts(shop: Any, neighbour: Any) -> None:
    first = await buy(shop, ACME, rpm=10, own_rpm=2)
    second = await buy(neighbour, ACME, rpm=10, own_rpm=2)
    third = await buy(shop, ACME, rpm=10, own_rpm=2)
    assert [task.status for task in (first, second, third)] == [
        Status.SUBMITTING,
        Status.SUBMITTING,
        Status.PENDING,
    ]
    caps = {"rpm": 10, "caller_rpm": {ACME: 2}}
    for task in (first, second):
        await answered(shop, task)
    claimed = await shop.claim(**caps)
    assert claimed.sends == ()
    assert claimed.next_at == shop.now + 60  # not now: a worker would look again and again
    # It holds up nobody else.
    other = await buy(shop, BIRD, rpm=10)
    assert [task.task_id for task in (await shop.claim(**caps)).sends] == [other.task_id]
    shop.now += 60
    assert [task.task_id for task in (await shop.claim(**caps)).sends] == [third.task_id]


async def test_a_tenant_with_a_thousand_clips_leaves_the_next_slot_to_the_other(shop: Any) -> None:
    for _ in range(40):
        await buy(shop, ACME, rpm=4)
    shop.now += 1
    birds = [await buy(shop, BIRD, rpm=4) for _ in range(2)]
    alices = await buy(shop, "alice", rpm=4)
    shop.now += 1
    for task in await shop.journal.submitting("me"):
        await answered(shop, task)
    shop.now += 60
    claimed = [task.task_id for task in (await shop.claim(rpm=4)).sends]
    # Nobody has sent anything in this minute: by age, then by turns.
    assert len(claimed) == 4
    assert birds[0].task_id in claimed[:3]
    assert alices.task_id in claimed[:3]


async def test_who_has_sent_least_in_this_minute_is_next(shop: Any) -> None:
    sent = [await buy(shop, ACME, rpm=5) for _ in range(4)]
    waiting = [await buy(shop, ACME, rpm=4) for _ in range(3)]
    for task in sent:
        await answered(shop, task)
    shop.now += 30
    birds = [await buy(shop, BIRD, rpm=6) for _ in range(3)]
    assert {task.status for task in birds} == {Status.PENDING}
    claimed = [task.task_id for task in (await shop.claim(rpm=6)).sends]
    assert claimed == [task.task_id for task in birds[:2]]
    assert waiting[0].task_id not in claimed


async def test_the_operators_own_callers_are_one_tenant_and_first_come_first_served(
    shop: Any,
) -> None:
    await buy(shop, "", rpm=1)
    for number in range(6):
        shop.now += 0.1
        await buy(shop, "alice" if number % 2 else "bob", rpm=1)
    shop.now += 1
    acmes = [await buy(shop, ACME, rpm=1) for _ in range(3)]
    order = [task.caller for task in (await shop.claim(rpm=None, sends=9)).sends]
    assert order == [ACME, "bob", ACME, "alice", ACME, "bob", "alice", "bob", "alice"]
    assert acmes


async def test_a_lost_submit_keeps_its_tenants_slot(shop: Any, neighbour: Any) -> None:
    await buy(shop, ACME, rpm=10, own_rpm=1)
    assert await neighbour.journal.recover(["me"], now=neighbour.now)
    waiting = await buy(neighbour, ACME, rpm=10, own_rpm=1)
    assert waiting.status is Status.PENDING
    caps = {"rpm": 10, "caller_rpm": {ACME: 1}}
    assert (await neighbour.claim(**caps)).sends == ()
    neighbour.now += 60
    assert [task.task_id for task in (await neighbour.claim(**caps)).sends] == [waiting.task_id]


async def test_an_account_that_is_left_is_nobodys_until_another_comes(
    shop: Any, neighbour: Any
) -> None:
    task = await buy(shop, ACME)
    await answered(shop, task)
    held = {"owner": "me", "lease_until": shop.now + 30, "due_at": shop.now + 1}
    await shop.journal.change(task.task_id, held, now=shop.now)
    await shop.journal.unregister("me")
    assert "me" not in await shop.journal.owners()
    assert (await shop.read(task)).owner == ""
    await buy(shop, ACME)  # the store itself stays open
