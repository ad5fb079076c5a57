"""The voice for a person at a shell: commands to run, settings to change."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from hailuo_mcp.dialects.providers import failure_steps, provider_notice
from hailuo_mcp.domain.task import Money, Task, Unit
from hailuo_mcp.errors import Do, HailuoError, error_class
from hailuo_mcp.text import number
from hailuo_mcp.views import cost_words
from hailuo_mcp.wording import film_cases
from hailuo_mcp.wording.cases import Case, case_of, values_of
from hailuo_mcp.wording.film_cases import FilmCase
from hailuo_mcp.wording.phrases import (
    amount,
    charged,
    difference,
    join,
    money,
    next_steps,
    other_units_text,
    paid,
    steps_of,
)

if TYPE_CHECKING:
    from hailuo_mcp.journal.facts import Losses, ProviderSums
    from hailuo_mcp.views import FilmView, Listing, Spending, View

REUSED = ("Not a new clip:", "you asked for it before. Nothing was charged now.")
FILM_REUSED = ("Not a new film:", "it was made before. Nothing was charged now.")
REDO_REUSED = (
    "Not a new take:",
    (
        "{redone} made again before, and this command is taken for the same one. Nothing was "
        "charged now. For another take: `{program} film --film {film_id} --redo {retake} "
        "--dry-run`, then `{program} film --film {film_id} --yes`."
    ),
)
STEPS: Mapping[Do, str] = {
    Do.TRY: "{clause}.",
    Do.ARRANGE: "{clause}.",
    Do.SET: "Set {about}.",
    Do.CHECK: "Check {about}.",
    Do.RAISE: "Raise {about}.",
    Do.REPEAT: "Try again {about}.",
    Do.NEAREST: "Nearest that works: {about}.",
    Do.CROP_IMAGE: "With --image-fit crop the edges are cut off.",
    Do.PAD_IMAGE: "With --image-fit pad white bars are added.",
    Do.CONFIRM: "If you agree, repeat the command with --confirm {about}, or --yes. The code "
    "works once, for ten minutes.",
    Do.SETTLE: "Look at the provider's bill, then run `{program} settle {about} bought "
    "--remote-id ID`, with the clip's id in the bill, or `not-bought`.",
    Do.QUERY: "Run `{program} query {about} --wait`.",
    Do.DOWNLOAD: "Run `{program} download {about}`, free.",
    Do.LIST_TASKS: "`{program} tasks` shows the ids.",
    Do.LIST_MODELS: "`{program} models` lists the models.",
    Do.LIST_TEMPLATES: "`{program} template` lists the templates.",
    Do.ESTIMATE: "`{program} estimate` compares prices.",
    Do.ACCEPT_LOSSES: "Compare the provider's bill with `{program} tasks`, then run `{program} "
    "journal accept`.",
    Do.DOCTOR: "Run `{program} doctor`.",
    Do.LOG_IN: "Or run `{program} login`, which asks for a key and keeps it.",
}
TASKS: Mapping[Case, tuple[str, str]] = {
    Case.PENDING: (
        "Waiting",
        "for its turn under the rate limit; it is recorded, and nothing is charged so far.",
    ),
    Case.CONTINUES: (
        "Waiting",
        "for shot {before} of film {film_id}, which it continues; nothing is charged so far.",
    ),
    Case.DELAYED: ("Waiting.", "{why} It is sent automatically."),
    Case.SUBMITTING: ("Sent", "to {provider}, which has not answered yet."),
    Case.QUEUED: ("Queued", "at {provider}{left}.{mute}"),
    Case.RUNNING: ("Rendering", "at {provider}{left}.{mute}"),
    Case.KEY_REFUSED: (
        "Key refused.",
        "The clip is bought and safe at {provider}. Correct HAILUO_API_KEY; do not buy it again.",
    ),
    Case.SAVED: ("", ""),
    Case.SAVING: ("Ready", "at {provider} and being saved."),
    Case.NOT_SAVED: ("Not saved.", "{save_error}"),
    Case.LEFT_THERE: (
        "Ready",
        "at {provider} and not saved, because HAILUO_AUTO_DOWNLOAD is off.",
    ),
    Case.FAILED: ("Failed.", "{why}"),
    Case.NO_CLIP: ("Bought, without a clip.", "{error} {paid}"),
    Case.CANCELLED: ("Cancelled.", "{why} Nothing was charged."),
    Case.CANCELLED_ELSEWHERE: ("Cancelled.", "{why}"),
    Case.UNCONFIRMED: ("Unconfirmed.", "{why} {held}. {settle}"),
    Case.SEARCHED: (
        "Unconfirmed.",
        "{why} {held}. It is being looked for in the provider's list of tasks.",
    ),
    Case.NOT_BOUGHT: ("Not bought.", "{error} Nothing was charged."),
}
"""A label and its sentence; the clip's facts, including its cost, are printed below."""

