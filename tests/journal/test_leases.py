"""Who works on what: claims, renewals, and what a vanished process leaves behind."""

from typing import Any

import pytest

from hailuo_mcp.domain.task import Money, Status
from hailuo_mcp.journal.facts import LONGEST_DELAY

pytestmark = pytest.mark.anyio
ACCOUNT, OTHER = "sandbox a 1", "sandbox a 2"


async def _queued(shop: Any, due_in: float = 10.0, **facts: Any) -> Any:
    task = await shop.buy(**facts)
    return await shop.becomes(task, Status.QUEUED, due_at=shop.now + due_in, remote_id="r")


async def test_what_is_due_is_claimed_by_one_process_only(shop: Any, neighbour: Any) -> None:
    task = await _queued(shop, due_in=0)
    (mine,) = (await shop.claim()).steps
    assert mine.task_id == task.task_id
    assert (await neighbour.claim()).steps == ()


async def test_what_is_not_due_is_left_and_its_time_is_told(shop: Any) -> None:
    await _queued(shop, due_in=10)
    claimed = await shop.claim()
    assert (claimed.steps, claimed.next_at) == ((), shop.now + 10)


async def test_with_nothing_unfinished_there_is_no_next_time(shop: Any) -> None:
    await shop.becomes(await shop.buy(), Status.FAILED)
    assert (await shop.claim()).next_at is None


async def test_a_lapsed_lease_is_free_to_the_next(shop: Any, neighbour: Any) -> None:
    await _queued(shop, due_in=0)
    await shop.claim()
    assert (await neighbour.claim()).next_at == shop.now + 30
    neighbour.now += 30
    assert len((await neighbour.claim()).steps) == 1


async def test_a_renewed_lease_is_kept_and_one_that_was_lost_is_not_taken_back(
    shop: Any, neighbour: Any
) -> None:
    task = await _queued(shop, due_in=0)
    await shop.claim()
    shop.now += 20
    await shop.journal.renew("me", [task.task_id], until=shop.now + 30)
    neighbour.now += 31
    assert (await neighbour.claim()).steps == ()
    neighbour.now += 20
    assert len((await neighbour.claim()).steps) == 1
    await shop.journal.renew("me", [task.task_id], until=shop.now + 1e6)
    assert (await shop.read(task)).owner == "other"
    assert (await shop.read(task)).lease_until == neighbour.now + 30


async def test_a_lease_dated_further_ahead_than_any_lease_is_void(
    shop: Any, neighbour: Any
) -> None:
    """The clock was set back by a day after it was taken."""
    shop.now += 86_400
    task = await _queued(shop, due_in=0)
    await shop.claim()
    shop.now -= 86_400
    await shop.journal.change(task.task_id, {"due_at": shop.now}, now=shop.now)
    assert len((await neighbour.claim()).steps) == 1


async def test_a_step_dated_further_ahead_than_any_pause_is_due_now(shop: Any) -> None:
    """The clock was hours ahead when it was planned, and is right again."""
    shop.now += 8 * 3600
    task = await _queued(shop, due_in=10)
    shop.now -= 8 * 3600
    (step,) = (await shop.claim()).steps
    assert (step.task_id, step.due_at) == (task.task_id, shop.now)
    assert (await shop.claim()).steps == ()


async def test_a_task_that_waits_for_a_time_of_another_clock_is_sent_now(shop: Any) -> None:
    shop.now += 8 * 3600
    due = await shop.journal.pause(ACCOUNT, 3, now=shop.now)
    task = await shop.becomes(await shop.buy(), Status.PENDING, due_at=due, owner="me")
    shop.now -= 8 * 3600
    (sent,) = (await shop.claim()).sends
    assert sent.task_id == task.task_id


async def test_nothing_is_put_off_further_than_the_longest_pause(shop: Any) -> None:
    """Or what was planned with a time from the future would be due again at every look."""
    task = await _queued(shop, due_in=8 * 3600)
    assert task.due_at == (await shop.read(task)).due_at == shop.now + LONGEST_DELAY
    assert (await shop.claim()).steps == ()


async def test_a_submit_is_unconfirmed_when_its_owner_is_gone(shop: Any, neighbour: Any) -> None:
    task = await shop.buy()
    assert await neighbour.journal.recover(["me"], now=shop.now) == (task.task_id,)
    found = await neighbour.read(task)
    assert (found.status, found.money, found.owner) == (Status.UNCONFIRMED, Money.RESERVED, "")
    assert found.due_at == shop.now  # to be looked for


