"""Films to plan and make."""

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any

from hailuo_mcp.domain.film import Film, Shot, Transition
from hailuo_mcp.domain.requests import Mode
from hailuo_mcp.domain.task import Status, Task, Unit
from hailuo_mcp.journal.facts import FilmRecorded, Limits

from .conftest import ACCOUNT, Shop

REST = {"owner": "", "lease_until": 0.0, "due_at": 0.0}
"""What the worker writes when there is nothing more to do for now."""


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


async def undue(shop: Shop) -> None:
    """As the worker leaves films whose shots move on by themselves."""
    for film in (await shop.claim(sends=0)).films:
        changed = await shop.journal.change_film(
            film.film_id, REST, now=shop.now, revision=film.revision, held_by=shop.owner
        )
        assert changed is not None
        assert changed.due_at == 0


async def save(shop: Shop, task: Task) -> Task:
    done = await shop.becomes(task, Status.SUCCEEDED, due_at=shop.now)
    return await shop.becomes(done, Status.SUCCEEDED, file=f"/{task.task_id}.mp4")
