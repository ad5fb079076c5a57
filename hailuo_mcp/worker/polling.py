"""Poll a task at the provider until it ends."""

from __future__ import annotations

import logging
from collections.abc import Mapping

from hailuo_mcp.backoff import backoff
from hailuo_mcp.dialects.refusals import explain
from hailuo_mcp.domain.remote import Phase, RemoteStatus
from hailuo_mcp.domain.task import POLLED, Status, Task
from hailuo_mcp.errors import (
    AuthenticationError,
    Do,
    HailuoError,
    ProviderError,
    RateLimitError,
    RemoteTaskNotFoundError,
    Step,
)
from hailuo_mcp.studio.context import Context
from hailuo_mcp.telemetry.events import Event
from hailuo_mcp.text import number
from hailuo_mcp.worker.schedule import GIVE_UP_SECONDS, poll_schedule
from hailuo_mcp.worker.usage import counted_cost

_log = logging.getLogger(__name__)

NOT_FOUND_TRIES = 6
NOT_FOUND_SECONDS = 3600.0
"""A young task may not be visible everywhere at once, and a provider may be out of order: not found
this often in a row, and not seen for this long, it counts as lost."""
ASK_ONCE_MORE_SECONDS = 3600.0
"""After it was given up, where the provider can list its tasks."""
GIVE_UP_POLLS = 100
"""At least so many polls, however old it is."""
Values = Mapping[str, object]
_EVENTS = {
    Status.SUCCEEDED: Event.READY,
    Status.FAILED: Event.FAILED,
    Status.CANCELLED: Event.FAILED,
    Status.UNCONFIRMED: Event.UNCONFIRMED,
}


async def poll(context: Context, task: Task) -> Task | None:
    """Poll once. Returns the task, still leased, if its clip must be saved now."""
    with context.step("poll", task) as step:
        changed = await _poll(context, task)
        found = changed or task
        step.note(status=found.status, remote_id=task.remote_id, error=found.error_kind)
    save = changed and changed.status is Status.SUCCEEDED and context.saves(changed)
    return changed if save else None


async def _poll(context: Context, task: Task) -> Task | None:
    began, save = context.clock(), False
    try:
        found = await context.read_status(task)
        _need_own_key(context, task, found)
    except HailuoError as exc:
        values = _after_trouble(context, task, exc)
    else:
        save = found.phase is Phase.SUCCEEDED and context.saves(task)
        values = await _after_read(context, task, found)
    finally:
        context.remote.observe("poll", context.clock() - began)
    changed = await record_step(context, task, values, release=not save)
    if changed is not None and changed.status in _EVENTS:
        context.report(_EVENTS[changed.status], changed, code=changed.error_kind)
    if changed is not None and "quoted" in values:
        _report_cost(context, changed)
    return changed


def _report_cost(context: Context, task: Task) -> None:
    """The provider has counted what it cost: whether that is what was quoted."""
    amount, quoted = task.amount, task.quoted
    if amount is None:
        return
    context.remote.count_cost(task.unit, amount - (amount if quoted is None else quoted))
    if quoted is not None:
        cost = {"cost": number(amount), "quoted": number(quoted), "unit": task.unit.value}
        context.report(Event.COST_DIFFERS, task, **cost)


async def _after_read(context: Context, task: Task, found: RemoteStatus) -> Values:
    now = context.clock()
    submitted_at = task.submitted_at or task.created_at
    read: Values = {
        "remote_status": found.word[:40],
        "polled_at": now,
        "polls": task.polls + 1,
        "tries": 0,
        "error": "",
        "error_kind": "",
        "error_code": found.error_code,
        "detail": found.detail,
        "trace_id": found.trace_id or task.trace_id,
    }
    if found.phase is Phase.SUCCEEDED:
        return {
            **read,
            "status": Status.SUCCEEDED,
            "finished_at": now,
            "file_id": found.file_id,
            "url": found.url,
            "url_expires_at": found.url_expires_at,
            "width": found.width,
            "height": found.height,
            "due_at": now if context.saves(task) else 0.0,
            **counted_cost(task, found.usage),
        }
    if found.phase in (Phase.FAILED, Phase.CANCELLED):
        cancelled = found.phase is Phase.CANCELLED
        status = Status.CANCELLED if cancelled else Status.FAILED
        return {**read, **_reason(context, found), "status": status, "due_at": 0.0}
    # Often enough, too: with a wrong clock, one poll says nothing about age.
    if now - submitted_at > GIVE_UP_SECONDS and task.polls + 1 >= GIVE_UP_POLLS:
        return _given_up(context, task, "never reported its end")
    schedule, in_flight = await poll_schedule(context, task), await context.in_flight.count()
    return {
        **read,
        "status": Status.QUEUED if found.phase is Phase.QUEUED else Status.RUNNING,
        "unfinished_at": now,
        "due_at": schedule.next_poll(now, submitted_at, in_flight),
    }


