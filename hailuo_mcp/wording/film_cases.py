"""A film's case and the values for its sentence: one analysis for all voices."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from decimal import Decimal
from enum import StrEnum
from typing import TYPE_CHECKING

from hailuo_mcp.domain.film import Transition
from hailuo_mcp.domain.task import UNFINISHED, Money, Quote, Status, Unit
from hailuo_mcp.errors import Do, Step
from hailuo_mcp.text import number
from hailuo_mcp.wording import cases, phrases

if TYPE_CHECKING:
    from hailuo_mcp.errors import Charged
    from hailuo_mcp.views import FilmView, ShotView, View
    from hailuo_mcp.wording.phrases import Sentences


class FilmCase(StrEnum):
    """What a film's sentence is about; a status may have several."""

    PLANNED = "planned"
    REFUSED = "planned, and making it would be refused"
    REDO_PLANNED = "made, a redo is planned"
    WITHDRAWN = "planned, and the plan is withdrawn"
    WAITING = "pending"
    BEING_MADE = "some shots are being made"
    KEY_REFUSED = "being made, and the key is refused"
    UNCONFIRMED = "unconfirmed"
    FAILED = "failed"
    CANCELLED = "cancelled"
    SAVING = "all shots are ready, and being saved"
    NOT_SAVED = "all shots are ready, saving one failed"
    JOINING = "all shots are saved, and being joined"
    NOT_JOINED = "all shots are saved, joining them failed"
    JOINED = "joined"


def case_of(view: FilmView) -> FilmCase:
    film, status = view.film, view.status
    if view.planned:
        plan = FilmCase.REDO_PLANNED if film.redoes else FilmCase.PLANNED
        return FilmCase.REFUSED if view.refused else plan
    if film.made_at is None:
        return FilmCase.WITHDRAWN
    if status is Status.SUCCEEDED:
        return _case_of_ready(view)
    if status is not None and status not in UNFINISHED and not view.searching:
        return FilmCase(status.value)
    made = list(_made(view))
    if any(cases.key_is_refused(shot.task) for shot in made):
        return FilmCase.KEY_REFUSED
    only_recorded = not _was_charged(view) and all(
        shot.task.status is Status.PENDING for shot in made
    )
    return FilmCase.WAITING if only_recorded else FilmCase.BEING_MADE


def _case_of_ready(view: FilmView) -> FilmCase:
    unsaved = [shot for shot in _made(view) if not shot.task.saved]
    if any(shot.task.save_error for shot in unsaved):
        return FilmCase.NOT_SAVED
    if unsaved:
        return FilmCase.SAVING
    if view.film.save_error:
        return FilmCase.NOT_JOINED
    return FilmCase.JOINED if view.joined else FilmCase.JOINING


def values_of(view: FilmView, sentences: Sentences, **names: str) -> dict[str, str]:
    """The values for the cases' sentences; `sentences` and `names` word the next steps."""
    film, again = view.film, redo_of_failed(view)
    of_redo = view.planned and film.redoes
    wanted = [shot.number for shot in view.shots if shot.planned or not of_redo]
    return {
        **names,
        "film_id": film.film_id,
        "provider": "the sandbox" if view.notice else film.provider,
        "shots": _many(len(view.shots)),
        "planned": f"{numbered(wanted)} again" if of_redo else _many(len(wanted)),
        "length": _length(view),
        "joins": _joins(view),
        "price": _price(view),
        "budget": _budget(view),
        "takes": f", in {phrases.about(view.eta_seconds)}" if view.eta_seconds else "",
        "left": _left(view),
        "again": phrases.about(view.next_check_seconds or 30),
        "saved": saved_words(view),
        "owed": _owed(view),
        "so_far": _so_far(view),
        "refused": _refused(view, sentences, **names),
        "paid": _paid(view),
        "trouble": _trouble(view, sentences, **names),
        "save_error": film.save_error or _shot_not_saved(view),
        "redo": ",".join(map(str, again)),
        "retake": ",".join(map(str, film.redone)),
        "redone": f"{numbered(film.redone)} {'was' if len(film.redone) == 1 else 'were'}",
        "again_shots": numbered(film.with_dependants(again)),
        "again_price": _price_of_redo(view, again),
        "earlier": _earlier(view),
    }


