"""Reference clips and sounds in: from where they are taken, and what is refused."""

from __future__ import annotations

import base64
import hashlib
import sys
from dataclasses import replace
from pathlib import Path

import pytest

pytest.importorskip("av")

from media.references import encoded, mp3, mp4, wav

from hailuo_mcp.catalog.video_models import References, limits
from hailuo_mcp.domain.remote import Api
from hailuo_mcp.errors import ConfigError, InvalidRequestError
from hailuo_mcp.files.folders import Folders
from hailuo_mcp.files.references import (
    OpenedClip,
    OpenedSound,
    open_reference_clip,
    open_reference_sound,
)
from hailuo_mcp.files.sources import Kind
from hailuo_mcp.wording.person import error_text

pytestmark = pytest.mark.anyio
URL = "https://cdn.example/it"


def references() -> References:
    found = limits(Api.V2).references
    assert found
    return found


def inline(data: bytes, mime: str) -> str:
    return f"data:{mime};base64,{base64.b64encode(data).decode()}"


async def no_fetch(url: str, _: Kind) -> bytes:
    raise AssertionError(f"fetched {url}")


async def no_clip(task_id: str, _: int) -> bytes:
    raise AssertionError(task_id)


async def clip(
    source: str, folders: Folders | None = None, rules: References | None = None
) -> OpenedClip:
    rules = rules or references()
    return await open_reference_clip(source, rules, folders=folders, fetch=no_fetch, saved=no_clip)


async def sound(source: str, folders: Folders | None = None) -> OpenedSound:
    return await open_reference_sound(source, references(), folders=folders, fetch=no_fetch)


@pytest.fixture
def folders(tmp_path: Path) -> Folders:
    (tmp_path / "home").mkdir()
    return Folders(output_dir=tmp_path / "home", home=tmp_path / "home")


async def test_the_same_bytes_are_the_same_clip_whatever_their_source(folders: Folders) -> None:
    data = mp4()
    (folders.output_dir / "photo.png").write_bytes(data)
    asked = list[tuple[str, int, float]]()

    async def fetch(url: str, kind: Kind) -> bytes:
        asked.append((url, kind.most_bytes, kind.fetch_seconds))
        return data

    async def saved(task_id: str, most: int) -> bytes:
        assert (task_id, most) == ("v1", 50_000_000)
        return data

    rules = references()
    linked = await open_reference_clip(URL, rules, folders=None, fetch=fetch)
    made = await open_reference_clip(" task:v1", rules, folders=None, fetch=no_fetch, saved=saved)
    others = [await clip("photo.png", folders), await clip(inline(data, "image/gif")), made]
    assert {one.facts for one in others} == {linked.facts}
    assert linked.facts.sha256 == hashlib.sha256(data).hexdigest()
    assert {one.wire for one in others} == {inline(data, "video/mp4")}
    assert {one.data for one in others} == {data}
    assert made.origin == "task:v1"
    # The provider fetches it itself, so it is not kept here.
    assert (linked.wire, linked.data) == (URL, b"")
    assert asked == [(URL, 50_000_000, 20.0)]


@pytest.mark.parametrize("said", ["audio/mpeg", "audio/x-wav", "audio/mp3", "text/html", ""])
async def test_a_sound_is_named_by_its_bytes(said: str) -> None:
    for data, mime in ((wav(), "audio/wav"), (mp3(), "audio/mp3")):
        assert (await sound(inline(data, said))).wire == inline(data, mime)


async def test_a_quicktime_clip_is_sent_as_one() -> None:
    data = encoded("mov", "libx264")
    assert (await clip(inline(data, "video/mp4"))).wire == inline(data, "video/quicktime")


REFUSED = [
    ("", "the clip's path or address is empty"),
    ("http://cdn.example/a.mp4", "the clip at cdn.example has an http:// address"),
    ("https://cdn.example/a b.mp4", "has spaces or control characters"),
    ("sandbox:/mnt/data/a.mp4", "a sandbox: address cannot be opened here"),
    ("mm_file://1", "a mm_file: address cannot be opened here"),
    ("upload:abc", "'upload:abc' is an uploaded picture, and a clip is needed"),
    ("task:v1#last", "'task:v1#last' is a frame, and a clip is needed"),
    ("task: ", "'task:' names no task"),
    ("data:video/mp4,abc", "write it as data:video/mp4;base64"),
    ("data:video/mp4;base64,AAA*", "the data URL is not valid base64"),
    ("AAAAIGZ0eXBpc29t" + "A" * 200, "or put data:video/mp4;base64, before it"),
    ("gone.mp4", "there is no file 'gone.mp4'"),
    ("/etc/passwd", "is outside the allowed folders"),
    ("text.mp4", "'text.mp4' cannot be used, because it does not start like an MP4"),
    ("text.mp4", "give an MP4 or MOV clip with H.264 or H.265 pictures"),
    ("short.mp4", "'short.mp4' cannot be used, because it is cut off"),
]  # fmt: skip


@pytest.mark.parametrize(("source", "words"), REFUSED)
async def test_what_is_no_clip_is_refused(folders: Folders, source: str, words: str) -> None:
    (folders.output_dir / "text.mp4").write_text("A film about a cat")
    (folders.output_dir / "short.mp4").write_bytes(mp4()[:-100])
    with pytest.raises(InvalidRequestError) as refused:
        await clip(source, folders)
    assert words.lower() in error_text(refused.value).lower()


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("task:v1", "'task:v1' is a clip, and a sound is needed"),
        ("upload:abc", "is an uploaded picture, and a sound is needed"),
        ("data:audio/wav;base64,AAAA", "it is neither WAV nor MP3"),
        ("SUQzBAAAAAAA" + "A" * 200, "put data:audio/mp3;base64, before it"),
    ],
)
async def test_what_is_no_sound_is_refused(folders: Folders, source: str, words: str) -> None:
    with pytest.raises(InvalidRequestError) as refused:
        await sound(source, folders)
    assert words in error_text(refused.value)


async def test_larger_files_are_not_read(folders: Folders) -> None:
    data = mp4()
    (folders.output_dir / "large.mp4").write_bytes(data)
    small = replace(references(), video_bytes=3000)
    for source in ("large.mp4", inline(data, "video/mp4")):
        with pytest.raises(InvalidRequestError) as refused:
            await clip(source, folders, small)
        assert "make the clip smaller" in error_text(refused.value).lower()


@pytest.mark.parametrize("source", ["/etc/passwd", "clip.mp4", "file:///etc/passwd", "~/a.mp4"])
async def test_remote_callers_read_no_path_at_all(source: str) -> None:
    for opening in (clip(source), sound(source)):
        with pytest.raises(InvalidRequestError, match="reads no files for callers on other") as no:
            await opening
        assert error_text(no.value).endswith("Give an https:// address or a data URL.")


async def test_without_pyav_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "av", None)
    for opening in (clip(inline(b"x", "")), sound(inline(wav(), ""))):
        with pytest.raises(ConfigError) as refused:
            await opening
        assert 'pip install "hailuo-mcp[media]"' in error_text(refused.value)
