"""A person settles what nobody knows: bought with an id, bought without one, not bought."""

# ruff: noqa: ASYNC240  # polls with a deadline; nothing else runs in this loop

from pathlib import Path
from typing import Any

import pytest

from hailuo_mcp.domain.requests import VideoRequest
from hailuo_mcp.domain.task import POLLED, Money, Status
from hailuo_mcp.errors import InvalidRequestError, TaskFailedError, TaskNotFoundError
from hailuo_mcp.views import Terms

pytestmark = pytest.mark.anyio
LOST = VideoRequest(prompt="a cat [sandbox:lost]")


async def _lost(studio: Any) -> Any:
    task = (await studio.generate(LOST, Terms())).task
    assert task.status is Status.UNCONFIRMED
    return task


async def _given_up(studio: Any, prompt: str = "a cat") -> Any:
    """Accepted, and then nobody found it for an hour."""
    task = (await studio.generate(VideoRequest(prompt=prompt), Terms())).task
    values = {"status": Status.UNCONFIRMED, "due_at": 0.0, "owner": "", "lease_until": 0.0}
    return await studio.store.change(task.task_id, values, now=task.created_at)


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


async def test_an_id_that_the_provider_does_not_know_is_refused_and_changes_nothing(
    opened: Any, rows: Any
) -> None:
    async with opened() as studio:
        lost = await _lost(studio)
        before = rows()
        for wrong in ("12345", "no id at all", "../files"):
            with pytest.raises(InvalidRequestError, match="knows no task") as refused:
                await studio.settle(lost.task_id, bought=True, remote_id=wrong)
            assert "Nothing was changed" in str(refused.value)
        assert rows() == before


async def test_an_id_that_cannot_be_checked_is_believed_and_said_to_be_unchecked(
    scripted: Any, provider: Any
) -> None:
    async with scripted() as studio:
        task = await _given_up(studio)
        provider.down = True
        settled = await studio.settle(task.task_id, bought=True, remote_id="12345")
        assert (settled.task.status, settled.task.remote_id) == (Status.QUEUED, "12345")
        assert "could not be checked" in " ".join(settled.notes)
        provider.down = False
        settled = await studio.settle(task.task_id, bought=True, remote_id="771")
        assert (settled.task.remote_id, settled.notes) == ("771", ())


async def test_a_task_of_another_key_is_settled_without_asking_with_this_one(
    scripted: Any, provider: Any
) -> None:
    async with scripted(api_key="first") as studio:
        task = await _given_up(studio)
    polls = provider.polls
    async with scripted(api_key="second", poll_seconds="600") as studio:
        settled = await studio.settle(task.task_id, bought=True, remote_id="12345")
        assert "with other settings" in " ".join(settled.notes)
        assert settled.task.status is Status.QUEUED
    assert provider.polls - polls <= 1  # its own first look, not the check


async def test_a_settled_task_can_be_settled_again_until_it_has_a_clip_and_the_budget_follows(
    opened: Any, sandbox: Any
) -> None:
    async with opened(budget="10") as studio:

        async def said(**outcome: Any) -> tuple[Any, ...]:
            task = (await studio.settle(lost.task_id, **outcome)).task
            spending = await studio.spending()
            return task.status, task.money, int(spending.spent), int(spending.reserved)

        lost = await _lost(studio)
        not_bought = (Status.FAILED, Money.RELEASED, 0, 0)
        no_id = (Status.FAILED, Money.SPENT, 2, 0)
        assert await said(bought=False) == not_bought
        assert await said(bought=True) == no_id
        assert await said(bought=False) == not_bought
        (account,) = sandbox.book()["accounts"].values()
        (remote_id,) = account["tasks"]
        followed = (Status.QUEUED, Money.RESERVED, 0, 2)
        assert await said(bought=True, remote_id=remote_id) == followed
        task = (await studio.query(lost.task_id, wait_seconds=20)).task
        assert (task.status, task.money) == (Status.SUCCEEDED, Money.SPENT)
        for bought in (True, False):
            with pytest.raises(InvalidRequestError, match="has its clip"):
                await studio.settle(lost.task_id, bought=bought)
        assert int((await studio.spending()).spent) == 2
    assert sandbox.received == 1


async def test_an_id_that_proves_wrong_can_be_taken_back_and_given_to_another_task(
    scripted: Any, provider: Any
) -> None:
    async with scripted() as studio:
        first = await _given_up(studio)
        second = await _given_up(studio, prompt="a dog")
        provider.down = True
        await studio.settle(first.task_id, bought=True, remote_id="99")
        with pytest.raises(InvalidRequestError, match=f"already belongs to task {first.task_id}"):
            await studio.settle(second.task_id, bought=True, remote_id="99")
        settled = (await studio.settle(first.task_id, bought=False)).task
        assert (settled.remote_id, settled.money) == ("", Money.RELEASED)
        settled = (await studio.settle(second.task_id, bought=True, remote_id="99")).task
        assert (settled.status, settled.remote_id) == (Status.QUEUED, "99")


async def test_an_answer_about_the_id_that_it_had_before_is_not_its_own(
    scripted: Any, provider: Any
) -> None:
    """A read of the wrong id may be under way while the person puts it right."""
    async with scripted(poll_seconds="600") as studio:
        journal = studio.store
        task = await _given_up(studio)
        await studio.settle(task.task_id, bought=True, remote_id="99")
        await studio.settle(task.task_id, bought=True, remote_id="771")
        late = {"status": Status.SUCCEEDED, "url": "https://example.com/other.mp4"}
        now = task.created_at
        assert not await journal.change(task.task_id, late, now=now, remote_id="99")
        kept = await journal.find(task.task_id)
        assert kept.status in POLLED
        assert not kept.url


async def test_only_what_is_unconfirmed_or_was_settled_can_be_settled(
    scripted: Any, provider: Any
) -> None:
    async with scripted() as studio:
        provider.on_create = lambda _number: provider.refuse(1026)
        with pytest.raises(TaskFailedError) as failed:
            await studio.generate(VideoRequest(prompt="a cow"), Terms())
        provider.on_create = provider.accept
        bought = (await studio.generate(VideoRequest(prompt="a dog"), Terms())).task
        for task_id in (failed.value.task_id, bought.task_id):
            with pytest.raises(InvalidRequestError, match="only an unconfirmed task"):
                await studio.settle(task_id, bought=True)
        with pytest.raises(TaskNotFoundError):
            await studio.settle("v0", bought=True)


async def test_one_purchase_cannot_be_two_tasks(opened: Any) -> None:
    async with opened() as studio:
        done = (await studio.generate(VideoRequest(prompt="a dog"), Terms(), wait_seconds=20)).task
        lost = await _lost(studio)
        with pytest.raises(InvalidRequestError, match=f"already belongs to task {done.task_id}"):
            await studio.settle(lost.task_id, bought=True, remote_id=done.remote_id)
        assert (await studio.query(lost.task_id)).task.status is Status.UNCONFIRMED


async def test_bought_where_its_id_is_known_it_is_followed_without_naming_it(
    scripted: Any, provider: Any
) -> None:
    """It was accepted once and then given up, say because nobody found it for an hour."""
    async with scripted() as studio:
        task = await _given_up(studio)
        settled = (await studio.settle(task.task_id, bought=True)).task
        assert (settled.status, settled.remote_id) == (Status.QUEUED, task.remote_id)
        assert settled.money is Money.RESERVED
    assert len(provider.creates) == 1
