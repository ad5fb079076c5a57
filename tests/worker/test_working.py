"""What the process does by itself: hand-overs that were lost, doubles, closing, a failing journal."""

# polls with a deadline; nothing else runs in this loop

import logging
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import anyio
import pytest
from until import until

from hailuo_mcp.domain.remote import Phase, RemoteStatus, Submitted
from hailuo_mcp.domain.task import Status
from hailuo_mcp.errors import JournalError
from hailuo_mcp.worker import worker as working
from hailuo_mcp.worker.worker import MOST_DOWNLOADS, Worker

pytestmark = pytest.mark.anyio
TAKEN = Submitted(remote_id="77")


@asynccontextmanager
async def _working(bench: Any) -> AsyncIterator[Worker]:
    worker = Worker(bench.context)
    async with worker.running():
        yield worker


async def _status(bench: Any, task: Any) -> Status:
    return Status((await bench.read(task)).status)


async def test_what_a_cancelled_caller_could_not_hand_over_is_sent_by_itself(bench: Any) -> None:
    bench.client.answers = [TAKEN]
    async with _working(bench) as worker:
        task = await bench.bought()
        bench.now += 3
        bench.context.wakeup.notify()
        await until(lambda: bench.client.sent == 1)
        await worker.close()
        assert await _status(bench, task) is Status.QUEUED


async def test_an_attempt_is_begun_once_whoever_hands_it_over(bench: Any) -> None:
    answered = anyio.Event()

    async def slowly() -> Submitted:
        await answered.wait()
        return TAKEN

    bench.client.answers = [slowly]
    async with _working(bench) as worker:
        task = await bench.bought()
        for _ in range(5):
            bench.context.wakeup.notify(task)
            bench.now += 3
            bench.context.wakeup.notify()
            await anyio.wait_all_tasks_blocked()
            await bench.read(task)  # the journal's thread takes turns: what was asked is done
        answered.set()
        await worker.close()
        bench.context.wakeup.notify(task)  # and not after its end either
        await anyio.wait_all_tasks_blocked()
    assert bench.client.sent == 1
    assert await _status(bench, task) is Status.QUEUED


async def test_attempts_are_forgotten_after_an_hour_unless_they_could_come_again(
    bench: Any,
) -> None:
    worker = Worker(bench.context)
    unsent, going = ("vunsent", 1), ("vgoing", 1)
    worker._begun = dict.fromkeys((("vdone", 2), unsent, going), bench.now)
    worker._submitting.add("vgoing")
    worker._forget_begun({unsent}, bench.now + working.BEGUN_SECONDS - 1)
    assert len(worker._begun) == 3
    worker._forget_begun({unsent}, bench.now + working.BEGUN_SECONDS)
    assert list(worker._begun) == [unsent, going]


async def test_nothing_is_kept_of_a_purchase_an_hour_after_it(bench: Any) -> None:
    bench.client.answers = [TAKEN]
    async with _working(bench) as worker:
        bench.context.wakeup.notify(await bench.bought())
        await until(lambda: bench.client.sent == 1)
        await worker.close()  # its answer is recorded
        assert worker._begun
        bench.now += working.BEGUN_SECONDS
        worker._closing = False
        bench.context.wakeup.notify()
        await until(lambda: not worker._begun)


async def test_who_is_closing_sends_nothing_new_and_gives_it_back(bench: Any) -> None:
    async with _working(bench) as worker:
        unheard = await bench.bought()
        await worker.close()
        assert await _status(bench, unheard) is Status.PENDING
        late = await bench.bought(identity="a dog", task_id="vlate")
        bench.context.wakeup.notify(late)
        await worker.close()
        assert await _status(bench, late) is Status.PENDING
    assert bench.client.sent == 0
    assert (await bench.read(late)).money == "reserved"


async def test_what_comes_after_the_end_is_given_back(bench: Any) -> None:
    async with _working(bench) as worker:
        pass
    late = await bench.bought()
    bench.context.wakeup.notify(late)
    await worker.return_unsent()
    assert await _status(bench, late) is Status.PENDING
    assert bench.client.sent == 0


