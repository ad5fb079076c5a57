"""How often a call goes to the disk: each commit waits for it, each question is a hop to a thread."""

from __future__ import annotations

from pathlib import Path

import pytest

from hailuo_mcp.domain.requests import VideoRequest
from hailuo_mcp.domain.task import Status
from hailuo_mcp.studio.studio import Studio
from hailuo_mcp.views import Terms

from .counts_of import Provider, opened, told

pytestmark = pytest.mark.anyio


async def buy(studio: Studio, number: int) -> str:
    view = await studio.generate(
        VideoRequest(prompt=f"a lighthouse {number}"), Terms(), wait_seconds=0
    )
    assert view.task.status is Status.QUEUED
    return view.task.task_id


async def test_a_purchase_waits_for_the_disk_twice_and_asks_little(
    tmp_path: Path, provider: Provider
) -> None:
    async with opened(tmp_path, provider) as studio:
        await buy(studio, 0)
        with told(studio) as statements:
            await buy(studio, 1)
    # once before the money leaves and once with the provider's id
    assert statements.commits == 2
    assert statements.questions <= 24


async def test_looking_at_a_clip_writes_nothing_once_its_read_is_brought_forward(
    tmp_path: Path, provider: Provider
) -> None:
    async with opened(tmp_path, provider) as studio:
        task_id = await buy(studio, 0)
        await studio.query(task_id, wait_seconds=0)
        with told(studio) as statements:
            await studio.query(task_id, wait_seconds=0)
    assert statements.commits == 0
    assert statements.questions <= 8


async def test_a_list_asks_as_often_for_a_hundred_clips_as_for_five(
    tmp_path: Path, provider: Provider
) -> None:
    counts: list[int] = []
    async with opened(tmp_path, provider) as studio:
        for clips in (5, 100):
            for number in range(clips):
                await buy(studio, 1000 * clips + number)
            await studio.tasks(limit=1)
            with told(studio) as statements:
                await studio.tasks(limit=clips)
            assert statements.commits == 0
            counts.append(statements.questions)
    assert counts[1] <= counts[0] + 4
    assert counts[1] <= 14
