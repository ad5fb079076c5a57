"""An upgrade whose account may not name the clip's id: the clip itself is sent, or nothing is."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import anyio
import pytest

from hailuo_mcp.domain.remote import Submitted
from hailuo_mcp.domain.requests import Mode, UpgradeRequest
from hailuo_mcp.domain.task import Money, Status, Task
from hailuo_mcp.errors import JournalError, SourceIdNotEnabledError
from hailuo_mcp.journal.facts import Capacity
from hailuo_mcp.studio.request_record import request_from_json, request_json
from hailuo_mcp.worker import base_video
from hailuo_mcp.worker.submitting import submit

pytestmark = pytest.mark.anyio
NO = SourceIdNotEnabledError("Not by its id.", provider_code="2013")
TAKEN = Submitted(remote_id="88")
CLIP = b"\0\0\0\x18ftypmp42 the clip"
PICTURE = b"a picture"
MADE_FROM = {
    "model": "MiniMax-H3",
    "prompt": "a cat",
    "first_frame_image": {"sha256": hashlib.sha256(PICTURE).hexdigest(), "mime": "image/png"},
}


async def _draft(bench: Any, tmp_path: Path, **facts: Any) -> Task:
    """A draft that was made from a picture, and is saved."""
    file = tmp_path / "draft.mp4"
    file.write_bytes(CLIP)
    await bench.context.pictures.keep(MADE_FROM["first_frame_image"]["sha256"], PICTURE)
    record = json.dumps(facts.pop("made_from", MADE_FROM))
    task = await bench.bought(task_id="vdraft", request=record, identity="draft")
    values = {
        "status": Status.SUCCEEDED,
        "remote_id": "77",
        "file": str(file),
        "sha256": hashlib.sha256(CLIP).hexdigest(),
    }
    return await bench.journal.change(task.task_id, {**values, **facts}, now=bench.now)


async def _upgrade(bench: Any, draft: Task) -> Task:
    request = UpgradeRequest(
        source_id=draft.task_id,
        remote_id=draft.remote_id,
        model="MiniMax-H3",
        resolution="2K",
        source_resolution="768P",
        duration=6,
        prompt="a cat",
        source_record=draft.request,
    )
    record = request_json(request, {})
    return await bench.bought(
        task_id="vkeeper", request=record, identity="k", mode=Mode.UPGRADE, model="MiniMax-H3"
    )


async def _sent(bench: Any, task: Task, *answers: Any) -> Task:
    bench.client.answers = list(answers)
    await submit(bench.context, task, sleep=bench.sleep)
    return await bench.read(task)


async def _claimed(bench: Any) -> Task:
    """The task, taken from the queue as the worker takes it."""
    context = bench.context
    capacity = Capacity(rpm=None, sends=4, steps=4, submit_lease=90.0, lease=30.0)
    found = await bench.journal.claim([context.account], context.owner, capacity, now=bench.now)
    (task,) = found.sends
    return task


async def test_the_clip_is_sent_with_what_it_was_made_from(bench: Any, tmp_path: Path) -> None:
    task = await _upgrade(bench, await _draft(bench, tmp_path))
    first = await request_from_json(task.request, bench.context.pictures.data_url)
    assert isinstance(first, UpgradeRequest)
    assert (first.remote_id, first.base_video, first.source) == ("77", "", None)

    task = await _sent(bench, task, NO)
    assert (task.status, task.money, task.due_at) == (Status.PENDING, Money.RESERVED, bench.now)
    second = await request_from_json(task.request, bench.context.pictures.data_url)
    assert isinstance(second, UpgradeRequest)
    assert second.base_video.startswith("data:video/mp4;base64,")
    assert second.source is not None
    assert second.source.prompt == "a cat"
    assert second.source.first_frame_image.startswith("data:image/png;base64,")
    assert MADE_FROM["first_frame_image"]["sha256"] in task.request  # or a sweep would delete it


async def test_a_second_no_is_the_last_word(bench: Any, tmp_path: Path) -> None:
    task = await _upgrade(bench, await _draft(bench, tmp_path))
    task = await _sent(bench, task, NO)
    task = await _sent(bench, await _claimed(bench), NO)
    assert (task.status, task.money, task.attempt) == (Status.FAILED, Money.RELEASED, 2)
    assert bench.client.sent == 2


async def test_who_leaves_before_the_clip_is_read_leaves_it_in_the_queue(
    bench: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    task = await _upgrade(bench, await _draft(bench, tmp_path))
    reading = anyio.Event()

    async def read(*_args: Any) -> str:
        reading.set()
        await anyio.sleep_forever()
        raise AssertionError

    monkeypatch.setattr("hailuo_mcp.worker.submitting.record_with_clip", read)
    async with anyio.create_task_group() as process:
        bench.client.answers = [NO]
        process.start_soon(lambda: submit(bench.context, task, sleep=bench.sleep))
        await reading.wait()
        process.cancel_scope.cancel()
    assert (await bench.read(task)).status is Status.PENDING


async def test_a_place_that_is_away_is_tried_again(
    bench: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    task = await _upgrade(bench, await _draft(bench, tmp_path))

    async def away(*_args: Any) -> str:
        raise JournalError("The bucket is away.")

    monkeypatch.setattr("hailuo_mcp.worker.submitting.record_with_clip", away)
    task = await _sent(bench, task, NO)
    assert (task.status, task.error) == (Status.PENDING, "The bucket is away.")
    assert task.due_at > bench.now


@pytest.mark.parametrize(
    ("facts", "why"),
    [
        ({"file": ""}, "that clip is not saved here"),
        ({"file": "gone.mp4"}, "its file is gone"),
        ({"sha256": "0" * 64}, "was altered after it was saved"),
        ({"made_from": {}}, "not known what that clip was made from"),
        (
            {"made_from": {**MADE_FROM, "last_frame_image": {"sha256": "9" * 64, "mime": "a/b"}}},
            "a picture that it was made from is no longer kept",
        ),
    ],
)
async def test_where_it_cannot_be_sent_nothing_is_bought_and_the_reason_is_told(
    bench: Any, tmp_path: Path, facts: dict[str, Any], why: str
) -> None:
    task = await _sent(bench, await _upgrade(bench, await _draft(bench, tmp_path, **facts)), NO)
    assert (task.status, task.money) == (Status.FAILED, Money.RELEASED)
    assert why in task.error
    assert bench.client.sent == 1


async def test_a_clip_that_is_too_large_is_not_sent(
    bench: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(base_video, "MOST_BYTES", len(CLIP) - 1)
    task = await _sent(bench, await _upgrade(bench, await _draft(bench, tmp_path)), NO)
    assert (task.status, "larger than" in task.error) == (Status.FAILED, True)
