"""Nobody is kept waiting longer than they can bear, and waiting tells of progress."""

from __future__ import annotations

import json
from dataclasses import replace

import anyio
import pytest
from mcp import Client
from mcp.types import ElicitResult, Implementation
from tokens import BYTES_PER_TOKEN

from hailuo_mcp.catalog.mcp_clients import Signs
from hailuo_mcp.domain import Money, Status
from hailuo_mcp.server.client_memory import Client as CallingClient
from hailuo_mcp.server.client_memory import LastAnswers, WaitLimits
from hailuo_mcp.server.context import AppContext
from hailuo_mcp.server.mcp_server import Server

from .fakes import ID, NOW, a_view, saved_view

pytestmark = pytest.mark.anyio


def asker(
    name: str = "c", *, caller: str = "", session: str = "", modern: bool = False
) -> CallingClient:
    return CallingClient(signs=Signs(name=name, modern=modern), caller=caller, session=session)


ONE = asker()


async def test_the_default_client_of_the_sdk_gets_four_seconds(ask, studio) -> None:
    await ask("query_task", {"task_id": "x", "wait_seconds": 45})
    assert studio.last("query")["wait_seconds"] == 4


async def test_a_known_client_is_waited_for_by_the_table(ask, studio) -> None:
    await ask(
        "query_task", {"task_id": "x"}, client_info=Implementation(name="claude-ai", version="1")
    )
    assert studio.last("query")["wait_seconds"] == 45


async def test_the_setting_replaces_the_table(ask, studio, context) -> None:
    context.wait_limits.setting = 12.0
    await ask("query_task", {"task_id": "x"})
    assert studio.last("query")["wait_seconds"] == 12
    await ask("query_task", {"task_id": "x", "wait_seconds": 3})
    assert studio.last("query")["wait_seconds"] == 3


async def test_a_client_that_gave_up_is_waited_for_less(connect, studio, context) -> None:
    now = [100.0]
    context.wait_limits = WaitLimits(45.0, clock=lambda: now[0])
    studio.hold = anyio.Event()
    async with connect() as client:
        with anyio.fail_after(5):
            async with anyio.create_task_group() as calls:
                calls.start_soon(client.call_tool, "query_task", {"task_id": "x"})
                while not studio.calls:
                    await anyio.lowlevel.checkpoint()
                now[0] += 20.0
                calls.cancel_scope.cancel()
            while not studio.cancelled:
                await anyio.lowlevel.checkpoint()
        studio.hold = None
        await client.call_tool("query_task", {"task_id": "x"})
        assert studio.last("query")["wait_seconds"] == pytest.approx(14.0)


async def test_an_error_is_no_sign_of_impatience(anyio_backend) -> None:
    patience = WaitLimits(45.0)
    with pytest.raises(KeyError), patience.watch(ONE):
        raise KeyError
    assert patience.limit(ONE) == 45


async def gives_up(
    patience: WaitLimits, now: list[float], who: CallingClient, after: float
) -> None:
    with anyio.CancelScope() as scope, patience.watch(who):
        scope.cancel()
        now[0] += after
        await anyio.lowlevel.checkpoint()


async def test_patience_learns_from_cancellation_only(anyio_backend) -> None:
    now = [0.0]
    patience = WaitLimits(45.0, clock=lambda: now[0])
    await gives_up(patience, now, ONE, 10.0)
    assert patience.limit(ONE) == pytest.approx(7.0)
    await gives_up(patience, now, ONE, 30.0)  # it bears more than that: the least counts
    assert patience.limit(ONE) == pytest.approx(7.0)
    assert patience.limit(asker("other")) == 45


async def test_a_cancellation_in_the_first_two_seconds_teaches_nothing(anyio_backend) -> None:
    now = [0.0]
    patience = WaitLimits(45.0, clock=lambda: now[0])
    for after in (0.1, 0.5, 1.9):
        await gives_up(patience, now, ONE, after)
    with patience.watch(ONE, "task"):
        now[0] += 1.9
        with patience.watch(ONE, "task"):
            assert patience.limit(ONE) == 45
    await gives_up(patience, now, ONE, 2.0)
    assert patience.limit(ONE) == pytest.approx(1.4)


