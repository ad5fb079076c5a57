"""preview_video: a picture and a line, and nothing that makes a client drop the picture."""

from __future__ import annotations

from base64 import b64decode
from dataclasses import replace
from typing import Any

import pytest
from mcp.types import CallToolResult, ImageContent, TextContent

from hailuo_mcp.media.watching import Stretch
from hailuo_mcp.wording.preview import preview_text

from .conftest import Connect
from .fakes import ID, FakeStudio, a_preview

pytestmark = pytest.mark.anyio


async def look(connect: Connect, **arguments: Any) -> CallToolResult:
    async with connect() as client:
        return await client.call_tool("preview_video", {"task_id": ID, **arguments})


async def test_the_answer_is_a_picture_and_a_line_without_structure(connect: Connect) -> None:
    result = await look(connect)
    picture, line = result.content
    assert isinstance(picture, ImageContent)
    assert isinstance(line, TextContent)
    assert picture.mime_type == "image/jpeg"
    assert b64decode(picture.data).startswith(b"\xff\xd8\xff")
    assert line.text == f"{ID} 1366×768, 5.9 s, 24 fps, with sound. Nothing looks wrong."
    assert result.structured_content is None
    async with connect() as client:
        tool = next(it for it in (await client.list_tools()).tools if it.name == "preview_video")
    assert tool.output_schema is None


async def test_moment_zero_is_a_moment(connect: Connect, studio: FakeStudio) -> None:
    await look(connect, at_seconds=0)
    assert studio.last("preview")["at_seconds"] == 0
    await look(connect, at_seconds=None, frames=0, compare_with="")
    asked = studio.last("preview")
    assert (asked["at_seconds"], asked["frames"], asked["compare_with"]) == (-1, 0, [])
    await look(connect, frames=6)
    assert studio.last("preview")["frames"] == 6


async def test_ids_may_be_numbers_or_a_single_text(connect: Connect, studio: FakeStudio) -> None:
    await look(connect, compare_with=[271836792037739])
    assert studio.last("preview")["compare_with"] == ["271836792037739"]
    await look(connect, compare_with="v2")
    assert studio.last("preview")["compare_with"] == ["v2"]


async def test_more_frames_than_a_sheet_holds_are_refused_with_the_limit(connect: Connect) -> None:
    result = await look(connect, frames=17)
    assert result.is_error
    assert "frames: must be at most 16 (got 17)" in result.content[0].text


async def test_a_comparison_has_a_line_for_each_row(connect: Connect) -> None:
    text = (await look(connect, compare_with=["v2", "v3"])).content[1].text
    first, second, third = text.splitlines()
    assert first.startswith(f"A {ID} 1366×768")
    assert second.startswith("B v2 1366×768")
    assert third.startswith("C v3 1366×768")


async def test_a_moment_past_the_end_is_said(connect: Connect) -> None:
    text = (await look(connect, at_seconds=9)).content[1].text
    assert "9 s is past its end: the last frame is shown." in text
    many = preview_text(replace(a_preview(ID, at=2), asked_frames=4))
    assert many.endswith("Of one moment there is one frame only.")


def test_what_looks_wrong_is_named() -> None:
    found = a_preview(
        ID,
        sound=False,
        silent_track=True,
        variable_fps=True,
        fps=23.976,
        truncated=True,
        wrong_size=True,
        wrong_length=True,
        black=(Stretch(start=2, end=3.1),),
        frozen=(Stretch(start=0, end=1), Stretch(start=4, end=5)),
        cuts=(4.0, 4.5),
        flickers=(Stretch(start=1, end=2),),
        first_likeness=0.97,
        last_likeness=0.31,
    )
    assert preview_text(found) == (
        f"{ID} 1366×768, 5.9 s, 23.98 fps on average, silent (its sound track is silence): "
        "cut short or damaged; 1366×768 was asked for; 6 s were asked for; "
        "black from 2.0 to 3.1 s; frozen from 0.0 to 1.0 and 4.0 to 5.0 s; "
        "hard cuts at 4.0 and 4.5 s; flickers from 1.0 to 2.0 s; "
        "its frame rate varies; last frame does not match the given last frame (31% alike); "
        "first frame matches the given picture (97% alike)."
    )


def test_sandbox_clips_open_with_what_they_are() -> None:
    told = preview_text(a_preview(ID, provider="sandbox", first_likeness=0.8))
    assert told.startswith("SANDBOX: imitation, not a real generation. v1m7")
    assert told.endswith("Nothing looks wrong; first frame matches the given picture (80% alike).")