def saved_words(view: FilmView) -> str:
    """Such as "2 of 5 shots saved"."""
    saved = sum(shot.task.saved for shot in _made(view))
    return f"{saved} of {_many(len(view.shots))} saved"


def progress_line(view: FilmView) -> str:
    """The text beside a progress bar."""
    match case_of(view):
        case FilmCase.JOINING:
            return "joining the shots"
        case FilmCase.SAVING:
            return f"{saved_words(view)}, saving the others"
        case FilmCase.NOT_SAVED | FilmCase.NOT_JOINED as case:
            trouble = (view.film.save_error or _shot_not_saved(view)).partition(". ")[0]
            said = "not joined yet" if case is FilmCase.NOT_JOINED else "not saved yet"
            return f"{said} ({trouble.removesuffix('.')})"
        case FilmCase.WAITING | FilmCase.BEING_MADE | FilmCase.KEY_REFUSED:
            return f"{saved_words(view)}{_left(view)}{_working_on(view)}"
        case case:
            return case.value


def charged(view: FilmView) -> Charged:
    """Whether money moved for what `view.amount` counts."""
    if view.planned or view.film.made_at is None:
        return "no"
    words = {phrases.charged(shot.task) for shot in _made(view)}
    if "maybe" in words:
        return "maybe"
    if _was_charged(view):  # a part of it, or only earlier takes: the message says how much
        return "yes"
    return "not yet" if "not yet" in words else "no"


def _was_charged(view: FilmView) -> bool:
    return view.spent is None or view.spent > 0


def charged_so_far(view: FilmView) -> str:
    """Such as "2 of 6 CNY charged so far, 4 reserved"; empty if it is all or nothing."""
    if not view.spent or view.amount is None or view.spent >= view.amount:
        return ""
    rest = number(view.amount - view.spent)
    return f"{number(view.spent)} of {_amount(view, view.amount)} charged so far, {rest} reserved"


def redo_of_failed(view: FilmView) -> list[int]:
    """The shots to make again after a failure; what continues from them comes with them."""
    lost = (Status.FAILED, Status.CANCELLED)
    missing = [it.number for it in view.shots if it.view and it.view.task.status in lost]
    return [
        number
        for number in missing
        if not (view.shots[number - 1].plan.continues and number - 1 in missing)
    ]


def remarks(view: FilmView, redo: str, **names: str) -> Iterator[str]:
    """What the plan's requests gave rise to, then the remarks on this answer.

    `redo`, worded with `names`: that one was planned before and is neither made nor withdrawn.
    """
    for shot in view.shots if view.planned else ():
        for warning in shot.plan.warnings:
            yield f"Shot {shot.number}: {warning}"
    yield from view.notes
    if again := view.open_redo:
        price = _price_of_redo(view, again)
        yield redo.format(shots=numbered(again), price=price, film_id=view.film.film_id, **names)


def _made(view: FilmView) -> Iterator[View]:
    return (shot.view for shot in view.shots if shot.view)


def _many(shots: int) -> str:
    return f"{shots} shot{'' if shots == 1 else 's'}"


def numbered(numbers: Sequence[int]) -> str:
    """Such as "shot 3", "shots 2 and 5" or "shots 3 to 5"."""
    *most, last = [str(number) for number in numbers] or [""]
    if len(most) > 1 and numbers[-1] - numbers[0] == len(most):
        return f"shots {most[0]} to {last}"
    return f"shots {', '.join(most)} and {last}" if most else f"shot {last}"


def _length(view: FilmView) -> str:
    """The planned film's length, to follow the number of shots."""
    seconds = view.film.planned_seconds
    return f" of {seconds:g} s in all" if seconds else ""


def _joins(view: FilmView) -> str:
    """What the shots start from, and how they are joined; empty for a single one."""
    if len(view.shots) == 1:
        return ""
    chained = [shot.number for shot in view.shots if shot.plan.continues]
    starts = "Each shot stands alone"
    if chained:
        begin = "starts" if len(chained) == 1 else "start"
        starts = f"{_capital(numbered(chained))} {begin} from the last frame of the shot before"
    return f" {starts}; {_JOINED[view.film.transition]}."


