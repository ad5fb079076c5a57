"""Films: planned once, made once and whole, due when a shot has moved, and remembered."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from hailuo_mcp.domain import Film, Mode, Money, Shot, Status, Task, Transition, Unit
from hailuo_mcp.journal.store import (
    LONGEST_DELAY,
    PLAN_SECONDS,
    FilmKeyTaken,
    FilmRecorded,
    Limits,
    OverBudget,
)
from tests.journal.conftest import Shop

pytestmark = pytest.mark.anyio
ACCOUNT, OTHER = "sandbox a 1", "sandbox a 2"
HOUR = 3600.0


def shot(number: int, *, continues: bool = False) -> Shot:
    return Shot(
        mode=Mode.T2V,
        model="m",
        prompt=f"一只猫 {number} \x00 '?%s",
        request=f'{{"prompt": "{number}", "first_frame_image": {{"sha256": "{number * "ab"}"}}}}',
        duration=6 if number % 2 else None,
        resolution="768P",
        amount=Decimal("1.10") if number != 3 else None,
        continues=continues,
        warnings=("long",) if number == 2 else (),
    )


def draft(shop: Shop, film_id: str = "f1", *, shots: int = 3, **facts: Any) -> Film:
    film = Film(
        film_id=film_id,
        account=ACCOUNT,
        provider="sandbox",
        caller="",
        created_at=shop.now,
        updated_at=shop.now,
        identity="film one",
        shots=tuple(shot(number, continues=number > 1) for number in range(1, shots + 1)),
        transition=Transition.FADE,
        unit=Unit.CNY,
    )
    return replace(film, **facts)


async def plan(shop: Shop, film_id: str = "f1", **facts: Any) -> Film:
    found = await shop.journal.plan_film(draft(shop, film_id, **facts), now=shop.now)
    assert isinstance(found, FilmRecorded)
    assert not found.reused
    return found.film


def drafts(
    shop: Shop, film: Film, numbers: Sequence[int] = (), *, chained: bool = True
) -> list[tuple[Task, Decimal]]:
    """Each shot follows the one before; a redo's first one follows nothing here."""
    made = list[tuple[Task, Decimal]]()
    for number in numbers or range(1, len(film.shots) + 1):
        after = made[-1][0].task_id if chained and made else ""
        made.append(
            (
                shop.draft(
                    identity=f"{film.film_id} {number} {film.revision + 1}",
                    shot=number,
                    after=after,
                    account=film.account,
                    caller=film.caller,
                ),
                Decimal("1.10"),
            )
        )
    return made


async def try_to_make(
    shop: Shop,
    film: Film,
    numbers: Sequence[int] = (),
    *,
    budget: str | None = None,
    caller_budget: str | None = None,
    chained: bool = True,
) -> Any:
    limits = Limits(
        rpm=None,
        budget=None if budget is None else Decimal(budget),
        caller_budget=None if caller_budget is None else Decimal(caller_budget),
        since=0.0,
        lease=90.0,
    )
    shots = drafts(shop, film, numbers, chained=chained)
    return await shop.journal.make_film(film, shots, limits, now=shop.now)


async def make(shop: Shop, film: Film, numbers: Sequence[int] = (), **terms: Any) -> FilmRecorded:
    found = await try_to_make(shop, film, numbers, **terms)
    assert isinstance(found, FilmRecorded), found
    return found


async def read(shop: Shop, film: Film) -> Film:
    found = await shop.journal.find_film(film.film_id)
    assert found is not None
    return found


async def undue(shop: Shop, film: Film) -> Film:
    """As the worker leaves a film whose shots move on by themselves."""
    (claimed,) = (await shop.claim(sends=0)).films
    assert claimed.film_id == film.film_id
    free = {"owner": "", "lease_until": 0.0, "due_at": 0.0}
    changed = await shop.journal.change_film(
        film.film_id, free, now=shop.now, revision=claimed.revision, held_by=shop.owner
    )
    assert changed is not None
    assert changed.due_at == 0
    return changed


async def save(shop: Shop, task: Task) -> Task:
    done = await shop.becomes(task, Status.SUCCEEDED, due_at=shop.now)
    return await shop.becomes(done, Status.SUCCEEDED, file=f"/{task.task_id}.mp4")


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
