"""After the purchase: no trouble of a read ends a task, and no trouble of a save loses a clip."""

import itertools
from dataclasses import replace
from typing import Any

import pytest

from hailuo_mcp.domain.remote import Phase, RemoteStatus
from hailuo_mcp.domain.task import Money, Status
from hailuo_mcp.errors import (
    AuthenticationError,
    DownloadError,
    ProviderUnavailableError,
    RateLimitError,
    RemoteTaskNotFoundError,
    UnexpectedResponseError,
)
from hailuo_mcp.files.download import CorruptClipError
from hailuo_mcp.studio.download import _save_now as save_now
from hailuo_mcp.worker.saving import record_save_error
from hailuo_mcp.worker.schedule import CORRUPT_SECONDS, SAVE_TRIES
from hailuo_mcp.worker.worker import Worker

pytestmark = pytest.mark.anyio
NOT_FOUND = RemoteTaskNotFoundError("No such task.")
DAY = 86_400.0


def _state(phase: Phase, **more: Any) -> RemoteStatus:
    return RemoteStatus(phase=phase, word=phase.value, **more)


async def _step(bench: Any, task: Any, *states: Any) -> Any:
    """One step as the worker takes it: claimed, done, released."""
    bench.client.states = list(states)
    values = {"owner": bench.context.owner, "lease_until": bench.now + 30}
    held = await bench.journal.change(task.task_id, values, now=bench.now)
    await Worker(bench.context)._step(held)
    return await bench.read(task)


@pytest.mark.parametrize(
    ("phase", "status", "money"),
    [
        (Phase.QUEUED, Status.QUEUED, Money.RESERVED),
        (Phase.RUNNING, Status.RUNNING, Money.RESERVED),
        (Phase.UNKNOWN, Status.RUNNING, Money.RESERVED),
        (Phase.FAILED, Status.FAILED, Money.RELEASED),
        (Phase.CANCELLED, Status.CANCELLED, Money.RELEASED),
    ],
)
async def test_each_answer_moves_the_task_and_its_money(
    bench: Any, phase: Phase, status: Status, money: Money
) -> None:
    task = await _step(bench, await bench.held(), _state(phase))
    assert (task.status, task.money, task.owner) == (status, money, "")
    assert (task.due_at > bench.now) == (not status.is_final)


async def test_an_answer_about_the_id_that_it_had_before_changes_nothing(bench: Any) -> None:
    """A person put the id right while the wrong one was being read, by this same process."""
    task = await bench.held(remote_id="99")

    async def meanwhile() -> RemoteStatus:
        await bench.journal.change(task.task_id, {"remote_id": "771"}, now=bench.now)
        return _state(Phase.SUCCEEDED, file_id="5")

    task = await _step(bench, task, meanwhile)
    assert (task.status, task.money, task.file_id) == (Status.RUNNING, Money.RESERVED, "")


async def test_a_success_is_spent_even_if_the_clip_cannot_be_saved_yet(bench: Any) -> None:
    bench.client.no_link = AuthenticationError("Bad key.")
    task = await _step(bench, await bench.held(), _state(Phase.SUCCEEDED, file_id="5"))
    assert (task.status, task.money, task.file) == (Status.SUCCEEDED, Money.SPENT, "")


async def test_a_clip_that_shall_wait_to_be_asked_for_is_not_fetched(bench: Any) -> None:
    settings = replace(bench.context.settings, auto_download=False)
    bench.context = replace(bench.context, settings=settings)
    bench.client.no_link = AssertionError("nobody asked for it")
    task = await _step(bench, await bench.held(), _state(Phase.SUCCEEDED, file_id="5"))
    assert (task.status, task.due_at, task.owner) == (Status.SUCCEEDED, 0, "")


@pytest.mark.parametrize(
    "trouble",
    [
        NOT_FOUND,
        AuthenticationError("Bad key."),
        ProviderUnavailableError("Away."),
        RateLimitError("Slow."),
        UnexpectedResponseError("What?"),
    ],
)
async def test_no_single_trouble_of_a_read_ends_a_task(bench: Any, trouble: Exception) -> None:
    task = await bench.held()
    for tries in range(1, 21):
        task = await _step(bench, task, trouble)
        assert (task.status, task.money, task.tries) == (Status.RUNNING, Money.RESERVED, tries)
        assert bench.now < task.due_at <= bench.now + 75
    assert (await _step(bench, task, _state(Phase.FAILED))).money is Money.RELEASED


