"""Films: checked shot by shot, planned free, bought whole or not at all, and never twice."""

import json
import re
from collections.abc import AsyncIterator
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from hailuo_mcp.domain.film import Continuity, FilmRequest, Transition
from hailuo_mcp.domain.requests import Mode, VideoRequest
from hailuo_mcp.domain.task import Money, Status
from hailuo_mcp.errors import (
    BudgetExceededError,
    ConsentRequiredError,
    Do,
    HailuoError,
    InvalidRequestError,
    TaskNotFoundError,
)
from hailuo_mcp.journal.facts import PLAN_SECONDS
from hailuo_mcp.views import FilmView, Terms

pytestmark = pytest.mark.anyio
NONE, CHAINED = Continuity.NONE, Continuity.LAST_FRAME
BOAT = ("a paper boat is folded", "the boat drifts", "the boat reaches the sea")
FILM = FilmRequest(shots=BOAT, continuity=CHAINED)


class Clock:
    def __init__(self) -> None:
        self.now = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def studio(scripted: Any, clock: Clock) -> AsyncIterator[Any]:
    """Nothing is sent: this is about what is recorded."""
    async with scripted(clock=clock, works=False) as opened:
        yield opened


def _picture(folder: Path, name: str = "cat.png", size: tuple[int, int] = (640, 400)) -> str:
    Image.new("RGB", size, "teal").save(folder / name)
    return str(folder / name)


def _rows(view: FilmView, *names: str) -> list[tuple[Any, ...]]:
    return [tuple(getattr(shot.plan, name) for name in names) for shot in view.shots]


async def _tasks(studio: Any, view: FilmView) -> list[Any]:
    return list(await studio.store.film_tasks(view.film.film_id))


async def _end(studio: Any, view: FilmView, **by_shot: Status) -> None:
    """Every shot ends as saved, or as a test says: shot2=Status.FAILED."""
    for task in await _tasks(studio, view):
        status = by_shot.get(f"shot{task.shot}", Status.SUCCEEDED)
        saved = {"file": f"/clips/{task.task_id}.mp4"} if status is Status.SUCCEEDED else {}
        values = {"status": status, "due_at": 0.0, **saved}
        await studio.store.change(task.task_id, values, now=studio.clock())
    values = {"due_at": 0.0, "file": "/clips/film.mp4"}
    await studio.store.change_film(view.film.film_id, values, now=studio.clock())


async def _made(studio: Any, wanted: FilmRequest = FILM, **ends: Status) -> FilmView:
    view: FilmView = await studio.make_film(wanted, Terms())
    await _end(studio, view, **ends)
    return view


async def test_a_plan_has_each_shots_request_and_price_and_buys_nothing(
    studio: Any, provider: Any, tmp_path: Path
) -> None:
    wanted = replace(FILM, durations=(6, 10, 6), images=("", "", _picture(tmp_path)))
    view = await studio.plan_film(wanted, Terms())
    assert (view.planned, view.status, view.reused) == (True, None, False)
    assert _rows(view, "mode", "duration", "amount", "continues") == [
        (Mode.T2V, 6, Decimal(2), False),
        (Mode.I2V, 10, Decimal(4), True),
        (Mode.I2V, 6, Decimal(2), False),
    ]
    assert {shot.plan.model for shot in view.shots} == {"MiniMax-Hailuo-2.3"}
    assert (view.amount, view.film.unit) == (8, "CNY")
    own = [json.loads(shot.plan.request).get("first_frame_image") for shot in view.shots]
    assert own[:2] == [None, None]
    assert await studio.pictures.kept(own[2]["sha256"])
    assert (provider.creates, (await studio.tasks()).rows) == ([], ())
    assert (await studio.spending()).reserved == 0


