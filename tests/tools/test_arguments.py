"""What clients and models send, and what the studio is asked for it."""

from __future__ import annotations

import json

import pytest

from .conftest import Ask, Connect
from .fakes import FakeStudio

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize("given", ["393865563443417090", 393865563443417090])
async def test_eighteen_digits_survive(ask: Ask, studio: FakeStudio, given) -> None:
    await ask("query_task", {"task_id": given, "wait_seconds": 0})
    assert studio.last("query")["task_id"] == "393865563443417090"
    await ask("generate_from_template", {"template_id": given, "media_inputs": ["a.png"]})
    assert studio.last("generate")["request"].template_id == "393865563443417090"


@pytest.mark.parametrize(
    ("name", "ours"),
    [
        ("subject_reference", "subject_image"),
        ("image_url", "first_frame_image"),
        ("imageUrl", "first_frame_image"),
        ("lastFrameImage", "last_frame_image"),
        ("aspectRatio", "aspect_ratio"),
        ("ratio", "aspect_ratio"),
        ("reference_image", "reference_images"),
        ("refImages", "reference_images"),
        ("reference_video", "reference_videos"),
        ("video_url", "reference_videos"),
        ("audio", "reference_audios"),
        ("generate_audio", "MiniMax-H3 always have sound"),
        ("base_video", "upgrade_video"),
        ("content", "have arguments of their own"),
        ("aigc_watermark", "watermark"),
        ("enable_prompt_expansion", "prompt_optimizer"),
        ("first_frame", "first_frame_image"),
        ("last_frame", "last_frame_image"),
        ("image", "first_frame_image"),
        ("text", "prompt"),
        ("seconds", "duration"),
        ("promt", "prompt"),
        ("Resolution", "resolution"),
        ("output_directory", "download_video"),
    ],
)
async def test_another_name_is_refused_with_ours(ask: Ask, studio: FakeStudio, name, ours) -> None:
    result = await ask("generate_video", {"prompt": "a", name: "x"})
    told = result.content[0].text
    assert result.is_error
    assert repr(name) in told
    assert ours in told.split("It takes")[0]
    assert "Nothing was sent or charged." in told
    assert result.structured_content == {
        "message": result.content[0].text,
        "error": {"code": "invalid_request", "charged": "no", "retry": False},
    }
    assert not studio.calls


async def test_an_unknown_argument_that_is_null_is_no_argument(ask: Ask) -> None:
    assert not (await ask("generate_video", {"prompt": "a", "callback_url": None})).is_error


@pytest.mark.parametrize(
    ("argument", "text", "told"),
    [
        ("max_cost", "1_000", "must be a number (got '1_000')"),
        ("max_cost", "１０", "must be a number"),
        ("wait_seconds", "1_0", "must be a number"),
        ("duration", "1_0", "must be a whole number (got '1_0')"),
        ("take", "1_0", "must be a whole number"),
    ],
)
async def test_a_number_with_separators_is_no_number(
    ask: Ask, studio: FakeStudio, argument, text, told
) -> None:
    result = await ask("generate_video", {"prompt": "a", argument: text})
    assert f"{argument}: {told}" in result.content[0].text
    assert not studio.calls


async def test_an_unknown_tool_is_refused_with_the_list(connect: Connect) -> None:
    async with connect() as client:
        result = await client.call_tool("make_video", {})
    assert result.is_error
    assert "generate_video" in result.content[0].text


async def test_text_and_structure_say_the_same_and_the_message_comes_first(ask: Ask) -> None:
    for name, arguments in (
        ("generate_video", {"prompt": "a"}),
        ("query_task", {"task_id": "x"}),
        ("list_tasks", {}),
        ("download_video", {"task_id": "x"}),
        ("estimate_cost", {}),
        ("cancel_task", {"task_id": "x"}),
        ("generate_from_template", {"template_id": ""}),
    ):
        result = await ask(name, arguments)
        assert json.loads(result.content[0].text) == result.structured_content
        assert next(iter(result.structured_content)) == "message"
        assert result.content[0].text.startswith('{"message":')


@pytest.mark.parametrize(
    ("argument", "value", "told"),
    [
        ("take", 2**63, "take: must be at most 1000000"),
        ("take", 10**30, "take: must be at most 1000000"),
        ("request_key", "k" * 201, "request_key: must be at most 200 characters"),
        ("request_key", 10**200, "request_key: must be at most 200 characters"),
        ("request_key", "\ud800", "request_key: contains an unpaired surrogate"),
        ("confirm", "\ud800", "confirm: contains an unpaired surrogate"),
    ],
)
async def test_what_no_record_can_hold_is_refused_free(
    ask: Ask, studio: FakeStudio, argument, value, told
) -> None:
    for tool, plain in (
        ("generate_video", {"prompt": "a"}),
        ("generate_from_template", {"template_id": "1" * 18}),
    ):
        result = await ask(tool, {**plain, argument: value})
        assert result.is_error
        assert told in result.content[0].text
        assert "Nothing was sent or charged." in result.content[0].text
    assert not studio.calls


@pytest.mark.parametrize("tool", ["query_task", "cancel_task", "download_video"])
async def test_an_unpaired_surrogate_is_not_an_id(ask: Ask, studio: FakeStudio, tool) -> None:
    result = await ask(tool, {"task_id": "\ud800"})
    assert result.is_error
    assert "task_id: contains an unpaired surrogate" in result.content[0].text
    assert not studio.calls
