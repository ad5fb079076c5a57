"""Nobody is kept waiting longer than they can bear, and waiting tells of progress."""

from __future__ import annotations

import anyio
import pytest
from mcp import Client
from mcp.types import ElicitResult, Implementation

from hailuo_mcp.server.client_memory import WaitLimits
from hailuo_mcp.server.context import AppContext
from hailuo_mcp.server.mcp_server import Server

from .conftest import Ask, Connect
from .fakes import FakeStudio

pytestmark = pytest.mark.anyio


async def test_the_default_client_of_the_sdk_gets_four_seconds(
    ask: Ask, studio: FakeStudio
) -> None:
    await ask("query_task", {"task_id": "x", "wait_seconds": 45})
    assert studio.last("query")["wait_seconds"] == 4


async def test_a_known_client_is_waited_for_by_the_table(ask: Ask, studio: FakeStudio) -> None:
    await ask(
        "query_task", {"task_id": "x"}, client_info=Implementation(name="claude-ai", version="1")
    )
    assert studio.last("query")["wait_seconds"] == 45


async def test_the_setting_replaces_the_table(
    ask: Ask, studio: FakeStudio, context: AppContext
) -> None:
    context.wait_limits.setting = 12.0
    await ask("query_task", {"task_id": "x"})
    assert studio.last("query")["wait_seconds"] == 12
    await ask("query_task", {"task_id": "x", "wait_seconds": 3})
    assert studio.last("query")["wait_seconds"] == 3


async def test_a_client_that_gave_up_is_waited_for_less(
    connect: Connect, studio: FakeStudio, context: AppContext
) -> None:
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


async def test_a_client_that_can_be_asked_is_none_of_those_with_five_seconds(
    ask: Ask, studio: FakeStudio
) -> None:
    async def never(_context, _params) -> ElicitResult:
        raise AssertionError

    await ask("query_task", {"task_id": "x"}, elicitation_callback=never)
    assert studio.last("query")["wait_seconds"] == 25


# ── a poll that finds nothing new ─────────────────────────────────────────────────────────────


SANDBOX = "SANDBOX: imitation, not a real generation."


async def test_other_calls_are_answered_while_one_waits(
    connect: Connect, studio: FakeStudio
) -> None:
    studio.hold = anyio.Event()
    async with connect() as client, anyio.create_task_group() as calls:
        calls.start_soon(client.call_tool, "query_task", {"task_id": "x"})
        while not studio.calls:
            await anyio.lowlevel.checkpoint()
        with anyio.fail_after(20):
            await client.list_tools()
            await client.call_tool("estimate_cost", {})
        studio.hold.set()


async def test_a_call_waits_until_the_studio_is_open(studio: FakeStudio, mode: str) -> None:
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