async def test_an_empty_model_is_chosen_for_a_picture_that_does_not_exist_yet(studio: Any) -> None:
    """512P is made from a first frame only, by another model than text."""
    with pytest.raises(InvalidRequestError, match="Shot 1 cannot be made"):
        await studio.plan_film(replace(FILM, resolution="512P"), Terms())
    fast = replace(FILM, model="MiniMax-Hailuo-2.3-Fast")
    with pytest.raises(InvalidRequestError, match=r"Shot 1 cannot be made: .*from a first frame"):
        await studio.plan_film(fast, Terms())


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"shots": ()}, "1 to 50 shots, not 0"),
        ({"shots": BOAT * 17}, "1 to 50 shots, not 51"),
        ({"durations": (6, 6)}, "3 shots and 2 lengths"),
        ({"images": ("a.png",)}, "3 shots and 1 picture are"),
        ({"redo": (1,)}, "named by its id"),
        ({"durations": (7,)}, "Shots 1, 2 and 3 cannot be made: .* not 7 s"),
        ({"model": "Hailuo-2.4"}, "Shots 1, 2 and 3 cannot be made: unknown model Hailuo-2.4"),
        (
            {"shots": ("", "b", " ")},
            "Shot 1 cannot be made: .* Shot 3 cannot be made: it has neither",
        ),
        ({"shots": ("", "b", " "), "continuity": NONE}, "Shots 1 and 3 cannot be made"),
        (
            {"durations": (7, 6, 6), "images": ("", "", "/nowhere.png")},
            r"Shot 1 cannot be made: .*not 7 s\. Shot 3 cannot be made: the first frame: .*nowhere",
        ),
    ],
)
async def test_every_problem_of_every_shot_is_named_at_once(
    studio: Any, values: dict[str, Any], words: str
) -> None:
    for use in (studio.plan_film, studio.make_film):
        with pytest.raises(InvalidRequestError, match=words):
            await use(replace(FILM, **values), Terms())
    assert not await studio.store.newest_films()


async def test_a_shot_alone_is_refused_with_the_nearest_that_can_be_made(studio: Any) -> None:
    with pytest.raises(InvalidRequestError) as caught:
        await studio.plan_film(replace(FILM, durations=(6, 7, 6)), Terms())
    nearest = [step.about for step in caught.value.then if step.do is Do.NEAREST]
    assert len(nearest) == 1
    assert nearest[0].startswith("for shot 2, model MiniMax-Hailuo-2.3, 768P, 6 s")


async def test_shots_of_different_shapes_are_noted(studio: Any, tmp_path: Path) -> None:
    square = _picture(tmp_path, size=(500, 500))
    for images, told in ((("", square, ""), True), ((square, "", ""), False), ((), False)):
        view = await studio.plan_film(replace(FILM, images=images), Terms())
        assert any("different sizes" in note for note in view.notes) is told


@pytest.mark.parametrize(
    ("continuity", "shots", "rpm", "minutes"),
    [
        (NONE, 3, "", 1),  # side by side
        (CHAINED, 3, "", 3),  # each after the one before
        (NONE, 5, "2", 1 + 2),  # two a minute: the last begins two minutes later
        (CHAINED, 3, "1", 3),
    ],
)
async def test_the_time_is_that_of_the_longest_chain_within_the_rate_limit(
    scripted: Any, clock: Clock, continuity: Continuity, shots: int, rpm: str, minutes: int
) -> None:
    async with scripted(clock=clock, works=False, rpm=rpm or "1000") as studio:

        async def typical(_task: Any) -> float:
            return 60.0

        studio.render_times.typical = typical
        wanted = FilmRequest(shots=("a", "b", "c", "d", "e")[:shots], continuity=continuity)
        view = await studio.plan_film(wanted, Terms())
        assert view.eta_seconds == minutes * 60
        made = await studio.make_film(wanted, Terms())
        assert (made.eta_seconds, made.next_check_seconds) == (minutes * 60, 60)


async def test_the_same_call_makes_the_plan_and_repeats_make_nothing(
    studio: Any, provider: Any
) -> None:
    plan = await studio.plan_film(FILM, Terms())
    film_id = plan.film.film_id
    same = FilmRequest(shots=BOAT, continuity=CHAINED, durations=(6,), model="hailuo-2.3")
    assert (await studio.plan_film(same, Terms())).film.film_id == film_id
    made = await studio.make_film(same, Terms())
    assert (made.film.film_id, made.reused, made.status) == (film_id, False, Status.PENDING)
    tasks = await _tasks(studio, made)
    assert [task.after for task in tasks] == ["", tasks[0].task_id, tasks[1].task_id]
    assert [task.due_at > 0 for task in tasks] == [True, False, False]
    assert {task.money for task in tasks} == {Money.RESERVED}
    assert (await studio.spending()).reserved == 6
    by_id = FilmRequest(film_id=film_id)
    for again in (FILM, by_id, replace(FILM, film_id=film_id)):
        for use in (studio.make_film, studio.plan_film):
            view = await use(again, Terms())
            assert view.film.film_id == film_id
            assert view.reused or use == studio.plan_film
            assert not view.planned
    assert (await studio.spending()).reserved == 6
    assert provider.creates == []


