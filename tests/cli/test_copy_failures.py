"""A copy that cannot be made: refused before anything is bought, or said at once."""

from __future__ import annotations

import errno
from argparse import Namespace
from pathlib import Path
from types import SimpleNamespace

import anyio
import pytest

from hailuo_mcp.cli.session import Session
from hailuo_mcp.errors import DownloadError
from hailuo_mcp.files import clip_file
from hailuo_mcp.files.clip_file import DiskError
from hailuo_mcp.sandbox.report import read_book


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="only Linux has such a folder")
def test_a_folder_that_only_looks_writable_is_refused_before_the_purchase(program):
    ran = program("generate", "A fox", "-o", "/proc/x.mp4")

    assert ran.code == 2
    assert "/proc is not a folder that can be written to (" in ran.err
    assert not read_book(program.books)["accounts"]


def test_a_name_that_the_disk_does_not_take_is_refused_before_the_purchase(program):
    ran = program("generate", "A fox", "-o", f"{'x' * 249}.mp4")

    assert ran.code == 2
    assert not read_book(program.books)["accounts"]


def test_a_lock_that_cannot_be_made_is_not_waited_for(tmp_path, monkeypatch):
    def refuse(*_: object) -> int:
        raise OSError(errno.ENOENT, "No such file or directory")

    async def sleep(_: float) -> None:
        pytest.fail("it waited")

    monkeypatch.setattr(clip_file.os, "open", refuse)

    async def lock() -> None:
        async with clip_file.locked(tmp_path / "x.mp4", sleep=sleep):
            pass

    with pytest.raises(DiskError, match="no such file"):
        anyio.run(lock)


def test_a_copy_that_fails_says_where_the_clip_is_and_how_to_copy_it_elsewhere(tmp_path):
    trouble = clip_file.explain(OSError(errno.ENOSPC, "No space left on device"), tmp_path)

    async def download(*_: object, **__: object) -> None:
        raise trouble

    async def known(task_id: str) -> SimpleNamespace:
        return SimpleNamespace(task=SimpleNamespace(task_id=task_id, saved=True, file="/v/fox.mp4"))

    async def exists(_: str) -> bool:
        return True

    storage = SimpleNamespace(exists=exists)
    session = Session(
        args=Namespace(overwrite=False), terminal=SimpleNamespace(), settings=SimpleNamespace()
    )
    session.studio = SimpleNamespace(download=download, known=known, storage=storage)

    with pytest.raises(DownloadError) as raised:
        anyio.run(session.save, "v1m81c", "fox.mp4", 1.0, SimpleNamespace())

    assert "saved at /v/fox.mp4, and was not copied" in raised.value.what
    assert "is full" in raised.value.what
    assert "download v1m81c -o ANOTHER/PLACE.mp4" in raised.value.then[0].about