async def test_asking_again_while_a_call_still_waits_shows_that_it_was_given_up(
    anyio_backend,
) -> None:
    now = [0.0]
    patience = WaitLimits(45.0, clock=lambda: now[0])
    with patience.watch(ONE, "task"):
        now[0] += 10.0
        with patience.watch(ONE, "another task"):
            assert patience.limit(ONE) == 45
        with patience.watch(ONE, "task"):
            assert patience.limit(ONE) == pytest.approx(7.0)
    with patience.watch(ONE, "task"):  # nobody waits any longer
        assert patience.limit(ONE) == pytest.approx(7.0)


async def test_two_sessions_that_ask_about_one_clip_are_no_sign_of_impatience(
    anyio_backend,
) -> None:
    now = [0.0]
    patience = WaitLimits(45.0, clock=lambda: now[0])
    one, other = asker(session="1"), asker(session="2")
    with patience.watch(one, "task"):
        now[0] += 10.0
        with patience.watch(other, "task"):
            assert patience.limit(one) == patience.limit(other) == 45
    await gives_up(patience, now, one, 10.0)
    assert patience.limit(one) == pytest.approx(7.0)
    assert patience.limit(other) == 45


async def test_a_client_that_tells_when_it_gives_up_may_ask_twice_at_the_same_time(
    anyio_backend,
) -> None:
    """Without sessions they may be two clients, too."""
    now = [0.0]
    patience = WaitLimits(45.0, clock=lambda: now[0])
    modern = asker(modern=True)
    with patience.watch(modern, "task"):
        now[0] += 10.0
        with patience.watch(modern, "task"):
            assert patience.limit(modern) == 45


async def test_impatience_is_its_own_callers_and_is_forgotten_in_three_minutes(
    anyio_backend,
) -> None:
    now = [0.0]
    patience = WaitLimits(45.0, clock=lambda: now[0])
    ann, bob = asker(caller="ann"), asker(caller="bob")
    await gives_up(patience, now, ann, 10.0)
    assert patience.limit(ann) == pytest.approx(7.0)
    assert patience.limit(bob) == 45
    now[0] += 179.0
    assert patience.limit(ann) == pytest.approx(7.0)
    now[0] += 1.0
    assert patience.limit(ann) == 45


async def test_two_calls_at_the_same_time_are_no_sign_of_impatience(anyio_backend) -> None:
    patience = WaitLimits(45.0, clock=lambda: 0.0)
    with patience.watch(ONE, "task"), patience.watch(ONE, "task"):
        assert patience.limit(ONE) == 45


async def test_a_client_that_can_be_asked_is_none_of_those_with_five_seconds(ask, studio) -> None:
    async def never(_context, _params) -> ElicitResult:
        raise AssertionError

    await ask("query_task", {"task_id": "x"}, elicitation_callback=never)
    assert studio.last("query")["wait_seconds"] == 25


# ── a poll that finds nothing new ─────────────────────────────────────────────────────────────


SANDBOX = "SANDBOX: imitation, not a real generation."


@pytest.mark.parametrize("status", ["pending", "submitting", "queued", "running"])
@pytest.mark.parametrize("tool", ["query_task", "download_video"])
async def test_a_poll_that_finds_nothing_new_answers_within_90_tokens(
    connect, studio, status, tool
) -> None:
    studio.view, studio.saved = a_view(status=Status(status), provider="sandbox"), False
    async with connect() as client:
        first = (await client.call_tool("query_task", {"task_id": ID})).structured_content
        assert first["cost"]["amount"] == "2"
        assert first["prompt"]
        studio.view = replace(studio.view, now=NOW + 30, eta_seconds=10, next_check_seconds=10)
        again = await client.call_tool(tool, {"task_id": ID})
    (block,) = again.content
    assert json.loads(block.text) == again.structured_content
    assert len(block.text.encode()) <= 90 * BYTES_PER_TOKEN
    assert again.structured_content["message"].startswith(f"{SANDBOX} Still ")
    assert again.structured_content["task_id"] == ID
    assert "10 s" in again.structured_content["message"]


