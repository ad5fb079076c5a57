"""Being told of an end: only where this process listens, and never instead of asking for a waiter."""

from typing import Any

import anyio
import pytest
from until import until

from hailuo_mcp.domain.requests import VideoRequest
from hailuo_mcp.studio.reader import RemoteAccess
from hailuo_mcp.views import Terms

pytestmark = pytest.mark.anyio
REQUEST = VideoRequest(prompt="a cat")
HERE = "https://me.example.com"
LISTENING = RemoteAccess(callback_url=HERE)


async def test_a_process_that_listens_gives_its_address(scripted: Any, provider: Any) -> None:
    async with scripted(remote=LISTENING, callback_url=HERE) as studio:
        await studio.generate(REQUEST, Terms())
    assert provider.creates[0]["callback_url"].startswith(f"{HERE}/callbacks/")


async def test_one_that_does_not_listen_gives_none_and_asks(scripted: Any, provider: Any) -> None:
    async with scripted(callback_url=HERE) as studio:
        await studio.generate(REQUEST, Terms())
        await until(lambda: provider.polls >= 3)
    assert "callback_url" not in provider.creates[0]


@pytest.mark.parametrize("waits_for", ["one", "all"])
async def test_who_waits_does_not_wait_for_a_call_that_another_process_may_miss(
    scripted: Any, provider: Any, waits_for: str
) -> None:
    async with (
        scripted(remote=LISTENING, callback_url=HERE) as listener,
        scripted(callback_url=HERE) as other,
        anyio.create_task_group() as callers,
    ):
        bought = (await listener.generate(REQUEST, Terms())).task

        async def wait() -> None:
            if waits_for == "one":
                await other.query(bought.task_id, wait_seconds=60)
            else:
                await other.tasks(wait_seconds=60)

        callers.start_soon(wait)
        await until(lambda: provider.polls >= 3)
        callers.cancel_scope.cancel()


async def test_what_was_to_be_told_to_a_process_that_is_gone_is_sent_without_an_address(
    scripted: Any, provider: Any
) -> None:
    async with scripted(remote=LISTENING, callback_url=HERE, rpm="1") as listener:
        await listener.generate(REQUEST, Terms())
        await listener.generate(VideoRequest(prompt="a dog"), Terms())
    async with scripted(callback_url=HERE):
        await until(lambda: len(provider.creates) == 2)
    assert "callback_url" not in provider.creates[1]
