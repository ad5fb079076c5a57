"""The one paid request: sent once, and its outcome always recorded."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from itertools import chain, repeat

import anyio

from hailuo_mcp.domain.remote import Submitted
from hailuo_mcp.domain.requests import AnyRequest, UpgradeRequest
from hailuo_mcp.domain.task import POLLED, Money, Status, Task
from hailuo_mcp.errors import (
    HailuoError,
    InvalidRequestError,
    JournalError,
    ProviderError,
    ProviderUnavailableError,
    RateLimitError,
    SourceIdNotEnabledError,
    UnconfirmedSubmitError,
)
from hailuo_mcp.studio.context import Context
from hailuo_mcp.studio.request_record import request_from_json
from hailuo_mcp.telemetry.events import Event
from hailuo_mcp.worker.base_video import record_with_clip
from hailuo_mcp.worker.polling import error_values
from hailuo_mcp.worker.schedule import PollSchedule, poll_schedule

_log = logging.getLogger(__name__)

ASK_AGAIN_SECONDS = 600.0
"""How long a task is retried after a rate-limit refusal, each time with a new slot."""
_NEVER_LEFT_PAUSES = (0.5, 1.5)
"""Seconds between tries of a request that was certainly not sent."""
_UNRECORDED_PAUSE = 10.0
_UNREAD_PAUSE = 5.0
"""Seconds until pictures that could not be read are read again."""
_RECORD_PAUSES = (0.1, 0.5, 1.0, 3.0, 5.0)
"""Seconds between tries to record an outcome, the last of them again and again: it may be an id
that was paid for."""

_EVENTS = {
    Status.QUEUED: Event.ANSWERED,
    Status.PENDING: Event.POSTPONED,
    Status.UNCONFIRMED: Event.UNCONFIRMED,
    Status.FAILED: Event.FAILED,
}

Sleep = Callable[[float], Awaitable[None]]
Outcome = Mapping[str, object]


async def submit(context: Context, task: Task, *, sleep: Sleep = anyio.sleep) -> None:
    """Submit a task that this process owns, and record the outcome.

    If cancelled when the request may have been sent, the task is `unconfirmed`; else it goes back.
    """
    with context.step("submit", task) as step:
        outcome = await _submit(context, task, sleep)
        step.note(status=str(outcome["status"]), remote_id=str(outcome.get("remote_id", "")))


async def _submit(context: Context, task: Task, sleep: Sleep) -> Outcome:
    leaving = anyio.Event()
    interrupted = "hailuo-mcp ended before the provider answered the request."
    outcome = _refused(Status.UNCONFIRMED, UnconfirmedSubmitError(interrupted))
    began = context.clock()
    try:
        outcome = await _send(context, task, leaving, sleep)
    except SourceIdNotEnabledError as exc:
        outcome = _later(context, task, exc, began)  # if this process is closed meanwhile
        outcome = await _by_the_clip_itself(context, task, exc)
    except anyio.get_cancelled_exc_class():
        if not leaving.is_set():
            never_sent = "hailuo-mcp was closed before it was sent."
            outcome = {"status": Status.PENDING, "error": never_sent}
        raise
    finally:
        try:
            await _record(context, task, outcome, sleep)
        finally:
            context.changes.announce(task.task_id)
    # Only now: between the response and its record nothing may fail.
    if isinstance(submitted_at := outcome.get("submitted_at"), float):
        context.remote.observe("submit", submitted_at - began)
        await _warn_of_shared_id(context, task, str(outcome["remote_id"]))
    return outcome


async def _warn_of_shared_id(context: Context, task: Task, remote_id: str) -> None:
    """Two purchases with one remote id may be one clip: tell the person."""
    with suppress(JournalError):
        other = await context.store.other_with_remote_id(task.task_id, task.account, remote_id)
        if not other:
            return
        _log.warning("task %s has the remote_id %s of task %s", task.task_id, remote_id, other)
        note = (
            f"{task.provider} gave it the same id as task {other}, so the two may be one clip; "
            "the provider's bill says how many times it was charged."
        )
        values = {"warnings": (*task.warnings, note)}
        await context.store.change(task.task_id, values, now=context.clock())
        context.changes.announce(task.task_id)


async def _send(context: Context, task: Task, leaving: anyio.Event, sleep: Sleep) -> Outcome:
    """Make the paid request. `leaving` is set just before it is sent."""
    request = await _load(context, task)
    if isinstance(request, Mapping):
        return request
    callback = ""
    if context.expects_callback(task):
        callback = f"{context.remote.callback_url}/callbacks/{task.callback_token}"
    schedule = await poll_schedule(context, task)
    context.remote.observe("rate_wait", context.clock() - task.created_at)
    context.report(Event.SUBMITTED, task, attempt=task.attempt)
    for pause in (*_NEVER_LEFT_PAUSES, None):
        try:
            submitted = await context.client.send(
                request, callback_url=callback, leaving=leaving.set
            )
        except ProviderUnavailableError as exc:
            if pause is None or exc.provider_code:  # a code is a response: the request was sent
                return _refused(Status.FAILED, exc)
            await sleep(pause)
        except HailuoError as exc:
            return await _not_taken(context, task, request, exc)
        else:
            return _accepted(submitted, schedule, context.clock())
    raise AssertionError("the last pause is None")


async def _load(context: Context, task: Task) -> AnyRequest | Outcome:
    """The request with its pictures, or the outcome if it cannot be sent without them."""
    try:
        return await request_from_json(task.request, context.pictures.data_url)
    except KeyError:
        gone = "An input file of this request is no longer kept, so it was never sent."
        return _refused(Status.FAILED, InvalidRequestError(gone))
    except OSError:
        away = JournalError("The input files of this request could not be read, so it waits.")
        return _later(context, task, away, context.clock() + _UNREAD_PAUSE)


async def _not_taken(
    context: Context, task: Task, request: AnyRequest, exc: HailuoError
) -> Outcome:
    """Raises SourceIdNotEnabledError where there is another way to buy the same."""
    match exc:
        case UnconfirmedSubmitError():
            return _refused(Status.UNCONFIRMED, exc)
        case RateLimitError():
            return await _rate_limited(context, task, exc)
        case SourceIdNotEnabledError():
            if isinstance(request, UpgradeRequest) and not request.base_video:
                raise exc
        case _:
            pass
    return _refused(Status.FAILED, exc)


async def _by_the_clip_itself(
    context: Context, task: Task, exc: SourceIdNotEnabledError
) -> Outcome:
    """Certainly not bought: back into the queue at once, to send the clip instead of its id."""
    try:
        record = await record_with_clip(context, task)
    except HailuoError as why:
        if why.retry:
            return _later(context, task, why, context.clock() + _UNREAD_PAUSE)
        return _refused(Status.FAILED, why)
    return {**_refused(Status.PENDING, exc), "request": record, "due_at": context.clock()}


def _accepted(submitted: Submitted, schedule: PollSchedule, now: float) -> Outcome:
    """It is bought: from here to the record nothing may fail, wait or be cancelled."""
    return {
        "status": Status.QUEUED,
        "remote_id": submitted.remote_id,
        "remote_alias": submitted.remote_alias,
        "trace_id": submitted.trace_id,
        "submitted_at": now,
        "error": "",
        "error_kind": "",
        "error_code": "",
        "tries": 0,
        "candidates": (),
        "due_at": schedule.next_poll(now, now),
    }


async def _rate_limited(context: Context, task: Task, exc: RateLimitError) -> Outcome:
    """Certainly not bought: back into the queue, for ten minutes from the first such answer."""
    now = context.clock()
    try:
        due_at = await context.store.pause(context.account, exc.retry_after, now=now)
    except JournalError:
        # Still certainly not bought. Without the common pause it waits for itself.
        due_at = now + (exc.retry_after or _UNRECORDED_PAUSE)
    return _later(context, task, exc, due_at)


def _later(context: Context, task: Task, exc: HailuoError, due_at: float) -> Outcome:
    """Certainly not sent: back into the queue, for ten minutes from the first such outcome."""
    now = context.clock()
    since = task.refused_at if task.refused_at and task.refused_at <= now else now
    if now - since > ASK_AGAIN_SECONDS:
        return _refused(Status.FAILED, exc)
    return {**_refused(Status.PENDING, exc), "refused_at": since, "due_at": due_at}


def _refused(status: Status, exc: HailuoError) -> Outcome:
    trace_id = exc.trace_id if isinstance(exc, ProviderError) else ""
    return {**error_values(exc), "status": status, "trace_id": trace_id, "due_at": 0.0}


async def _record(context: Context, task: Task, outcome: Outcome, sleep: Sleep) -> None:
    """Write the outcome if the attempt is still ours.

    A disk that fails at this moment is retried as long as the process lives: the provider's
    id must not be lost. A process that ends during a pause tries once more.
    """
    pauses = chain(_RECORD_PAUSES, repeat(_RECORD_PAUSES[-1]))
    while not await _try_to_record(context, task, outcome):
        try:
            await sleep(next(pauses))
        except anyio.get_cancelled_exc_class():
            await _try_to_record(context, task, outcome)
            raise


async def _try_to_record(context: Context, task: Task, outcome: Outcome) -> bool:
    try:
        with anyio.CancelScope(shield=True):
            await record_outcome(context, task, outcome)
    except JournalError as exc:
        status, remote_id = outcome["status"], outcome.get("remote_id", "")
        text = "task %s could not be recorded as %s (remote_id %s): %s"
        _log.error(text, task.task_id, status, remote_id, exc)  # repeated often
        return False
    event = _EVENTS[Status(str(outcome["status"]))]
    context.report(event, task, remote_id=outcome.get("remote_id"), code=outcome.get("error_kind"))
    return True


async def record_outcome(context: Context, task: Task, outcome: Outcome) -> None:
    """Compare and set on the attempt.

    A task that became `unconfirmed` in the meantime still gets its outcome, except that it does not
    go back into the queue: its person may have bought it another way by now. An id from the
    provider's answer also counts against what its list seemed to say.
    """
    if outcome["status"] is Status.UNCONFIRMED and context.searches(task):  # at once
        outcome = {**outcome, "tries": 0, "due_at": context.clock()}
    again = outcome["status"] is Status.PENDING
    written = await context.store.change(
        task.task_id,
        {**outcome, "owner": task.owner if again else "", "lease_until": 0.0},
        now=context.clock(),
        status_in=(Status.SUBMITTING,) if again else (Status.SUBMITTING, Status.UNCONFIRMED),
        attempt=task.attempt,
    )
    if again and written is None:
        await context.store.change(
            task.task_id,
            {**outcome, "status": Status.FAILED, "due_at": 0.0},
            now=context.clock(),
            status_in=(Status.UNCONFIRMED,),
            attempt=task.attempt,
        )
    if outcome["status"] is Status.QUEUED and written is None:
        await _correct(context, task, outcome)
    if outcome["status"] is Status.QUEUED and task.refused_at:
        await context.store.reset_backoff(context.account)


async def _correct(context: Context, task: Task, outcome: Outcome) -> None:
    """The answer came after the task was looked for: without it, or as another one, or settled."""
    found = await context.store.find(task.task_id)
    if found is None or found.remote_id == outcome["remote_id"]:
        return
    looked_for = found.not_bought or (found.remote_id and found.status in POLLED)
    if looked_for and found.settled_at is None and found.attempt == task.attempt:
        values = {**outcome, "money": Money.RESERVED, "remote_status": "", "candidates": ()}
        written = await context.store.change(
            task.task_id,
            {**values, "owner": "", "lease_until": 0.0, "warnings": task.warnings},
            now=context.clock(),
            status_in=(found.status,),
            attempt=task.attempt,
            remote_id=found.remote_id,
        )
        if written is not None:
            return
    text = "task %s was settled before its answer came: remote_id %s"
    _log.warning(text, task.task_id, outcome["remote_id"])
