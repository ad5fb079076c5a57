"""What was bought ends up on disk: links that expire, cuts, lost files, adoption, pictures."""

# ruff: noqa: ASYNC240  # polls with a deadline; nothing else runs in this loop

import json
import os
import time
from datetime import datetime
from pathlib import Path
from typing import Any

import anyio
import pytest
from until import until

from hailuo_mcp.domain.requests import VideoRequest
from hailuo_mcp.domain.task import Money, Status
from hailuo_mcp.errors import TaskNotFoundError
from hailuo_mcp.studio.pictures import KEPT_SECONDS
from hailuo_mcp.views import Terms

pytestmark = pytest.mark.anyio


def _request(fault: str = "") -> VideoRequest:
    return VideoRequest(prompt=f"a cat [sandbox:{fault}]" if fault else "a cat")


async def _bought(studio: Any, fault: str = "") -> Any:
    view = await studio.generate(_request(fault), Terms(), wait_seconds=30)
    return view.task


@pytest.mark.parametrize(
    "fault",
    [
        "poll-500x2",
        "poll-1002",
        "poll-html",
        "poll-reset",
        "weird-status",
        "expired-link",
        "cut-downloadx2",
        "cut-no-range",
        "short-chunked",
        "json-downloadx1",
        "html-downloadx1",
        "redirect-download",
    ],
)
async def test_trouble_on_the_way_ends_with_a_whole_clip_bought_once(
    opened: Any, sandbox: Any, fault: str
) -> None:
    async with opened() as studio:
        task = await _bought(studio, fault)
        assert (task.status, task.money) == (Status.SUCCEEDED, Money.SPENT)
        assert Path(task.file).stat().st_size == task.bytes
    assert sandbox.received == 1


async def test_a_clip_that_cannot_be_fetched_is_spent_and_says_so_and_tries_again(
    opened: Any, rows: Any
) -> None:
    async with opened() as studio:
        view = await studio.generate(_request("dead-link"), Terms())

        async def unsaved() -> Any:
            task = (await studio.query(view.task.task_id)).task
            return task if task.save_error else None

        task = await until(unsaved)
        assert (task.status, task.money, task.file) == (Status.SUCCEEDED, Money.SPENT, "")
        assert task.due_at > time.time()  # it will be tried again by itself
        assert "no longer works" in task.save_error


async def test_a_clip_that_was_corrupt_at_the_provider_is_saved_when_it_is_asked_for_later(
    opened: Any, sandbox: Any
) -> None:
    async with opened() as studio:
        view = await studio.generate(_request("corrupt-downloadx2"), Terms())

        async def unsaved() -> Any:
            task = (await studio.query(view.task.task_id)).task
            return task if task.save_error else None

        task = await until(unsaved)
        assert "is not a complete MP4" in task.save_error
        assert task.due_at > time.time() + 5
        saved = await studio.download(view.task.task_id, wait_seconds=20)
        assert saved.status == "saved"
        assert Path(saved.file).stat().st_size == saved.bytes
    assert sandbox.received == 1


async def test_without_auto_download_the_clip_is_left_until_it_is_asked_for(opened: Any) -> None:
    async with opened(auto_download="false") as studio:
        task = await _bought(studio)
        assert (task.status, task.file) == (Status.SUCCEEDED, "")
        saved = await studio.download(task.task_id, wait_seconds=20)
        assert saved.status == "saved"
        assert Path(saved.file).exists()


async def test_a_clip_that_becomes_ready_while_its_asker_waits_is_saved(opened: Any) -> None:
    async with opened(auto_download="false") as studio:
        view = await studio.generate(_request(), Terms())
        assert not view.task.status.is_final
        saved = await studio.download(view.task.task_id, wait_seconds=30)
        assert (saved.status, saved.view.task.saved) == ("saved", True)


async def test_a_clip_whose_file_was_deleted_is_fetched_again_free(
    opened: Any, sandbox: Any
) -> None:
    async with opened() as studio:
        task = await _bought(studio)
        await anyio.Path(task.file).unlink()
        saved = await studio.download(task.task_id, wait_seconds=20)
        assert (saved.status, saved.sha256) == ("saved", task.sha256)
        assert Path(saved.file).exists()
        assert (await studio.spending()).spent == 2
    assert sandbox.received == 1


async def test_the_sidecar_has_times_and_amounts_that_programs_can_read(opened: Any) -> None:
    async with opened() as studio:
        task = await _bought(studio)
        facts = json.loads(Path(task.file).with_suffix(".json").read_text())
    assert (facts["task_id"], facts["take"], facts["provider"]) == (task.task_id, 1, "sandbox")
    assert facts["cost"] == {"amount": "2", "unit": "CNY"}
    assert facts["request"]["prompt"] == facts["prompt"] == task.prompt
    times = [facts[name] for name in ("created_at", "sent_at", "ready_at", "saved_at")]
    assert times == sorted(times)
    assert abs(datetime.fromisoformat(times[0]).timestamp() - task.created_at) < 1


