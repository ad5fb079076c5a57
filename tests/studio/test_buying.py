"""Buying: sent once, answered in time, refused free, waited out, and never cancelled by a caller."""

# polls with a deadline; nothing else runs in this loop

from collections.abc import Callable
from typing import Any

import anyio
import httpx
import pytest
from PIL import Image
from until import until

from hailuo_mcp.domain.requests import VideoRequest
from hailuo_mcp.domain.task import Money, Status
from hailuo_mcp.errors import (
    BudgetExceededError,
    Do,
    InvalidRequestError,
    Step,
    TaskFailedError,
)
from hailuo_mcp.views import Terms
from hailuo_mcp.wording.agent import error_text

pytestmark = pytest.mark.anyio
CAT = VideoRequest(prompt="a cat")


async def _until(studio: Any, task_id: str, *statuses: Status) -> Any:
    async def look() -> Any:
        task = (await studio.query(task_id, wait_seconds=1)).task
        return task if task.status in statuses else None

    return await until(look)


async def test_a_bought_clip_is_saved_and_its_cost_spent(opened: Any, sandbox: Any) -> None:
    async with opened(budget="10") as studio:
        view = await studio.generate(CAT, Terms(), wait_seconds=20)
        assert (view.task.status, view.task.money) == (Status.SUCCEEDED, Money.SPENT)
        assert view.task.saved
        spending = await studio.spending()
        assert (spending.spent, spending.reserved, spending.left) == (2, 0, 8)
    assert sandbox.received == 1


async def test_the_same_request_again_is_the_same_task_and_another_take_is_not(
    opened: Any, sandbox: Any
) -> None:
    async with opened() as studio:
        first = await studio.generate(CAT, Terms())
        again = await studio.generate(VideoRequest(prompt="a cat", prompt_optimizer=True), Terms())
        second = await studio.generate(CAT, Terms(take=2))
        assert again.reused
        assert again.task.task_id == first.task.task_id != second.task.task_id
    assert sandbox.accepted == 2


async def test_compat_buys_with_a_picture_only_at_an_address_that_was_given(
    scripted: Any, provider: Any, tmp_path: Any
) -> None:
    Image.new("RGB", (640, 400)).save(tmp_path / "cat.png")
    request = VideoRequest(prompt="a cat", first_frame_image=str(tmp_path / "cat.png"))
    async with scripted(provider="compat") as studio:
        with pytest.raises(InvalidRequestError, match="Give the base URL"):
            await studio.generate(request, Terms())
        assert (await studio.tasks()).rows == ()
        account = studio.account
    assert provider.creates == []
    async with scripted(provider="compat", base_url="https://api.minimaxi.com") as studio:
        assert (await studio.generate(request, Terms())).task.status is Status.QUEUED
        assert studio.account == account
    assert "image_url" in provider.creates[0]


async def test_an_agents_picture_outside_the_allowed_folders_is_refused_free(
    opened: Any, sandbox: Any, tmp_path_factory: Any
) -> None:
    outside = tmp_path_factory.mktemp("outside") / "first.png"
    Image.new("RGB", (400, 400)).save(outside)
    async with opened() as studio:
        with pytest.raises(InvalidRequestError, match="outside the allowed folders"):
            await studio.generate(VideoRequest(first_frame_image=str(outside)), Terms())
    assert sandbox.received == 0


async def test_a_studio_that_only_asks_sends_nothing_that_was_bought_before_either(
    opened: Any, sandbox: Any
) -> None:
    """A dry run spends nothing, and what waits for its turn is a purchase too."""
    async with opened(rpm="1") as studio:
        await studio.generate(CAT, Terms())
        waiting = (await studio.generate(CAT, Terms(take=2))).task
    async with opened(works=False) as studio:
        await studio.quote(CAT, Terms(take=3))
        asked = await studio.query(waiting.task_id, wait_seconds=1)
        assert (asked.task.status, sandbox.received) == (Status.PENDING, 1)
    async with opened() as studio:
        await _until(studio, waiting.task_id, Status.SUCCEEDED)
    assert sandbox.received == 2


async def test_a_request_key_with_another_request_is_refused_free(opened: Any) -> None:
    async with opened() as studio:
        await studio.generate(CAT, Terms(request_key="k"))
        with pytest.raises(InvalidRequestError, match="already names another purchase"):
            await studio.generate(VideoRequest(prompt="a dog"), Terms(request_key="k"))
        assert (await studio.spending()).reserved == 2


