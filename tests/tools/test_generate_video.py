"""generate_video: what is asked for, and what is refused."""

from __future__ import annotations

import logging
from decimal import Decimal

import pytest

from hailuo_mcp.domain.requests import Mode
from hailuo_mcp.errors import (
    InvalidRequestError,
)

from .conftest import Ask, Connect
from .fakes import ID, FakeStudio

pytestmark = pytest.mark.anyio


async def test_a_prompt_alone_is_a_request_with_the_defaults(ask: Ask, studio: FakeStudio) -> None:
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


async def test_everything_that_is_said_arrives(ask: Ask, studio: FakeStudio) -> None:
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
            "image_fit": "crop",
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
    assert request.image_fit == "crop"
    assert (request.prompt_optimizer, request.fast_pretreatment, request.watermark) == (
        False,
        True,
        True,
    )
    assert (terms.take, terms.request_key, terms.confirm) == (3, "shot 7", "ab12")
    assert terms.max_cost == Decimal("2.1")


async def test_references_and_a_shape_arrive_and_one_text_is_a_list_of_one(
    ask: Ask, studio: FakeStudio
) -> None:
    await ask(
        "generate_video",
        {
            "prompt": "a cat",
            "reference_images": ["a.png", " ", "b.png"],
            "reference_videos": "task:v1",
            "reference_audios": '["voice.mp3"]',
            "aspect_ratio": "9:16",
        },
    )
    request = studio.last("generate")["request"]
    assert request.reference_images == ("a.png", "b.png")
    assert request.reference_videos == ("task:v1",)
    assert request.reference_audios == ("voice.mp3",)
    assert request.aspect_ratio == "9:16"
    assert request.mode is Mode.R2V


@pytest.mark.parametrize("blank", [None, "", [], [""], "null"])
async def test_blank_references_are_none(ask: Ask, studio: FakeStudio, blank) -> None:
    asked = {"prompt": "a", "reference_images": blank, "reference_audios": blank}
    assert not (await ask("generate_video", asked)).is_error
    assert studio.last("generate")["request"].mode is Mode.T2V


@pytest.mark.parametrize("blank", [None, "", [], 0, "null"])
async def test_blanks_mean_not_given(ask: Ask, studio: FakeStudio, blank) -> None:
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


async def test_booleans_mean_what_they_say(ask: Ask, studio: FakeStudio) -> None:
    await ask("generate_video", {"prompt": "a", "prompt_optimizer": False, "watermark": "true"})
    request = studio.last("generate")["request"]
    assert (request.prompt_optimizer, request.watermark) == (False, True)
    await ask("generate_video", {"prompt": "a", "prompt_optimizer": 0, "watermark": None})
    request = studio.last("generate")["request"]
    assert (request.prompt_optimizer, request.watermark) == (False, None)


async def test_the_smallest_ceiling_is_one_that_can_be_said(ask: Ask, studio: FakeStudio) -> None:
    await ask("generate_video", {"prompt": "a", "max_cost": 1e-320})
    assert studio.last("generate")["terms"].max_cost == Decimal("0.000001")


async def test_numbers_may_come_as_text(ask: Ask, studio: FakeStudio) -> None:
    await ask("generate_video", {"prompt": "a", "duration": "10", "max_cost": "0.1", "take": "2"})
    asked = studio.last("generate")
    assert (asked["request"].duration, asked["terms"].take) == (10, 2)
    assert asked["terms"].max_cost == Decimal("0.1")


@pytest.mark.parametrize("size", [True, 768.5, ["768P"]])
async def test_what_is_no_resolution_is_refused_in_plain_words(
    ask: Ask, studio: FakeStudio, size
) -> None:
    result = await ask("generate_video", {"prompt": "a", "resolution": size})
    assert result.is_error
    assert "resolution: must be text" in result.content[0].text
    assert not studio.calls


async def test_wrong_values_are_named_in_plain_words(ask: Ask, studio: FakeStudio) -> None:
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


@pytest.mark.parametrize("cost", ["inf", -1, "NaN", "1e400"])
async def test_a_ceiling_is_an_ordinary_number(ask: Ask, studio: FakeStudio, cost) -> None:
    result = await ask("generate_video", {"prompt": "a", "max_cost": cost})
    assert result.is_error
    assert not studio.calls


async def test_a_value_of_any_length_is_shown_short(ask: Ask) -> None:
    result = await ask("generate_video", {"prompt": "a", "duration": "x" * 100_000})
    assert len(result.content[0].text) < 300


async def test_a_missing_picture_is_asked_of_the_person_because_attachments_do_not_arrive(
    ask: Ask, studio: FakeStudio
) -> None:
    studio.error = InvalidRequestError("There is no file 'cat.png'.")
    plain = (await ask("generate_video", {"prompt": "a"})).content[0].text
    studio.error.no_such_file = True
    told = (await ask("generate_video", {"prompt": "a"})).content[0].text
    assert plain == "There is no file 'cat.png'. Nothing was sent or charged."
    assert told.startswith(plain)
    assert "attached to the chat does not reach this server: ask the person for" in told


async def test_a_purchase_tells_what_the_first_poll_need_not_repeat(connect: Connect) -> None:
    async with connect() as client:
        bought = await client.call_tool("generate_video", {"prompt": "a cat"})
        assert bought.structured_content["model"]
        again = await client.call_tool("query_task", {"task_id": ID})
        assert "model" not in again.structured_content
        same = await client.call_tool("generate_video", {"prompt": "a cat"})
        assert same.structured_content["model"]


async def test_a_fault_of_ours_says_to_look_before_buying_again(
    ask: Ask, studio: FakeStudio, caplog
) -> None:
    studio.error = KeyError("sk-secret-7")
    result = await ask("generate_video", {"prompt": "a"})
    assert result.is_error
    assert "Call list_tasks before you try again" in result.content[0].text
    assert "secret" not in result.content[0].text
    assert result.structured_content["error"] == {
        "code": "internal",
        "charged": "maybe",
        "retry": False,
    }
    assert any(record.levelno == logging.ERROR and record.exc_info for record in caplog.records)
