"""What moves a film on: each shot starts from the frame before, or never; joined when all are there.

Whatever is interrupted is repeated, and nothing is done twice.
"""

import base64
import json
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from hailuo_mcp.domain.film import Film, Shot
from hailuo_mcp.domain.requests import Mode
from hailuo_mcp.domain.task import Money, Status, Task
from hailuo_mcp.errors import ConfigError
from hailuo_mcp.journal.facts import PLAN_SECONDS, Capacity, FilmRecorded, Limits
from hailuo_mcp.media import frames
from hailuo_mcp.studio.shot_tasks import shot_task
from hailuo_mcp.worker import filming
from hailuo_mcp.worker.filming import advance
from tests.media.numbered import make_clip, number_of

pytestmark = pytest.mark.anyio
LIMITS = Limits(rpm=None, budget=None, since=0.0, lease=90.0)
CAPACITY = Capacity(rpm=None, sends=0, steps=9, submit_lease=90.0, lease=30.0)
SAVED = Status.SUCCEEDED
LAST = 5
"""The number that the clip's last frame shows."""


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("clips")
    return make_clip(folder / "clip.mp4", range(LAST + 1), rate=6, size=(480, 320))


@pytest.fixture
def joined(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """The shots of each film that was joined; joining itself has its own tests."""
    joins = list[list[str]]()

    async def join(context: Any, film: Film, shots: Any) -> None:
        joins.append([task.task_id for task in shots])
        values = {"file": "/film.mp4", "due_at": 0.0, "owner": "", "lease_until": 0.0}
        await context.store.change_film(
            film.film_id, values, now=context.clock(), held_by=context.owner
        )

    monkeypatch.setattr(filming, "join_film", join)
    return joins


async def _film(bench: Any, *continues: bool, film_id: str = "f1", model: str = "m") -> Film:
    """A film that was just made; its first shot is sent like any clip."""
    film = Film(
        film_id=film_id,
        account=bench.context.account,
        provider="sandbox",
        caller="",
        created_at=bench.now,
        updated_at=bench.now,
        identity=film_id,
        shots=tuple(
            Shot(
                mode=Mode.I2V if follows else Mode.T2V,
                model=model,
                prompt=f"shot {number}",
                request=f'{{"model": "{model}", "prompt": "shot {number}"}}',
                amount=Decimal(2),
                continues=follows,
            )
            for number, follows in enumerate(continues, start=1)
        ),
    )
    await bench.journal.plan_film(film, now=bench.now)
    drafts = list[tuple[Task, Decimal]]()
    for number, follows in enumerate(continues, start=1):
        after = drafts[-1][0].task_id if follows else ""
        drafts.append((shot_task(bench.context, film, number, after=after), Decimal(2)))
    made = await bench.journal.make_film(film, drafts, LIMITS, now=bench.now)
    assert isinstance(made, FilmRecorded)
    return made.film


async def _shots(bench: Any, film_id: str = "f1") -> list[Task]:
    return list(await bench.journal.film_tasks(film_id))


async def _end(
    bench: Any, number: int, status: Status = SAVED, *, film_id: str = "f1", **facts: Any
) -> None:
    task = (await _shots(bench, film_id))[number - 1]
    values = {"status": status, "due_at": 0.0, "attempt": 1, **facts}
    assert await bench.journal.change(task.task_id, values, now=bench.now)


async def _claim(bench: Any) -> list[Film]:
    bench.now += 1
    account, owner = bench.context.account, bench.context.owner
    return list((await bench.journal.claim([account], owner, CAPACITY, now=bench.now)).films)


async def _advance(bench: Any, film_id: str = "f1") -> None:
    """Until nothing is due, as the worker does."""
    for _ in range(9):
        for film in await _claim(bench):
            await advance(bench.context, film)
        if not (await bench.journal.find_film(film_id)).due_at:
            return
    raise AssertionError("it never rests")


async def test_each_shot_starts_from_the_last_frame_of_the_one_before(
    bench: Any, clip: Path, joined: Any
) -> None:
    await _film(bench, False, True, True)
    await _advance(bench)
    assert [task.waits for task in await _shots(bench)] == [False, True, True]
    await _end(bench, 1, file=str(clip))
    await _advance(bench)
    first, second, third = await _shots(bench)
    assert (second.status, second.due_at > 0, third.waits) == (Status.PENDING, True, True)
    given = json.loads(second.request)["first_frame_image"]
    assert (given["from"], given["mime"]) == (f"task:{first.task_id}#last", "image/png")
    data = await bench.context.pictures.data_url(given["sha256"], given["mime"])
    with Image.open(BytesIO(base64.b64decode(data.partition(",")[2]))) as picture:
        assert (number_of(picture.convert("RGB")), picture.size) == (LAST, (480, 320))
    film = await bench.journal.find_film("f1")
    assert (film.owner, film.lease_until, film.due_at) == ("", 0, 0)
    assert joined == []


@pytest.mark.parametrize("model", ["MiniMax-H3", "MiniMax-Hailuo-02"])
async def test_whether_a_last_frame_can_start_a_shot_is_its_models_to_say(
    bench: Any, tmp_path: Path, joined: Any, model: str
) -> None:
    """A short side of 140 pixels can be enlarged for H3, and not for the models of v1."""
    await _film(bench, False, True, model=model)
    small = make_clip(tmp_path / "small.mp4", range(2), rate=6, size=(240, 140))
    await _end(bench, 1, file=str(small))
    await _advance(bench)
    second = (await _shots(bench))[1]
    fits = model == "MiniMax-H3"
    assert second.status is (Status.PENDING if fits else Status.CANCELLED)
    assert ("first_frame_image" in json.loads(second.request)) is fits
    assert joined == []


async def test_it_is_joined_in_order_when_all_are_saved(
    bench: Any, clip: Path, joined: Any
) -> None:
    await _film(bench, False, False, True)
    ids = [task.task_id for task in await _shots(bench)]
    for number in (2, 1, 3):
        assert joined == []
        await _end(bench, number, file=str(clip))
        await _advance(bench)
    assert joined == [ids]


@pytest.mark.parametrize(
    ("status", "facts", "why"),
    [
        (Status.FAILED, {}, "Shot 1 failed, and this one starts from its last frame."),
        (Status.CANCELLED, {}, "Shot 1 was cancelled, and"),
        (SAVED, {"due_at": 0.0}, "The clip of shot 1 could not be saved, and"),
        (SAVED, {"file": "/clips/nothing.mp4"}, ""),  # its folder may be away: see below
        (SAVED, {"file": "{folder}/nothing.mp4"}, "The clip of shot 1 no longer exists, and"),
        (SAVED, {"file": "{folder}/text.mp4"}, "The clip of shot 1 cannot be read (it "),
        (SAVED, {"file": "{folder}/tiny.mp4"}, "ends with a frame that cannot be used"),
        (SAVED, {"due_at": 9e9}, ""),  # being saved
        (Status.UNCONFIRMED, {}, ""),  # a person may still find it
        (Status.RUNNING, {"due_at": 9e9}, ""),
    ],
)
async def test_what_becomes_of_the_shots_after_one(
    bench: Any, clip: Path, tmp_path: Path, joined: Any, status: Status, facts: Any, why: str
) -> None:
    (tmp_path / "text.mp4").write_text("no clip")
    make_clip(tmp_path / "tiny.mp4", range(2))
    await _film(bench, False, True, True, False)
    place = {"file": facts["file"].format(folder=tmp_path)} if "file" in facts else {}
    await _end(bench, 1, status, **{**facts, **place})
    for film in await _claim(bench):
        await advance(bench.context, film)
    _, second, third, other = await _shots(bench)
    assert (other.status, other.waits) == (Status.PENDING, False)
    if not why:
        assert second.waits
        assert third.waits
        assert second.money is third.money is Money.RESERVED
        return
    await _advance(bench)
    assert why in (await _shots(bench))[1].error
    assert "Shot 2 was cancelled" in (await _shots(bench))[2].error
    for task in (await _shots(bench))[1:3]:
        assert (task.status, task.money, task.due_at) == (Status.CANCELLED, Money.RELEASED, 0)
    assert joined == []


async def test_a_place_that_is_away_is_tried_again_and_at_last_given_up(
    bench: Any, clip: Path, joined: Any
) -> None:
    await _film(bench, False, True)
    await _end(bench, 1, file="/not/there/clip.mp4")
    pauses = list[float]()
    for _ in range(12):
        for film in await _claim(bench):
            await advance(bench.context, film)
        film = await bench.journal.find_film("f1")
        assert "cannot be reached" in film.save_error
        pauses.append(film.due_at - bench.now)
        bench.now = film.due_at
    assert (pauses == sorted(pauses), max(pauses) <= 900) == (True, True)
    bench.now += PLAN_SECONDS  # whoever comes a day later does not buy what was wanted then
    await _advance(bench)
    assert "cannot be reached, and this one" in (await _shots(bench))[1].error


async def test_a_place_that_comes_back_in_time_is_used(
    bench: Any, clip: Path, tmp_path: Path, joined: Any
) -> None:
    away = tmp_path / "away"
    await _film(bench, False, True)
    await _end(bench, 1, file=str(away / "clip.mp4"))
    for film in await _claim(bench):
        await advance(bench.context, film)
    away.symlink_to(clip.parent)
    bench.now += 60
    await _advance(bench)
    assert (await _shots(bench))[1].due_at > 0
    film = await bench.journal.find_film("f1")
    assert (film.tries, film.save_error) == (0, "")


async def test_without_pyav_it_says_what_to_install(
    bench: Any, clip: Path, joined: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def missing(_path: Path) -> Any:
        raise ConfigError("Clips cannot be opened here, because PyAV is not installed.")

    monkeypatch.setattr(frames, "last_frame", missing)
    await _film(bench, False, True)
    await _end(bench, 1, file=str(clip))
    for film in await _claim(bench):
        await advance(bench.context, film)
    assert (await _shots(bench))[1].waits
    assert "PyAV is not installed" in (await bench.journal.find_film("f1")).save_error


async def test_a_shot_that_ends_meanwhile_is_not_overlooked(
    bench: Any, clip: Path, joined: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    await _film(bench, False, True, False)
    await _end(bench, 1, file=str(clip))
    real = filming.check_picture

    async def meanwhile(*given: Any) -> Any:
        await _end(bench, 3, Status.FAILED)
        return await real(*given)

    monkeypatch.setattr(filming, "check_picture", meanwhile)
    for film in await _claim(bench):
        await advance(bench.context, film)
    assert (await bench.journal.find_film("f1")).due_at
    await _advance(bench)


class Killed(Exception):  # noqa: N818
    """The process died at this moment."""


class Dying:
    """Passes everything on, and dies just before or just after the call with this number."""

    def __init__(self, dies_at: int, *, before: bool) -> None:
        self.calls, self._dies_at, self._before = 0, dies_at, before

    def over(self, part: Any) -> Any:
        dying = self

        class Part:
            def __getattr__(self, name: str) -> Any:
                found = getattr(part, name)

                async def call(*args: Any, **more: Any) -> Any:
                    return await dying.pass_on(lambda: found(*args, **more))

                return call

        return Part()

    async def pass_on(self, call: Callable[[], Any]) -> Any:
        number, self.calls = self.calls, self.calls + 1
        if number == self._dies_at and self._before:
            raise Killed
        answer = await call()
        if number == self._dies_at:
            raise Killed
        return answer


@pytest.mark.parametrize("case", ["shot 1 is saved", "shot 1 failed", "all are saved"])
@pytest.mark.parametrize("before", [True, False], ids=["before", "after"])
async def test_whenever_it_is_killed_the_next_one_finishes_the_same(
    bench: Any, clip: Path, joined: Any, case: str, *, before: bool
) -> None:
    """At each call of the journal and of the pictures' folder, until it survives all of them."""
    killed = True
    for at in range(20):
        if not killed:
            assert at > 2  # it did call them
            return
        film_id = f"f{at}"
        await _film(bench, False, True, True, film_id=film_id)
        if case == "shot 1 failed":
            await _end(bench, 1, Status.FAILED, film_id=film_id)
        for number in (1,) if case == "shot 1 is saved" else (1, 2, 3):
            if case != "shot 1 failed":
                await _end(bench, number, film_id=film_id, file=str(clip))
        dying = Dying(at, before=before)
        dies = replace(
            bench.context,
            store=dying.over(bench.context.store),
            pictures=dying.over(bench.context.pictures),
        )
        killed = False
        for film in await _claim(bench):
            try:
                await advance(dies, film)
            except Killed:
                killed = True
        bench.now += 31  # its lease runs out
        await _advance(bench, film_id)
        first, second, third = await _shots(bench, film_id)
        if case == "shot 1 is saved":
            picture = json.loads(second.request)["first_frame_image"]
            assert (second.status, second.due_at > 0, third.waits) == (Status.PENDING, True, True)
            assert await bench.context.pictures.kept(picture["sha256"])
            assert json.loads(third.request).keys() == {"model", "prompt"}
        elif case == "shot 1 failed":
            assert {second.status, third.status} == {Status.CANCELLED}
            assert {second.money, third.money} == {Money.RELEASED}
        else:
            assert joined[-1] == [first.task_id, second.task_id, third.task_id]
    raise AssertionError("it never survives")
