"""The one paid request: whatever happens around it, its outcome is written down and it is not repeated."""

from dataclasses import replace
from typing import Any

import anyio
import pytest

from hailuo_mcp.domain.remote import Submitted
from hailuo_mcp.domain.task import Money, Status
from hailuo_mcp.errors import (
    ConfigError,
    ContentRejectedError,
    ProviderUnavailableError,
    RateLimitError,
    UnconfirmedSubmitError,
)
from hailuo_mcp.studio.reader import RemoteAccess
from hailuo_mcp.worker.submitting import _RECORD_PAUSES, submit

pytestmark = pytest.mark.anyio
TAKEN = Submitted(remote_id="77", remote_alias="p77", trace_id="t")
NEVER_LEFT = ProviderUnavailableError("It never left. Nothing was charged.")


async def _sent(bench: Any, *answers: Any, **facts: Any) -> Any:
    task = await bench.bought(**facts)
    bench.client.answers = list(answers)
    await submit(bench.context, task, sleep=bench.sleep)
    return await bench.read(task)


async def test_what_was_taken_is_recorded_with_its_ids(bench: Any) -> None:
    task = await _sent(bench, TAKEN)
    assert (task.status, task.remote_id, task.remote_alias) == (Status.QUEUED, "77", "p77")
    assert (task.money, task.owner, task.lease_until) == (Money.RESERVED, "", 0)
    assert task.due_at > bench.now


async def test_a_journal_that_fails_after_the_purchase_never_calls_it_free(bench: Any) -> None:
    """To guess the time of the first poll the journal is asked; that guess is not worth a clip."""
    bench.journal.failures = {"render_times": 100}
    task = await _sent(bench, TAKEN)
    assert (task.status, task.remote_id, task.money) == (Status.QUEUED, "77", Money.RESERVED)


async def test_a_disk_that_fails_when_the_id_is_to_be_recorded_is_tried_again(bench: Any) -> None:
    bench.journal.failures = {"change": 5}
    task = await _sent(bench, TAKEN)
    assert (task.status, task.remote_id) == (Status.QUEUED, "77")
    assert bench.paused == list(_RECORD_PAUSES[:5])
    assert bench.client.sent == 1


async def test_an_id_that_cannot_be_recorded_is_in_the_log_and_never_dropped(
    bench: Any, caplog: Any
) -> None:
    bench.journal.failures = {"change": 50}
    task = await _sent(bench, TAKEN)
    assert "remote_id 77" in caplog.text
    assert (task.status, task.remote_id) == (Status.QUEUED, "77")
    assert bench.paused[-2:] == [5.0, 5.0]


async def test_what_the_provider_said_of_an_unconfirmed_submit_is_not_logged(
    bench: Any, caplog: Any
) -> None:
    """It may repeat the prompt."""
    await _sent(bench, UnconfirmedSubmitError("No id.", detail="no id for a cat"))
    assert "unconfirmed" in caplog.text
    assert "a cat" not in caplog.text


async def test_a_lease_that_ran_out_meanwhile_does_not_lose_the_id(bench: Any) -> None:
    async def sleep(_seconds: float) -> None:
        await bench.journal.recover([], now=bench.now + 91)

    bench.journal.failures = {"change": 3}
    task = await bench.bought()
    bench.client.answers = [TAKEN]
    await submit(bench.context, task, sleep=sleep)
    task = await bench.read(task)
    assert (task.status, task.remote_id) == (Status.QUEUED, "77")


async def test_who_leaves_while_an_id_waits_to_be_recorded_tries_once_more(bench: Any) -> None:
    pausing = anyio.Event()

    async def sleep(_seconds: float) -> None:
        pausing.set()
        await anyio.sleep_forever()

    bench.journal.failures = {"change": 1}
    task = await bench.bought()
    bench.client.answers = [TAKEN]
    async with anyio.create_task_group() as process:
        process.start_soon(lambda: submit(bench.context, task, sleep=sleep))
        await pausing.wait()
        process.cancel_scope.cancel()
    task = await bench.read(task)
    assert (task.status, task.remote_id) == (Status.QUEUED, "77")


