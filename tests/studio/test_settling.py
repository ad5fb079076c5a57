"""A person settles what nobody knows: bought with an id, bought without one, not bought."""

# ruff: noqa: ASYNC240  # polls with a deadline; nothing else runs in this loop

from pathlib import Path
from typing import Any

import pytest

from hailuo_mcp.domain import Money, Status, VideoRequest
from hailuo_mcp.errors import InvalidRequestError, TaskNotFoundError
from hailuo_mcp.studio import Terms

pytestmark = pytest.mark.anyio
LOST = VideoRequest(prompt="a cat [sandbox:lost]")


async def _lost(studio: Any) -> Any:
    task = (await studio.generate(LOST, Terms())).task
    assert task.status is Status.UNCONFIRMED
    return task


async def test_bought_with_its_id_it_is_followed_and_saved(opened: Any, sandbox: Any) -> None:
    async with opened(budget="2") as studio:
        task = await _lost(studio)
        (account,) = sandbox.book()["accounts"].values()
        (remote_id,) = account["tasks"]
        settled = await studio.settle(task.task_id, bought=True, remote_id=remote_id)
        assert settled.task.status is Status.QUEUED
        task = (await studio.query(task.task_id, wait_seconds=20)).task
        assert (task.status, task.money) == (Status.SUCCEEDED, Money.SPENT)
        assert Path(task.file).exists()
        spending = await studio.spending()
        assert (spending.spent, spending.reserved, spending.uncertain) == (2, 0, 0)
    assert sandbox.received == 1


async def test_bought_without_its_id_the_money_is_spent(opened: Any) -> None:
    async with opened(budget="2") as studio:
        settled = await studio.settle((await _lost(studio)).task_id, bought=True)
        assert (settled.task.status, settled.task.money) == (Status.FAILED, Money.SPENT)
        spending = await studio.spending()
        assert (spending.spent, spending.reserved, spending.left) == (2, 0, 0)


async def test_not_bought_the_money_is_back_and_it_may_be_bought_again(
    opened: Any, sandbox: Any
) -> None:
    async with opened(budget="2") as studio:
        first = await _lost(studio)
        settled = await studio.settle(first.task_id, bought=False)
        assert (settled.task.status, settled.task.money) == (Status.FAILED, Money.RELEASED)
        second = await studio.generate(LOST, Terms())
        assert not second.reused
    assert sandbox.received == 2


async def test_only_what_is_unconfirmed_can_be_settled(opened: Any) -> None:
    async with opened() as studio:
        done = (await studio.generate(VideoRequest(prompt="a dog"), Terms(), wait_seconds=20)).task
        for bought in (True, False):
            with pytest.raises(InvalidRequestError, match="only an unconfirmed task"):
                await studio.settle(done.task_id, bought=bought)
        lost = await _lost(studio)
        await studio.settle(lost.task_id, bought=False)
        with pytest.raises(InvalidRequestError, match="only an unconfirmed task"):
            await studio.settle(lost.task_id, bought=True)
        with pytest.raises(TaskNotFoundError):
            await studio.settle("v0", bought=True)


async def test_one_purchase_cannot_be_two_tasks(opened: Any) -> None:
    async with opened() as studio:
        done = (await studio.generate(VideoRequest(prompt="a dog"), Terms(), wait_seconds=20)).task
        lost = await _lost(studio)
        with pytest.raises(InvalidRequestError, match=f"is task {done.task_id} already"):
            await studio.settle(lost.task_id, bought=True, remote_id=done.remote_id)
        assert (await studio.query(lost.task_id)).task.status is Status.UNCONFIRMED


async def test_bought_where_its_id_is_known_it_is_followed_without_naming_it(
    scripted: Any, provider: Any
) -> None:
    """It was accepted once and then given up, say because nobody found it for an hour."""
    async with scripted() as studio:
        task = (await studio.generate(VideoRequest(prompt="a dog"), Terms())).task
        values = {"status": Status.UNCONFIRMED, "due_at": 0.0}
        await studio._desk.journal.change(task.task_id, values, now=task.created_at)
        settled = (await studio.settle(task.task_id, bought=True)).task
        assert (settled.status, settled.remote_id) == (Status.QUEUED, task.remote_id)
        assert settled.money is Money.RESERVED
    assert len(provider.creates) == 1