_REDO = (
    "`{program} film --film {film_id} --redo {redo}` shows what it costs to make {again_shots} "
    "again, and asks first."
)
FILMS: Mapping[FilmCase, tuple[str, str]] = {
    FilmCase.PLANNED: ("Planned:", "{planned}{length}, {price}{takes}.{joins}{budget}{consent}"),
    FilmCase.REFUSED: (
        "Would be refused.",
        "{refused} Planned: {planned}, {price}{takes}.",
    ),
    FilmCase.REDO_PLANNED: ("Planned:", "{planned}, {price}.{budget} {earlier}{consent}"),
    FilmCase.WITHDRAWN: ("Withdrawn.", "Nothing was bought or charged."),
    FilmCase.WAITING: (
        "Starting:",
        "{shots}, sent as fast as the rate limit allows; nothing is charged so far.",
    ),
    FilmCase.BEING_MADE: ("Being made", "at {provider}: {saved}{left}. {trouble}"),
    FilmCase.KEY_REFUSED: (
        "Key refused.",
        "The shots are safe at {provider}. Correct HAILUO_API_KEY; do not buy again. {trouble}",
    ),
    FilmCase.UNCONFIRMED: (
        "Unconfirmed.",
        "{saved}. {so_far} {trouble} {earlier} Nothing more is bought before that is settled.",
    ),
    FilmCase.FAILED: ("Failed.", f"{{saved}}. {{trouble}} {{earlier}} {_REDO}"),
    FilmCase.CANCELLED: ("Cancelled.", f"{{saved}}. {{trouble}} {{earlier}} {_REDO}"),
    FilmCase.SAVING: ("Ready", "at {provider} and being saved: {saved}."),
    FilmCase.NOT_SAVED: ("Not saved.", "{save_error}"),
    FilmCase.JOINING: ("Saved", "and being joined: {shots}."),
    FilmCase.NOT_JOINED: ("Not joined.", "All {shots} are saved. {save_error}"),
    FilmCase.JOINED: ("", ""),
}
"""A label and its sentence; the film's facts and its shots are printed below."""
OPEN_REDO = (
    "A redo of {shots} is planned ({price}): `{program} film --film {film_id}` makes it, "
    "`{program} cancel {film_id}` withdraws it."
)


def error_text(error: HailuoError, *, program: str = "hailuo-mcp", buys: bool = True) -> str:
    """What happened, whether money moved, and what to run; `program` is this program's name.

    `buys`: False where nobody expects that money moved, so only the contrary is said.
    """
    moved = money(error) if buys or error.charged != "no" else ""
    return join(error.what, moved, steps_text(error, program=program))


def steps_text(error: HailuoError, *, program: str = "hailuo-mcp") -> str:
    """What to run or set after an error."""
    return next_steps(steps_of(error), STEPS, program=program)


def task_text(view: View, *, program: str = "hailuo-mcp") -> tuple[str, str]:
    """A task's label and sentence; both empty for a saved clip, whose facts suffice."""
    label, sentence = TASKS[case_of(view)]
    return label, sentence.format_map(values_of(view, STEPS, program=program))


def film_text(view: FilmView, *, program: str = "hailuo-mcp") -> tuple[str, str]:
    """A film's label and sentence; both empty for a film that is joined, whose facts suffice."""
    values = film_cases.values_of(view, STEPS, program=program, tool="film") | {
        "consent": " You are asked before it is bought (HAILUO_CONFIRM_ABOVE)."
        if view.asks
        else "",
    }
    label, sentence = FILMS[film_cases.case_of(view)]
    said = " ".join(sentence.format_map(values).split())
    return label, said


def film_question(view: FilmView) -> str:
    """What the person is asked before a film, or a redo, is bought."""
    return film_cases.question(view)


def film_reused(view: FilmView, *, program: str = "hailuo-mcp") -> tuple[str, str]:
    """Why nothing was bought: a label and its sentence; both empty if that is no question."""
    if view.planned or not view.reused:
        return "", ""
    if not view.repeats_redo:
        return FILM_REUSED
    label, sentence = REDO_REUSED
    values = film_cases.values_of(view, STEPS, program=program, tool="film")
    return label, sentence.format_map(values)


def film_remarks(view: FilmView, *, program: str = "hailuo-mcp") -> list[str]:
    """Remarks on a film's plan and on this answer, each a paragraph."""
    return list(film_cases.remarks(view, OPEN_REDO, program=program))