async def test_what_never_left_is_tried_twice_more_and_then_refused_free(bench: Any) -> None:
    task = await _sent(bench, NEVER_LEFT, NEVER_LEFT, TAKEN)
    assert (task.status, task.attempt) == (Status.QUEUED, 1)
    assert bench.client.sent == 3
    bench.now += 1
    task = await _sent(bench, NEVER_LEFT, NEVER_LEFT, NEVER_LEFT, identity="a dog")
    assert (task.status, task.money) == (Status.FAILED, Money.RELEASED)


async def test_an_answer_with_a_code_has_left_and_is_not_sent_again(bench: Any) -> None:
    no_channel = ProviderUnavailableError("No channel.", provider_code="provider_not_found")
    task = await _sent(bench, no_channel)
    assert (task.status, task.error_code) == (Status.FAILED, "provider_not_found")
    assert bench.client.sent == 1


@pytest.mark.parametrize("no", [ContentRejectedError("No.", provider_code="1026"), ConfigError("")])
async def test_a_certain_no_is_free(bench: Any, no: Exception) -> None:
    task = await _sent(bench, no)
    assert (task.status, task.money, task.due_at) == (Status.FAILED, Money.RELEASED, 0)


async def test_what_is_not_certain_is_unconfirmed(bench: Any) -> None:
    task = await _sent(bench, UnconfirmedSubmitError("Who knows.", detail="ReadTimeout"))
    assert (task.status, task.money, task.due_at) == (Status.UNCONFIRMED, Money.RESERVED, 0)
    assert bench.client.sent == 1


async def test_a_bug_is_unconfirmed_too(bench: Any) -> None:
    task = await bench.bought()
    bench.client.answers = [RuntimeError("a bug")]
    with pytest.raises(RuntimeError):
        await submit(bench.context, task, sleep=bench.sleep)
    assert (await bench.read(task)).status is Status.UNCONFIRMED


async def test_too_fast_goes_back_into_the_queue_until_the_pause_is_over(bench: Any) -> None:
    task = await _sent(bench, RateLimitError("Slow.", provider_code="1002", retry_after=7))
    assert (task.status, task.due_at) == (Status.PENDING, bench.now + 7)
    assert (task.money, task.refused_at) == (Money.RESERVED, bench.now)
    assert task.owner == bench.context.owner


async def test_too_fast_is_still_free_when_the_pause_cannot_be_written(bench: Any) -> None:
    bench.journal.failures = {"pause": 1}
    task = await _sent(bench, RateLimitError("Slow.", provider_code="1002"))
    assert (task.status, task.due_at) == (Status.PENDING, bench.now + 10)


async def test_a_caller_of_the_work_who_is_cancelled_leaves_it_unconfirmed(bench: Any) -> None:
    task = await bench.bought()
    on_its_way = anyio.Event()

    async def hang() -> Submitted:
        on_its_way.set()
        await anyio.sleep_forever()
        return TAKEN

    bench.client.answers = [hang]
    async with anyio.create_task_group() as process:
        process.start_soon(submit, bench.context, task)
        await on_its_way.wait()
        process.cancel_scope.cancel()
    found = await bench.read(task)
    assert (found.status, found.money) == (Status.UNCONFIRMED, Money.RESERVED)
    assert "ended before the provider answered" in found.error


async def test_what_waits_for_a_connection_when_the_process_leaves_goes_back(bench: Any) -> None:
    task = await bench.bought()
    bench.client.unreachable = anyio.Event()
    async with anyio.create_task_group() as process:
        process.start_soon(submit, bench.context, task)
        await bench.client.unreachable.wait()
        process.cancel_scope.cancel()
    found = await bench.read(task)
    assert (found.status, found.money, found.owner) == (
        Status.PENDING,
        Money.RESERVED,
        bench.context.owner,
    )
    assert found.due_at > 0  # whoever is next sends it


