"""Nobody is kept waiting longer than they can bear, and waiting tells of progress."""

from __future__ import annotations

import anyio
import pytest
from mcp import Client
from mcp.types import Implementation

from hailuo_mcp.server.app import build_server
from hailuo_mcp.server.backstage import Backstage
from hailuo_mcp.server.patience import Patience

pytestmark = pytest.mark.anyio


async def test_the_default_client_of_the_sdk_gets_four_seconds(ask, studio) -> None:
    await ask("query_task", {"task_id": "x", "wait_seconds": 45})
    assert studio.last("query")["wait_seconds"] == 4


async def test_a_known_client_is_waited_for_by_the_table(ask, studio) -> None:
    await ask(
        "query_task", {"task_id": "x"}, client_info=Implementation(name="claude-ai", version="1")
    )
    assert studio.last("query")["wait_seconds"] == 45


async def test_the_setting_replaces_the_table(ask, studio, backstage) -> None:
    backstage.patience.setting = 12.0
    await ask("query_task", {"task_id": "x"})
    assert studio.last("query")["wait_seconds"] == 12
    await ask("query_task", {"task_id": "x", "wait_seconds": 3})
    assert studio.last("query")["wait_seconds"] == 3


async def test_a_client_that_gave_up_is_waited_for_less(connect, studio, backstage) -> None:
    now = [100.0]
    backstage.patience = Patience(45.0, clock=lambda: now[0])
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
    patience = Patience(45.0)
    with pytest.raises(KeyError), patience.watch("c"):
        raise KeyError
    assert patience.limit("c", progress=False) == 45


async def test_patience_learns_from_cancellation_only(anyio_backend) -> None:
    now = [0.0]
    patience = Patience(45.0, clock=lambda: now[0])
    for gone, left in ((0.1, 1.0), (30.0, 1.0)):
        with anyio.CancelScope() as scope, patience.watch("c"):
            scope.cancel()
            now[0] += gone
            await anyio.lowlevel.checkpoint()
        assert patience.limit("c", progress=False) == left
    assert patience.limit("other", progress=False) == 45


async def test_asking_again_while_a_call_still_waits_shows_that_it_was_given_up(
    anyio_backend,
) -> None:
    now = [0.0]
    patience = Patience(45.0, clock=lambda: now[0])
    with patience.watch("c", "task"):
        now[0] += 10.0
        with patience.watch("c", "another task"):
            assert patience.limit("c", progress=False) == 45
        with patience.watch("c", "task"):
            assert patience.limit("c", progress=False) == pytest.approx(7.0)
    with patience.watch("c", "task"):  # nobody waits any longer
        assert patience.limit("c", progress=False) == pytest.approx(7.0)


async def test_impatience_is_its_own_callers_and_is_forgotten(anyio_backend) -> None:
    now = [0.0]
    patience = Patience(45.0, clock=lambda: now[0])
    with anyio.CancelScope() as scope, patience.watch("c", caller="ann"):
        scope.cancel()
        now[0] += 10.0
        await anyio.lowlevel.checkpoint()
    assert patience.limit("c", progress=False, caller="ann") == pytest.approx(7.0)
    assert patience.limit("c", progress=False, caller="bob") == 45
    now[0] += 3600.0
    assert patience.limit("c", progress=False, caller="ann") == 45


async def test_two_calls_at_the_same_time_are_no_sign_of_impatience(anyio_backend) -> None:
    patience = Patience(45.0, clock=lambda: 0.0)
    with patience.watch("c", "task"), patience.watch("c", "task"):
        assert patience.limit("c", progress=False) == 45


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
        assert studio.last("query")["wait_seconds"] == 8  # a token: not one of the 5 s frameworks


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
    backstage = Backstage()
    async with Client(build_server(backstage), mode=mode) as client:
        with anyio.fail_after(5):
            assert (await client.list_tools()).tools
            assert not backstage.wanted.is_set()
            async with anyio.create_task_group() as calls:
                calls.start_soon(client.call_tool, "list_tasks", {})
                await backstage.wanted.wait()
                assert not studio.calls
                backstage.lend(studio)
            assert studio.calls
