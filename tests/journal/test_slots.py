"""The rate limit: shared slots, pauses, and first come first served."""

from typing import Any

import pytest

from hailuo_mcp.domain import Status
from hailuo_mcp.journal import Written

pytestmark = pytest.mark.anyio


async def _status(shop: Any, **terms: Any) -> Status:
    found = await shop.try_to_buy(**terms)
    assert isinstance(found, Written)
    return found.task.status


async def test_slots_are_shared_by_every_process(shop: Any, neighbour: Any) -> None:
    assert await _status(shop, rpm=2) is Status.SUBMITTING
    assert await _status(neighbour, rpm=2) is Status.SUBMITTING
    assert await _status(shop, rpm=2) is Status.PENDING
    assert await _status(neighbour, rpm=2) is Status.PENDING


async def test_a_slot_is_free_again_after_a_minute_and_the_longest_waiting_goes_first(
    shop: Any,
) -> None:
    await shop.buy(rpm=1)
    first, second = await shop.buy(rpm=1), await shop.buy(rpm=1)
    shop.now += 59.9
    assert (await shop.claim(rpm=1)).sends == ()
    shop.now += 0.1
    # Somebody new may not overtake those who wait.
    assert await _status(shop, rpm=1) is Status.PENDING
    (sent,) = (await shop.claim(rpm=1)).sends
    assert (sent.task_id, sent.status, sent.attempt) == (first.task_id, Status.SUBMITTING, 1)
    assert (await shop.claim(rpm=1)).sends == ()
    shop.now += 60
    assert [task.task_id for task in (await shop.claim(rpm=1)).sends] == [second.task_id]


async def test_the_next_look_is_when_the_next_slot_is_free(shop: Any) -> None:
    began = shop.now
    await shop.buy(rpm=1)
    shop.now += 10
    await shop.buy(rpm=1)
    claimed = await shop.claim(rpm=1)
    assert claimed.next_at == began + 60


async def test_without_a_limit_everything_leaves_at_once(shop: Any) -> None:
    for _ in range(50):
        assert await _status(shop) is Status.SUBMITTING


async def test_accounts_have_limits_of_their_own(shop: Any) -> None:
    await shop.buy(rpm=1)
    assert await _status(shop, rpm=1, account="sandbox a 2") is Status.SUBMITTING


async def test_a_slot_from_the_future_counts_as_now(shop: Any) -> None:
    shop.now += 3600
    await shop.buy(rpm=1)
    shop.now -= 3600
    assert await _status(shop, rpm=1) is Status.PENDING
    shop.now += 60
    assert len((await shop.claim(rpm=1)).sends) == 1


async def test_looking_again_does_not_renew_a_slot_from_the_future(shop: Any) -> None:
    shop.now += 8 * 3600
    await shop.buy(rpm=1)
    waiting = await shop.buy(rpm=1)
    shop.now -= 8 * 3600
    await shop.journal.change(waiting.task_id, {"due_at": shop.now}, now=shop.now)
    assert (await shop.claim(rpm=1)).next_at == shop.now + 60
    for _ in range(6):
        shop.now += 10
        claimed = await shop.claim(rpm=1)
    assert [task.task_id for task in claimed.sends] == [waiting.task_id]


async def test_a_pause_holds_everybody_for_as_long_as_the_provider_says(
    shop: Any, neighbour: Any
) -> None:
    assert await shop.journal.pause("sandbox a 1", 17.0, now=shop.now) == shop.now + 17
    assert await _status(neighbour) is Status.PENDING
    neighbour.now += 16.9
    claimed = await neighbour.claim()
    assert (claimed.sends, claimed.next_at) == ((), shop.now + 17)
    neighbour.now += 0.1
    assert len((await neighbour.claim()).sends) == 1


async def test_pauses_double_up_to_a_minute_and_start_small_after_an_acceptance(shop: Any) -> None:
    waits = [
        await shop.journal.pause("sandbox a 1", None, now=shop.now) - shop.now for _ in range(8)
    ]
    assert waits == [3, 6, 12, 24, 48, 60, 60, 60]
    await shop.journal.calm("sandbox a 1")
    assert await shop.journal.pause("sandbox a 1", None, now=shop.now) == shop.now + 3


@pytest.mark.parametrize("asked", [0.0, -7.0, 1.0])
async def test_a_provider_that_asks_for_no_pause_is_left_alone_ever_longer_all_the_same(
    shop: Any, asked: float
) -> None:
    """A Retry-After of 0, or of a time that has passed by our clock, is not an invitation."""
    waits = [
        await shop.journal.pause("sandbox a 1", asked, now=shop.now) - shop.now for _ in range(4)
    ]
    assert waits == [3, 6, 12, 24]


async def test_a_shorter_pause_does_not_cut_a_longer_one(shop: Any) -> None:
    await shop.journal.pause("sandbox a 1", 60, now=shop.now)
    await shop.journal.pause("sandbox a 1", 1, now=shop.now)
    shop.now += 59
    assert await _status(shop) is Status.PENDING


async def test_a_pause_of_another_clock_is_void(shop: Any) -> None:
    shop.now += 86_400
    await shop.journal.pause("sandbox a 1", 60, now=shop.now)
    shop.now -= 86_400
    assert await _status(shop) is Status.SUBMITTING
    await shop.journal.pause("sandbox a 1", 7, now=shop.now)
    assert await _status(shop) is Status.PENDING
    shop.now += 7
    assert len((await shop.claim()).sends) == 1


async def test_a_provider_that_asks_for_an_hour_is_asked_after_two_minutes(shop: Any) -> None:
    # Retry-After of proxies can be absurd; the ten-minute limit ends the matter.
    assert await shop.journal.pause("sandbox a 1", 3600, now=shop.now) == shop.now + 120


async def test_a_task_sent_back_waits_for_its_time_and_lets_others_pass_after_the_pause(
    shop: Any,
) -> None:
    task = await shop.buy(rpm=5)
    due = await shop.journal.pause("sandbox a 1", 3, now=shop.now)
    await shop.becomes(task, Status.PENDING, due_at=due, owner="me")
    assert (await shop.claim(rpm=5)).sends == ()
    shop.now = due
    (again,) = (await shop.claim(rpm=5)).sends
    assert (again.task_id, again.attempt) == (task.task_id, 2)


async def test_no_more_is_claimed_than_the_process_can_carry(shop: Any) -> None:
    await shop.journal.pause("sandbox a 1", 3, now=shop.now)
    for _ in range(5):
        await shop.buy()
    shop.now += 3
    assert len((await shop.claim(sends=2)).sends) == 2
    assert (await shop.claim(sends=0)).sends == ()
    assert len((await shop.claim(sends=9)).sends) == 3


async def test_a_hundred_buyers_in_a_minute_get_exactly_the_slots(
    shop: Any, neighbour: Any
) -> None:
    sent = 0
    for turn in range(100):
        who = (shop, neighbour)[turn % 2]
        who.now += turn * 0.5
        sent += await _status(who, rpm=7) is Status.SUBMITTING
        who.now -= turn * 0.5
    assert sent == 7