async def test_what_never_left_goes_back_when_the_process_leaves_between_two_tries(
    bench: Any,
) -> None:
    pausing = anyio.Event()

    async def sleep(_seconds: float) -> None:
        pausing.set()
        await anyio.sleep_forever()

    async def refused() -> Submitted:
        raise NEVER_LEFT

    task = await bench.bought()
    bench.client.answers = [refused]
    bench.client.leaves = False
    async with anyio.create_task_group() as process:
        process.start_soon(lambda: submit(bench.context, task, sleep=sleep))
        await pausing.wait()
        process.cancel_scope.cancel()
    assert (await bench.read(task)).status is Status.PENDING


async def test_leaving_does_not_wait_for_a_journal_that_fails(bench: Any) -> None:
    task = await bench.bought()
    on_its_way = anyio.Event()

    async def hang() -> Submitted:
        on_its_way.set()
        await anyio.sleep_forever()
        return TAKEN

    bench.client.answers = [hang]
    bench.journal.failures = {"change": 100}
    with anyio.fail_after(20):
        async with anyio.create_task_group() as process:
            process.start_soon(submit, bench.context, task)
            await on_its_way.wait()
            process.cancel_scope.cancel()


@pytest.mark.parametrize(
    ("answer", "status", "money"),
    [
        (TAKEN, Status.QUEUED, Money.RESERVED),
        (ContentRejectedError("No."), Status.FAILED, Money.RELEASED),
        # Not back into the queue: whoever asked was told "unconfirmed" and may have acted on it.
        (RateLimitError("Slow."), Status.FAILED, Money.RELEASED),
        (UnconfirmedSubmitError("Who knows."), Status.UNCONFIRMED, Money.RESERVED),
    ],
)
async def test_a_late_answer_is_heard_by_a_task_that_was_given_up(
    bench: Any, answer: Any, status: Status, money: Money
) -> None:
    task = await bench.bought()

    async def late() -> Submitted:
        await bench.journal.recover([bench.context.owner], now=bench.now)
        if isinstance(answer, Exception):
            raise answer
        return answer

    bench.client.answers = [late]
    await submit(bench.context, task, sleep=bench.sleep)
    found = await bench.read(task)
    assert (found.status, found.money) == (status, money)


async def test_a_late_answer_does_not_touch_what_a_person_has_settled(bench: Any) -> None:
    task = await bench.bought()

    async def late() -> Submitted:
        await bench.journal.recover([bench.context.owner], now=bench.now)
        values = {"status": Status.FAILED, "money": Money.SPENT}
        await bench.journal.change(task.task_id, values, now=bench.now)
        return TAKEN

    bench.client.answers = [late]
    await submit(bench.context, task, sleep=bench.sleep)
    found = await bench.read(task)
    assert (found.status, found.money, found.remote_id) == (Status.FAILED, Money.SPENT, "")


async def test_an_observer_that_fails_cannot_come_between_the_answer_and_the_record(
    bench: Any,
) -> None:
    def observe(what: str, _seconds: float) -> None:
        if what == "submit":
            raise RuntimeError("a bug")

    bench.context = replace(bench.context, remote=RemoteAccess(observe=observe))
    task = await bench.bought()
    bench.client.answers = [TAKEN]
    with pytest.raises(RuntimeError):
        await submit(bench.context, task, sleep=bench.sleep)
    assert (await bench.read(task)).remote_id == "77"


async def test_one_id_for_two_purchases_is_told(bench: Any, caplog: Any) -> None:
    first = await _sent(bench, TAKEN)
    assert first.warnings == ()
    bench.now += 1
    second = await _sent(bench, TAKEN, identity="a dog")
    assert second.remote_id == first.remote_id
    (note,) = second.warnings
    assert f"the same id as task {first.task_id}" in note
    assert first.task_id in caplog.text
    assert (await bench.read(first)).warnings == ()
