"""What a message says: what happened, whether money moved, and what to call next."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING

from hailuo_mcp.catalog.prices import price_words
from hailuo_mcp.domain import POLLED, Money, Quote, Status, Task, Unit
from hailuo_mcp.errors import AuthenticationError

if TYPE_CHECKING:
    from hailuo_mcp.views import View  # heavy: it opens journals and clients

REUSED = "Not a new clip, nothing charged:"
_MINUTES_FROM = 120


def moment(seconds: float) -> str:
    """ISO 8601 in local time with its zone."""
    return datetime.fromtimestamp(seconds).astimezone().isoformat(timespec="seconds")


def about(seconds: float) -> str:
    """A length of time as a person would say it."""
    whole = max(1, round(seconds))
    return f"about {whole} s" if whole < _MINUTES_FROM else f"about {round(whole / 60)} min"


def price(task: Task) -> str:
    """The task's cost in words, or what stands for it."""
    if task.amount is None:
        return "its cost (no price is published)"
    return price_words(Quote(amount=task.amount, unit=task.unit))


def paid(view: View) -> str:
    """That the money has gone, as far as it is known."""
    task = view.task
    if view.notice:
        return f"{_imitated(task)}."
    if task.money is Money.UNKNOWN:
        return "Bought elsewhere, so its cost is not known here."
    if task.amount is None:
        return "It was charged; no price is published."
    return f"It cost {price(task)}."


def _imitated(task: Task) -> str:
    """What an imitation says in place of its cost."""
    return f"A real one would cost {price(task)}" if task.amount is not None else "It is free"


def _owed(view: View, when: str) -> str:
    """What is charged when something happens, to stand behind a semicolon."""
    if view.notice:
        told = _imitated(view.task)
        return f"{told[0].lower()}{told[1:]}"
    several = _are_several(view.task)
    return f"{price(view.task)} {'are' if several else 'is'} charged {when}"


def progress_line(view: View) -> str:
    """What a progress bar says beside itself."""
    task = view.task
    if task.status is Status.SUCCEEDED:
        return "saving the clip" if not task.saved else "saved"
    word = {Status.RUNNING: "rendering", Status.PENDING: "waiting for its turn"}.get(
        task.status, task.status.value
    )
    return f"{word}, {about(view.eta_seconds)} left" if view.eta_seconds else word


def message(view: View) -> str:
    """The whole message of a task."""
    told = _BY_STATUS[view.task.status](view)
    if view.reused:
        told = f"{REUSED} {told[0].lower()}{told[1:]}"
    return " ".join(part for part in (view.notice, view.trouble, told, *view.notes) if part)


def still(view: View) -> str:
    """The message of a poll that finds nothing new."""
    word = {
        Status.PENDING: "Still waiting for its turn",
        Status.SUBMITTING: "Still not answered by the provider",
        Status.QUEUED: "Still queued",
        Status.RUNNING: "Still rendering",
    }[view.task.status]
    left = f", {about(view.eta_seconds)} left" if view.eta_seconds else ""
    again = about(view.next_check_seconds or 30)
    told = f"{word}{left}; nothing else is new. Call query_task again in {again}."
    return f"{view.notice} {told}".strip()


def _look_again(view: View) -> str:
    wait = about(view.next_check_seconds or 30)
    return f'call query_task with task_id "{view.task.task_id}" in {wait}'


def _pending(view: View) -> str:
    why = view.task.error or (
        "Written down and not sent yet: it waits for its turn under the rate limit, nothing is "
        "charged so far."
    )
    return f"{why} It is sent and saved without you; {_look_again(view)}."


def _submitting(view: View) -> str:
    return (
        f"Sent to {view.task.provider}, which has not answered yet; "
        f"{_owed(view, 'if it takes it')}. The work goes on without this call: do not "
        f"buy it again, {_look_again(view)}."
    )


def _are_several(task: Task) -> bool:
    return task.unit is Unit.CREDITS and task.amount not in (None, 1)


