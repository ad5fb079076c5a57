"""Find a film, and view it with its shots."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal

from hailuo_mcp.domain.film import Film
from hailuo_mcp.domain.task import UNFINISHED, Money, Quote, Status, Task
from hailuo_mcp.errors import BudgetExceededError
from hailuo_mcp.journal.facts import RATE_WINDOW
from hailuo_mcp.studio.reader import Reader
from hailuo_mcp.studio.request_record import FILM
from hailuo_mcp.views import FilmView, ShotView, View


async def find_film(reader: Reader, film_id: str, caller: str) -> Film | None:
    """The caller's film; None if this is no film's id."""
    film_id = film_id.strip()
    if not film_id.startswith(FILM):
        return None
    return await reader.store.find_film(film_id, caller=caller)


async def film_view(
    reader: Reader,
    film: Film,
    *,
    plans: bool = False,
    reused: bool = False,
    notes: tuple[str, ...] = (),
) -> FilmView:
    """The film as it is; with `plans`, a redo that is planned in place of what it made."""
    now = reader.clock()
    tasks = await reader.store.film_tasks(film.film_id) if film.made_at is not None else []
    newest = {number: await reader.view(task) for number, task in newest_takes(tasks).items()}
    planned = planned_shots(film) if plans or film.made_at is None else ()
    left = await _seconds_left(reader, film, newest, planned)
    eta = max(left.values(), default=0.0)
    view = FilmView(
        film=film,
        now=now,
        shots=tuple(
            ShotView(
                number=number,
                plan=shot,
                view=newest.get(number),
                planned=number in planned,
                eta_seconds=_whole(left.get(number, 0.0)),
            )
            for number, shot in enumerate(film.shots, start=1)
        ),
        losses=reader.losses,
        reused=reused,
        notes=notes,
        amount=_planned_amount(film, planned) if planned else amount_of(tasks),
        spent=total([task.amount for task in tasks if task.money is Money.SPENT]),
        eta_seconds=_whole(eta),
        link=reader.remote.link(film) if film.saved else None,
        of_tenant=bool(reader.tenant),
    )
    if planned:
        view = await _in_budget(reader, view)
    if view.settled:
        return view
    # Past its usual time, the end is unknown: look again soon, but not every second.
    moving = view.status is not None and view.status in UNFINISHED
    check = min(60, max(5, round(eta) if eta > 0 else 15)) if moving else 5
    return replace(view, next_check_seconds=check)


def newest_takes(tasks: list[Task]) -> dict[int, Task]:
    """By shot, of all tasks of a film as the store returns them: the newest take counts."""
    return {task.shot: task for task in tasks}


def planned_shots(film: Film) -> tuple[int, ...]:
    """The shots that are planned and not made: all of a plan, or those of a redo."""
    if film.made_at is None:
        return () if film.cancelled else tuple(range(1, len(film.shots) + 1))
    return film.redo


def counted_amounts(reader: Reader, film: Film) -> list[Decimal | None]:
    """What each planned shot counts as; None where no price is published.

    Raises:
        BudgetExceededError: there is none, and a budget needs one.
    """
    from hailuo_mcp.studio.conditions import reserved_amount

    quotes = (
        Quote(amount=film.shots[number - 1].amount, unit=film.unit)
        for number in planned_shots(film)
    )
    return [reserved_amount(reader, quote) for quote in quotes]


def total(amounts: list[Decimal | None]) -> Decimal | None:
    """None if one of them is unknown."""
    known = [amount for amount in amounts if amount is not None]
    return sum(known, Decimal(0)) if len(known) == len(amounts) else None


def _planned_amount(film: Film, planned: tuple[int, ...]) -> Decimal | None:
    return total([film.shots[number - 1].amount for number in planned])


def amount_of(tasks: list[Task]) -> Decimal | None:
    """What was not released of the cost of all takes; None if one of them is unknown."""
    return total([task.amount for task in tasks if task.money is not Money.RELEASED])


async def _in_budget(reader: Reader, view: FilmView) -> FilmView:
    """A plan with the budget in which it would be made, and whether the person must be asked."""
    from hailuo_mcp.studio.conditions import hold_budget, needs_consent

    spending = await reader.spending()
    view = replace(view, spending=spending)
    try:
        amount = total(counted_amounts(reader, view.film))
        hold_budget(reader, spending, amount, noun="film")
    except BudgetExceededError as refused:
        return replace(view, refused=refused)
    return replace(view, asks=needs_consent(reader, amount))


def _whole(seconds: float) -> int | None:
    return round(seconds) if seconds >= 1 else None


async def _seconds_left(
    reader: Reader, film: Film, made: Mapping[int, View], planned: tuple[int, ...]
) -> dict[int, float]:
    """Return the seconds until each shot is ready.

    A shot that continues another one follows it; the others are made side by side, as fast as the
    rate limit allows.
    """
    left, sends = dict[int, float](), 0
    limits = reader.limits()
    rpm = min((it for it in (limits.rpm, limits.caller_rpm) if it is not None), default=None)
    for number, shot in enumerate(film.shots, start=1):
        before = left.get(number - 1, 0.0)
        if number in planned:
            from hailuo_mcp.studio.shot_tasks import shot_task

            task = shot_task(reader, film, number)
            waits, known = shot.continues and before > 0, 0.0
        elif view := made.get(number):
            task = view.task
            waits, known = task.waits, float(view.eta_seconds or 0)
        else:
            continue
        if waits:
            left[number] = before + await reader.render_times.typical(task)
        elif task.status is Status.PENDING:
            minutes = sends // rpm if rpm else 0
            typical = await reader.render_times.typical(task)
            left[number] = max(known, minutes * RATE_WINDOW + typical)
            sends += 1
        else:
            left[number] = known
    return left