async def test_without_the_providers_answer_it_answers_all_the_same(
    scripted: Any, provider: Any, rows: Any
) -> None:
    """And so does closing, and what was sent is then unconfirmed."""

    async def never(_number: int) -> httpx.Response:
        await anyio.sleep_forever()
        raise AssertionError

    provider.on_create = never
    async with scripted() as studio:
        view = await studio.generate(CAT, Terms())
        assert (view.task.status, view.task.money) == (Status.SUBMITTING, Money.RESERVED)
    (row,) = rows()
    assert (row["status"], row["money"]) == ("unconfirmed", "reserved")
    assert len(provider.creates) == 1


@pytest.mark.parametrize("fault", ["lost", "garbage", "cutjson", "noid", "http500-after"])
async def test_a_lost_answer_is_unconfirmed_and_never_sent_again(
    opened: Any, sandbox: Any, fault: str
) -> None:
    request = VideoRequest(prompt=f"a cat [sandbox:{fault}]")
    async with opened() as studio:
        first = await studio.generate(request, Terms())
        assert (first.task.status, first.task.money) == (Status.UNCONFIRMED, Money.RESERVED)
        again = await studio.generate(request, Terms())
        assert again.reused
        assert again.task.task_id == first.task.task_id
    async with opened() as studio:
        assert (await studio.generate(request, Terms())).reused
        spending = await studio.spending()
        assert (spending.reserved, spending.uncertain) == (2, 2)
    assert sandbox.received == 1


@pytest.mark.parametrize("fault", ["http500", "http502", "http503", "reset"])
async def test_a_fault_that_may_have_come_after_the_purchase_is_unconfirmed_too(
    opened: Any, sandbox: Any, fault: str
) -> None:
    async with opened() as studio:
        view = await studio.generate(VideoRequest(prompt=f"[sandbox:{fault}]"), Terms())
        assert view.task.status is Status.UNCONFIRMED
    assert sandbox.received == 1


@pytest.mark.parametrize("code", ["1004", "1008", "1026", "2013", "2049", "http401"])
async def test_a_documented_refusal_is_free(opened: Any, sandbox: Any, code: str) -> None:
    async with opened(budget="2") as studio:
        with pytest.raises(TaskFailedError) as caught:
            await studio.generate(VideoRequest(prompt=f"[sandbox:{code}]"), Terms())
        assert caught.value.charged == "no"
        task = (await studio.query(caught.value.task_id)).task
        assert (task.status, task.money) == (Status.FAILED, Money.RELEASED)
        await studio.generate(CAT, Terms())  # the budget is whole again
    assert sandbox.accepted == 1


def _hurrying(now: list[float]) -> Callable[[], float]:
    """A clock that goes on by itself, five seconds at every look: pauses are over soon."""

    def clock() -> float:
        now[0] += 5
        return now[0]

    return clock


async def test_too_fast_is_waited_out_and_bought_once(scripted: Any, provider: Any) -> None:
    provider.on_create = lambda number: (
        provider.refuse(1002, **{"Retry-After": "0"}) if number < 4 else provider.accept(number)
    )
    async with scripted(clock=_hurrying([1_800_000_000.0])) as studio:
        view = await studio.generate(CAT, Terms())
        task = await _until(studio, view.task.task_id, Status.QUEUED, Status.RUNNING)
        assert (task.attempt, task.remote_id, task.money) == (4, "774", Money.RESERVED)
    assert len(provider.creates) == 4


async def test_too_fast_for_ten_minutes_is_given_up_free(scripted: Any, provider: Any) -> None:
    now = [1_800_000_000.0]
    times: list[float] = []

    def create(_number: int) -> httpx.Response:
        now[0] += 170
        times.append(now[0])
        return provider.refuse(1039, **{"Retry-After": "0"})

    provider.on_create = create
    async with scripted(clock=_hurrying(now)) as studio:
        view = await studio.generate(CAT, Terms())
        task = await _until(studio, view.task.task_id, Status.FAILED)
        assert (task.money, task.error_kind) == (Money.RELEASED, "rate_limited")
    first, *_, last_but_one, last = times
    assert last_but_one - first < 620  # ten minutes, give or take a few looks at the clock
    assert last - first < task.updated_at - first
    assert task.updated_at - first > 580


