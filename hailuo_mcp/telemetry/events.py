"""What happens to purchases and to the server, as lines in the log: one table for all of them."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from enum import StrEnum

from hailuo_mcp.domain.task import TENANT, Task
from hailuo_mcp.telemetry import tracing

_log = logging.getLogger(__name__)


class Event(StrEnum):
    """Its name in the log and in /metrics."""

    RECORDED = "recorded"
    OVER_BUDGET = "over_budget"
    SUBMITTED = "submitted"
    ANSWERED = "answered"
    POSTPONED = "postponed"
    UNCONFIRMED = "unconfirmed"
    ADOPTED = "adopted"
    CANDIDATES = "candidates"
    NOT_BOUGHT = "not_bought"
    READY = "ready"
    COST_DIFFERS = "cost_differs"
    FAILED = "failed"
    SAVED = "saved"
    SAVE_FAILED = "save_failed"
    SHOT_STARTED = "shot_started"
    SHOT_STOPPED = "shot_stopped"
    FILM_DELAYED = "film_delayed"
    FILM_JOINED = "film_joined"
    JOIN_FAILED = "join_failed"
    TAKEN_OVER = "taken_over"
    DATABASE_LOST = "database_lost"
    DATABASE_BACK = "database_back"


_LINES: Mapping[Event, tuple[int, str]] = {
    Event.RECORDED: (logging.INFO, "purchase {task_id} is recorded"),
    Event.OVER_BUDGET: (logging.INFO, "a purchase is refused: over the budget"),
    Event.SUBMITTED: (logging.INFO, "submit of {task_id} begins"),
    Event.ANSWERED: (logging.INFO, "submit of {task_id} is accepted"),
    Event.POSTPONED: (logging.INFO, "submit of {task_id} is postponed"),
    Event.UNCONFIRMED: (logging.WARNING, "{task_id} is unconfirmed: it may have been bought"),
    Event.ADOPTED: (logging.INFO, "{task_id} is in the provider's list of tasks: {remote_id}"),
    Event.CANDIDATES: (
        logging.WARNING,
        "{task_id} may be one of {candidates} in the provider's list of tasks",
    ),
    Event.NOT_BOUGHT: (logging.INFO, "{task_id} was not bought: the provider's list lacks it"),
    Event.COST_DIFFERS: (
        logging.INFO,
        "{task_id} cost {cost} {unit} by the provider's count, and was quoted at {quoted}",
    ),
    Event.READY: (logging.INFO, "{task_id} is ready at the provider"),
    Event.FAILED: (logging.INFO, "{task_id} has failed ({code})"),
    Event.SAVED: (logging.INFO, "{task_id} is saved"),
    # Not the error's words: they name the file, which is named by the prompt.
    Event.SAVE_FAILED: (logging.WARNING, "saving {task_id} failed ({code}), try {tries}"),
    Event.SHOT_STARTED: (logging.INFO, "{task_id} can be sent: it has its first frame"),
    Event.SHOT_STOPPED: (logging.INFO, "{task_id} is cancelled: it has nothing to start from"),
    Event.FILM_DELAYED: (logging.WARNING, "film {film_id} has to wait ({code})"),
    Event.FILM_JOINED: (logging.INFO, "film {film_id} is joined"),
    Event.JOIN_FAILED: (logging.WARNING, "joining film {film_id} failed ({code}), try {tries}"),
    Event.TAKEN_OVER: (logging.INFO, "took over what other processes have left"),
    Event.DATABASE_LOST: (logging.WARNING, "the journal cannot be used ({code}): {why}"),
    Event.DATABASE_BACK: (logging.WARNING, "the journal can be used again after {seconds} s"),
}


def tenant_name(caller: str) -> str:
    """The tenant whose caller this is; empty for everybody else."""
    return caller.removeprefix(TENANT) if caller.startswith(TENANT) else ""


def log_event(event: Event, task: Task | None = None, **facts: object) -> None:
    """Write one line. `facts` are ids, numbers and our own words: never a client's text."""
    level, text = _LINES[event]
    if not _log.isEnabledFor(level):
        return
    if task is not None:
        facts = {"task_id": task.task_id, **facts}
    said = {name: value for name, value in facts.items() if value not in (None, "")}
    trace_id = tracing.trace_id()
    extra = {"event": event.value, **said} | ({"trace_id": trace_id} if trace_id else {})
    _log.log(level, "%s", text.format_map(_Facts(said)), extra={"facts": extra})


class _Facts(dict[str, object]):
    def __missing__(self, name: str) -> str:
        return "unknown"