async def test_a_films_id_alone_shows_and_makes_its_plan(studio: Any, tmp_path: Path) -> None:
    wanted = replace(FILM, images=(_picture(tmp_path), "", ""))
    film_id = (await studio.plan_film(wanted, Terms())).film.film_id
    (tmp_path / "cat.png").unlink()
    seen = await studio.plan_film(FilmRequest(film_id=film_id), Terms())
    assert (seen.planned, seen.reused, seen.amount) == (True, False, 6)
    made = await studio.make_film(FilmRequest(film_id=film_id), Terms())
    assert (made.reused, len(await _tasks(studio, made))) == (False, 3)


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"transition": Transition.FADE}, "the transition cut, not fade"),
        ({"durations": (10,)}, "a length of 6 s, not 10 s"),
        ({"durations": (6, 10, 6)}, "a length of 6 s for shot 2, not 10 s"),
        ({"durations": (6, 6)}, "3 shots, not 2 lengths"),
        ({"resolution": "1080"}, "the resolution 768P, not 1080P"),
        ({"model": "hailuo-02"}, "the model MiniMax-Hailuo-2.3, not MiniMax-Hailuo-02"),
        ({"shots": BOAT[:2]}, "3 shots, not 2"),
        ({"shots": (*BOAT[:2], "a cat")}, "another prompt for shot 3"),
        ({"images": ("", "PICTURE", "")}, "another picture, or none, for shot 2"),
        (
            {"transition": Transition.FADE, "resolution": "1080P"},
            "the transition cut, not fade; with the resolution 768P, not 1080P",
        ),
    ],
)
async def test_with_a_films_id_nothing_else_may_differ_from_its_plan(
    studio: Any, tmp_path: Path, values: dict[str, Any], words: str
) -> None:
    plan = await studio.plan_film(FILM, Terms())
    if "images" in values:
        values = {"images": ("", _picture(tmp_path), "")}
    wanted = FilmRequest(film_id=plan.film.film_id, **values)
    for asked in (wanted, replace(wanted, redo=(2,))):
        for use in (studio.plan_film, studio.make_film):
            with pytest.raises(InvalidRequestError) as caught:
                await use(asked, Terms())
            assert caught.value.what == f"Film {plan.film.film_id} was planned with {words}."
    assert not (await studio.tasks()).rows


async def test_the_continuity_of_a_films_id_is_its_plans_too(studio: Any, tmp_path: Path) -> None:
    plan = await studio.plan_film(replace(FILM, continuity=NONE), Terms())
    with pytest.raises(InvalidRequestError, match="the continuity none, not last_frame"):
        await studio.make_film(FilmRequest(film_id=plan.film.film_id, continuity=CHAINED), Terms())
    images = ("", _picture(tmp_path), "")
    chained = await studio.plan_film(replace(FILM, images=images), Terms())
    same = replace(FILM, images=images, film_id=chained.film.film_id, durations=(0, 6, 0))
    for again in (same, replace(same, continuity=NONE), replace(same, images=())):
        assert (await studio.plan_film(again, Terms())).film.film_id == chained.film.film_id


async def test_a_plan_that_is_too_old_is_not_made_but_the_shots_can_be_planned_anew(
    studio: Any, clock: Clock
) -> None:
    old = await studio.plan_film(FILM, Terms())
    clock.now += PLAN_SECONDS + 1
    by_id = FilmRequest(film_id=old.film.film_id)
    assert "hours ago" in (await studio.plan_film(by_id, Terms())).refused.what
    with pytest.raises(InvalidRequestError, match="24 hours ago"):
        await studio.make_film(by_id, Terms())
    new = await studio.make_film(FILM, Terms())
    assert (new.reused, new.film.film_id == old.film.film_id) == (False, False)


