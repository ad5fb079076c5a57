"""What is in the state folder is nobody else's to read."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import anyio
import pytest

from hailuo_mcp.bootstrap import open_studio
from hailuo_mcp.domain.requests import VideoRequest
from hailuo_mcp.files.private import close_to_others, exposed, private_folder
from hailuo_mcp.settings import Settings
from hailuo_mcp.views import Terms

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.skipif(sys.platform == "win32", reason="permissions of POSIX"),
]


def _open_to_others(state_dir: Path) -> list[str]:
    found = [state_dir, *state_dir.rglob("*")]
    return [str(path.relative_to(state_dir)) for path in found if path.stat().st_mode & 0o077]


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings.from_env(
        {"HAILUO_PROVIDER": "sandbox"},
        state_dir=str(tmp_path / "new" / "state"),
        output_dir=str(tmp_path / "clips"),
    )


async def _buy(settings: Settings, picture: str) -> None:
    async with open_studio(settings) as studio:
        request = VideoRequest(prompt="A private fox", first_frame_image=picture)
        view = await studio.generate(request, Terms())
        await studio.query(view.task.task_id, wait_seconds=0)


async def test_all_that_a_purchase_leaves_in_the_state_folder_is_its_owners_alone(
    settings: Settings, picture_url: str
) -> None:
    before = os.umask(0o022)
    try:
        await _buy(settings, picture_url)
    finally:
        os.umask(before)
    assert list((settings.state_dir / "inputs").iterdir())
    assert list((settings.state_dir / "sandbox").iterdir())
    assert not _open_to_others(settings.state_dir)
    assert not exposed(settings.state_dir)


async def test_what_earlier_versions_left_open_is_closed_at_the_next_start(
    settings: Settings, picture_url: str
) -> None:
    await _buy(settings, picture_url)
    for path in (settings.state_dir, *settings.state_dir.rglob("*")):
        await anyio.Path(path).chmod(0o755 if path.is_dir() else 0o644)
    async with open_studio(settings):
        assert not _open_to_others(settings.state_dir)


def test_a_folder_with_other_things_in_it_stays_open_and_only_our_files_are_closed(
    tmp_path: Path,
) -> None:
    tmp_path.chmod(0o755)
    for name in ("holiday.txt", "journal.sqlite3"):
        (tmp_path / name).touch(mode=0o644)
    (tmp_path / "inputs").mkdir(mode=0o755)
    close_to_others(tmp_path)
    assert {path.name for path in tmp_path.iterdir() if path.stat().st_mode & 0o077} == {
        "holiday.txt"
    }
    assert tmp_path.stat().st_mode & 0o777 == 0o755


def test_every_folder_on_the_way_that_has_to_be_made_is_private(tmp_path: Path) -> None:
    made = private_folder(tmp_path / "a" / "b")
    assert [path.stat().st_mode & 0o777 for path in (made, made.parent)] == [0o700, 0o700]


@pytest.fixture
def picture_url() -> str:
    import base64
    import io

    from PIL import Image

    file = io.BytesIO()
    Image.new("RGB", (400, 400), "red").save(file, "PNG")
    return "data:image/png;base64," + base64.b64encode(file.getvalue()).decode()