async def record_step(
    context: Context, task: Task, values: Values, *, release: bool = True
) -> Task | None:
    """Record a step if the lease is still ours and the task unchanged; announce it either way."""
    changed = await context.store.change(
        task.task_id,
        {**values, "owner": "", "lease_until": 0.0} if release else values,
        now=context.clock(),
        held_by=context.owner,
        remote_id=task.remote_id,  # a person may have settled it with another one
        status_in=POLLED if task.status in POLLED else (Status.SUCCEEDED,),
    )
    context.changes.announce(task.task_id)
    return changed


def _need_own_key(context: Context, task: Task, found: RemoteStatus) -> None:
    """Raise if this key proves nothing: a provider may report a foreign task as failed."""
    ended = found.phase in (Phase.FAILED, Phase.CANCELLED)
    if ended and task.account != context.account:
        raise AuthenticationError(
            "The provider says that this clip failed, but it was asked with a different key from "
            "the one that bought the clip, so the answer does not count.",
            Step(Do.ARRANGE, "run hailuo-mcp with the key that bought the clip"),
            detail=found.detail,
        )


def _after_trouble(context: Context, task: Task, exc: HailuoError) -> Values:
    """A failed poll says nothing about the task: poll again later."""
    now = context.clock()
    own = task.account == context.account
    seen = max(task.submitted_at or task.created_at, task.unfinished_at or 0.0)
    if (
        isinstance(exc, RemoteTaskNotFoundError)
        and own
        and task.tries + 1 >= NOT_FOUND_TRIES
        and not 0 <= now - seen < NOT_FOUND_SECONDS
    ):
        return _given_up(context, task, "now says that it knows no such task")
    first = context.settings.poll_seconds
    most = 60.0 if own and now - seen <= GIVE_UP_SECONDS else 3600.0
    wait = backoff(task.tries, first=first, most=most, jitter=context.chance())
    if isinstance(exc, RateLimitError) and exc.retry_after is not None:
        wait = max(wait, min(exc.retry_after, 600.0))
    polls, tries = task.polls + 1, task.tries + 1
    counts = {"polls": polls, "polled_at": now, "tries": tries, "due_at": now + wait}
    return {**error_values(exc), **counts}


def error_values(exc: HailuoError) -> Values:
    """The recorded facts of an error, from which `wording` makes sentences."""
    code = exc.provider_code if isinstance(exc, ProviderError) else ""
    return {
        "error": exc.what,
        "error_kind": exc.code,
        "error_code": code,
        "detail": exc.detail,
    }


def _given_up(context: Context, task: Task, why: str) -> Values:
    _log.warning("task %s is given up: the provider %s", task.task_id, why)
    once_more = context.clock() + ASK_ONCE_MORE_SECONDS if context.searches(task) else 0.0
    return {
        "status": Status.UNCONFIRMED,
        "error": f"The provider accepted the request, but {why}.",
        "error_kind": "unconfirmed",
        "due_at": once_more,
    }


def _reason(context: Context, found: RemoteStatus) -> Values:
    if found.phase is Phase.CANCELLED:
        return {"error": "The provider cancelled it.", "error_kind": "provider_failed"}
    if not found.error_code or found.error_code == "0":
        what = "The provider could not make this clip and gave no reason."
        return {"error": what, "error_kind": "provider_failed"}
    refusal = explain(found.error_code, provider=context.provider)
    return {"error": f"{refusal.cause}.", "error_kind": refusal.error.code}
