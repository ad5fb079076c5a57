"""Learning how long clips take: from what was seen, not from when somebody happened to look."""

from typing import Any

import pytest

from hailuo_mcp.domain.remote import Submitted
from hailuo_mcp.domain.task import Status
from hailuo_mcp.studio.waiting import expedite_poll
from hailuo_mcp.worker.submitting import submit

pytestmark = pytest.mark.anyio


async def _bought(bench: Any, number: int) -> Any:
    task = await bench.bought(task_id=f"v{number}", identity=f"cat {number}")
    bench.client.answers = [Submitted(remote_id=f"77{number}")]
    await submit(bench.context, task, sleep=bench.sleep)
    return await bench.read(task)


async def _history(bench: Any, least: float, most: float) -> None:
    """Three clips that were found ready between two ages."""
    for number in range(3):
        task = await _bought(bench, number)
        values = {
            "status": Status.SUCCEEDED,
            "unfinished_at": bench.now + least,
            "finished_at": bench.now + most,
            "due_at": 0.0,
        }
        await bench.journal.change(task.task_id, values, now=bench.now)
    bench.now += 36_000


async def test_clips_found_ready_the_next_morning_teach_nothing(bench: Any) -> None:
    await _history(bench, 0.0, 36_000.0)
    task = await _bought(bench, 9)
    assert await bench.context.render_times.recent(task) == []
    assert await bench.context.render_times.typical(task) == bench.context.render_times.published(
        task
    )
    assert task.due_at <= bench.now + bench.context.render_times.published(task)


async def test_what_was_seen_from_near_is_learned(bench: Any) -> None:
    await _history(bench, 3.0, 4.0)
    task = await _bought(bench, 9)
    assert len(await bench.context.render_times.recent(task)) == 3
    assert task.due_at == bench.now + 3


async def test_who_asks_is_heard_as_soon_as_such_a_clip_can_be_ready(bench: Any) -> None:
    await _history(bench, 1.0, 2.0)
    bought = await _bought(bench, 9)
    await bench.journal.change(bought.task_id, {"due_at": bench.now + 3600}, now=bench.now)
    bench.now += 60
    await expedite_poll(bench.context, await bench.read(bought))
    assert (await bench.read(bought)).due_at == bench.now


async def test_who_asks_too_early_spends_no_request(bench: Any) -> None:
    await _history(bench, 3000.0, 3001.0)
    bought = await _bought(bench, 9)
    await expedite_poll(bench.context, bought)
    assert (await bench.read(bought)).due_at == bought.due_at


async def test_a_clock_that_was_ahead_keeps_nobody_waiting(bench: Any) -> None:
    bench.now += 8 * 3600
    task = await bench.held(polled_at=bench.now, due_at=bench.now + 10)
    bench.now -= 8 * 3600
    await expedite_poll(bench.context, task)
    assert (await bench.read(task)).due_at == bench.now + bench.context.settings.poll_seconds