def film_cost(view: FilmView) -> str:
    """What a film costs, with all takes of its shots, and whether that has been charged."""
    if view.amount is None:
        return "no published price"
    price, moved = amount(view.amount, view.film.unit), film_cases.charged(view)
    if moved == "no" and not view.planned:
        return "nothing"
    if view.film.revision > 1 and not view.planned:
        price += " with all takes"
    if view.notice:
        return f"nothing: real ones would cost {price}"
    if moved == "yes" and (so_far := film_cases.charged_so_far(view)):
        return so_far
    if moved == "maybe":
        return f"{price}, perhaps charged"
    return f"{price}, each shot when it succeeds" if moved == "not yet" else price


def trouble_text(task: Task, *, program: str = "hailuo-mcp") -> str:
    """Why a task's status cannot be read, and what to do about it."""
    steps = failure_steps(task.provider, task.error_code) or error_class(task.error_kind).then
    return join(task.error, next_steps(steps, STEPS, program=program))


def losses_text(losses: Losses, *, program: str = "hailuo-mcp") -> str:
    """The warning that a damaged journal may have lost tasks."""
    return (
        f"The journal was damaged and {losses.many} may be lost, so nothing new is bought until "
        f"you run `{program} journal accept`."
    )


def cost(view: View) -> str:
    """What a clip cost, and whether that has been charged."""
    task = view.task
    if task.money is Money.UNKNOWN:
        return "bought elsewhere"
    price, moved = cost_words(task) or "no published price", charged(task)
    if moved == "no":
        return "nothing"
    if moved == "maybe" and not view.notice:
        return f"{price}, perhaps charged"
    price += difference(task)
    later = moved == "not yet" and task.amount is not None and not view.notice
    return f"{price} when it succeeds" if later else price


def spending_text(so_far: Spending) -> str:
    """The spending so far."""
    when = {"day": "today", "month": "this month", "total": "in all"}.get(so_far.period, "")
    spent = amount(so_far.spent, Unit(so_far.unit))
    said = f"At {so_far.provider}: {spent} spent {when}"
    if provider_notice(so_far.provider):
        said = f"In the sandbox, free: clips that would cost {spent} {when}"
    if so_far.reserved:
        said += f", {number(so_far.reserved)} reserved"
    if so_far.uncertain:
        said += f" ({number(so_far.uncertain)} of it for unconfirmed tasks)"
    if so_far.budget is not None and so_far.left is not None:
        said += f"; {number(so_far.left)} left of a budget of {number(so_far.budget)}"
    return join(f"{said}.", other_units_text(so_far.others))


def task_message(view: View, *, program: str = "hailuo-mcp") -> str:
    """All about a task that a person must know, as one paragraph."""
    task = view.task
    said = join(*task_text(view, program=program))
    if not said:
        said = join(f"Saved: {task.file}.", paid(task))
    reused = join(*REUSED) if view.reused else ""
    lost = losses_text(view.losses, program=program) if view.losses else ""
    return join(view.notice, lost, reused, said, *view.notes)


def film_message(view: FilmView, *, program: str = "hailuo-mcp") -> str:
    """All about a film that a person must know, as one paragraph."""
    said = join(*film_text(view, program=program))
    if not said:
        said = f"Saved: {view.film.file} ({film_cost(view)})."
    reused = join(*film_reused(view, program=program))
    lost = losses_text(view.losses, program=program) if view.losses else ""
    return join(view.notice, lost, reused, said, *film_remarks(view, program=program))


def list_message(listing: Listing, *, limit: int = 0, program: str = "hailuo-mcp") -> str:
    """What a list has, and the money; if there are `limit` rows, there may be more."""
    clips, films = len(listing.rows), len(listing.films)
    counted = ((clips, "clip"), (films, "film"))
    said = " and ".join(
        f"{many} {what}{'' if many == 1 else 's'}" for many, what in counted if many
    )
    if limit and clips + films == limit:
        said = f"The first {said}; raise --limit to see more"
    lost = losses_text(listing.losses, program=program) if listing.losses else ""
    return join(lost, f"{said or 'No task'}.", spending_text(listing.spending))


def sums_text(sums: ProviderSums) -> str:
    """What tasks of one provider cost in one unit, without the words for whose they are."""
    spent = amount(sums.spent, sums.unit)
    many = f"{sums.tasks} task{'' if sums.tasks == 1 else 's'}"
    if provider_notice(sums.provider):
        whole = amount(sums.spent + sums.reserved, sums.unit)
        return f"{many}, free; real ones would cost {whole}"
    said = f"{many}, {spent} spent"
    if sums.reserved:
        said += f", {number(sums.reserved)} reserved"
    if sums.uncertain:
        said += f" ({number(sums.uncertain)} of it for unconfirmed tasks)"
    return said
