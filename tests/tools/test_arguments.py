"""What clients and models send, and what the studio is asked for it."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest

pytestmark = pytest.mark.anyio


async def test_a_prompt_alone_is_a_request_with_the_defaults(ask, studio) -> None:
    await ask("generate_video", {"prompt": "a cat"})
    asked = studio.last("generate")
    request, terms = asked["request"], asked["terms"]
    assert (request.prompt, request.model, request.duration, request.resolution) == (
        "a cat",
        "",
        None,
        None,
    )
    assert (request.prompt_optimizer, request.fast_pretreatment, request.watermark) == (
        None,
        None,
        None,
    )
    assert (terms.take, terms.request_key, terms.max_cost, terms.confirm) == (1, "", None, "")
    assert not terms.approved
    assert asked["wait_seconds"] == 0


async def test_everything_that_is_said_arrives(ask, studio) -> None:
    await ask(
        "generate_video",
        {
            "prompt": "a cat",
            "model": "minimax hailuo-02",
            "first_frame_image": "a.png",
            "last_frame_image": "b.png",
            "subject_image": "c.png",
            "duration": 10,
            "resolution": "768p",
            "prompt_optimizer": False,
            "fast_pretreatment": True,
            "watermark": True,
            "take": 3,
            "request_key": "shot 7",
            "max_cost": 2.1,
            "confirm": "ab12",
        },
    )
    asked = studio.last("generate")
    request, terms = asked["request"], asked["terms"]
    assert request.first_frame_image == "a.png"
    assert request.last_frame_image == "b.png"
    assert request.subject_image == "c.png"
    assert (request.duration, request.resolution) == (10, "768p")
    assert (request.prompt_optimizer, request.fast_pretreatment, request.watermark) == (
        False,
        True,
        True,
    )
    assert (terms.take, terms.request_key, terms.confirm) == (3, "shot 7", "ab12")
    assert terms.max_cost == Decimal("2.1")


@pytest.mark.parametrize("blank", [None, "", [], 0, "null"])
async def test_blanks_mean_not_given(ask, studio, blank) -> None:
    result = await ask(
        "generate_video",
        {
            "prompt": "a cat",
            "model": blank,
            "duration": blank,
            "resolution": blank,
            "take": blank,
            "max_cost": blank,
            "request_key": blank,
            "confirm": blank,
            "first_frame_image": blank,
        },
    )
    assert not result.is_error
    asked = studio.last("generate")
    assert (asked["request"].duration, asked["request"].model, asked["terms"].take) == (None, "", 1)
    assert asked["terms"].max_cost is None


async def test_booleans_mean_what_they_say(ask, studio) -> None:
    await ask("generate_video", {"prompt": "a", "prompt_optimizer": False, "watermark": "true"})
    request = studio.last("generate")["request"]
    assert (request.prompt_optimizer, request.watermark) == (False, True)
    await ask("generate_video", {"prompt": "a", "prompt_optimizer": 0, "watermark": None})
    request = studio.last("generate")["request"]
    assert (request.prompt_optimizer, request.watermark) == (False, None)


async def test_the_smallest_ceiling_is_one_that_can_be_said(ask, studio) -> None:
    await ask("generate_video", {"prompt": "a", "max_cost": 1e-320})
    assert studio.last("generate")["terms"].max_cost == Decimal("0.000001")


async def test_wait_seconds_of_zero_answers_at_once(ask, studio) -> None:
    await ask("query_task", {"task_id": "x", "wait_seconds": 0})
    assert studio.last("query")["wait_seconds"] == 0
    await ask("query_task", {"task_id": "x", "wait_seconds": None})
    assert studio.last("query")["wait_seconds"] > 0


async def test_numbers_may_come_as_text(ask, studio) -> None:
    await ask("generate_video", {"prompt": "a", "duration": "10", "max_cost": "0.1", "take": "2"})
    asked = studio.last("generate")
    assert (asked["request"].duration, asked["terms"].take) == (10, 2)
    assert asked["terms"].max_cost == Decimal("0.1")


@pytest.mark.parametrize("size", [768, "768", "768P"])
async def test_a_resolution_may_come_as_a_number(ask, studio, size) -> None:
    await ask("generate_video", {"prompt": "a", "resolution": size})
    assert studio.last("generate")["request"].resolution == str(size)
    answer = (await ask("estimate_cost", {"resolution": size})).structured_content
    assert answer["resolution"] == "768P"


@pytest.mark.parametrize("size", [True, 768.5, ["768P"]])
async def test_what_is_no_resolution_is_refused_in_plain_words(ask, studio, size) -> None:
    result = await ask("generate_video", {"prompt": "a", "resolution": size})
    assert result.is_error
    assert "resolution: must be text" in result.content[0].text
    assert not studio.calls


@pytest.mark.parametrize("given", ["393865563443417090", 393865563443417090])
async def test_eighteen_digits_survive(ask, studio, given) -> None:
    await ask("query_task", {"task_id": given, "wait_seconds": 0})
    assert studio.last("query")["task_id"] == "393865563443417090"
    await ask("generate_from_template", {"template_id": given, "media_inputs": ["a.png"]})
    assert studio.last("generate")["request"].template_id == "393865563443417090"


async def test_an_id_that_lost_digits_is_refused(ask, studio) -> None:
    result = await ask("query_task", {"task_id": 3.9386556344341709e17})
    assert result.is_error
    assert "write it as text" in result.content[0].text
    assert not studio.calls


async def test_one_text_is_a_list_of_one(ask, studio) -> None:
    await ask(
        "generate_from_template",
        {"template_id": "1" * 18, "text_inputs": "a lion", "media_inputs": '["a.png"]'},
    )
    request = studio.last("generate")["request"]
    assert (request.text_inputs, request.media_inputs) == (("a lion",), ("a.png",))


@pytest.mark.parametrize(
    ("name", "ours"),
    [
        ("subject_reference", "subject_image"),
        ("image_url", "first_frame_image"),
        ("imageUrl", "first_frame_image"),
        ("lastFrameImage", "last_frame_image"),
        ("aspectRatio", "a clip has its first frame's shape"),
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
async def test_another_name_is_refused_with_ours(ask, studio, name, ours) -> None:
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


async def test_an_unknown_argument_that_is_null_is_no_argument(ask) -> None:
    assert not (await ask("generate_video", {"prompt": "a", "callback_url": None})).is_error


async def test_output_directory_of_a_download_is_output_path(ask) -> None:
    told = (
        (await ask("download_video", {"task_id": "x", "output_directory": "/tmp"})).content[0].text
    )
    assert "'output_path'" in told.split("It takes")[0]


async def test_wrong_values_are_named_in_plain_words(ask, studio) -> None:
    result = await ask(
        "generate_video",
        {
            "prompt": ["a"],
            "duration": "six",
            "take": -1,
            "max_cost": "dear",
            "watermark": "perhaps",
        },
    )
    told = result.content[0].text
    assert told.startswith("generate_video was not called.")
    assert told.endswith("Nothing was sent or charged.")
    assert "duration: must be a whole number (got 'six')" in told
    assert "take: must be at least 0 (got -1)" in told
    assert "max_cost: must be a number" in told
    assert "watermark: must be true or false" in told
    assert "prompt: must be text" in told
    assert "pydantic" not in told
    assert not studio.calls


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
async def test_a_number_with_separators_is_no_number(ask, studio, argument, text, told) -> None:
    result = await ask("generate_video", {"prompt": "a", argument: text})
    assert f"{argument}: {told}" in result.content[0].text
    assert not studio.calls


@pytest.mark.parametrize("cost", ["inf", -1, "NaN", "1e400"])
async def test_a_ceiling_is_an_ordinary_number(ask, studio, cost) -> None:
    result = await ask("generate_video", {"prompt": "a", "max_cost": cost})
    assert result.is_error
    assert not studio.calls


@pytest.mark.parametrize("given", [{}, {"task_id": ""}, {"task_id": None}, {"task_id": " "}])
async def test_a_missing_id_is_named(ask, studio, given) -> None:
    result = await ask("query_task", given)
    assert "task_id: is required" in result.content[0].text
    assert not studio.calls


async def test_a_value_of_any_length_is_shown_short(ask) -> None:
    result = await ask("generate_video", {"prompt": "a", "duration": "x" * 100_000})
    assert len(result.content[0].text) < 300


async def test_an_unknown_tool_is_refused_with_the_list(connect) -> None:
    async with connect() as client:
        result = await client.call_tool("make_video", {})
    assert result.is_error
    assert "generate_video" in result.content[0].text


async def test_text_and_structure_say_the_same_and_the_message_comes_first(ask) -> None:
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


async def test_estimate_passes_what_was_asked(ask, studio) -> None:
    result = await ask(
        "estimate_cost",
        {"model": "MiniMax-Hailuo-02", "resolution": "1080P", "count": 20, "plan": "compare"},
    )
    assert result.structured_content["total"] == {"cny": "70", "credits": "40", "usd": "9.8"}
    assert {row["plan"] for row in result.structured_content["compared"]} == {
        "payg",
        "basic",
        "advanced",
        "plus",
        "enterprise",
    }


async def test_an_empty_template_lists_them_and_buys_nothing(ask, studio) -> None:
    for arguments in ({}, {"template_id": ""}, {"template_id": None}):
        result = await ask("generate_from_template", arguments)
        assert not result.is_error
        assert "392753057216684038" in result.structured_content["message"]
        assert "1 image" in result.structured_content["message"]
    assert not studio.calls


@pytest.mark.parametrize("name", ["Divng", "totally unknown"])
async def test_an_unknown_template_is_refused_with_the_list(ask, studio, name) -> None:
    result = await ask("generate_from_template", {"template_id": name})
    assert result.is_error
    assert name in result.content[0].text
    assert '"392753057216684038" 跳水 Diving: 1 image' in result.content[0].text
    assert not studio.calls


async def test_a_known_name_and_an_unknown_number_go_on(ask, studio) -> None:
    for name in ("跳水", "diving", "123456789012345678"):
        await ask("generate_from_template", {"template_id": name, "media_inputs": ["a.png"]})
        assert studio.last("generate")["request"].template_id == name


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
async def test_what_no_record_can_hold_is_refused_free(ask, studio, argument, value, told) -> None:
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
async def test_an_unpaired_surrogate_is_not_an_id(ask, studio, tool) -> None:
    result = await ask(tool, {"task_id": "\ud800"})
    assert result.is_error
    assert "task_id: contains an unpaired surrogate" in result.content[0].text
    assert not studio.calls