async def test_a_withdrawn_plan_is_not_made_but_can_be_planned_anew(studio: Any) -> None:
    plan = await studio.plan_film(FILM, Terms())
    await studio.cancel_film(plan.film)
    with pytest.raises(InvalidRequestError, match="withdrawn"):
        await studio.make_film(FilmRequest(film_id=plan.film.film_id), Terms())
    assert not (await studio.make_film(FILM, Terms())).reused


async def test_a_request_key_names_one_film(studio: Any) -> None:
    first = await studio.make_film(FILM, Terms(request_key="boat"))
    assert (await studio.make_film(FILM, Terms(request_key="boat"))).reused
    other = replace(FILM, shots=BOAT[:2])
    for use in (studio.plan_film, studio.make_film):
        with pytest.raises(InvalidRequestError, match="another film, f") as caught:
            await use(other, Terms(request_key="boat"))
        assert caught.value.task_id == first.film.film_id
    by_id = FilmRequest(film_id=first.film.film_id)
    assert (await studio.make_film(by_id, Terms(request_key="boat"))).reused
    with pytest.raises(InvalidRequestError, match="request key"):
        await studio.make_film(by_id, Terms(request_key="other"))


async def test_only_its_caller_and_its_account_make_it(
    scripted: Any, clock: Clock, provider: Any
) -> None:
    async with scripted(clock=clock, works=False) as studio:
        plan = await studio.plan_film(FILM, Terms(), caller="alice")
        by_id = FilmRequest(film_id=plan.film.film_id)
        for unknown in (by_id, FilmRequest(film_id="fnothing"), FilmRequest(film_id="v1")):
            with pytest.raises(TaskNotFoundError, match="no film"):
                await studio.make_film(unknown, Terms(), caller="bob")
        mine = await studio.plan_film(FILM, Terms(), caller="bob")
        assert mine.film.film_id != plan.film.film_id
    async with scripted(clock=clock, works=False, api_key="other") as studio:
        with pytest.raises(InvalidRequestError, match="another account"):
            await studio.make_film(by_id, Terms(), caller="alice")
    async with scripted(clock=clock, works=False, plan="basic") as studio:
        with pytest.raises(InvalidRequestError, match="priced in CNY"):
            await studio.make_film(by_id, Terms(), caller="alice")
        anew = await studio.plan_film(FILM, Terms(), caller="alice")
        assert (anew.film.unit, anew.film.film_id == plan.film.film_id) == ("credits", False)
    assert provider.creates == []


async def test_the_budget_and_the_ceiling_are_for_the_whole(scripted: Any, clock: Clock) -> None:
    async with scripted(clock=clock, works=False, budget="5.5") as studio:
        plan = await studio.plan_film(FILM, Terms(max_cost=Decimal(4)))
        assert plan.spending.left == Decimal("5.5")
        assert "more than the ceiling of 4 CNY" in plan.refused.what
        over = (await studio.plan_film(FILM, Terms())).refused
        assert "only 5.5 of the budget" in over.what
        with pytest.raises(BudgetExceededError, match=r"This film costs 6 CNY, more than the ceil"):
            await studio.make_film(FILM, Terms(max_cost=Decimal(4)))
        with pytest.raises(BudgetExceededError, match=r"This film costs 6 CNY, and only 5\.5 of"):
            await studio.make_film(FILM, Terms())
        assert (await studio.spending()).reserved == 0
        assert not (await studio.tasks()).rows


async def test_a_shot_without_a_price_is_refused_by_a_budget_and_noted_in_the_plan(
    scripted: Any, clock: Clock
) -> None:
    wanted = replace(FILM, model="T2V-01", continuity=NONE)
    async with scripted(clock=clock, works=False, provider="minimax-global", budget="9") as studio:
        plan = await studio.plan_film(wanted, Terms())
        assert plan.amount is None
        assert "No price is published" in plan.refused.what
        with pytest.raises(BudgetExceededError, match="No price is published"):
            await studio.make_film(wanted, Terms())
    async with scripted(clock=clock, works=False, provider="minimax-global") as studio:
        assert (await studio.make_film(wanted, Terms())).amount is None


