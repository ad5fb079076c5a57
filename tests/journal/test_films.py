"""Films: planned once, made once and whole, due when a shot has moved, and remembered."""

import asyncio
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from hailuo_mcp.domain.task import Money, Status, Unit
from hailuo_mcp.journal.facts import (
    LONGEST_DELAY,
    PLAN_SECONDS,
    REUSE_SECONDS,
    FilmKeyTaken,
    FilmRecorded,
    OverBudget,
)

from .films import draft, make, plan, read, save, try_to_make, undue

pytestmark = pytest.mark.anyio
ACCOUNT, OTHER = "sandbox a 1", "sandbox a 2"


# ── plan and make ─────────────────────────────────────────────────────────────────────────────


async def test_a_plan_is_kept_as_it_was_said_and_found_by_its_id(shop: Any) -> None:
    film = await plan(shop, caller="c", request_key="k", traceparent="t")
    assert film == draft(shop, caller="c", request_key="k", traceparent="t")
    assert await shop.journal.find_film("f1") == film
    assert await shop.journal.find_film("f1", caller="c") == film
    assert await shop.journal.find_film("f1", caller="another") is None
    assert await shop.journal.find_film("f2") is None
    assert await shop.journal.film_tasks("f1") == []
    assert (await shop.claim()).next_at is None


async def test_a_film_is_made_whole_in_the_order_of_its_shots(shop: Any) -> None:
    waiting = await shop.becomes(await shop.buy(), Status.PENDING, due_at=shop.now, owner="me")
    film = await plan(shop)
    made = await make(shop, film)
    assert made.film == replace(
        film, made_at=shop.now, revision=1, due_at=shop.now, updated_at=shop.now
    )
    assert await read(shop, film) == made.film
    tasks = await shop.journal.film_tasks("f1")
    assert tasks == list(made.tasks)
    assert [(task.shot, task.take, task.film_id) for task in tasks] == [
        (1, 1, "f1"),
        (2, 1, "f1"),
        (3, 1, "f1"),
    ]
    assert {(task.status, task.money, task.owner, task.attempt) for task in tasks} == {
        (Status.PENDING, Money.RESERVED, "me", 0)
    }
    assert [task.due_at for task in tasks] == [shop.now, 0, 0]
    assert [task.after for task in tasks] == ["", tasks[0].task_id, tasks[1].task_id]
    assert sorted(tasks, key=lambda task: (task.created_at, task.task_id)) == tasks
    assert (await shop.journal.sums(ACCOUNT, Unit.CNY, 0.0)).reserved == Decimal("4.3")
    # What was waiting before goes first; a shot that waits for another one is not sent.
    sent = (await shop.claim()).sends
    assert [task.task_id for task in sent] == [waiting.task_id, tasks[0].task_id]


async def test_independent_shots_are_sent_together_in_their_order(shop: Any) -> None:
    made = await make(shop, await plan(shop), chained=False)
    sent = (await shop.claim()).sends
    assert [task.task_id for task in sent] == [task.task_id for task in made.tasks]


@pytest.mark.parametrize("whose", ["budget", "caller_budget"])
async def test_the_budget_is_for_the_sum_and_one_cent_too_much_refuses_all(
    shop: Any, whose: str
) -> None:
    film = await plan(shop, caller="c")
    refused = await try_to_make(shop, film, **{whose: "3.29"})
    assert refused == OverBudget(
        spent=Decimal(0), reserved=Decimal(0), callers=whose == "caller_budget"
    )
    assert await read(shop, film) == film
    assert await shop.journal.film_tasks("f1") == []
    assert (await shop.journal.sums(ACCOUNT, Unit.CNY, 0.0)).reserved == 0
    await make(shop, film, **{whose: "3.30"})


async def test_a_film_is_made_once_whoever_repeats_the_call(shop: Any, neighbour: Any) -> None:
    film = await plan(shop)
    found = await asyncio.gather(
        *(try_to_make(one, film) for one in (shop, neighbour, shop, neighbour))
    )
    assert [type(one) for one in found if one is not None] == [FilmRecorded]
    assert len(await shop.journal.film_tasks("f1")) == 3
    assert await try_to_make(shop, film) is None