@pytest.mark.parametrize(
    ("asked", "least", "most"), [(0.0, 7, 13), (30.0, 30, 30), (1e9, 600, 600)]
)
async def test_a_provider_that_asks_for_no_pause_is_not_asked_at_once(
    bench: Any, asked: float, least: float, most: float
) -> None:
    slow = RateLimitError("Slow.", provider_code="http_429", retry_after=asked)
    task = await _step(bench, await bench.held(), slow)
    assert least <= task.due_at - bench.now <= most


async def test_what_is_not_found_for_an_hour_is_unconfirmed_and_stays_reserved(bench: Any) -> None:
    task = await bench.held()
    for _ in range(6):
        task = await _step(bench, task, NOT_FOUND)
    bench.now += 3599
    assert (await _step(bench, task, NOT_FOUND)).status is Status.RUNNING
    bench.now += 1
    task = await _step(bench, task, NOT_FOUND)
    assert (task.status, task.money, task.due_at) == (Status.UNCONFIRMED, Money.RESERVED, 0)


async def test_one_look_at_it_starts_that_hour_anew(bench: Any) -> None:
    task = await bench.held()
    bench.now += 7200
    task = await _step(bench, task, _state(Phase.RUNNING))
    for _ in range(10):
        task = await _step(bench, task, NOT_FOUND)
    assert task.status is Status.RUNNING


@pytest.mark.parametrize(
    "trouble",
    [
        NOT_FOUND,
        AuthenticationError("Not your key."),
        _state(Phase.FAILED),
        _state(Phase.FAILED, error_code="1026"),
        _state(Phase.CANCELLED),
    ],
)
async def test_another_keys_task_is_never_ended_by_what_this_key_may_not_see(
    bench: Any, trouble: Any
) -> None:
    task = await bench.held()
    await bench.journal.change(task.task_id, {"account": "somebody else's"}, now=bench.now)
    for _ in range(20):
        bench.now += 3600
        task = await _step(bench, task, trouble)
        assert (task.status, task.money) == (Status.RUNNING, Money.RESERVED)
        assert bench.now < task.due_at <= bench.now + 4500
    bench.client.no_link = AuthenticationError("Not your key.")
    assert (await _step(bench, task, _state(Phase.SUCCEEDED, file_id="5"))).money is Money.SPENT


async def test_the_second_id_is_tried_where_the_first_finds_nothing(bench: Any) -> None:
    task = await bench.held(remote_alias="p77")
    task = await _step(bench, task, NOT_FOUND, _state(Phase.FAILED))
    assert bench.client.asked == ["77", "p77"]
    assert task.status is Status.FAILED


async def test_after_a_week_and_many_reads_without_an_end_it_is_unconfirmed(bench: Any) -> None:
    task = await bench.held()
    for _ in range(98):
        task = await _step(bench, task, _state(Phase.RUNNING))
    bench.now += 7 * DAY + 1
    task = await _step(bench, task, _state(Phase.RUNNING))
    assert task.status is Status.RUNNING
    task = await _step(bench, task, _state(Phase.RUNNING))
    assert (task.status, task.money) == (Status.UNCONFIRMED, Money.RESERVED)


async def test_a_clock_that_was_put_right_gives_nothing_up(bench: Any) -> None:
    """A board without a battery buys in another year than it asks in."""
    task = await bench.held()
    bench.now += 2000 * DAY
    for _ in range(20):
        task = await _step(bench, task, _state(Phase.RUNNING))
        assert task.due_at > bench.now


@pytest.mark.parametrize("phase", [Phase.RUNNING, Phase.FAILED, Phase.SUCCEEDED])
async def test_who_lost_the_lease_writes_nothing(bench: Any, phase: Phase) -> None:
    task = await bench.held()

    async def taken_meanwhile() -> RemoteStatus:
        await bench.journal.change(task.task_id, {"owner": "other"}, now=bench.now)
        return _state(phase, file_id="5")

    found = await _step(bench, task, taken_meanwhile)
    assert (found.status, found.owner, found.polls) == (Status.RUNNING, "other", 0)


async def test_a_stale_answer_does_not_undo_a_success(bench: Any) -> None:
    """Two reads of one process at once, after its machine slept: the slower one is the older."""
    task = await bench.held()

    async def succeeded_meanwhile() -> RemoteStatus:
        await bench.journal.change(task.task_id, {"status": Status.SUCCEEDED}, now=bench.now)
        return _state(Phase.FAILED)

    found = await _step(bench, task, succeeded_meanwhile)
    assert (found.status, found.money) == (Status.SUCCEEDED, Money.SPENT)


async def _saving(bench: Any, trouble: Exception, account: str = "") -> Any:
    bench.client.no_link = trouble
    task = await bench.held(status=Status.SUCCEEDED, file_id="5", finished_at=bench.now)
    if account:
        await bench.journal.change(task.task_id, {"account": account}, now=bench.now)
    return await bench.read(task)