def key_is_refused(task: Task) -> bool:
    """The provider has the clip and does not let this key ask about it."""
    return task.status in POLLED and task.error_kind == AuthenticationError.code


def _under_way(view: View) -> str:
    task = view.task
    word = "Rendering" if task.status is Status.RUNNING else "Bought and queued"
    left = f", {about(view.eta_seconds)} left" if view.eta_seconds else ""
    cost = (
        _owed(view, "when it succeeds") if task.money is not Money.UNKNOWN else "bought elsewhere"
    )
    if key_is_refused(task):
        return (
            f"Bought, and safe at {task.provider}; {cost}. But it refuses the key when it is asked "
            "how the clip stands, so the clip cannot be saved: ask the person to put "
            f"HAILUO_API_KEY right. Do not buy it again; then {_look_again(view)}."
        )
    mute = (
        f" {task.provider} gives no usable answer about it at the moment and is asked again by "
        "itself."
        if task.error
        else ""
    )
    return (
        f"{word} at {task.provider}{left}; {cost}.{mute} The clip is saved without you (if this "
        f"app closes, when hailuo-mcp next runs): do not buy it again, {_look_again(view)}."
    )


def where(view: View) -> str:
    """Where the person finds a saved clip: on this disk, or behind a link of this server's."""
    if view.link is None:
        return "tell the person the path in file"
    return f"give the person the link in url, good until {moment(view.link.expires_at or view.now)}"


def _succeeded(view: View) -> str:
    task = view.task
    if task.saved:
        return f"The clip is saved: {where(view)}. {paid(view)}"
    if task.save_error:
        return (
            f"The clip is ready, but it is not on this disk: {task.save_error} {paid(view)} "
            f'download_video with task_id "{task.task_id}" tries again, free.'
        )
    if not view.auto_download:
        return (
            f"The clip is ready at {task.provider} and not saved, because HAILUO_AUTO_DOWNLOAD is "
            f'off. {paid(view)} Call download_video with task_id "{task.task_id}", free.'
        )
    return (
        f"The clip is ready and being saved. {paid(view)} Call query_task with task_id "
        f'"{task.task_id}" in about 5 s for its path.'
    )


def _failed(view: View) -> str:
    task = view.task
    if task.money is Money.SPENT:  # a person has settled that it was bought all the same
        return f"{task.error} {paid(view)}"
    why = task.error or "The provider gave no reason; the same request may work at another time."
    code = f" ({task.error_code})" if task.error_code and task.error_code not in why else ""
    spoken = why if "charged" in why.casefold() else f"{why}{code} Nothing was charged."
    return f"The clip failed. {spoken}"


def _cancelled(view: View) -> str:
    why = view.task.error or "Withdrawn before it was sent."
    if view.task.money is Money.UNKNOWN:  # nobody here asked for it, so nobody misses it
        return f"Cancelled. {why}"
    return f"Cancelled, nothing was charged. {why} To have the clip after all, call generate_video."


def _unconfirmed(view: View) -> str:
    task = view.task
    why = task.error or (
        f"The request was sent to {task.provider} and no usable answer came. It may have been "
        "bought and charged; it is never sent again."
    )
    of_play = " of play money" if view.notice else ""
    held = (
        "No price is published for it"
        if task.amount is None
        else f"{price(task)}{of_play} {'stay' if _are_several(task) else 'stays'} reserved"
    )
    return (
        f"{why} {held}, and asking again does not help. Ask the person to look at the provider's "
        f"bill and then run `hailuo-mcp settle {task.task_id} bought` or `not-bought`."
    )


_BY_STATUS: Mapping[Status, Callable[[View], str]] = {
    Status.PENDING: _pending,
    Status.SUBMITTING: _submitting,
    Status.QUEUED: _under_way,
    Status.RUNNING: _under_way,
    Status.SUCCEEDED: _succeeded,
    Status.FAILED: _failed,
    Status.CANCELLED: _cancelled,
    Status.UNCONFIRMED: _unconfirmed,
}