@pytest.mark.parametrize("ending", ["fail", "1027"])
async def test_failure_and_moderation_give_the_money_back(
    opened: Any, sandbox: Any, ending: str
) -> None:
    async with opened(budget="2") as studio:
        request = VideoRequest(prompt=f"[sandbox:{ending}]")
        view = await studio.generate(request, Terms(), wait_seconds=20)
        assert (view.task.status, view.task.money) == (Status.FAILED, Money.RELEASED)
        again = await studio.generate(request, Terms())
        assert not again.reused
    assert sandbox.accepted == 2


async def test_beyond_the_budget_nothing_is_sent_and_the_refusal_says_what_is_left(
    opened: Any, sandbox: Any
) -> None:
    async with opened(budget="3.50") as studio:
        await studio.generate(CAT, Terms())
        with pytest.raises(BudgetExceededError) as caught:
            await studio.generate(VideoRequest(prompt="a dog"), Terms())
    said = error_text(caught.value)
    assert "1.5 of the sandbox's budget of 3.5 CNY is left today (0 spent, 2 reserved" in said
    assert "Nothing was sent or charged" in said
    assert sandbox.received == 1


async def test_an_unpriced_clip_under_a_budget_is_refused_by_name(
    opened: Any, sandbox: Any
) -> None:
    request = VideoRequest(prompt="a cat", model="T2V-01")
    async with opened(budget="100") as studio:
        with pytest.raises(BudgetExceededError, match="No price is published") as refused:
            await studio.generate(request, Terms())
        assert refused.value.then == (Step(Do.SET, "HAILUO_UNPRICED_COST"),)
    assert sandbox.received == 0
    async with opened(budget="100", unpriced_cost="7") as studio:
        await studio.generate(request, Terms())
        assert (await studio.spending()).reserved == 7
    async with opened() as studio:  # without a budget there is no wall to pass
        await studio.generate(request, Terms(take=2))


async def test_max_cost_is_a_ceiling(opened: Any, sandbox: Any) -> None:
    from decimal import Decimal

    async with opened() as studio:
        with pytest.raises(
            BudgetExceededError, match=r"would cost 2 CNY, more than the ceiling of 1.99 CNY"
        ):
            await studio.generate(CAT, Terms(max_cost=Decimal("1.99")))
        unpriced = VideoRequest(prompt="a cat", model="T2V-01")
        with pytest.raises(
            BudgetExceededError, match="the ceiling for its cost cannot be enforced"
        ):
            await studio.generate(unpriced, Terms(max_cost=Decimal(100)))
        assert sandbox.received == 0
        await studio.generate(CAT, Terms(max_cost=Decimal(2)))
    assert sandbox.received == 1


async def test_a_caller_who_gives_up_does_not_cancel_the_purchase(
    scripted: Any, provider: Any, rows: Any
) -> None:
    received, answer = anyio.Event(), anyio.Event()

    async def create(number: int) -> httpx.Response:
        received.set()
        await answer.wait()
        return provider.accept(number)

    provider.on_create = create
    async with scripted() as studio:
        async with anyio.create_task_group() as caller:
            caller.start_soon(studio.generate, CAT, Terms())
            await received.wait()
            caller.cancel_scope.cancel()
        answer.set()
        (row,) = rows()
        task = await _until(studio, row["task_id"], Status.QUEUED, Status.RUNNING)
        assert task.remote_id == "771"
    assert len(provider.creates) == 1


@pytest.mark.parametrize("turns", range(12))
async def test_a_caller_cancelled_at_any_moment_leaves_no_purchase_half_made(
    scripted: Any, provider: Any, rows: Any, turns: int
) -> None:
    """Cancelled as Ctrl-C does it, past every shield, a few turns of the loop after the call."""
    import asyncio

    async with scripted() as studio:
        call = asyncio.create_task(studio.generate(CAT, Terms()))
        for _ in range(turns):
            await asyncio.sleep(0)
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
        await until(lambda: all(row["status"] != "submitting" for row in rows()))
    # Written down or not: what was not sent is not marked as sent, and what was sent is known.
    found = [row["status"] for row in rows()]
    assert found in ([], ["pending"], ["queued"], ["running"])
    assert len(provider.creates) == len(found) - found.count("pending")


async def test_what_goes_wrong_within_the_block_comes_out_as_it_is(opened: Any) -> None:
    with pytest.raises(InvalidRequestError):
        async with opened() as studio:
            await studio.generate(VideoRequest(prompt=""), Terms())
