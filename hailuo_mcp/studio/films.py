"""Films of several shots: plan, make, redo."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from hailuo_mcp.domain.film import Film, FilmRequest
from hailuo_mcp.domain.task import Task
from hailuo_mcp.errors import Do, HailuoError, InvalidRequestError, Step
from hailuo_mcp.journal.facts import PLAN_SECONDS, FilmKeyTaken, Losses, OverBudget
from hailuo_mcp.studio.conditions import (
    ZERO,
    asked_price,
    hold_budget,
    hold_ceiling,
    needs_consent,
    over_budget,
    require_consent,
)
from hailuo_mcp.studio.context import Context
from hailuo_mcp.studio.film_checking import shots_named
from hailuo_mcp.studio.film_orders import FilmOrder, film_key_taken, need_pictures, order_of
from hailuo_mcp.studio.film_tracking import query_film
from hailuo_mcp.studio.film_views import (
    counted_amounts,
    film_view,
    newest_takes,
    planned_shots,
    total,
)
from hailuo_mcp.studio.shot_tasks import shot_task
from hailuo_mcp.telemetry import tracing
from hailuo_mcp.telemetry.events import Event, tenant_name
from hailuo_mcp.views import FilmProgress, FilmView, Terms


async def plan_film(
    context: Context, wanted: FilmRequest, terms: Terms, *, caller: str = "", local: bool = True
) -> FilmView:
    """Check and price every shot and keep the plan; nothing is bought.

    With a film's id alone the film is shown as it is.

    Raises:
        HailuoError: as in `make_film`, except for the ceiling, the budget and consent: the view
            says what they would mean.
    """
    order = await order_of(context, wanted, terms, caller, local=local, plans=True)
    film = await _record_plan(context, order, terms)
    repeats = bool(wanted.shots) and not order.numbers
    view = await film_view(
        context, film, plans=bool(order.numbers), reused=repeats, notes=order.notes
    )
    if order.numbers:
        try:
            _amounts(context, film, terms)
        except InvalidRequestError as refused:
            view = replace(view, refused=refused)
    return view


async def film_question(
    context: Context, wanted: FilmRequest, terms: Terms, *, caller: str = "", local: bool = True
) -> str | None:
    """The exact question for the person, or None if none is needed.

    A request that would be refused anyway needs no question: the call itself says why.
    """
    if context.settings.confirm_above is None or terms.confirm:
        return None
    try:
        order = await order_of(context, wanted, terms, caller, local=local)
        film = order.film
        if not order.numbers:
            return None
        amount = total(_amounts(context, film, terms))
        hold_budget(context, await context.spending(), amount, noun="film")
    except HailuoError:
        return None
    if not needs_consent(context, amount):
        return None
    price, shots = asked_price(context, amount), [film.shots[at - 1] for at in order.numbers]
    models = ", ".join(dict.fromkeys(shot.model for shot in shots))
    seconds = sum(shot.duration or 0 for shot in shots) if film.redo else film.planned_seconds
    facts = [
        f"{len(shots)} {'shots' if len(shots) > 1 else 'shot'}",
        models,
        f"{seconds:g} s" if seconds else "",
    ]
    what = ", ".join(part for part in facts if part)
    again = f"{shots_named(film.redo).lower()} of film {film.film_id} again" if film.redo else ""
    return f"Buy {again or 'this film'} for {price}? {what}: {shots[0].prompt[:200]}"


async def make_film(
    context: Context,
    wanted: FilmRequest,
    terms: Terms,
    *,
    caller: str = "",
    local: bool = True,
    wait_seconds: float = 0,
    on_progress: FilmProgress | None = None,
) -> FilmView:
    """Buy the shots of a plan, all or none, or find the film that this call repeats.

    Raises:
        TaskNotFoundError: there is no such film.
        InvalidRequestError: refused here, free: a shot, the redo, the budget, consent.
    """
    order = await order_of(context, wanted, terms, caller, local=local)
    with tracing.span("film", tenant=tenant_name(caller)) as step:
        film, reused = await _make(context, order, terms)
        step.note(film_id=film.film_id, shots=len(order.numbers), reused=reused)
    repeats = reused and bool(wanted.redo) and not film.redo
    notes = () if repeats else order.notes
    view = await film_view(context, film, reused=reused, notes=notes)
    view = replace(view, repeats_redo=repeats)
    if wait_seconds <= 0 or view.settled:
        return view
    waited = await query_film(context, film, wait_seconds=wait_seconds, on_progress=on_progress)
    return replace(waited, reused=reused, repeats_redo=repeats, notes=notes)


async def _record_plan(context: Context, order: FilmOrder, terms: Terms) -> Film:
    """Keep the plan, or the planned redo, in the journal."""
    now = context.clock()
    if order.recorded is None:
        found = await context.store.plan_film(order.film, now=now)
        if isinstance(found, FilmKeyTaken):
            raise film_key_taken(found, terms)
        return found.film
    if order.film.redo == order.recorded.redo:
        return order.recorded
    film = order.recorded
    changed = await context.store.change_film(
        film.film_id, {"redo": order.film.redo}, now=now, revision=film.revision
    )
    # None: somebody has made it again meanwhile, and their answer is as good.
    return changed or await _read_again(context, film)


async def _make(context: Context, order: FilmOrder, terms: Terms) -> tuple[Film, bool]:
    """Buy the planned shots. Returns the film, and whether nothing was bought."""
    film = order.film
    if not order.numbers:
        if film.made_at is None:
            raise _withdrawn(film)
        return order.recorded or film, True
    amounts = _amounts(context, film, terms)
    amount = total(amounts)
    if context.losses:
        raise context.losses.error()
    await need_pictures(context, film)
    await context.storage.need_writable()
    await require_consent(
        context, terms, amount, caller=film.caller, identity=order.identity(), noun="film"
    )
    planned = await _record_plan(context, order, terms)
    if (planned.revision, planned.redo) != (film.revision, film.redo) or not planned_shots(planned):
        return planned, True  # somebody else was faster
    film = planned
    drafts = await _drafts(context, film)
    counted = [(task, each or ZERO) for task, each in zip(drafts, amounts, strict=True)]
    made = await context.store.make_film(film, counted, context.limits(), now=context.clock())
    if made is None:
        return await _read_again(context, film), True
    if isinstance(made, Losses):
        raise made.error()
    if isinstance(made, OverBudget):
        context.report(Event.OVER_BUDGET, tenant=tenant_name(film.caller))
        raise over_budget(context, made, amount, callers=made.callers, noun="film")
    for task, each in zip(made.tasks, amounts, strict=True):
        context.report(Event.RECORDED, task, amount=str(each or ZERO), unit=task.unit)
    context.changes.announce(film.film_id)
    context.wakeup.notify()
    return made.film, made.reused


async def _drafts(context: Context, film: Film) -> list[Task]:
    """The tasks of the planned shots; each that continues another names the one before it."""
    newest = newest_takes(
        await context.store.film_tasks(film.film_id) if film.made_at is not None else []
    )
    drafts = list[Task]()
    for number in planned_shots(film):
        before = newest.get(number - 1) if film.shots[number - 1].continues else None
        newest[number] = shot_task(context, film, number, after=before.task_id if before else "")
        drafts.append(newest[number])
    return drafts


def _amounts(context: Context, film: Film, terms: Terms) -> list[Decimal | None]:
    """What each planned shot counts as.

    Raises:
        InvalidRequestError: the plan is too old, or its price is more than the terms allow.
    """
    _need_current(context, film)
    amounts = counted_amounts(context, film)
    hold_ceiling(context, terms, total(amounts), noun="film")
    return amounts


def _need_current(context: Context, film: Film) -> None:
    """Refuse a plan that was made too long ago, or under other terms than today's."""
    again = Step(Do.TRY, "plan the film again, with its shots; that is free")
    if film.account != context.account:
        raise InvalidRequestError(
            f"Film {film.film_id} was planned for another account: another provider or key.",
            again,
            task_id=film.film_id,
        )
    if film.unit is not context.unit:
        raise InvalidRequestError(
            f"Film {film.film_id} was priced in {film.unit}, and this account is now charged in "
            f"{context.unit}.",
            again,
            task_id=film.film_id,
        )
    if film.made_at is None and context.clock() - film.created_at > PLAN_SECONDS:
        raise InvalidRequestError(
            f"Film {film.film_id} was planned more than {PLAN_SECONDS / 3600:.0f} hours ago, and "
            "its prices may have changed.",
            again,
            task_id=film.film_id,
        )


def _withdrawn(film: Film) -> InvalidRequestError:
    return InvalidRequestError(
        f"The plan of film {film.film_id} was withdrawn.",
        Step(Do.TRY, "plan it again, with its shots; that is free"),
        task_id=film.film_id,
    )


async def _read_again(context: Context, film: Film) -> Film:
    return await context.store.find_film(film.film_id) or film