async def test_closing_waits_for_the_answer_of_what_was_sent(bench: Any) -> None:
    sent, answered = anyio.Event(), anyio.Event()

    async def slowly() -> Submitted:
        sent.set()
        await answered.wait()
        return TAKEN

    bench.client.answers = [slowly]
    async with _working(bench) as worker:
        task = await bench.bought()
        bench.context.wakeup.notify(task)
        await sent.wait()
        async with anyio.create_task_group() as both:
            both.start_soon(worker.close)
            await anyio.wait_all_tasks_blocked()
            answered.set()
    assert await _status(bench, task) is Status.QUEUED


async def test_a_process_that_slept_does_not_do_its_own_work_twice(bench: Any) -> None:
    """The leases lapsed while the machine slept; the jobs that held them are still there."""
    asked, answered = anyio.Event(), anyio.Event()

    async def slowly() -> RemoteStatus:
        asked.set()
        await answered.wait()
        return RemoteStatus(phase=Phase.FAILED, word="Fail")

    bench.client.states = [slowly]
    async with _working(bench) as worker:
        task = await bench.held(owner="", lease_until=0.0)
        bench.context.wakeup.notify()
        await asked.wait()
        bench.now += 3600
        bench.context.wakeup.notify()
        await anyio.wait_all_tasks_blocked()
        await bench.read(task)
        await anyio.wait_all_tasks_blocked()
        answered.set()
        await until(lambda: not worker._held)
    assert bench.client.asked == ["77"]
    assert await _status(bench, task) is Status.FAILED


async def test_a_bug_in_one_job_ends_no_other(bench: Any, caplog: Any) -> None:
    bench.client.answers = [RuntimeError("a bug"), TAKEN]
    with caplog.at_level(logging.ERROR):
        async with _working(bench) as worker:
            first = await bench.bought()
            bench.context.wakeup.notify(first)
            await until(lambda: bench.client.sent == 1)
            second = await bench.bought(identity="a dog", task_id="vsecond")
            bench.context.wakeup.notify(second)
            await until(lambda: bench.client.sent == 2)
            await worker.close()
    assert "ended unexpectedly" in caplog.text
    assert await _status(bench, first) is Status.UNCONFIRMED
    assert await _status(bench, second) is Status.QUEUED


async def test_a_journal_that_fails_while_somebody_waits_does_not_end_the_work(bench: Any) -> None:
    seen, store = 0, bench.journal._store

    async def data_version() -> int:
        nonlocal seen
        seen += 1
        raise JournalError("The disk is full.")

    store._data_version = data_version
    bench.client.answers = [TAKEN]
    async with _working(bench):
        await bench.context.changes.wait(("vnone",), 0.6)
        assert seen
        bench.context.wakeup.notify(await bench.bought())
        await until(lambda: bench.client.sent == 1)


async def test_a_state_folder_that_cannot_be_looked_into_does_not_end_the_work(bench: Any) -> None:
    looks = 0

    async def dead(_owners: Iterable[str]) -> list[str]:
        """Cannot see at first who is alive."""
        nonlocal looks
        looks += 1
        if looks == 1:
            raise PermissionError(13, "no")
        return []

    bench.journal.dead = dead
    bench.client.answers = [TAKEN]
    async with _working(bench):
        await until(lambda: looks == 1)
        bench.context.wakeup.notify(await bench.bought())
        await until(lambda: bench.client.sent == 1)
        bench.now += 3
        bench.context.wakeup.notify()
        await until(lambda: looks == 2)


async def test_only_so_many_clips_are_downloaded_at_once(
    bench: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    running, most, enough = 0, 0, anyio.Event()

    async def save(*_: Any) -> None:
        nonlocal running, most
        running += 1
        most = max(most, running)
        await enough.wait()
        running -= 1

    monkeypatch.setattr(working, "save_clip", save)
    worker = Worker(bench.context)
    task = await bench.held()
    ready = replace(task, status=Status.SUCCEEDED)
    async with anyio.create_task_group() as jobs:
        for _ in range(3 * MOST_DOWNLOADS):
            jobs.start_soon(worker._step, ready)
        await until(lambda: running == MOST_DOWNLOADS)
        await anyio.wait_all_tasks_blocked()
        enough.set()
    assert most == MOST_DOWNLOADS