@pytest.mark.parametrize("seconds", [90, -86_400], ids=["lapsed", "clock set back"])
async def test_a_submit_is_unconfirmed_when_its_lease_is_no_good(
    shop: Any, neighbour: Any, seconds: float
) -> None:
    task = await shop.buy()
    now = shop.now + seconds
    assert await neighbour.journal.recover([], now=now) == (task.task_id,)


async def test_a_submit_within_its_lease_is_left_alone(shop: Any, neighbour: Any) -> None:
    await shop.buy()
    assert await neighbour.journal.recover([], now=shop.now + 89.9) == ()


async def test_reads_and_saves_of_the_dead_are_free_at_once(shop: Any, neighbour: Any) -> None:
    await _queued(shop, due_in=0)
    await shop.claim()
    assert await neighbour.journal.recover(["me"], now=shop.now) == ()
    assert len((await neighbour.claim()).steps) == 1


async def test_an_orphan_that_was_never_sent_is_sent_by_another_for_ten_minutes(
    shop: Any, neighbour: Any
) -> None:
    await shop.journal.pause(ACCOUNT, 5, now=shop.now)
    task = await shop.buy()
    neighbour.now += 599
    assert await neighbour.journal.recover(["me"], now=neighbour.now) == ()
    (sent,) = (await neighbour.claim()).sends
    assert (sent.task_id, sent.owner, sent.attempt) == (task.task_id, "other", 1)


@pytest.mark.parametrize("seconds", [600, 7 * 86_400, -7 * 86_400])
async def test_an_older_orphan_or_one_of_another_clock_is_cancelled_free(
    shop: Any, neighbour: Any, seconds: float
) -> None:
    await shop.journal.pause(ACCOUNT, 5, now=shop.now)
    task = await shop.buy()
    neighbour.now += seconds
    assert await neighbour.journal.recover(["me"], now=neighbour.now) == (task.task_id,)
    found = await neighbour.read(task)
    assert (found.status, found.money) == (Status.CANCELLED, Money.RELEASED)
    assert "never sent" in found.error
    assert (await neighbour.claim()).sends == ()


async def test_a_task_that_waits_while_its_process_lives_is_not_cancelled(
    shop: Any, neighbour: Any
) -> None:
    await shop.journal.pause(ACCOUNT, 5, now=shop.now)
    task = await shop.buy()
    await neighbour.journal.recover([], now=shop.now + 3600)
    assert (await shop.read(task)).status is Status.PENDING


async def test_the_dead_are_forgotten_when_nothing_of_theirs_is_left(
    shop: Any, neighbour: Any
) -> None:
    await shop.journal.pause(ACCOUNT, 5, now=shop.now)
    await shop.buy()
    await neighbour.journal.recover(["me"], now=shop.now)
    assert set(await neighbour.journal.owners()) == {"me", "other"}
    await neighbour.journal.recover(["me"], now=shop.now + 600)
    await neighbour.journal.recover(["me"], now=shop.now + 600)
    assert await neighbour.journal.owners() == ["other"]


async def test_who_leaves_gives_back_what_he_held_but_not_what_he_sent(
    shop: Any, neighbour: Any
) -> None:
    polled, sent = await _queued(shop, due_in=0), await shop.buy()
    await shop.claim()
    await shop.journal.close("me")
    assert (await neighbour.read(polled)).owner == ""
    assert (await neighbour.read(polled)).lease_until == 0
    assert (await neighbour.read(sent)).owner == "me"


async def test_what_a_process_took_upon_itself_to_send_can_be_asked(
    shop: Any, neighbour: Any
) -> None:
    task = await shop.buy()
    await neighbour.buy()
    assert [one.task_id for one in await shop.journal.submitting("me")] == [task.task_id]
    await shop.becomes(task, Status.QUEUED)
    assert await shop.journal.submitting("me") == []


async def test_another_keys_work_is_offered_only_where_nobody_holds_that_key(shop: Any) -> None:
    task = await shop.buy(account=OTHER)
    await shop.becomes(task, Status.QUEUED, due_at=shop.now)

    async def offered(provider: str = "sandbox", base_url: str = "a", alive: str = "me") -> Any:
        return await shop.journal.unattended_accounts(ACCOUNT, provider, base_url, [alive])

    await shop.journal.register(
        "me", account=ACCOUNT, provider="sandbox", base_url="a", pid=1, now=shop.now
    )
    assert await offered() == [OTHER]
    assert await offered(provider="hingnet") == []
    assert await offered(base_url="b") == []
    await shop.journal.register(
        "third", account=OTHER, provider="sandbox", base_url="a", pid=1, now=shop.now
    )
    assert await offered(alive="third") == []
    await shop.becomes(task, Status.SUCCEEDED)
    assert await offered() == []
