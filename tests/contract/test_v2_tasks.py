"""What only MiniMax's v2 API can do, over real HTTP: cancel, list, upgrade, count."""

from __future__ import annotations

import base64
from dataclasses import replace

import anyio
import pytest

from hailuo_mcp.domain.remote import Phase, Usage
from hailuo_mcp.domain.requests import UpgradeRequest
from hailuo_mcp.errors import (
    RecordDeletedError,
    RemoteTaskNotFoundError,
    SourceIdNotEnabledError,
    UnconfirmedCancelError,
    UnconfirmedSubmitError,
)

from .conftest import H3

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.parametrize("counter", ["minimax-cn v2"], indirect=True),
]


async def test_a_queued_task_is_cancelled_and_one_that_runs_is_not(counter):
    bought = await counter.client.send(counter.plain("seconds=60"))
    assert (await counter.query(bought.remote_id)).phase is Phase.QUEUED
    assert await counter.client.cancel(bought.remote_id, model=H3) is True
    assert (await counter.query(bought.remote_id)).phase is Phase.CANCELLED
    running = await counter.client.send(counter.plain("seconds=1"))
    with anyio.fail_after(10):
        while (await counter.query(running.remote_id)).phase is not Phase.RUNNING:
            pass
    assert await counter.client.cancel(running.remote_id, model=H3) is False


async def test_a_cancel_that_comes_too_late_says_that_the_record_is_gone(counter):
    bought = await counter.client.send(counter.plain())
    await counter.finished(bought.remote_id)
    with pytest.raises(RecordDeletedError):
        await counter.client.cancel(bought.remote_id, model=H3)
    with pytest.raises(RemoteTaskNotFoundError):
        await counter.query(bought.remote_id)
    with pytest.raises(RemoteTaskNotFoundError):
        await counter.client.cancel("99999999999999", model=H3)


async def test_the_status_tells_what_became_of_a_cancel_whose_answer_is_lost(counter):
    bought = await counter.client.send(counter.plain("seconds=60", "cancel-lost"))
    with pytest.raises(UnconfirmedCancelError):
        await counter.client.cancel(bought.remote_id, model=H3)
    assert (await counter.query(bought.remote_id)).phase is Phase.CANCELLED


async def test_the_newest_tasks_are_listed_with_what_they_are_compared_by(counter):
    request = counter.plain()
    first = await counter.client.send(request)
    second = await counter.client.send(replace(counter.plain(), resolution="2K", duration=5))
    page = await counter.client.newest(model="h3")
    rows = {row.remote_id: row for row in page.tasks}
    assert [row.remote_id for row in page.tasks][:2] == [second.remote_id, first.remote_id]
    assert (rows[first.remote_id].model, rows[first.remote_id].upgrade) == (H3, False)
    assert (rows[first.remote_id].resolution, rows[first.remote_id].duration) == ("768P", 4)
    assert (rows[second.remote_id].resolution, rows[second.remote_id].duration) == ("2K", 5)
    assert page.total >= len(page.tasks) >= 2
    beyond = await counter.client.newest(model=H3, page=50)
    assert (beyond.tasks, beyond.total) == ((), page.total)


@pytest.mark.parametrize("fault", ["529", "gateway-504"])
async def test_an_overloaded_or_silent_gateway_is_unconfirmed(counter, fault):
    request = counter.plain(fault)
    with pytest.raises(UnconfirmedSubmitError):
        await counter.client.send(request)
    assert len(counter.received(request.prompt)) == 1


async def test_a_status_survives_an_overload_and_tells_what_was_counted(counter):
    bought = await counter.client.send(counter.plain("poll-529"))
    status = await counter.finished(bought.remote_id)
    assert status.usage == Usage(output_seconds=4)
    assert (status.model, status.resolution, status.duration) == (H3, "768P", 4)


async def test_an_expired_task_has_failed(counter):
    bought = await counter.client.send(counter.plain("expired"))
    status = await counter.finished(bought.remote_id)
    assert (status.phase, status.word, status.usage) == (Phase.FAILED, "expired", None)


async def test_where_ids_are_not_enabled_the_clip_itself_is_upgraded(counter):
    source = counter.plain("not-enabled")
    bought = await counter.client.send(source)
    status = await counter.finished(bought.remote_id)
    by_id = UpgradeRequest(
        source_id="", remote_id=bought.remote_id, model=H3, resolution="2K", prompt=source.prompt
    )
    with pytest.raises(SourceIdNotEnabledError):
        await counter.client.send(by_id)
    async with counter.client.stream(await counter.client.link(status)) as answer:
        clip = bytearray()
        await answer.stream_to(clip.extend)
    video = f"data:video/mp4;base64,{base64.b64encode(clip).decode()}"
    upgraded = await counter.client.send(replace(by_id, base_video=video, source=source))
    done = await counter.finished(upgraded.remote_id)
    assert (done.upgrade, done.resolution) == (True, "2K")
    assert done.usage == Usage(output_seconds=4)