async def test_two_processes_that_plan_the_same_film_have_one_plan(
    shop: Any, neighbour: Any
) -> None:
    found = await asyncio.gather(
        *(
            one.journal.plan_film(draft(one, f"f{number}"), now=one.now)
            for number, one in enumerate((shop, neighbour, shop, neighbour))
        )
    )
    assert sorted(one.reused for one in found) == [False, True, True, True]
    assert len({one.film.film_id for one in found}) == 1


# ── the same film again ───────────────────────────────────────────────────────────────────────


async def _found(shop: Any, film_id: str = "f2", **facts: Any) -> str:
    """The film that the same call repeats; empty if it is a new one."""
    asked = draft(shop, film_id, **facts)
    found = await shop.journal.find_existing_film(asked, now=shop.now)
    assert found is None or (isinstance(found, FilmRecorded) and found.reused)
    return found.film.film_id if found else ""


async def test_a_plan_answers_the_same_call_while_it_can_be_made(shop: Any) -> None:
    await plan(shop)
    assert await _found(shop) == "f1"
    assert await _found(shop, identity="another") == ""
    assert await _found(shop, account=OTHER) == ""
    shop.now += PLAN_SECONDS - 1
    assert await _found(shop) == "f1"
    shop.now += 1
    assert await _found(shop) == ""
    again = await plan(shop, "f2")
    assert await _found(shop, "f3") == again.film_id
    assert await read(shop, draft(shop, "f1"))  # to say that it is too old


async def test_a_plan_of_a_week_ago_is_forgotten_and_what_was_made_is_not(shop: Any) -> None:
    await make(shop, await plan(shop, "f1"))
    await plan(shop, "f2", identity="another")
    shop.now += 8 * PLAN_SECONDS
    await plan(shop, "f3", identity="a third")
    assert [await shop.journal.find_film(name) is None for name in ("f1", "f2", "f3")] == [
        *(False, True, False)
    ]


async def test_a_film_answers_the_same_call_while_it_is_unfinished_and_for_an_hour(
    shop: Any,
) -> None:
    film = await plan(shop)
    shop.now += 5000
    made = await make(shop, film)
    shop.now += 2 * PLAN_SECONDS  # shots still wait
    assert await _found(shop) == "f1"
    for task in made.tasks:
        await save(shop, task)
    shop.now = made.film.made_at
    await undue(shop)
    shop.now += REUSE_SECONDS - 1
    assert await _found(shop) == "f1"
    shop.now += 1
    assert await _found(shop) == ""


async def test_a_film_with_an_unconfirmed_shot_answers_the_same_call_for_a_day(shop: Any) -> None:
    made = await make(shop, await plan(shop))
    for task, end in zip(made.tasks, ("succeeded", "unconfirmed", "cancelled"), strict=True):
        await shop.becomes(task, Status(end))
    await undue(shop)
    shop.now += PLAN_SECONDS - 1
    assert await _found(shop) == "f1"
    shop.now += 1
    assert await _found(shop) == ""


@pytest.mark.parametrize("key", ["", "k"])
async def test_a_film_of_which_nothing_was_bought_stands_in_nobodys_way(
    shop: Any, key: str
) -> None:
    made = await make(shop, await plan(shop, request_key=key))
    for task, end in zip(made.tasks, ("failed", "cancelled", "cancelled"), strict=True):
        assert await _found(shop, request_key=key) == "f1"
        await shop.becomes(task, Status(end))
    assert await _found(shop, request_key=key) == ""
    withdrawn = await plan(shop, "f2", request_key=key)
    await shop.journal.change_film("f2", {"cancelled": True}, now=shop.now)
    assert await _found(shop, request_key=key) == ""
    assert await try_to_make(shop, withdrawn) is None
    await make(shop, await plan(shop, "f3", request_key=key, identity="other shots"))


async def test_a_key_names_one_film_for_good(shop: Any) -> None:
    made = await make(shop, await plan(shop, caller="c", request_key="k"))
    for task in made.tasks:
        await save(shop, task)
    await undue(shop)
    shop.now += 100 * PLAN_SECONDS
    same = {"caller": "c", "request_key": "k"}
    assert await _found(shop, **same) == "f1"
    other = draft(shop, "f2", identity="other shots", **same)
    for ask in (shop.journal.find_existing_film, shop.journal.plan_film):
        found = await ask(other, now=shop.now)
        assert isinstance(found, FilmKeyTaken)
        assert found.film.film_id == "f1"
    assert await _found(shop, caller="d", request_key="k", identity="other shots") == ""


# ── redo ──────────────────────────────────────────────────────────────────────────────────────


