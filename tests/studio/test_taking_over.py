"""Two processes on one journal: each sees the other's tasks, and one finishes what the other began."""

# polls with a deadline; nothing else runs in this loop

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import anyio
import buy_and_die
import forked
import pytest
from until import until

from hailuo_mcp.domain.requests import VideoRequest
from hailuo_mcp.domain.task import Money, Status
from hailuo_mcp.views import Terms

pytestmark = pytest.mark.anyio


def _dies(tmp_path: Path, sandbox: Any, step: str, prompt: str) -> None:
    """Buy in another process that is killed at a step of the task's life."""
    env = {
        **os.environ,
        **sandbox.variables,
        "HAILUO_STATE_DIR": str(tmp_path / "state"),
        "HAILUO_OUTPUT_DIR": str(tmp_path / "clips"),
        "HAILUO_POLL_SECONDS": "0.1",
    }
    if forked.AVAILABLE:
        assert forked.call(buy_and_die.main, (env, step, prompt), 60) == -9
        return
    command = [sys.executable, buy_and_die.__file__, step, prompt]
    assert subprocess.run(command, env=env, timeout=60, check=False).returncode == -9


@pytest.mark.parametrize(
    "step",
    [
        "answer recorded",
        "before a poll",
        "poll answered",
        "success recorded",
        "part opened",
        "part written",
        "before the rename",
        "in the middle of the rename",
        "renamed, not recorded",
        "file recorded",
    ],
)
async def test_what_a_killed_process_bought_is_finished_by_the_next(
    opened: Any, sandbox: Any, tmp_path: Path, step: str
) -> None:
    await anyio.to_thread.run_sync(_dies, tmp_path, sandbox, step, "a cat")
    async with opened() as studio:

        async def settled() -> Any:
            (view,) = (await studio.tasks(wait_seconds=1)).rows
            return view if view.settled else None

        view = await until(settled)
        assert (view.task.status, view.task.money) == (Status.SUCCEEDED, Money.SPENT)
        clip = anyio.Path(view.task.file)
        assert (await clip.stat()).st_size == view.task.bytes
        again = await studio.generate(VideoRequest(prompt="a cat"), Terms())
        assert again.reused
    assert sandbox.received == 1


@pytest.mark.parametrize(
    ("step", "received"),
    [("before it is sent", 0), ("request sent", 1), ("answer begun", 1), ("answered", 1)],
)
async def test_a_process_killed_while_it_sent_leaves_an_unconfirmed_task(
    opened: Any, sandbox: Any, tmp_path: Path, step: str, received: int
) -> None:
    await anyio.to_thread.run_sync(_dies, tmp_path, sandbox, step, "a cat")
    async with opened() as studio:

        async def sent() -> bool:
            return (await studio.tasks()).rows[0].task.status is not Status.SUBMITTING

        await until(sent)
        again = await studio.generate(VideoRequest(prompt="a cat"), Terms())
        assert again.reused
        assert (again.task.status, again.task.money) == (Status.UNCONFIRMED, Money.RESERVED)
        spending = await studio.spending()
        assert (spending.reserved, spending.uncertain) == (2, 2)
    assert sandbox.received <= received


async def test_two_studios_see_each_others_tasks_and_share_the_slots(
    opened: Any, sandbox: Any
) -> None:
    async with opened(rpm="2") as one, opened(rpm="2") as two:
        first = await one.generate(VideoRequest(prompt="a cat"), Terms())
        again = await two.generate(VideoRequest(prompt="a cat"), Terms())
        assert again.reused
        assert again.task.task_id == first.task.task_id
        await two.generate(VideoRequest(prompt="a dog"), Terms())
        third = await one.generate(VideoRequest(prompt="a cow"), Terms())
        assert third.task.status is Status.PENDING
        seen = await two.query(first.task.task_id, wait_seconds=20)
        assert seen.task.saved
        assert len((await two.tasks()).rows) == 3
    assert sandbox.received == 2


async def test_what_waits_for_its_turn_is_sent_by_whoever_is_left(
    opened: Any, sandbox: Any
) -> None:
    async with opened(rpm="1") as one:
        await one.generate(VideoRequest(prompt="a cat"), Terms())
        waiting = await one.generate(VideoRequest(prompt="a dog"), Terms())
        assert waiting.task.status is Status.PENDING
    async with opened() as two:  # without a limit
        view = await two.query(waiting.task.task_id, wait_seconds=20)
        assert view.task.saved
    assert sandbox.received == 2


async def test_a_week_later_it_is_not_sent_any_more(scripted: Any, provider: Any) -> None:
    now = 1_800_000_000.0
    async with scripted(clock=lambda: now, rpm="1") as studio:
        await studio.generate(VideoRequest(prompt="a cat"), Terms())
        waiting = await studio.generate(VideoRequest(prompt="a dog"), Terms())
    now += 7 * 86_400
    async with scripted(clock=lambda: now, rpm="1") as studio:

        async def ended() -> Any:
            view = await studio.query(waiting.task.task_id)
            return view if view.task.status is not Status.PENDING else None

        view = await until(ended)
        assert (view.task.status, view.task.money) == (Status.CANCELLED, Money.RELEASED)
    assert len(provider.creates) == 1


async def test_another_keys_task_is_followed_when_nobody_holds_that_key(
    scripted: Any, provider: Any
) -> None:
    async with scripted(api_key="first", poll_seconds="0.05") as studio:
        await studio.generate(VideoRequest(prompt="a cat"), Terms())
    provider.status = "Fail"  # what a provider may say of any task that is not this key's
    async with scripted(api_key="second", poll_seconds="0.05") as studio:

        async def row() -> Any:
            return (await studio.tasks(wait_seconds=1)).rows[0].task

        async def doubted() -> Any:
            task = await row()
            return task if task.error else None

        assert (await until(doubted)).money is Money.RESERVED
        provider.status, provider.file_id = "Success", "5"

        async def ended() -> Any:
            task = await row()
            return task if task.status.is_final else None

        assert (await until(ended)).money is Money.SPENT
        assert (await studio.spending()).reserved == 0  # its own account, untouched
