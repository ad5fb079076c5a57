"""generate_storyboard: what it takes, when it spends, what it answers."""

from __future__ import annotations

import anyio
import pytest
from mcp.types import ElicitResult
from tokens import tokens
from until import until

from hailuo_mcp.domain.film import Continuity, Transition
from hailuo_mcp.errors import InvalidRequestError
from hailuo_mcp.views import SavedFilm
from hailuo_mcp.wording.films import facts, saved_film, still, storyboard

from .conftest import Ask
from .fakes import FakeStudio, a_view
from .film_fakes import (
    FILM_ID,
    PROMPTS,
    a_film_view,
    a_joined_film,
    a_planned_film,
    shot_id,
    waiting_view,
)

SHOTS = {"shots": list(PROMPTS)}


def names(studio: FakeStudio) -> list[str]:
    return [name for name, _ in studio.calls]


@pytest.mark.anyio
async def test_a_dry_run_is_the_default_and_asks_nobody(ask: Ask, studio: FakeStudio) -> None:
    studio.question = "Make this film for 10 CNY?"
    result = await ask("generate_storyboard", SHOTS, elicitation_callback=_yes)
    assert names(studio) == ["plan_film"]
    wanted = studio.last("plan_film")["wanted"]
    assert wanted.shots == PROMPTS
    assert (wanted.continuity, wanted.transition) == (Continuity.NONE, Transition.CUT)
    assert (wanted.film_id, wanted.redo, wanted.resolution) == ("", (), None)
    assert result.structured_content["status"] == "planned"
    assert result.structured_content["film_id"] == FILM_ID


async def _yes(_context, _params) -> ElicitResult:
    return ElicitResult(action="accept", content={"buy": True})


@pytest.mark.anyio
async def test_making_asks_the_person_once_and_passes_the_answer_on(
    ask: Ask, studio: FakeStudio
) -> None:
    studio.question = "Make this film of 5 shots for 10 CNY?"
    asked = []

    async def yes(_context, params) -> ElicitResult:
        asked.append(params.message)
        return await _yes(_context, params)

    await ask(
        "generate_storyboard",
        {"film_id": FILM_ID, "dry_run": False, "max_cost": 12.5},
        elicitation_callback=yes,
    )
    assert asked == [studio.question]
    made = studio.last("make_film")
    assert made["terms"].approved
    assert str(made["terms"].max_cost) == "12.5"
    assert made["wanted"].film_id == FILM_ID
    assert names(studio).count("make_film") == 1


@pytest.mark.anyio
async def test_a_no_makes_nothing(ask: Ask, studio: FakeStudio) -> None:
    studio.question = "Make this film?"

    async def no(_context, _params) -> ElicitResult:
        return ElicitResult(action="decline")

    result = await ask("generate_storyboard", SHOTS | {"dry_run": False}, elicitation_callback=no)
    assert result.is_error
    assert "Nothing was sent or charged." in result.content[0].text
    assert "make_film" not in names(studio)


@pytest.mark.anyio
async def test_lists_and_words_are_read_as_people_write_them(ask: Ask, studio: FakeStudio) -> None:
    await ask(
        "generate_storyboard",
        {
            "shots": "a cat",
            "durations": 6,
            "images": [""],
            "continuity": "Last frame",
            "transition": "FADE",
            "redo": ["2", 3],
            "resolution": 768,
            "film_id": None,
            "confirm": "",
        },
    )
    wanted = studio.last("plan_film")["wanted"]
    assert (wanted.shots, wanted.durations, wanted.images) == (("a cat",), (6,), ("",))
    assert (wanted.continuity, wanted.transition) == (Continuity.LAST_FRAME, Transition.FADE)
    assert (wanted.redo, wanted.resolution) == ((2, 3), "768")


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ({"continuity": "chained"}, "continuity: must be 'none' or 'last_frame' (got"),
        ({"transition": "wipe"}, "transition: must be 'cut' or 'fade' (got"),
        ({"durations": ["1_0"]}, "durations: must be a whole number"),
        ({"durations": [6.5]}, "durations.0: must be a whole number"),
        ({"redo": "two"}, "redo: must be a whole number"),
        ({"prompt": "a cat"}, "It has no argument 'prompt' (here it is called 'shots')"),
        ({"duration": 6}, "'duration' (here it is called 'durations')"),
    ],
)
async def test_what_cannot_be_read_is_refused_in_plain_words(
    ask: Ask, studio: FakeStudio, arguments, told
) -> None:
    result = await ask("generate_storyboard", arguments)
    assert result.is_error
    assert told in result.content[0].text
    assert names(studio) == []