async def test_a_task_of_another_tool_is_adopted_by_its_id_and_costs_nothing_here(
    opened: Any, sandbox: Any, tmp_path: Path
) -> None:
    async with opened() as studio:
        remote_id = (await _bought(studio)).remote_id
    for part in ("journal*", "backups/*"):  # as in a state folder that never knew of it
        for path in (tmp_path / "state").glob(part):
            path.unlink()
    async with opened(budget="0") as studio:
        view = await studio.query(remote_id, wait_seconds=20)
        assert (view.task.status, view.task.money) == (Status.SUCCEEDED, Money.UNKNOWN)
        assert view.task.known_mode is None
        assert "mode" not in json.loads(Path(view.task.file).with_suffix(".json").read_text())
        assert view.task.saved
        assert (await studio.query(remote_id)).task.task_id == view.task.task_id
        spending = await studio.spending()
        assert (spending.spent, spending.reserved) == (0, 0)
        with pytest.raises(TaskNotFoundError):
            await studio.query("123456789012345678")
    assert sandbox.received == 1


async def test_somebody_elses_task_is_not_found_by_any_id(opened: Any) -> None:
    async with opened() as studio:
        view = await studio.generate(_request(), Terms(), caller="alice", wait_seconds=20)
        for some_id in (view.task.task_id, view.task.remote_id):
            with pytest.raises(TaskNotFoundError):
                await studio.query(some_id, caller="bob")
        assert (await studio.query(view.task.task_id)).task.caller == "alice"  # the local person


async def test_what_was_not_sent_can_be_withdrawn_and_is_not_sent(
    opened: Any, sandbox: Any
) -> None:
    async with opened(rpm="1", budget="4") as studio:
        await _bought(studio)
        view = await studio.generate(VideoRequest(prompt="a dog"), Terms())
        assert view.task.status is Status.PENDING
        view = await studio.cancel(view.task.task_id)
        assert (view.task.status, view.task.money) == (Status.CANCELLED, Money.RELEASED)
        assert (await studio.spending()).left == 2
        again = await studio.cancel(view.task.task_id)
        assert again.task.status is Status.CANCELLED
    assert sandbox.received == 1


async def test_what_is_withdrawn_after_a_refusal_for_speed_keeps_nothing_of_it(
    scripted: Any, provider: Any
) -> None:
    provider.on_create = lambda _number: provider.refuse(1002, **{"Retry-After": "60"})
    async with scripted() as studio:
        task = (await studio.generate(_request(), Terms())).task
        assert (task.status, task.error_code) == (Status.PENDING, "1002")
        task = (await studio.cancel(task.task_id)).task
        assert (task.status, task.error_code, task.error_kind) == (Status.CANCELLED, "", "")


async def test_what_was_sent_cannot_be_withdrawn_and_the_answer_says_so(
    scripted: Any, provider: Any
) -> None:
    async with scripted() as studio:
        view = await studio.generate(_request(), Terms())
        (note,) = (await studio.cancel(view.task.task_id)).notes
        assert "charged if it succeeds" in note
        assert (await studio.spending()).reserved == 2


def _picture(path: Path) -> str:
    from PIL import Image

    Image.new("RGB", (640, 480), (9, 90, 160)).save(path)
    return str(path)


async def test_pictures_are_kept_until_they_are_sent_and_swept_a_day_after(
    opened: Any, tmp_path: Path
) -> None:
    request = VideoRequest(prompt="a cat", first_frame_image=_picture(tmp_path / "cat.png"))
    inputs = tmp_path / "state" / "inputs"
    async with opened(rpm="1") as studio:
        await _bought(studio)
        view = await studio.generate(request, Terms())
        assert view.task.status is Status.PENDING
        (kept,) = inputs.iterdir()
        old = time.time() - KEPT_SECONDS - 60
        os.utime(kept, (old, old))
    unused = inputs / ("0" * 64)
    unused.touch()
    os.utime(unused, (old, old))
    async with opened(rpm="1") as studio:  # swept on opening: the one still waits
        await until(lambda: not unused.exists())
        assert list(inputs.iterdir()) == [kept]
        await studio.cancel(view.task.task_id)
        os.utime(kept, (old, old))
    async with opened() as studio:
        await until(lambda: not list(inputs.iterdir()))


async def test_a_picture_that_went_missing_is_a_free_refusal(
    opened: Any, sandbox: Any, tmp_path: Path
) -> None:
    request = VideoRequest(prompt="a cat", first_frame_image=_picture(tmp_path / "cat.png"))
    async with opened(rpm="1") as studio:
        await _bought(studio)
        view = await studio.generate(request, Terms())
        for kept in (tmp_path / "state" / "inputs").iterdir():
            kept.unlink()
    async with opened() as studio:  # without the limit it goes at once

        async def ended() -> Any:
            task = (await studio.query(view.task.task_id)).task
            return task if task.status.is_final else None

        task = await until(ended)
        assert (task.status, task.money) == (Status.FAILED, Money.RELEASED)
        assert "no longer kept" in task.error
    assert sandbox.received == 1
