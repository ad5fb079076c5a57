"""The same request is the same task: which statuses, for how long, and what tells two apart."""

from typing import Any

import pytest

from hailuo_mcp.domain.task import Status
from hailuo_mcp.journal.facts import KeyTaken, Recorded

pytestmark = pytest.mark.anyio
HOUR, DAY = 3600.0, 86_400.0
SAME: dict[str, Any] = {"identity": "a cat"}


@pytest.mark.parametrize("status", ["pending", "submitting", "queued", "running"])
async def test_an_unfinished_task_is_found_however_old_it_is(shop: Any, status: str) -> None:
    task = await shop.buy(**SAME)
    await shop.becomes(task, Status(status))
    shop.now += 30 * DAY
    found = await shop.asks_again(**SAME)
    assert found.task_id == task.task_id
    assert found.status == status


@pytest.mark.parametrize(
    ("status", "seconds"), [(Status.SUCCEEDED, HOUR), (Status.UNCONFIRMED, DAY)]
)
async def test_an_ended_task_is_found_for_its_time_and_then_bought_anew(
    shop: Any, status: Status, seconds: float
) -> None:
    task = await shop.buy(**SAME)
    await shop.becomes(task, status)
    shop.now += seconds - 1
    assert (await shop.asks_again(**SAME)).task_id == task.task_id
    shop.now += 1
    assert await shop.asks_again(**SAME) is None


@pytest.mark.parametrize("status", [Status.FAILED, Status.CANCELLED])
async def test_what_failed_or_was_cancelled_is_bought_anew(shop: Any, status: Status) -> None:
    task = await shop.buy(**SAME)
    await shop.becomes(task, status)
    assert await shop.asks_again(**SAME) is None


async def test_after_a_second_purchase_of_a_failed_one_that_one_is_found(shop: Any) -> None:
    await shop.becomes(await shop.buy(**SAME), Status.FAILED)
    second = await shop.buy(**SAME)
    assert (await shop.asks_again(**SAME)).task_id == second.task_id


async def test_another_account_does_not_find_it(shop: Any) -> None:
    await shop.buy(**SAME)
    assert await shop.asks_again(**SAME, account="sandbox a 2") is None


async def test_a_repeat_costs_nothing_even_where_the_budget_is_spent(shop: Any) -> None:
    task = await shop.buy(**SAME, budget="1")
    assert (await shop.asks_again(**SAME, budget="1")).task_id == task.task_id


@pytest.mark.parametrize("status", [*Status])
async def test_a_request_key_names_its_purchase_for_good(shop: Any, status: Status) -> None:
    task = await shop.buy(**SAME, request_key="k")
    await shop.becomes(task, status)
    shop.now += 365 * DAY
    again = await shop.asks_again(**SAME, request_key="k")
    if status in (Status.FAILED, Status.CANCELLED):
        assert again is None
    else:
        assert again.task_id == task.task_id


async def test_a_request_key_with_another_request_is_refused(shop: Any) -> None:
    task = await shop.buy(**SAME, request_key="k")
    await shop.becomes(task, Status.SUCCEEDED)
    shop.now += 30 * DAY
    found = await shop.try_to_buy(identity="a dog", request_key="k")
    assert isinstance(found, KeyTaken)
    assert found.task.task_id == task.task_id


async def test_a_request_key_is_its_callers_own(shop: Any) -> None:
    await shop.buy(**SAME, request_key="k", caller="alice")
    found = await shop.try_to_buy(identity="a dog", request_key="k", caller="bob")
    assert isinstance(found, Recorded)
    assert not found.reused


async def test_asking_what_stands_changes_nothing(shop: Any) -> None:
    draft = shop.draft(**SAME)
    assert await shop.journal.find_existing(draft, now=shop.now) is None
    task = await shop.buy(**SAME)
    found = await shop.journal.find_existing(draft, now=shop.now)
    assert isinstance(found, Recorded)
    assert found.task.task_id == task.task_id
    assert len(await shop.journal.newest()) == 1


async def test_two_processes_that_ask_at_once_buy_once(shop: Any, neighbour: Any) -> None:
    import anyio

    found: list[Any] = []

    async def ask(who: Any) -> None:
        found.append(await who.try_to_buy(**SAME))

    async with anyio.create_task_group() as both:
        for who in (shop, neighbour) * 5:
            both.start_soon(ask, who)
    assert sorted(one.reused for one in found) == [False] + [True] * 9
    assert len({one.task.task_id for one in found}) == 1


async def test_it_is_dated_when_it_is_written_and_not_when_it_was_thought_of(shop: Any) -> None:
    draft = shop.draft(created_at=shop.now - 100, due_at=shop.now - 100)
    assert draft.created_at < shop.now
    task = await shop.buy(created_at=shop.now - 100)
    assert (await shop.read(task)).created_at == shop.now


async def test_keys_that_another_account_has_bought_are_told(shop: Any) -> None:
    mine = await shop.buy(identity="a", request_key="file-1")
    await shop.buy(identity="b", request_key="file-2", account="sandbox a 2")
    failed = await shop.buy(identity="c", request_key="file-3", account="sandbox a 2")
    await shop.becomes(failed, Status.FAILED)
    keys = {"file-1", "file-2", "file-3", "file-4"}

    async def elsewhere(provider: str) -> frozenset[str]:
        return await shop.journal.keys_elsewhere(keys, provider=provider, account=mine.account)

    assert await elsewhere(mine.provider) == {"file-2"}
    assert await elsewhere("another") == frozenset()
    assert await shop.journal.keys_elsewhere((), provider="", account="") == frozenset()
