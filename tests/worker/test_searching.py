"""A purchase without an answer on v2: found in the provider's list, shown to choose, or not there."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from hailuo_mcp.domain.remote import Phase, RemoteStatus, RemoteTask, RemoteTasks, Submitted
from hailuo_mcp.domain.requests import Mode
from hailuo_mcp.domain.task import Money, Status, Task
from hailuo_mcp.errors import (
    InvalidRequestError,
    ProviderUnavailableError,
    RemoteTaskNotFoundError,
    UnconfirmedSubmitError,
)
from hailuo_mcp.journal.facts import Capacity
from hailuo_mcp.studio.cancel_settle import settle_task
from hailuo_mcp.worker.searching import fits
from hailuo_mcp.worker.submitting import submit
from hailuo_mcp.worker.worker import Worker

pytestmark = pytest.mark.anyio
MINUTE, HOUR, DAY = 60.0, 3600.0, 86_400.0


async def _orphan(bench: Any, name: str = "v1", **facts: Any) -> Task:
    """A purchase on v2 whose answer was lost."""
    bench.client.answers = [UnconfirmedSubmitError("No answer.")]
    task = await bench.bought(**(_SHAPE | {"task_id": name, "identity": name} | facts))
    await submit(bench.context, task, sleep=bench.sleep)
    task = await bench.read(task)
    assert (task.status, task.due_at, task.sent_at) == (Status.UNCONFIRMED, bench.now, bench.now)
    return task


_SHAPE: dict[str, Any] = {
    "model": "MiniMax-H3",
    "resolution": "768P",
    "duration": 6,
    "prompt": "a cat",
    "request": '{"model": "MiniMax-H3", "prompt": "a cat"}',
}


def _listed(bench: Any, remote_id: str = "88", **facts: Any) -> RemoteTask:
    found = RemoteTask(
        remote_id=remote_id,
        created_at=bench.now,
        model="MiniMax-H3",
        resolution="768P",
        duration=6,
    )
    return replace(found, **facts)


async def _look(bench: Any, task: Task) -> Task:
    """One step as the worker takes it, when it is due."""
    bench.now = max(bench.now, (await bench.read(task)).due_at)
    found = await bench.journal.claim(
        [bench.context.account], bench.context.owner, _ROOM, now=bench.now
    )
    (held,) = [one for one in found.steps if one.task_id == task.task_id]
    for other in found.steps:
        if other is not held:
            await bench.journal.change(other.task_id, {"lease_until": 0.0}, now=bench.now)
    await Worker(bench.context)._step(held)
    seen: Task = await bench.read(task)
    assert (seen.owner, seen.lease_until) == ("", 0)
    return seen


_ROOM = Capacity(rpm=None, sends=0, steps=8, submit_lease=90.0, lease=30.0)


async def test_the_one_task_that_fits_is_adopted_and_polled(bench: Any) -> None:
    task = await _orphan(bench)
    bench.client.listed = [_listed(bench, created_at=bench.now + 3)]
    task = await _look(bench, task)
    assert (task.status, task.remote_id, task.money) == (Status.QUEUED, "88", Money.RESERVED)
    assert (task.due_at, task.submitted_at, task.error) == (bench.now, bench.now, "")
    assert "list" in task.warnings[0]
    assert bench.client.sent == 1


@pytest.mark.parametrize(
    "other",
    [
        {"model": "MiniMax-H3-Max"},
        {"resolution": "2K"},
        {"duration": 5},
        {"upgrade": True},
        {"prompt": "a dog"},
        {"created_at": 1_800_000_000.0 - 121},
        {"created_at": 1_800_000_000.0 + 211},
    ],
)
async def test_what_differs_in_anything_that_the_list_tells_is_another_one(
    bench: Any, other: dict[str, Any]
) -> None:
    task = await _orphan(bench)
    bench.client.listed = [_listed(bench, **other)]
    task = await _look(bench, task)
    assert (task.status, task.remote_id, task.candidates) == (Status.UNCONFIRMED, "", ())


def test_an_alias_and_what_the_list_leaves_out_are_no_differences() -> None:
    task = Task(
        **dict.fromkeys(("task_id", "account", "provider", "caller"), ""),
        status=Status.UNCONFIRMED,
        created_at=1.0,
        updated_at=1.0,
        sent_at=1000.0,
        mode=Mode.UPGRADE,
        model="MiniMax-H3",
        resolution="2K",
        duration=6,
    )
    assert fits(task, RemoteTask(remote_id="1", created_at=880, model="minimax-h3", upgrade=True))


async def test_what_the_journal_knows_is_another_one_and_what_a_caller_adopted_is_not(
    bench: Any,
) -> None:
    other = await bench.bought(**_SHAPE | {"task_id": "v0", "identity": "v0"})
    await bench.journal.change(
        other.task_id, {"status": Status.RUNNING, "remote_id": "88"}, now=bench.now
    )
    task = await _orphan(bench)
    bench.client.listed = [_listed(bench)]
    assert (await _look(bench, task)).status is Status.UNCONFIRMED
    await bench.journal.change(other.task_id, {"money": Money.UNKNOWN}, now=bench.now)
    assert (await _look(bench, task)).remote_id == "88"
    assert (await bench.read(other)).remote_id == ""


async def test_several_are_shown_to_choose_from_and_a_persons_choice_leaves_the_rest(
    bench: Any,
) -> None:
    one, two = await _orphan(bench, "v1"), await _orphan(bench, "v2")
    bench.client.listed = [_listed(bench, "88"), _listed(bench, "89", created_at=bench.now + 1)]
    one, two = await _look(bench, one), await _look(bench, two)
    for task in (one, two):
        assert task.candidates == ("88", "89")
        assert "2 tasks that may be" in task.error
        assert "88 (2027-01-15 08:00:00 UTC), 89 (" in task.error
        assert task.due_at >= bench.now + 600
    bench.client.states = [RemoteStatus(phase=Phase.RUNNING, word="running")]
    settled = await settle_task(bench.context, one.task_id, bought=True, remote_id="89")
    assert (settled.task.status, settled.task.candidates) == (Status.QUEUED, ())
    assert (await bench.read(two)).due_at == bench.now  # it has a choice less
    assert (await _look(bench, two)).remote_id == "88"


async def test_one_that_may_also_be_another_purchase_is_shown_and_never_taken(bench: Any) -> None:
    one, two = await _orphan(bench, "v1"), await _orphan(bench, "v2")
    bench.client.listed = [_listed(bench)]
    one, two = await _look(bench, one), await _look(bench, two)
    assert one.candidates == two.candidates == ("88",)
    await settle_task(bench.context, one.task_id, bought=True)  # without its id
    assert (await _look(bench, two)).status is Status.UNCONFIRMED
    await settle_task(bench.context, one.task_id, bought=False)
    assert (await _look(bench, two)).remote_id == "88"


async def test_orphans_whose_listed_prompts_differ_are_told_apart(bench: Any) -> None:
    cat, dog = await _orphan(bench, "v1"), await _orphan(bench, "v2", prompt="a dog")
    bench.client.listed = [
        _listed(bench, "88", prompt="a dog"),
        _listed(bench, "89", prompt="a cat"),
    ]
    assert (await _look(bench, cat)).remote_id == "89"
    assert (await _look(bench, dog)).remote_id == "88"


async def test_while_another_is_being_sent_it_waits_for_that_ones_answer(bench: Any) -> None:
    task = await _orphan(bench)
    other = await bench.bought(**_SHAPE | {"task_id": "v2", "identity": "v2"})
    bench.client.listed = [_listed(bench)]
    task = await _look(bench, task)
    assert (task.status, task.candidates, task.tries) == (Status.UNCONFIRMED, (), 1)
    bench.client.answers = [Submitted(remote_id="90")]
    await submit(bench.context, other, sleep=bench.sleep)
    assert (await _look(bench, task)).remote_id == "88"


async def test_it_is_looked_for_ever_more_rarely_and_after_30_minutes_not_bought(
    bench: Any,
) -> None:
    task, began, pauses = await _orphan(bench), bench.now, list[float]()
    while task.status is Status.UNCONFIRMED:
        assert task.money is Money.RESERVED
        looked = bench.now
        task = await _look(bench, task)
        pauses.append(task.due_at - bench.now)
        assert bench.now == looked or looked - began < 30 * MINUTE
    assert pauses[:6] == [5, 10, 20, 40, 80, 120]
    assert set(pauses[6:-1]) == {120}
    assert 30 * MINUTE <= bench.now - began <= 32 * MINUTE
    assert (task.status, task.money, task.error_kind) == (
        Status.FAILED,
        Money.RELEASED,
        "not_bought",
    )
    assert task.error.startswith("The provider's list of tasks does not have it 30 minutes")
    assert task.due_at == 0


@pytest.mark.parametrize("trouble", [ProviderUnavailableError("Away."), "shrinks", "no time"])
async def test_a_list_that_is_not_read_whole_decides_nothing(bench: Any, trouble: Any) -> None:
    task = await _orphan(bench)
    bench.now += HOUR
    if isinstance(trouble, Exception):
        bench.client.listed = trouble
    elif trouble == "no time":
        bench.client.listed = [_listed(bench, created_at=0.0)]
    else:
        newer = [_listed(bench, f"n{number}", duration=5) for number in range(40)]
        bench.client.listed = newer
        read = bench.client.newest

        async def newest(**which: Any) -> Any:
            page = await read(**which)
            bench.client.listed = newer[:30]
            return page

        bench.client.newest = newest
    task = await _look(bench, task)
    assert (task.status, task.money) == (Status.UNCONFIRMED, Money.RESERVED)
    assert bench.now < task.due_at <= bench.now + 4 * MINUTE


async def test_the_list_is_read_page_by_page_back_to_when_it_was_sent(bench: Any) -> None:
    task = await _orphan(bench)
    older = [_listed(bench, f"o{n}", created_at=bench.now - HOUR - n) for n in range(50)]
    newer = [_listed(bench, f"n{n}", duration=5, created_at=bench.now + n) for n in range(50)]
    bench.client.listed = [*newer, _listed(bench), *older]
    assert (await _look(bench, task)).remote_id == "88"
    assert bench.client.pages == 3


@pytest.mark.parametrize(("tasks", "pages"), [(20, 2), (45, 3)])
async def test_a_list_that_does_not_tell_its_length_is_read_to_its_end(
    bench: Any, tasks: int, pages: int
) -> None:
    task = await _orphan(bench)
    bench.client.listed = [_listed(bench, f"n{n}", duration=5) for n in range(tasks - 1)]
    bench.client.listed.append(_listed(bench, created_at=bench.now - 1))
    read = bench.client.newest

    async def newest(**which: Any) -> RemoteTasks:
        page = await read(**which)
        return replace(page, total=len(page.tasks))

    bench.client.newest = newest
    assert (await _look(bench, task)).remote_id == "88"
    assert bench.client.pages == pages


async def test_after_a_week_the_list_proves_nothing(bench: Any) -> None:
    task = await _orphan(bench)
    bench.now += 6.5 * DAY
    task = await _look(bench, task)
    assert (task.status, task.money, task.due_at) == (Status.UNCONFIRMED, Money.RESERVED, 0)


async def test_with_a_choice_it_is_looked_for_a_day_and_never_called_not_bought(bench: Any) -> None:
    one, two = await _orphan(bench, "v1"), await _orphan(bench, "v2")
    bench.client.listed = [_listed(bench)]
    looks = 0
    while (one := await _look(bench, one)).due_at:
        looks += 1
        assert one.status is Status.UNCONFIRMED
        bench.client.listed = [] if looks > 3 else bench.client.listed  # deleted there
    assert (one.status, one.candidates) == (Status.UNCONFIRMED, ("88",))
    assert looks < 80
    assert (await bench.read(two)).status is Status.UNCONFIRMED


async def test_v1_and_older_tasks_are_not_looked_for(bench: Any) -> None:
    task = await _orphan(bench)
    await bench.journal.change(task.task_id, {"model": "m"}, now=bench.now)  # of a dead process
    assert (await _look(bench, task)).due_at == 0
    older = await _orphan(bench, "v2")
    await bench.journal.change(older.task_id, {"sent_at": None}, now=bench.now)
    assert (await _look(bench, older)).due_at == 0
    refused = await _orphan(bench, "v3")
    bench.client.listed = InvalidRequestError("There is no list.")
    assert (await _look(bench, refused)).due_at == 0


async def test_a_late_answer_wins_over_what_the_list_seemed_to_say(bench: Any) -> None:
    for name, adopted in (("v1", "88"), ("v2", "")):
        bench.client.listed = [_listed(bench)] if adopted else []

        async def answer(name: str = name, adopted: str = adopted) -> Submitted:
            lost = {"status": Status.UNCONFIRMED, "due_at": bench.now, "lease_until": 0.0}
            await bench.journal.change(name, lost, now=bench.now)
            task = await bench.journal.find(name)
            bench.now += 0 if adopted else HOUR
            task = await _look(bench, task)
            assert (task.remote_id, task.not_bought) == (adopted, not adopted)
            return Submitted(remote_id=f"true {name}")

        bench.client.answers = [answer]
        bench.client.states = [RemoteStatus(phase=Phase.RUNNING, word="running")]
        task = await bench.bought(**_SHAPE | {"task_id": name, "identity": name})
        await submit(bench.context, task, sleep=bench.sleep)
        task = await bench.read(task)
        assert (task.status, task.remote_id) == (Status.QUEUED, f"true {name}")
        assert (task.money, task.warnings) == (Money.RESERVED, ())
        sums = await bench.journal.sums(task.account, task.unit, 0.0)
        assert sums.reserved == Decimal(2) * int(name[1:])


async def test_a_person_may_know_better_than_the_list(bench: Any) -> None:
    task = await _orphan(bench)
    bench.now += HOUR
    task = await _look(bench, task)
    assert task.not_bought
    bench.client.states = [RemoteStatus(phase=Phase.RUNNING, word="running")]
    settled = await settle_task(bench.context, task.task_id, bought=True, remote_id="91")
    assert (settled.task.status, settled.task.money) == (Status.QUEUED, Money.RESERVED)


@pytest.mark.parametrize("there", [True, False])
async def test_one_that_was_accepted_and_given_up_is_asked_for_by_its_id_once_more(
    bench: Any, there: bool
) -> None:
    task = await bench.held(**_SHAPE, tries=5)
    bench.now += 2 * HOUR
    lost = RemoteTaskNotFoundError("No such task.")
    bench.client.states = [lost]
    await Worker(bench.context)._step(task)
    task = await bench.read(task)
    assert (task.status, task.due_at) == (Status.UNCONFIRMED, bench.now + HOUR)
    bench.client.states = [RemoteStatus(phase=Phase.RUNNING, word="running") if there else lost]
    task = await _look(bench, task)
    assert task.status is (Status.RUNNING if there else Status.UNCONFIRMED)
    assert bool(task.due_at) is there
    assert bench.client.pages == 0