async def test_a_wait_for_several_that_finds_nothing_new_is_as_short(connect, studio) -> None:
    wait = {"status": "unfinished", "wait_seconds": 45}
    async with connect() as client:
        first = (await client.call_tool("list_tasks", wait)).structured_content
        assert len(first["tasks"]) == 2
        again = await client.call_tool("list_tasks", wait)
        assert len(again.content[0].text.encode()) <= 90 * BYTES_PER_TOKEN
        assert "Nothing new: 1 under way" in again.structured_content["message"]
        # who does not wait wants to see the list
        seen = await client.call_tool("list_tasks", wait | {"wait_seconds": 0})
        assert seen.structured_content == first
        studio.view = a_view(status=Status.QUEUED)
        news = await client.call_tool("list_tasks", wait)
        assert len(news.structured_content["tasks"]) == 2


async def test_a_purchase_tells_what_the_first_poll_need_not_repeat(connect) -> None:
    async with connect() as client:
        bought = await client.call_tool("generate_video", {"prompt": "a cat"})
        assert bought.structured_content["model"]
        again = await client.call_tool("query_task", {"task_id": ID})
        assert "model" not in again.structured_content
        same = await client.call_tool("generate_video", {"prompt": "a cat"})
        assert same.structured_content["model"]


@pytest.mark.parametrize(
    "news",
    [
        {"status": Status.QUEUED},
        {"status": Status.RUNNING, "money": Money.SPENT},
        {"status": Status.RUNNING, "error": "The key is refused.", "error_kind": "authentication"},
        {"status": Status.FAILED, "error": "It failed.", "money": Money.RELEASED},
    ],
    ids=str,
)
async def test_news_are_told_in_full(connect, studio, news) -> None:
    async with connect() as client:
        await client.call_tool("query_task", {"task_id": ID})
        studio.view = a_view(**news)
        told = (await client.call_tool("query_task", {"task_id": ID})).structured_content
        assert told["prompt"]
        assert "Still" not in told["message"]


async def test_trouble_and_ends_are_told_each_time(connect, studio) -> None:
    async with connect() as client:
        for view in (
            a_view(error="The key is refused.", error_kind="authentication"),
            saved_view(),
        ):
            studio.view = view
            both = [await client.call_tool("query_task", {"task_id": ID}) for _ in range(2)]
            assert both[0].structured_content == both[1].structured_content
            assert both[0].structured_content["prompt"]


async def test_each_asker_is_told_everything_once_and_again_after_a_while() -> None:
    now = [0.0]
    told = LastAnswers(clock=lambda: now[0])
    assert not told.already_given("ann", ID, "facts")
    assert not told.already_given("bob", ID, "facts")
    assert not told.already_given("ann", "another", "facts")
    for _ in range(5):  # a poll a minute
        now[0] += 60.0
        assert told.already_given("ann", ID, "facts")
    now[0] += 120.0
    assert not told.already_given("ann", ID, "facts")


async def test_progress_rises_and_says_what_goes_on(connect, studio, mode) -> None:
    studio.ticks = 5
    heard: list[tuple[float, str | None]] = []

    async def listen(progress: float, _total: float | None, message: str | None) -> None:
        heard.append((progress, message))

    async with connect() as client:
        await client.call_tool("query_task", {"task_id": "x"}, progress_callback=listen)
    assert len(heard) >= 2
    assert [p for p, _ in heard] == sorted({p for p, _ in heard})
    assert heard[0][1] == "rendering, about 40 s left"
    if mode == "legacy":  # in memory the modern client needs no token to hear of progress
        assert studio.last("query")["wait_seconds"] == 8  # not one of the 5 s frameworks


async def test_other_calls_are_answered_while_one_waits(connect, studio) -> None:
    studio.hold = anyio.Event()
    async with connect() as client, anyio.create_task_group() as calls:
        calls.start_soon(client.call_tool, "query_task", {"task_id": "x"})
        while not studio.calls:
            await anyio.lowlevel.checkpoint()
        with anyio.fail_after(2):
            await client.list_tools()
            await client.call_tool("estimate_cost", {})
        studio.hold.set()


async def test_a_call_waits_until_the_studio_is_open(studio, mode) -> None:
    context = AppContext()
    async with Client(Server(context), mode=mode) as client:
        with anyio.fail_after(5):
            assert (await client.list_tools()).tools
            assert not context.studio_wanted.is_set()
            async with anyio.create_task_group() as calls:
                calls.start_soon(client.call_tool, "list_tasks", {})
                await context.studio_wanted.wait()
                assert not studio.calls
                context.set_studio(studio)
            assert studio.calls
