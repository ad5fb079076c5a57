"""download_video: where a clip may be copied to."""

from __future__ import annotations

import pytest

from hailuo_mcp.server.context import AppContext

from .conftest import Ask, Connect
from .fakes import FakeStudio

pytestmark = pytest.mark.anyio


async def test_output_directory_of_a_download_is_output_path(ask: Ask) -> None:
    told = (
        (await ask("download_video", {"task_id": "x", "output_directory": "/tmp"})).content[0].text
    )
    assert "'output_path'" in told.split("It takes")[0]


async def test_callers_elsewhere_cannot_choose_a_place_on_the_disk(
    connect: Connect, context: AppContext, studio: FakeStudio
) -> None:
    from hailuo_mcp.server.context import Caller

    context.caller = lambda: Caller(name="alice", local=False)
    async with connect() as client:
        refused = await client.call_tool("download_video", {"task_id": "x", "output_path": "/etc"})
        assert refused.is_error
        await client.call_tool("generate_video", {"prompt": "a"})
        await client.call_tool("list_tasks", {})
    assert studio.last("generate")["caller"] == "alice"
    assert studio.last("generate")["local"] is False
    assert studio.last("tasks")["caller"] == "alice"
