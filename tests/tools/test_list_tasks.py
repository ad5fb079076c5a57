"""list_tasks: waiting for several clips."""

from __future__ import annotations

import pytest
from tokens import BYTES_PER_TOKEN

from hailuo_mcp.domain.task import Status

from .conftest import Connect
from .fakes import FakeStudio, a_view

pytestmark = pytest.mark.anyio


async def test_a_wait_for_several_that_finds_nothing_new_is_as_short(
    connect: Connect, studio: FakeStudio
) -> None:
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