_JOINED = {
    Transition.CUT: "the shots are joined by cuts",
    Transition.FADE: "the shots fade into each other for half a second",
}


def _amount(view: FilmView, amount: Decimal) -> str:
    return phrases.amount(amount, view.film.unit)


def _price(view: FilmView) -> str:
    """What is planned costs, to follow what it is."""
    if view.amount is None:
        return "at an unpublished price"
    price = _amount(view, view.amount)
    return f"free here (real ones would cost {price})" if view.notice else f"for {price}"


def _budget(view: FilmView) -> str:
    """What the plan leaves of the budget; empty if there is none."""
    so_far = view.spending
    if so_far is None or so_far.left is None or so_far.budget is None or view.amount is None:
        return ""
    when = {"day": " today", "month": " this month"}.get(so_far.period, "")
    left = f"{number(so_far.left)} of {_amount(view, so_far.budget)}{when}"
    return f" Left of the budget: {left}, {number(so_far.left - view.amount)} after it."


def _owed(view: FilmView) -> str:
    """What is charged as the shots succeed, to follow a semicolon."""
    if view.notice:
        told = _paid(view) or "It is free."
        return f"{told[0].lower()}{told[1:]}".removesuffix(".")
    if view.amount is None:
        return "no price is published, and each shot is charged when it succeeds"
    if so_far := charged_so_far(view):
        return so_far
    several = view.film.unit is Unit.CREDITS and view.amount != 1
    price = _amount(view, view.amount)
    return f"{price} {'are' if several else 'is'} charged in all, each shot when it succeeds"


def _so_far(view: FilmView) -> str:
    """The sentence about a film of which a part was charged; otherwise empty."""
    so_far = charged_so_far(view)
    return f"{so_far}." if so_far and not view.notice else ""


def _refused(view: FilmView, sentences: Sentences, **names: str) -> str:
    """Why the plan would be refused, and what to change."""
    if view.refused is None:
        return ""
    steps = phrases.next_steps(phrases.steps_of(view.refused), sentences, **names)
    return phrases.join(view.refused.what, steps)


def _paid(view: FilmView) -> str:
    """The sentence about the money that was spent."""
    if view.notice:
        if view.amount is None:
            return "It is free."
        price = _amount(view, view.amount)
        return f"Real ones would cost {price}." if view.amount else ""
    if not _was_charged(view):
        return "Nothing was charged."
    if view.amount is None or view.spent is None:
        return "The shots that were made were charged; no price is published."
    if view.status is not Status.SUCCEEDED:
        return f"{_amount(view, view.spent)} was charged."
    takes = ", with what was made again" if view.film.revision > 1 else ""
    return f"It cost {_amount(view, view.amount)}{takes}."


def _price_of_redo(view: FilmView, numbers: Sequence[int]) -> str:
    """What it costs to make these shots again, with what depends on them."""
    amounts = [view.shots[one - 1].plan.amount for one in view.film.with_dependants(numbers)]
    known = [amount for amount in amounts if amount is not None]
    if view.notice:
        return "free here"
    if not known or len(known) < len(amounts):
        return "no price is published"
    return _amount(view, sum(known, Decimal(0)))


def _earlier(view: FilmView) -> str:
    """That a redo replaces nothing; empty while there is no film yet."""
    return "The film as it was before is kept." if view.film.saved else ""


def _left(view: FilmView) -> str:
    """The time until the last shot is ready, to follow a word."""
    return f", {phrases.about(view.eta_seconds)} left" if view.eta_seconds else ""


def _working_on(view: FilmView) -> str:
    """The shot that is furthest and not saved, with its phase."""
    rank = (Status.SUCCEEDED, Status.RUNNING, Status.QUEUED, Status.SUBMITTING, Status.PENDING)
    moving = [
        (rank.index(it.view.task.status), it.number, it.view)
        for it in view.shots
        if it.view and it.view.task.status in rank and not it.view.task.saved
    ]
    if not moving:
        return ""
    _, shot, found = min(moving, key=lambda one: one[:2])
    # The time that is left is the film's.
    return f"; shot {shot} {cases.progress_line(replace(found, eta_seconds=None))}"


