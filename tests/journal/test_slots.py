"""The rate limit: shared slots, pauses, and first come first served."""

import random
from typing import Any

import pytest

from hailuo_mcp.domain.task import Status
from hailuo_mcp.journal.facts import Recorded

pytestmark = pytest.mark.anyio


async def _status(shop: Any, **terms: Any) -> Status:
    found = await shop.try_to_buy(**terms)
    assert isinstance(found, Recorded)
    return found.task.status


async def test_slots_are_shared_by_every_process(shop: Any, neighbour: Any) -> None:
    assert await _status(shop, rpm=2) is Status.SUBMITTING
    assert await _status(neighbour, rpm=2) is Status.SUBMITTING
    assert await _status(shop, rpm=2) is Status.PENDING
    assert await _status(neighbour, rpm=2) is Status.PENDING


async def _answered(shop: Any, task: Any) -> None:
    await shop.becomes(task, Status.QUEUED, remote_id=f"r {task.task_id}")


async def test_a_slot_is_free_again_a_minute_after_the_answer_and_the_longest_waiting_goes_first(
    shop: Any,
) -> None:
    sent = await shop.buy(rpm=1)
    first, second = await shop.buy(rpm=1), await shop.buy(rpm=1)
    shop.now += 40
    await _answered(shop, sent)
    shop.now += 59.9
    assert (await shop.claim(rpm=1)).sends == ()
    shop.now += 0.1
    # Somebody new may not overtake those who wait.
    assert await _status(shop, rpm=1) is Status.PENDING
    (sent,) = (await shop.claim(rpm=1)).sends
    assert (sent.task_id, sent.status, sent.attempt) == (first.task_id, Status.SUBMITTING, 1)
    assert (await shop.claim(rpm=1)).sends == ()
    await _answered(shop, sent)
    shop.now += 60
    assert [task.task_id for task in (await shop.claim(rpm=1)).sends] == [second.task_id]


async def test_a_request_that_is_still_on_its_way_holds_its_slot(shop: Any) -> None:
    slow, quick = await shop.buy(rpm=2), await shop.buy(rpm=2)
    await _answered(shop, quick)
    shop.now += 80
    assert await _status(shop, rpm=2) is Status.SUBMITTING
    assert await _status(shop, rpm=2) is Status.PENDING
    await _answered(shop, slow)
    assert (await shop.claim(rpm=2)).sends == ()


@pytest.mark.parametrize("end", ["killed", "lease"])
async def test_a_killed_process_holds_its_slot_for_a_minute_after_it_was_found_dead(
    shop: Any, neighbour: Any, end: str
) -> None:
    await shop.buy(rpm=1)
    neighbour.now += 55 if end == "killed" else 90
    assert await _status(neighbour, rpm=1) is Status.PENDING
    assert await neighbour.journal.recover(["me"] if end == "killed" else [], now=neighbour.now)
    neighbour.now += 59.9
    assert (await neighbour.claim(rpm=1)).sends == ()
    neighbour.now += 0.1
    assert len((await neighbour.claim(rpm=1)).sends) == 1


async def test_an_answer_that_comes_after_it_was_given_up_holds_its_slot_anew(
    shop: Any, neighbour: Any
) -> None:
    """Its owner was asleep, and may have sent it only now."""
    task = await shop.buy(rpm=1)
    neighbour.now += 90
    await neighbour.journal.recover([], now=neighbour.now)
    neighbour.now += 60
    values = {"status": Status.QUEUED, "remote_id": "r", "owner": "", "due_at": 0.0}
    assert await shop.journal.change(task.task_id, values, now=neighbour.now, attempt=1)
    assert await _status(neighbour, rpm=1) is Status.PENDING


@pytest.mark.parametrize("seed", range(2))
async def test_no_minute_at_the_provider_holds_more_than_the_limit(
    shop: Any, neighbour: Any, seed: int
) -> None:
    """Answers take up to 50 s, requests arrive at any moment of it, and processes are killed."""
    chance, rpm = random.Random(seed), 5
    arrivals = list[float]()
    in_flight = list[tuple[float, float, Any, Any]]()
    began = shop.now
    for second in range(400):
        now = shop.now = neighbour.now = began + second + chance.random()
        who, killed = chance.choice((shop, neighbour)), chance.random() < 0.02
        if killed:
            await neighbour.journal.recover([who.owner], now=now)
        for one in list(in_flight):
            arrives, answered, sender, task = one
            dies = killed and sender is who
            if dies or answered <= now:
                in_flight.remove(one)
                arrivals += [arrives] if arrives <= now else []
            if answered <= now and not dies:
                await _answered(sender, task)
        sent = list((await who.claim(rpm=rpm)).sends)
        if chance.random() < 0.5:
            task = await who.buy(rpm=rpm)
            sent += [task] if task.status is Status.SUBMITTING else []
        for task in sent:
            took = chance.choice((0.2, 5.0, 50.0)) * chance.random()
            in_flight.append((now + took * chance.random(), now + took, who, task))
    assert len(arrivals) > 20
    for first in arrivals:
        assert sum(first <= at < first + 60 for at in arrivals) <= rpm


async def test_the_next_look_is_when_the_next_slot_is_free(shop: Any) -> None:
    began = shop.now
    await _answered(shop, await shop.buy(rpm=1))
    shop.now += 10
    await shop.buy(rpm=1)
    claimed = await shop.claim(rpm=1)
    assert claimed.next_at == began + 60


async def test_while_all_slots_are_on_their_way_the_next_is_free_in_a_minute_at_the_earliest(
    shop: Any,
) -> None:
    await shop.buy(rpm=1)
    await shop.buy(rpm=1)
    assert (await shop.claim(rpm=1)).next_at == shop.now + 60


async def test_without_a_limit_everything_leaves_at_once(shop: Any) -> None:
    for _ in range(50):
        assert await _status(shop) is Status.SUBMITTING


async def test_accounts_have_limits_of_their_own(shop: Any) -> None:
    await shop.buy(rpm=1)
    assert await _status(shop, rpm=1, account="sandbox a 2") is Status.SUBMITTING


async def test_a_transaction_that_had_to_wait_leaves_slots_that_were_taken_meanwhile(
    shop: Any, neighbour: Any
) -> None:
    sent = await shop.buy(rpm=1)
    neighbour.now += 8
    await _answered(neighbour, sent)
    # Its time was read before it waited for the other one.
    assert await _status(shop, rpm=1) is Status.PENDING
    neighbour.now += 59.9
    claimed = await neighbour.claim(rpm=1)
    assert (claimed.sends, claimed.next_at) == ((), pytest.approx(neighbour.now + 0.1))
    neighbour.now += 0.1
    assert len((await neighbour.claim(rpm=1)).sends) == 1


async def test_a_slot_from_the_future_counts_as_now(shop: Any) -> None:
    shop.now += 3600
    await _answered(shop, await shop.buy(rpm=1))
    shop.now -= 3600
    assert await _status(shop, rpm=1) is Status.PENDING
    shop.now += 60
    assert len((await shop.claim(rpm=1)).sends) == 1


async def test_looking_again_does_not_renew_a_slot_from_the_future(shop: Any) -> None:
    shop.now += 8 * 3600
    await _answered(shop, await shop.buy(rpm=1))
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
    await shop.journal.reset_backoff("sandbox a 1")
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
