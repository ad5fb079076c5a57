"""A finished clip that is not on this disk can be watched by its link."""

import time
from typing import Any

import httpx
import pytest

from hailuo_mcp.domain.requests import VideoRequest
from hailuo_mcp.views import Terms

pytestmark = pytest.mark.anyio

LINK = "https://cdn.example/clip.mp4"


class Files:
    """The provider of the fixture, with a finished clip and its file."""

    def __init__(self, provider: Any) -> None:
        self.provider, self.asked, self.broken = provider, 0, False
        provider.status, provider.file_id = "Success", "9"

    async def __call__(self, request: httpx.Request) -> httpx.Response:
        if not request.url.path.startswith("/v1/files/"):
            return await self.provider(request)
        self.asked += 1
        if self.broken:
            return httpx.Response(500)
        file = {"file_id": 9, "download_url": LINK}
        return httpx.Response(200, json={"file": file, **self.provider.code(0)})


@pytest.fixture
def provider(provider: Any) -> Files:
    return Files(provider)


async def test_a_clip_left_at_the_provider_has_a_link_that_is_asked_for_once(
    scripted: Any, provider: Files
) -> None:
    async with scripted(auto_download="false") as studio:
        bought = await studio.generate(VideoRequest(prompt="a cat"), Terms(), wait_seconds=10)
        for view in (bought, await studio.query(bought.task.task_id)):
            task = view.task
            assert task.url == LINK
            assert task.url_expires_at > task.created_at
    assert provider.asked == 1


async def test_a_link_that_has_ended_is_asked_for_again(scripted: Any, provider: Files) -> None:
    ahead = [0.0]
    async with scripted(clock=lambda: time.time() + ahead[0], auto_download="false") as studio:
        bought = await studio.generate(VideoRequest(prompt="a cat"), Terms(), wait_seconds=10)
        await studio.query(bought.task.task_id)
        ahead[0] = 86_400
        await studio.query(bought.task.task_id)
    assert provider.asked == 2


async def test_a_provider_without_a_link_leaves_the_answer_as_it_is(
    scripted: Any, provider: Files
) -> None:
    provider.broken = True
    async with scripted(auto_download="false") as studio:
        bought = await studio.generate(VideoRequest(prompt="a cat"), Terms(), wait_seconds=10)
        assert (await studio.query(bought.task.task_id)).task.url == ""