async def test_the_person_is_asked_once_for_the_whole(scripted: Any, clock: Clock) -> None:
    async with scripted(clock=clock, works=False, confirm_above="5") as studio:
        small = replace(FILM, shots=BOAT[:2])
        assert await studio.film_question(small, Terms()) is None
        question = await studio.film_question(FILM, Terms())
        assert question == (
            "Buy this film for 6 CNY? 3 shots, MiniMax-Hailuo-2.3, 18 s: a paper boat is folded"
        )
        assert question == await studio.film_question(FILM, Terms())
        assert (await studio.plan_film(FILM, Terms())).asks
        codes = list[str]()
        for wanted in (FILM, FILM, replace(FILM, durations=(6, 10, 6))):
            with pytest.raises(ConsentRequiredError, match="films above 5 CNY") as caught:
                await studio.make_film(wanted, Terms())
            codes.append(caught.value.then[0].about)
        with pytest.raises(ConsentRequiredError, match="not valid"):
            await studio.make_film(FILM, Terms(confirm=codes[2]))
        assert not (await studio.make_film(FILM, Terms(confirm=codes[0]))).reused
        assert (await studio.make_film(FILM, Terms(confirm=codes[0]))).reused
        assert await studio.film_question(FILM, Terms()) is None
        approved = Terms(approved=True, at_hand=True)
        assert not (await studio.make_film(replace(FILM, durations=(6, 10, 6)), approved)).reused


REDO = ((2,), (2, 3))
"""A shot that is wanted again, and what is made again with it in a chain of three."""


async def test_a_redo_is_planned_at_its_own_price_and_made_by_the_films_id(studio: Any) -> None:
    made = await _made(studio)
    film_id = made.film.film_id
    wanted, whole = REDO
    plan = await studio.plan_film(FilmRequest(film_id=film_id, redo=wanted), Terms())
    assert (plan.planned, plan.amount, plan.film.redo) == (True, 4, whole)
    assert [shot.planned for shot in plan.shots] == [False, True, True]
    assert "The redo includes shot 3, which starts from" in plan.notes[0]
    # Repeated with its shots alone, the call is about the film that it made before.
    assert (await studio.make_film(FILM, Terms())).reused
    # Everything else shows the film as it is, and what it has cost.
    listed = (await studio.tasks()).films[0]
    for seen in (listed, await studio.query_film(plan.film)):
        assert (seen.planned, seen.status, seen.amount) == (False, Status.SUCCEEDED, 6)
        assert (seen.open_redo, seen.eta_seconds) == (whole, None)
    again = await studio.make_film(FilmRequest(film_id=film_id), Terms())
    tasks = await _tasks(studio, again)
    assert (again.reused, [(task.shot, task.take) for task in tasks]) == (
        False,
        [(1, 1), (2, 1), (2, 2), (3, 1), (3, 2)],
    )
    assert tasks[2].after == tasks[0].task_id
    assert tasks[4].after == tasks[2].task_id
    assert all(task.waits for task in (tasks[2], tasks[4]))
    assert again.amount == 10
    assert (await studio.make_film(FilmRequest(film_id=film_id), Terms())).reused


async def test_a_redo_without_a_plan_is_made_once(studio: Any) -> None:
    made = await _made(studio)
    redo = FilmRequest(film_id=made.film.film_id, redo=(3,))
    for expected, reused in ((4, False), (4, True)):
        view = await studio.make_film(redo, Terms())
        assert (len(await _tasks(studio, view)), view.reused) == (expected, reused)
        assert view.repeats_redo is reused
        await _end(studio, view)
    plan = await studio.plan_film(redo, Terms())
    assert (plan.planned, plan.film.redo) == (True, (3,))
    assert not (await studio.make_film(redo, Terms())).reused
    assert len(await _tasks(studio, view)) == 5