async def test_a_redo_is_planned_and_made_once_with_a_take_of_its_own(
    shop: Any, neighbour: Any
) -> None:
    made = await make(shop, await plan(shop))
    for task in made.tasks:
        await save(shop, task)
    shop.now = neighbour.now = shop.now + 100
    joined = {"file": "/film.mp4", "tries": 2, "save_error": "no", "redo": (2, 3)}
    planned = await shop.journal.change_film("f1", joined, now=shop.now, revision=1)
    assert planned is not None
    assert planned.redoes
    assert await try_to_make(neighbour, made.film, (2, 3)) is None  # without the redo
    found = await asyncio.gather(
        *(try_to_make(one, planned, (2, 3)) for one in (shop, neighbour, shop))
    )
    (redone,) = [one for one in found if one]
    assert redone.film == replace(
        planned,
        revision=2,
        redo=(),
        redone=(2, 3),
        made_at=shop.now,
        due_at=shop.now,
        updated_at=shop.now,
        tries=0,
        save_error="",
    )
    tasks = await shop.journal.film_tasks("f1")
    assert [(task.shot, task.take) for task in tasks] == [(1, 1), (2, 1), (2, 2), (3, 1), (3, 2)]
    assert await try_to_make(shop, planned, (2, 3)) is None
    assert await shop.journal.change_film("f1", {"redo": (1,)}, now=shop.now, revision=1) is None
    again = await shop.journal.change_film("f1", {"redo": (1,)}, now=shop.now, revision=2)
    assert again == await read(shop, made.film)


async def test_a_film_is_changed_by_its_holder_only(shop: Any, neighbour: Any) -> None:
    await make(shop, await plan(shop))
    await shop.claim(sends=0)
    assert await neighbour.journal.change_film("f9", {}, now=shop.now) is None
    stolen = await neighbour.journal.change_film(
        "f1", {"file": "/theirs"}, now=shop.now, held_by="other"
    )
    assert stolen is None
    kept = await shop.journal.change_film("f1", {"file": "/mine"}, now=shop.now, held_by="me")
    assert kept is not None
    assert kept.file == "/mine"
    later = await shop.journal.change_film(
        "f1", {"due_at": shop.now + 1e6}, now=shop.now, held_by="me"
    )
    assert later is not None
    assert later.due_at == shop.now + LONGEST_DELAY


# ── what is listed ────────────────────────────────────────────────────────────────────────────


async def test_the_newest_films_are_those_that_were_made_and_plans_that_can_be(shop: Any) -> None:
    for number in range(6):
        shop.now += 3600
        film = await plan(shop, f"f{number}", identity=f"{number}", caller=f"c{number % 2}")
        if number in (0, 3):
            await make(shop, film)
        elif number == 4:
            await shop.journal.change_film("f4", {"cancelled": True}, now=shop.now)

    async def newest(**terms: Any) -> list[str]:
        return [film.film_id for film in await shop.journal.newest_films(**terms)]

    assert await newest() == ["f5", "f3", "f2", "f1", "f0"]
    assert await newest(now=shop.now) == ["f5", "f3", "f2", "f1", "f0"]
    assert await newest(limit=2) == ["f5", "f3"]
    assert await newest(caller="c0") == ["f2", "f0"]
    assert await newest(now=shop.now + PLAN_SECONDS - 7200) == ["f5", "f3", "f0"]
    assert await newest(now=shop.now + PLAN_SECONDS) == ["f3", "f0"]


async def test_the_pictures_of_plans_and_of_waiting_shots_are_in_use(shop: Any) -> None:
    film = await plan(shop)
    sha256 = "ab" * 3
    assert sha256 in await shop.journal.pictures_in_use(now=shop.now + PLAN_SECONDS - 1)
    assert sha256 not in await shop.journal.pictures_in_use(now=shop.now + PLAN_SECONDS)
    made = await make(shop, film)
    for task in made.tasks[:2]:
        await save(shop, task)
    frame = {"request": '{"sha256": "from the frame"}', "due_at": shop.now}
    waiting = made.tasks[2]
    await shop.journal.change(waiting.task_id, frame, now=shop.now, status_in=(Status.PENDING,))
    week = shop.now + 7 * PLAN_SECONDS
    assert "from the frame" in await shop.journal.pictures_in_use(now=week)
    await save(shop, waiting)
    assert await shop.journal.pictures_in_use(now=week) == ""
