"""query_task: ids, waits, and short answers where nothing is new."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from tokens import BYTES_PER_TOKEN

from hailuo_mcp.domain.task import Money, Status

from .conftest import Ask, Connect
from .fakes import ID, NOW, FakeStudio, a_view, saved_view

pytestmark = pytest.mark.anyio

SANDBOX = "SANDBOX: imitation, not a real generation."


async def test_wait_seconds_of_zero_answers_at_once(ask: Ask, studio: FakeStudio) -> None:
    await ask("query_task", {"task_id": "x", "wait_seconds": 0})
    assert studio.last("query")["wait_seconds"] == 0
    await ask("query_task", {"task_id": "x", "wait_seconds": None})
    assert studio.last("query")["wait_seconds"] > 0


async def test_an_id_that_lost_digits_is_refused(ask: Ask, studio: FakeStudio) -> None:
    result = await ask("query_task", {"task_id": 3.9386556344341709e17})
    assert result.is_error
    assert "write it as text" in result.content[0].text
    assert not studio.calls


@pytest.mark.parametrize("given", [{}, {"task_id": ""}, {"task_id": None}, {"task_id": " "}])
async def test_a_missing_id_is_named(ask: Ask, studio: FakeStudio, given) -> None:
    result = await ask("query_task", given)
    assert "task_id: is required" in result.content[0].text
    assert not studio.calls


async def test_a_fault_of_ours_in_a_free_tool_alarms_nobody(ask: Ask, studio: FakeStudio) -> None:
    studio.error = KeyError("x")
    result = await ask("query_task", {"task_id": "x"})
    assert "Nothing was charged" in result.content[0].text
    assert result.structured_content == {
        "message": result.content[0].text,
        "error": {"code": "internal", "charged": "no", "retry": False},
    }


@pytest.mark.parametrize("status", ["pending", "submitting", "queued", "running"])
@pytest.mark.parametrize("tool", ["query_task", "download_video"])
async def test_a_poll_that_finds_nothing_new_answers_within_90_tokens(
    connect: Connect, studio: FakeStudio, status, tool
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
async def test_news_are_told_in_full(connect: Connect, studio: FakeStudio, news) -> None:
    async with connect() as client:
        await client.call_tool("query_task", {"task_id": ID})
        studio.view = a_view(**news)
        told = (await client.call_tool("query_task", {"task_id": ID})).structured_content
        assert told["prompt"]
        assert "Still" not in told["message"]


async def test_trouble_and_ends_are_told_each_time(connect: Connect, studio: FakeStudio) -> None:
    async with connect() as client:
        for view in (
            a_view(error="The key is refused.", error_kind="authentication"),
            saved_view(),
        ):
            studio.view = view
            both = [await client.call_tool("query_task", {"task_id": ID}) for _ in range(2)]
            assert both[0].structured_content == both[1].structured_content
            assert both[0].structured_content["prompt"]


async def test_progress_rises_and_says_what_goes_on(
    connect: Connect, studio: FakeStudio, mode: str
) -> None:
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
