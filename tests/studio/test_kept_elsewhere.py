"""Bought, saved, copied and fetched again where clips go to a shared folder or to a bucket."""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path
from typing import Any

import anyio
import pytest
from buckets import S3
from until import until

from hailuo_mcp.domain.requests import VideoRequest
from hailuo_mcp.domain.task import Status
from hailuo_mcp.errors import ConfigError, DownloadError, JournalError
from hailuo_mcp.files.bucket_storage import BucketStorage
from hailuo_mcp.views import Terms

pytestmark = pytest.mark.anyio


class Place:
    def __init__(self, tmp_path: Path, s3: S3 | None) -> None:
        self.s3 = s3
        self.setting = s3.url if s3 else str(tmp_path / "shared")

    def read(self, file: str) -> bytes:
        return self.s3.read(self.s3.key_of(file)) if self.s3 else Path(file).read_bytes()

    def delete(self, file: str) -> None:
        if self.s3:
            self.s3.delete(self.s3.key_of(file))
        else:
            Path(file).unlink()


@pytest.fixture(params=["folder", "bucket"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    return Place(tmp_path, request.getfixturevalue("s3") if request.param == "bucket" else None)


async def _bought(studio: Any, prompt: str = "a cat") -> Any:
    view = await studio.generate(VideoRequest(prompt=prompt), Terms(), wait_seconds=30)
    return view.task


def _picture(path: Path) -> str:
    from PIL import Image

    Image.new("RGB", (640, 480), (9, 90, 160)).save(path)
    return str(path)


async def test_a_clip_is_saved_there_with_its_facts_beside_it(
    opened: Any, place: Place, tmp_path: Path
) -> None:
    async with opened(files=place.setting) as studio:
        task = await _bought(studio)

        async def described() -> Any:
            with suppress(AssertionError):  # a moment after the clip
                return json.loads(place.read(task.file.removesuffix(".mp4") + ".json"))
            return None

        facts = await until(described)
    assert task.file.startswith(f"{place.setting}/")
    assert len(place.read(task.file)) == task.bytes
    assert (facts["task_id"], facts["sha256"]) == (task.task_id, task.sha256)
    assert not (tmp_path / "clips").exists()
    assert list((tmp_path / "state" / "spool").iterdir()) == []


async def test_a_copy_is_made_for_a_caller_at_this_computer(
    opened: Any, place: Place, tmp_path: Path
) -> None:
    async with opened(files=place.setting) as studio:
        task = await _bought(studio)
        folder = str(tmp_path / "mine") + "/"
        saved = await studio.download(task.task_id, output_path=folder, wait_seconds=5)
    assert saved.file == str(tmp_path / "mine" / task.file.rpartition("/")[2])
    assert await anyio.Path(saved.file).read_bytes() == place.read(task.file)


async def test_a_clip_that_was_deleted_there_is_fetched_again_free(
    opened: Any, place: Place, sandbox: Any
) -> None:
    async with opened(files=place.setting) as studio:
        task = await _bought(studio)
        place.delete(task.file)
        saved = await studio.download(task.task_id, wait_seconds=20)
        assert (saved.status, saved.file, saved.sha256) == ("saved", task.file, task.sha256)
        assert len(place.read(task.file)) == task.bytes
    assert sandbox.received == 1


async def test_a_process_with_other_settings_does_not_take_the_clip_for_lost(
    opened: Any, s3: S3
) -> None:
    async with opened(files=s3.url) as studio:
        task = await _bought(studio)
    async with opened() as studio:
        with pytest.raises(ConfigError, match="do not reach"):
            await studio.download(task.task_id, wait_seconds=5)
        assert (await studio.query(task.task_id)).task.file == task.file


async def test_a_clip_saved_to_disk_before_stays_where_it_is(opened: Any, s3: S3) -> None:
    async with opened() as studio:
        task = await _bought(studio)
    async with opened(files=s3.url) as studio:
        saved = await studio.download(task.task_id, wait_seconds=5)
    assert (saved.status, saved.file) == ("saved", task.file)


async def test_pictures_are_kept_there_until_they_are_sent(
    opened: Any, place: Place, tmp_path: Path
) -> None:
    request = VideoRequest(prompt="a cat", first_frame_image=_picture(tmp_path / "cat.png"))
    async with opened(files=place.setting, rpm="1") as studio:
        await _bought(studio)
        view = await studio.generate(request, Terms())
        assert view.task.status is Status.PENDING
        (kept,) = await studio.storage.pictures.all()
    assert not (tmp_path / "state" / "inputs").exists()
    async with opened(files=place.setting) as studio:
        done = await studio.query(view.task.task_id, wait_seconds=20)
        assert done.task.saved
        assert kept.name in done.task.request


async def test_while_the_bucket_is_away_nothing_is_bought_and_after_its_return_it_is(
    opened: Any, s3: S3, sandbox: Any
) -> None:
    async with opened(files=s3.url) as studio:
        s3.way.away = True
        with pytest.raises(ConfigError, match="Clips cannot be written to s3://") as refused:
            await _bought(studio)
        assert refused.value.charged == "no"
        assert sandbox.received == 0
        assert (await studio.spending()).reserved == 0
        s3.way.away = False

        async def bought() -> Any:
            try:
                return await _bought(studio)
            except ConfigError:  # the failed check counts for two seconds
                return None

        assert (await until(bought)).saved
    assert sandbox.received == 1


async def test_a_picture_that_cannot_be_kept_refuses_the_purchase_free(
    opened: Any, s3: S3, sandbox: Any, tmp_path: Path
) -> None:
    request = VideoRequest(prompt="a cat", first_frame_image=_picture(tmp_path / "cat.png"))
    async with opened(files=s3.url) as studio:
        await studio.storage.need_writable()
        s3.way.away = True
        with pytest.raises(JournalError, match="An input file could not be stored") as refused:
            await studio.generate(request, Terms())
        assert refused.value.charged == "no"
    assert sandbox.received == 0


async def test_a_purchase_whose_picture_cannot_be_read_waits_for_the_bucket(
    opened: Any, s3: S3, sandbox: Any, tmp_path: Path
) -> None:
    request = VideoRequest(prompt="a cat", first_frame_image=_picture(tmp_path / "cat.png"))
    async with opened(files=s3.url, rpm="1") as studio:
        await _bought(studio)
        view = await studio.generate(request, Terms())
        assert view.task.status is Status.PENDING
        s3.way.away = True
    async with opened(files=s3.url) as studio:

        async def put_back() -> Any:
            task = (await studio.query(view.task.task_id)).task
            return task if "could not be read" in task.error else None

        waiting = await until(put_back)
        assert waiting.status is Status.PENDING
        assert sandbox.received == 1
        s3.way.away = False
        done = await studio.query(view.task.task_id, wait_seconds=20)
        assert done.task.saved
    assert sandbox.received == 2


async def test_a_clip_that_is_ready_while_the_bucket_is_away_is_saved_when_it_is_back(
    opened: Any, s3: S3, sandbox: Any
) -> None:
    async with opened(files=s3.url) as studio:
        await studio.storage.need_writable()
        s3.way.away = True
        view = await studio.generate(VideoRequest(prompt="a cat"), Terms())

        async def unsaved() -> Any:
            task = (await studio.query(view.task.task_id)).task
            return task if task.save_error else None

        task = await until(unsaved)
        assert task.status is Status.SUCCEEDED
        assert "cannot be used: it cannot be reached" in task.save_error or (
            "cannot be used: the connection to it failed" in task.save_error
        )
        assert task.due_at > 0  # tried again by itself
        s3.way.away = False
        done = await studio.query(view.task.task_id, wait_seconds=20)
        assert done.task.saved
        assert s3.clips() == [s3.key_of(done.task.file)]
    assert sandbox.received == 1


async def test_a_bucket_that_does_not_answer_is_no_lost_clip(opened: Any, s3: S3) -> None:
    async with opened(files=s3.url) as studio:
        assert isinstance(studio.storage, BucketStorage)
        task = await _bought(studio)
        s3.way.away = True
        with pytest.raises(DownloadError, match="cannot be used"):
            await studio.download(task.task_id)
        assert (await studio.query(task.task_id)).task.file == task.file
