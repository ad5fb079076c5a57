"""A clip that is moved is in one place, known by it, and never in none."""

# ruff: noqa: ASYNC240  # nothing else runs in this loop

import json
from pathlib import Path
from typing import Any

import pytest

from hailuo_mcp.domain.requests import VideoRequest
from hailuo_mcp.errors import DownloadError, InvalidRequestError
from hailuo_mcp.files import moving
from hailuo_mcp.studio import moving as studio_moving
from hailuo_mcp.views import Terms

pytestmark = pytest.mark.anyio


async def _bought(studio: Any, prompt: str = "a cat") -> Any:
    view = await studio.generate(VideoRequest(prompt=prompt), Terms(), wait_seconds=30)
    return view.task


async def _journaled(studio: Any, task: Any) -> str:
    return str((await studio.query(task.task_id)).task.file)


async def test_a_clip_goes_with_its_sidecar_and_is_found_where_it_is(
    opened: Any, tmp_path: Path
) -> None:
    target = tmp_path / "mine" / "cat.mp4"
    async with opened() as studio:
        task = await _bought(studio)
        data = Path(task.file).read_bytes()
        saved = await studio.download(task.task_id, output_path=str(target), keep=False)
        again = await studio.download(task.task_id)
        assert (saved.file, again.file) == (str(target), str(target))
        assert await _journaled(studio, task) == str(target)
    assert target.read_bytes() == data
    assert json.loads(target.with_suffix(".json").read_text())["task_id"] == task.task_id
    assert not list(Path(task.file).parent.glob("*"))


async def test_nothing_is_replaced_or_lost_where_another_file_is(
    opened: Any, tmp_path: Path
) -> None:
    target = tmp_path / "mine.mp4"
    target.write_bytes(b"mine")
    target.with_suffix(".json").write_bytes(b'{"name": "mine"}')
    async with opened() as studio:
        task = await _bought(studio)
        with pytest.raises(DownloadError, match="already exists"):
            await studio.download(task.task_id, output_path=str(target), keep=False)
        assert Path(task.file).exists()
        await studio.download(task.task_id, output_path=str(target), keep=False, overwrite=True)
    assert target.stat().st_size > 4
    assert target.with_suffix(".json").read_bytes() == b'{"name": "mine"}'
    assert json.loads((tmp_path / "mine.mp4.json").read_text())["task_id"] == task.task_id


class KilledError(BaseException):
    """Stands for the end of the process."""


@pytest.mark.parametrize(
    ("place", "step"),
    [
        (studio_moving, "copy_beside"),
        (moving, "write_beside"),
        (studio_moving, "remove_moved"),
    ],
)
async def test_killed_in_the_middle_it_is_whole_in_the_journal_s_place_and_goes_on(
    opened: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: Any, step: str
) -> None:
    def kill(*_: object, **__: object) -> None:
        raise KilledError

    target = tmp_path / "cat.mp4"
    async with opened() as studio:
        task = await _bought(studio)
        data = Path(task.file).read_bytes()
        with monkeypatch.context() as patched:
            patched.setattr(place, step, kill)
            with pytest.raises(KilledError):
                await studio.download(task.task_id, output_path=str(target), keep=False)
        assert Path(await _journaled(studio, task)).read_bytes() == data
        await studio.download(task.task_id, output_path=str(target), keep=False)
        assert await _journaled(studio, task) == str(target)
    assert target.read_bytes() == data
    assert json.loads(target.with_suffix(".json").read_text())["task_id"] == task.task_id


async def test_the_same_file_by_another_path_is_not_deleted(opened: Any, tmp_path: Path) -> None:
    async with opened() as studio:
        task = await _bought(studio)
        target = tmp_path / "link.mp4"
        target.hardlink_to(task.file)
        await studio.download(task.task_id, output_path=str(target), keep=False)
        assert await _journaled(studio, task) == str(target)
    assert target.stat().st_size == task.bytes
    assert Path(task.file).exists()


async def test_a_first_copy_that_cannot_be_deleted_is_told(
    opened: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    async with opened() as studio:
        task = await _bought(studio)
        monkeypatch.setattr(studio_moving, "remove_moved", refuse)
        path = str(tmp_path / "cat.mp4")
        saved = await studio.download(task.task_id, output_path=path, keep=False)
    assert saved.file == path
    assert "could not be deleted" in saved.view.notes[-1]


async def test_a_clip_that_other_computers_look_for_is_not_moved(
    opened: Any, tmp_path: Path
) -> None:
    async with opened(files=str(tmp_path / "shared")) as studio:
        task = await _bought(studio)
        with pytest.raises(InvalidRequestError, match="other computers"):
            await studio.download(task.task_id, output_path=str(tmp_path / "a.mp4"), keep=False)
        assert Path(task.file).exists()
