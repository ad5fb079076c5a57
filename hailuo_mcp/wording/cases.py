"""A task's case and the values for its sentence: one analysis for all voices."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import TYPE_CHECKING

from hailuo_mcp.dialects.providers import failure_steps
from hailuo_mcp.domain.requests import Mode
from hailuo_mcp.domain.task import POLLED, Money, Status, Task, Unit
from hailuo_mcp.errors import AuthenticationError, Do, ProviderError, Step, error_class
from hailuo_mcp.wording import phrases

if TYPE_CHECKING:
    from hailuo_mcp.views import View
    from hailuo_mcp.wording.phrases import Sentences


class Case(StrEnum):
    """What a task's sentence is about; a status may have several."""

    PENDING = "pending"
    CONTINUES = "pending, until the shot before is saved"
    DELAYED = "pending, after something went wrong"
    SUBMITTING = "submitting"
    QUEUED = "queued"
    RUNNING = "running"
    KEY_REFUSED = "queued or running, and the key is refused"
    SAVED = "saved"
    SAVING = "succeeded"
    NOT_SAVED = "succeeded, saving failed"
    LEFT_THERE = "succeeded, not saved unless asked for"
    FAILED = "failed"
    NO_CLIP = "failed, settled as bought"
    CANCELLED = "cancelled"
    CANCELLED_ELSEWHERE = "cancelled, bought elsewhere"
    UNCONFIRMED = "unconfirmed"
    SEARCHED = "unconfirmed, and looked for at the provider"
    NOT_BOUGHT = "failed, and certainly not bought"


def case_of(view: View) -> Case:
    task = view.task
    if view.searching or task.not_bought:
        return Case.SEARCHED if view.searching else Case.NOT_BOUGHT
    found = Case(task.status.value)
    match task.status:
        case Status.PENDING if task.waits:
            found = Case.CONTINUES
        case Status.PENDING if task.error:
            found = Case.DELAYED
        case Status.QUEUED | Status.RUNNING if key_is_refused(task):
            found = Case.KEY_REFUSED
        case Status.SUCCEEDED if task.saved:
            found = Case.SAVED
        case Status.SUCCEEDED if task.save_error:
            found = Case.NOT_SAVED
        case Status.SUCCEEDED if not view.auto_download:
            found = Case.LEFT_THERE
        case Status.FAILED if task.money is Money.SPENT:  # a person says that it was bought
            found = Case.NO_CLIP
        case Status.CANCELLED if task.money is Money.UNKNOWN:
            found = Case.CANCELLED_ELSEWHERE
        case _:
            pass  # one case, of the same name
    return found


def key_is_refused(task: Task) -> bool:
    """The provider has the clip, but refuses this key's polls."""
    return task.status in POLLED and task.error_kind == AuthenticationError.code


def values_of(view: View, sentences: Sentences, **names: str) -> dict[str, str]:
    """The values for the cases' sentences; `sentences` and `names` word the next steps."""
    task = view.task
    names["tool"] = _tool(task)
    return {
        **names,
        "task_id": task.task_id,
        "film_id": task.film_id,
        "before": str(task.shot - 1),
        "provider": "the sandbox" if view.notice else task.provider,
        "left": left(view),
        "again": phrases.about(view.next_check_seconds or 30),
        "owed": _owed(view, "when it succeeds"),
        "owed_if_accepted": _owed(view, "if it is accepted"),
        "paid": phrases.paid(task),
        "held": _held(view),
        "mute": f" {task.provider} gives no usable answer at the moment; it is asked again "
        "automatically."
        if task.error
        else "",
        "error": task.error,
        "save_error": task.save_error,
        "why": why(task, sentences, **names),
        "settle": phrases.next_steps([Step(Do.SETTLE, task.task_id)], sentences, **names),
    }


def _tool(task: Task) -> str:
    """What makes such a clip, for an agent."""
    if task.film_id:
        return f'generate_storyboard with film_id "{task.film_id}" and redo=[{task.shot}]'
    others = {Mode.TEMPLATE: "generate_from_template", Mode.UPGRADE: "upgrade_video"}
    return others.get(task.mode, "generate_video")


def left(view: View) -> str:
    """The time left, to follow a word."""
    return f", {phrases.about(view.eta_seconds)} left" if view.eta_seconds else ""


_PROGRESS: Mapping[Case, str] = {
    Case.PENDING: "waiting for its turn",
    Case.DELAYED: "waiting for its turn",
    Case.RUNNING: "rendering",
    Case.KEY_REFUSED: "rendering",
    Case.SAVING: "saving the clip",
    Case.NOT_SAVED: "not saved yet",
    Case.LEFT_THERE: "ready",
    Case.SEARCHED: "looking for it in the provider's list of tasks",
}


def progress_line(view: View) -> str:
    """The text beside a progress bar; for an error, its first sentence."""
    task, case = view.task, case_of(view)
    trouble = (task.save_error if case is Case.NOT_SAVED else task.error).partition(". ")[0]
    doing = f"waiting for shot {task.shot - 1}" if case is Case.CONTINUES else ""
    said = f"{doing or _PROGRESS.get(case, case.value)}{left(view)}"
    return f"{said} ({trouble.removesuffix('.')})" if trouble and not task.saved else said


def _owed(view: View, when: str) -> str:
    """What is charged when something happens, to follow a semicolon."""
    task = view.task
    if view.notice:
        told = phrases.imitated(task)
        return f"{told[0].lower()}{told[1:]}"
    if task.money is Money.UNKNOWN:
        return "bought elsewhere"
    return f"{phrases.price(task)} {'are' if _are_several(task) else 'is'} charged {when}"


def _are_several(task: Task) -> bool:
    return task.unit is Unit.CREDITS and task.amount not in (None, 1)


def _held(view: View) -> str:
    """What stays reserved while the outcome is unknown."""
    task = view.task
    if task.amount is None:
        return "No price is published for it"
    of_play = " of play money" if view.notice else ""
    return f"{phrases.price(task)}{of_play} {'stay' if _are_several(task) else 'stays'} reserved"


_MONEY: Mapping[Status, str] = {
    Status.PENDING: "Nothing is charged so far.",
    Status.FAILED: "Nothing was charged.",
    Status.UNCONFIRMED: "It may have been bought and charged; it is never sent again.",
}
_REASONS: Mapping[Status, str] = {
    Status.FAILED: "The provider gave no reason.",
    Status.CANCELLED: "It was withdrawn before it was sent.",
    Status.UNCONFIRMED: "The request was sent, but no usable answer came.",
}
"""The sentence if none is recorded."""
_UNEXPLAINED = ("", "provider_failed", ProviderError.code)


def why(task: Task, sentences: Sentences, **names: str) -> str:
    """What was recorded about its end, with the money and, for a failure, the next steps."""
    if "charged" in task.error.casefold():
        return task.error  # journals of older versions contain the whole message
    code = f" ({task.error_code})" if task.error_code and task.error_code not in task.error else ""
    reason = (task.error or _REASONS.get(task.status, "")).removesuffix(".")
    said = [f"{reason}{code}." if reason else "", _MONEY.get(task.status, "")]
    if task.status is Status.FAILED and task.settled_at is None:
        steps = failure_steps(task.provider, task.error_code) or error_class(task.error_kind).then
        if not steps and task.error_kind in _UNEXPLAINED:
            steps = (Step(Do.TRY, "change the prompt or the picture a little, or try again later"),)
        said.append(phrases.next_steps(steps, sentences, **names))
    return phrases.join(*said)