@pytest.mark.anyio
async def test_a_refusal_is_the_studios(ask: Ask, studio: FakeStudio) -> None:
    studio.error = InvalidRequestError("Shots to make again are named without their film.")
    result = await ask("generate_storyboard", {"redo": [3]})
    assert result.is_error
    assert result.content[0].text.startswith("Shots to make again are named without their film.")


@pytest.mark.anyio
async def test_a_client_that_leaves_does_not_stop_the_film(connect, studio: FakeStudio) -> None:
    studio.hold = anyio.Event()
    async with connect() as client, anyio.create_task_group() as calls:
        ask = {"film_id": FILM_ID, "dry_run": False}
        calls.start_soon(client.call_tool, "generate_storyboard", ask)
        await until(lambda: "make_film" in names(studio))
        calls.cancel_scope.cancel()
    assert names(studio)[-1] == "make_film"


def test_a_plan_has_a_row_with_price_and_checked_request_for_each_shot() -> None:
    answer = storyboard(a_planned_film(spending=None))
    assert answer["cost"] == {"amount": "10", "unit": "CNY", "charged": "no"}
    assert answer["shots"][1] == {
        "shot": 2,
        "status": "planned",
        "prompt": PROMPTS[1],
        "cost": "2 CNY",
        "mode": "i2v",
        "model": "MiniMax-Hailuo-2.3",
        "duration": 6,
        "resolution": "768P",
    }
    assert not {"file", "seconds", "width", "reused", "url"} & answer.keys()


def test_a_redo_is_planned_at_its_own_price_beside_the_film_as_it_is() -> None:
    answer = storyboard(a_planned_film(redo=(3, 4, 5)))
    assert (answer["status"], answer["cost"]["amount"]) == ("planned", "6")
    assert [row["status"] for row in answer["shots"]] == ["succeeded"] * 2 + ["planned"] * 3
    assert answer["file"].endswith(".mp4")


def test_a_film_under_way_has_the_tasks_of_its_shots() -> None:
    view = a_film_view({3: a_view(), 4: waiting_view(), 5: waiting_view()})
    answer = storyboard(view)
    assert (answer["status"], answer["cost"]["charged"]) == ("pending", "yes")
    assert "; 4 of 10 CNY charged so far, 6 reserved." in answer["message"]
    assert answer["next_check_seconds"] == 60
    row = answer["shots"][0]
    assert (row["task_id"], row["cost"]) == (shot_id(1), "2 CNY")
    assert row["file"].endswith(f"{shot_id(1)}.mp4")
    assert "model" not in row
    assert "2 of 5 shots saved" in answer["message"]


def test_a_joined_film_has_its_file_and_facts() -> None:
    answer = storyboard(a_joined_film())
    assert (answer["status"], answer["seconds"], answer["width"]) == ("succeeded", 30.0, 1366)
    assert answer["cost"] == {"amount": "10", "unit": "CNY", "charged": "yes"}


def test_a_poll_that_finds_nothing_new_is_short_and_one_with_news_is_not() -> None:
    view = a_film_view({3: a_view(), 4: waiting_view(), 5: waiting_view()})
    short = still(view)
    assert "shots" not in short
    assert tokens(short) <= 70
    assert facts(view) != facts(a_film_view({4: a_view(), 5: waiting_view()}))
    assert "shots" in still(a_joined_film())


def test_an_answer_about_five_shots_is_within_500_tokens() -> None:
    for view in (a_planned_film(asks=True), a_joined_film(reused=True)):
        assert tokens(storyboard(view)) <= 500


def test_a_download_of_a_film_names_its_file_or_how_it_stands() -> None:
    done = saved_film(SavedFilm(view=a_joined_film(), status="saved", file="/tmp/film.mp4"))
    assert (done["film_id"], done["file"], done["seconds"]) == (FILM_ID, "/tmp/film.mp4", 30.0)
    not_yet = saved_film(SavedFilm(view=a_film_view({5: a_view()}), status="not_ready"))
    assert not {"file", "bytes", "seconds"} & not_yet.keys()