@pytest.mark.parametrize(
    ("redo", "ends", "words"),
    [
        ((4,), {}, "has 3 shots, numbered from 1, and no shot 4"),
        ((0, 2), {}, "no shot 0"),
        ((2,), {"shot3": Status.RUNNING}, r"Shot 3 is not finished \(running\)"),
        ((1,), {"shot2": Status.UNCONFIRMED}, "Shot 2 may have been bought"),
        ((3,), {"shot2": Status.FAILED}, "shot 2 failed"),
        ((3,), {"shot2": Status.CANCELLED}, "shot 2 was cancelled"),
    ],
)
async def test_a_redo_that_cannot_be_made_is_refused(
    studio: Any, redo: tuple[int, ...], ends: dict[str, Status], words: str
) -> None:
    made = await _made(studio, FILM, **ends)
    for use in (studio.plan_film, studio.make_film):
        with pytest.raises(InvalidRequestError, match=words):
            await use(FilmRequest(film_id=made.film.film_id, redo=redo), Terms())
    assert len(await _tasks(studio, made)) == 3


async def test_a_planned_film_has_nothing_to_redo(studio: Any) -> None:
    plan = await studio.plan_film(FILM, Terms())
    with pytest.raises(InvalidRequestError, match="only planned"):
        await studio.plan_film(FilmRequest(film_id=plan.film.film_id, redo=(1,)), Terms())


@pytest.mark.parametrize(
    ("continuity", "pictures", "redo", "whole"),
    [
        (NONE, 0, (2,), (2,)),
        (CHAINED, 0, (1,), (1, 2, 3)),
        (CHAINED, 3, (1,), (1, 2)),  # shot 3 begins anew with its own picture
        (CHAINED, 0, (3, 3), (3,)),
    ],
)
async def test_a_redo_takes_those_that_continue_from_it(
    studio: Any,
    tmp_path: Path,
    continuity: Continuity,
    pictures: int,
    redo: tuple[int, ...],
    whole: tuple[int, ...],
) -> None:
    images = tuple(_picture(tmp_path) if number == pictures else "" for number in (1, 2, 3))
    made = await _made(studio, replace(FILM, continuity=continuity, images=images))
    plan = await studio.plan_film(FilmRequest(film_id=made.film.film_id, redo=redo), Terms())
    assert plan.film.redo == whole


async def test_a_redo_whose_picture_is_gone_needs_it_again(
    studio: Any, clock: Clock, tmp_path: Path
) -> None:
    images = (_picture(tmp_path), "", "")
    made = await _made(studio, replace(FILM, images=images))
    for kept in (tmp_path / "state" / "inputs").iterdir():
        kept.unlink()
    redo = FilmRequest(film_id=made.film.film_id, redo=(1,))
    with pytest.raises(InvalidRequestError, match="picture of shot 1 is no longer kept"):
        await studio.make_film(redo, Terms())
    whole = replace(FILM, images=images, film_id=made.film.film_id, redo=(1,))
    assert not (await studio.make_film(whole, Terms())).reused


async def test_consent_to_a_film_is_no_consent_to_its_redo(scripted: Any, clock: Clock) -> None:
    async with scripted(clock=clock, works=False, confirm_above="1") as studio:
        with pytest.raises(ConsentRequiredError) as caught:
            await studio.make_film(FILM, Terms())
        code = caught.value.then[0].about
        view = await studio.make_film(FILM, Terms(confirm=code))
        await _end(studio, view)
        redo = FilmRequest(film_id=view.film.film_id, redo=(1,))
        question = await studio.film_question(redo, Terms())
        assert re.match(r"Buy shots 1, 2 and 3 of film f\w+ again for 6 CNY\?", question)
        with pytest.raises(ConsentRequiredError):
            await studio.make_film(redo, Terms(confirm=code))


async def test_a_clip_does_not_repeat_a_shot(studio: Any) -> None:
    film = await studio.make_film(replace(FILM, continuity=NONE), Terms())
    task = (await _tasks(studio, film))[1]
    offer = await studio.quote(VideoRequest(prompt=BOAT[1]), Terms())
    assert (offer.draft.request, offer.repeats) == (task.request, None)


async def test_without_a_key_or_a_place_for_clips_nothing_is_bought(
    scripted: Any, clock: Clock, tmp_path: Path
) -> None:
    async with scripted(clock=clock, works=False, api_key="") as studio:
        with pytest.raises(HailuoError, match="no API key"):
            await studio.plan_film(FILM, Terms())
    (tmp_path / "clips").write_text("a file")
    async with scripted(clock=clock, works=False, auto_download="false") as studio:
        with pytest.raises(HailuoError, match="cannot be written"):
            await studio.make_film(FILM, Terms())
        assert not (await studio.tasks()).rows