def _shot_not_saved(view: FilmView) -> str:
    found = ((it.number, it.view.task) for it in view.shots if it.view)
    errors = (f"Shot {number}: {task.save_error}" for number, task in found if task.save_error)
    return next(errors, "")


def _trouble(view: FilmView, sentences: Sentences, **names: str) -> str:
    """What became of the shots that are not made: failed, unconfirmed, cancelled, waiting."""
    return phrases.join(
        *_failures(view, sentences, **names),
        *_doubts(view, sentences, **names),
        _not_sent(view),
        _waiting(view),
    )


def _failures(view: FilmView, sentences: Sentences, **names: str) -> Iterator[str]:
    reasons = dict[str, list[int]]()
    for shot in view.shots:
        if shot.view and shot.view.task.status is Status.FAILED:
            if shot.view.task.money is Money.SPENT:
                yield _without_clip(shot.number, shot.view, sentences, **names)
                continue
            why = cases.why(shot.view.task, sentences, **names)
            reasons.setdefault(why, []).append(shot.number)
    for why, shots in reasons.items():
        yield f"{_capital(numbered(shots))} failed. {why}"


def _without_clip(number: int, view: View, sentences: Sentences, **names: str) -> str:
    """A shot that a person settled as bought, without the id by which its clip could be had."""
    again = phrases.next_steps([Step(Do.SETTLE, view.task.task_id)], sentences, **names)
    paid = phrases.paid(view.task)
    return f"Shot {number} is paid for, without a clip. {view.task.error} {paid} {again}"


def _doubts(view: FilmView, sentences: Sentences, **names: str) -> Iterator[str]:
    for shot in view.shots:
        if shot.view and shot.view.task.status is Status.UNCONFIRMED:
            values = cases.values_of(shot.view, sentences, **names)
            if shot.view.searching:
                values["settle"] = "It is being looked for in the provider's list of tasks."
            yield "Shot {shot} is unconfirmed. {why} {held}. {settle}".format(
                shot=shot.number, **values
            )


def _not_sent(view: FilmView) -> str:
    gone = _with_status(view, Status.CANCELLED)
    if not gone:
        return ""
    was = "was" if len(gone) == 1 else "were"
    return (
        f"{_capital(numbered(gone))} {was} not sent, and {'is' if len(gone) == 1 else 'are'} free."
    )


def _waiting(view: FilmView) -> str:
    """What waits for an unconfirmed shot."""
    waiting = [
        it.number
        for it in view.shots
        if it.view and it.view.task.status is Status.PENDING and not it.view.task.due_at
    ]
    if not waiting or not _with_status(view, Status.UNCONFIRMED):
        return ""
    waits = "waits" if len(waiting) == 1 else "wait"
    return f"{_capital(numbered(waiting))} {waits} for that, unsent."


def _with_status(view: FilmView, status: Status) -> list[int]:
    return [it.number for it in view.shots if it.view and it.view.task.status is status]


def _capital(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}"


def question(view: FilmView) -> str:
    """Whether to make what is planned, at its price."""
    what = f"{numbered(view.film.redo)} again" if view.film.redoes else "this film"
    price = _price(view)
    return f"Make {what}{', ' if view.notice else ' '}{price}?"


def row_price(view: FilmView, shot: ShotView) -> str:
    """What a planned shot costs, as the rows of lists say it."""
    if shot.plan.amount is None:
        return ""
    from hailuo_mcp.catalog.prices import price_words

    price = price_words(Quote(amount=shot.plan.amount, unit=view.film.unit))
    return f"would cost {price}" if view.notice else price


def is_moving(view: FilmView) -> bool:
    """Whether waiting may bring news: a shot, or the joining, is under way."""
    return case_of(view) in (
        *(FilmCase.WAITING, FilmCase.BEING_MADE, FilmCase.KEY_REFUSED),
        *(FilmCase.SAVING, FilmCase.JOINING),
    ) or any(shot.task.status in UNFINISHED - {Status.PENDING} for shot in _made(view))