async def test_a_clip_that_this_key_may_not_fetch_is_given_up_after_ten_tries(bench: Any) -> None:
    task = await _saving(bench, AuthenticationError("Not your key."))
    for _ in range(9):
        task = await _step(bench, task)
        assert task.due_at > bench.now
    task = await _step(bench, task)
    assert (task.due_at, task.status, task.money) == (0, Status.SUCCEEDED, Money.SPENT)
    assert task.save_error == "Not your key."


async def test_another_keys_clip_is_never_given_up_by_this_one(bench: Any) -> None:
    task = await _saving(bench, AuthenticationError("Not your key."), account="somebody else's")
    for _ in range(15):
        task = await _step(bench, task)
        assert task.due_at > bench.now


async def test_a_trouble_that_may_pass_is_tried_for_a_week(bench: Any) -> None:
    """No network over night, a full disk over the weekend: the clip is paid for."""
    task = await bench.held(status=Status.SUCCEEDED, file_id="5", finished_at=bench.now)
    away = DownloadError("The network is away.")
    for _ in range(7 * 24):
        held = {"owner": bench.context.owner}
        task = await bench.journal.change(task.task_id, held, now=bench.now)
        await record_save_error(bench.context, task, away)
        task = await bench.read(task)
        assert bench.now < task.due_at <= bench.now + 900
        bench.now += 3600
    await bench.journal.change(task.task_id, {"owner": bench.context.owner}, now=bench.now)
    await record_save_error(bench.context, task, away)
    task = await bench.read(task)
    assert (task.due_at, task.status) == (0, Status.SUCCEEDED)


async def test_a_clip_that_was_ready_long_ago_has_all_its_tries(bench: Any) -> None:
    """A laptop that was closed for a week wakes before its network does."""
    task = await bench.held(status=Status.SUCCEEDED, file_id="5", finished_at=bench.now - 8 * DAY)
    away = DownloadError("The network is away.")
    for tries in range(10):
        held = {"owner": bench.context.owner}
        task = await bench.journal.change(task.task_id, held, now=bench.now)
        await record_save_error(bench.context, task, away)
        task = await bench.read(task)
        assert (task.due_at > 0) == (tries < 9)


async def test_what_only_a_person_can_cure_is_not_tried_again_by_itself(bench: Any) -> None:
    task = await bench.held(status=Status.SUCCEEDED, file_id="5", finished_at=bench.now)
    trouble = DownloadError("The folder is not writable.")
    trouble.retry = False
    await record_save_error(bench.context, task, trouble)
    task = await bench.read(task)
    assert (task.due_at, task.save_error) == (0, "The folder is not writable.")


async def _save_again(bench: Any, task: Any, trouble: Exception) -> Any:
    held = await bench.journal.change(task.task_id, {"owner": bench.context.owner}, now=bench.now)
    await record_save_error(bench.context, held, trouble)
    return await bench.read(task)


async def test_a_clip_that_is_corrupt_is_asked_for_with_growing_pauses_and_an_end(
    bench: Any,
) -> None:
    task = await bench.held(status=Status.SUCCEEDED, file_id="5", finished_at=bench.now)
    damaged = CorruptClipError("It is not a complete MP4. The clip is paid for.")
    pauses = []
    for _ in range(SAVE_TRIES - 1):
        task = await _save_again(bench, task, damaged)
        assert "not tried again automatically" not in task.save_error
        pauses.append(task.due_at - bench.now)
        bench.now = task.due_at
    assert pauses[0] == CORRUPT_SECONDS
    assert all(late == 2 * early for early, late in itertools.pairwise(pauses))
    task = await _save_again(bench, task, damaged)
    assert (task.due_at, task.status, task.money) == (0, Status.SUCCEEDED, Money.SPENT)
    assert task.save_error.startswith(
        "It is not a complete MP4. The clip is paid for. 10 tries have failed"
    )
    assert "not tried again automatically" in task.save_error


async def test_who_asks_again_and_again_makes_the_pauses_no_shorter(bench: Any) -> None:
    task = await bench.held(status=Status.SUCCEEDED, file_id="5", finished_at=bench.now)
    damaged, pauses = CorruptClipError("It is not a complete MP4."), []
    for _ in range(SAVE_TRIES - 1):
        task = await _save_again(bench, task, damaged)
        pauses.append(task.due_at - bench.now)
        task = await save_now(bench.context, task)
        assert (task.due_at, task.save_error) == (bench.now, "")  # one try, at once
    assert pauses == sorted(set(pauses))
    task = await _save_again(bench, task, damaged)
    assert task.due_at == 0
    assert (
        await save_now(bench.context, task)
    ).due_at == bench.now  # the paid clip can still be had
