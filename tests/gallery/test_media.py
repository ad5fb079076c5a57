"""read_media: a clip in parts and its poster, to whom it belongs and to nobody else."""

from __future__ import annotations

from base64 import b64decode
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from buckets import S3
from media.numbered import make_clip
from PIL import Image

from hailuo_mcp.server.context import Caller
from hailuo_mcp.server.gallery.tools import CHUNK

from .kept import a_task, kept, page_of

pytestmark = pytest.mark.anyio
BYTES = bytes(number % 251 for number in range(CHUNK + 1000))


async def _all_of(call: Any, task_id: str) -> bytes:
    found = b""
    while True:
        part = await call("read_media", task_id=task_id, offset=len(found))
        assert part["mime_type"] == "video/mp4"
        assert part["offset"] == len(found)
        found += b64decode(part["data"])
        if len(found) >= part["total"]:
            return found


async def test_the_parts_are_the_clip(tmp_path: Path) -> None:
    clip = tmp_path / "a.mp4"
    clip.write_bytes(BYTES)
    async with kept(tmp_path) as studio, page_of(studio) as call:
        await a_task(studio, "v1", file=str(clip))
        whole = await _all_of(call, "v1")
        end = await call("read_media", task_id="v1", offset=len(BYTES))
        behind = [
            await call("read_media", task_id="v1", offset=it) for it in (len(BYTES) + 1, 10**40)
        ]
        clip.unlink()
        gone = await call("read_media", task_id="v1")
    assert whole == BYTES
    assert (end["data"], end["total"]) == ("", len(BYTES))
    assert all("none from byte" in it["message"] for it in behind)
    assert "it was moved or deleted" in gone["message"]
    assert "download_video" in gone["message"]


async def test_a_clip_in_a_bucket_is_read_in_the_same_parts(tmp_path: Path, s3: S3) -> None:
    clip = make_clip(tmp_path / "a.mp4", range(3), size=(640, 400))
    async with kept(tmp_path, files=s3.url) as studio, page_of(studio) as call:

        async def copied(path: Path) -> Any:
            return await studio.storage.copy(str(clip), path, overwrite=True)

        file, _ = await studio.storage.save("a_v1.mp4", copied, task_id="v1")
        await a_task(studio, "v1", file=file)
        [card] = (await call("show_cards"))["cards"]
        whole = await _all_of(call, "v1")
        poster = await call("read_media", task_id="v1", part="poster")
        await a_task(studio, "v2", file=f"{file}-gone")
        gone = await call("read_media", task_id="v2")
    assert file.startswith("s3://")
    assert card["saved"]
    assert whole == clip.read_bytes()
    assert poster["mime_type"] == "image/jpeg"
    assert "it was moved or deleted" in gone["message"]


async def test_a_poster_is_a_small_picture_and_kept(tmp_path: Path) -> None:
    clip = make_clip(tmp_path / "a.mp4", range(3), size=(1280, 720))
    async with kept(tmp_path) as studio, page_of(studio) as call:
        await a_task(studio, "v1", file=str(clip))
        [card] = (await call("show_cards"))["cards"]
        poster = await call("read_media", task_id="v1", part="poster")
        clip.write_bytes(b"no clip any more")
        again = await call("read_media", task_id="v1", part="poster")
        await a_task(studio, "v2", file=str(clip))
        broken = await call("read_media", task_id="v2", part="poster")
    jpeg = b64decode(poster["data"])
    assert card["poster"]
    assert Image.open(BytesIO(jpeg)).size == (640, 360)
    assert poster["total"] == len(jpeg)
    assert again == poster
    assert "cannot be opened" in broken["message"]


async def test_only_the_clip_itself_and_only_its_owners(tmp_path: Path) -> None:
    secret, link = tmp_path / "secret", tmp_path / "a.mp4"
    secret.write_text("a key")
    link.symlink_to(secret)
    alice = Caller(name="alice", local=False)
    async with kept(tmp_path) as studio:
        await a_task(studio, "v1", caller="alice", file=str(link))
        await a_task(studio, "v2", caller="bob", file=str(secret))
        await a_task(studio, "v3", caller="alice")
        async with page_of(studio, alice) as call:
            answers = {
                (it, part): await call("read_media", task_id=it, part=part)
                for it in ("v1", "v2", "nope", "v3", "../secret")
                for part in ("clip", "poster")
            }
    assert all("error" in answer for answer in answers.values())
    assert {answers[it, "clip"]["error"]["code"] for it in ("v2", "nope", "../secret")} == {
        "task_not_found"
    }
    assert "has no file yet" in answers["v3", "clip"]["message"]
    assert "a key" not in str(answers)
