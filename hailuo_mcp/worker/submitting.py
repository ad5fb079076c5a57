"""The one paid request: sent once, and its outcome written down whatever it is."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from itertools import chain, repeat

import anyio

from hailuo_mcp.domain import Status, Submitted, Task
from hailuo_mcp.errors import (
    HailuoError,
    JournalError,
    ProviderError,
    ProviderUnavailableError,
    RateLimitError,
    UnconfirmedSubmitError,
)
from hailuo_mcp.journal.store import RenderTime
from hailuo_mcp.studio.desk import Desk
from hailuo_mcp.studio.intent import request_of
from hailuo_mcp.worker.schedule import next_poll

_log = logging.getLogger(__name__)

ASK_AGAIN_SECONDS = 600.0
"""For this long a task that was refused for speed is sent again, each time with a new slot."""
_NEVER_LEFT_PAUSES = (0.5, 1.5)
"""Seconds between tries of a request that certainly never left this machine."""
_UNRECORDED_PAUSE = 10.0
_RECORD_PAUSES = (0.1, 0.5, 1.0, 3.0, 10.0, 30.0, 60.0, 120.0, 300.0)
"""Seconds between tries to record an outcome, the last of them again and again: it may be an id
that was paid for."""

Sleep = Callable[[float], Awaitable[None]]
Outcome = Mapping[str, object]

_INTERRUPTED: Outcome = {
    "status": Status.UNCONFIRMED,
    "error_kind": UnconfirmedSubmitError.code,
    "error": "hailuo-mcp ended while the request was on its way, before the answer came. It may "
    "have been bought and charged; it is never sent again.",
    "due_at": 0.0,
}
_NEVER_SENT: Outcome = {
    "status": Status.PENDING,
    "error": "It was not sent before hailuo-mcp was closed. Nothing was charged.",
}


class _Parcel:
    """Whether the paid request may have left."""

    left = False

    def leaving(self) -> None:
        self.left = True


async def send(desk: Desk, task: Task, *, sleep: Sleep = anyio.sleep) -> None:
    """Submit a task that this process owns and record what became of it.

    Cancelled when the request may be on its way, the task is `unconfirmed`; before, it goes back.
    """
    outcome, parcel = _INTERRUPTED, _Parcel()
    began = desk.clock()
    try:
        outcome = await _submit(desk, task, parcel, sleep)
    except anyio.get_cancelled_exc_class():
        if not parcel.left:
            outcome = _NEVER_SENT
        raise
    finally:
        try:
            await _record(desk, task, outcome, sleep)
        finally:
            desk.changes.tell(task.task_id)
    # Told only now: between the answer and the record nothing may go wrong.
    if isinstance(submitted_at := outcome.get("submitted_at"), float):
        desk.observe("submit", submitted_at - began)
        await _note_a_shared_id(desk, task, str(outcome["remote_id"]))


async def _note_a_shared_id(desk: Desk, task: Task, remote_id: str) -> None:
    """Two purchases that the provider calls by one id may be one clip: let the person know."""
    with suppress(JournalError):
        other = await desk.journal.other_with_remote_id(task.task_id, task.account, remote_id)
        if not other:
            return
        _log.warning("task %s has the remote_id %s of task %s", task.task_id, remote_id, other)
        note = (
            f"{task.provider} gave it the same id as task {other}, so the two may be one clip; "
            "the provider's bill says how often it was charged."
        )
        values = {"warnings": (*task.warnings, note)}
        await desk.journal.change(task.task_id, values, now=desk.clock())
        desk.changes.tell(task.task_id)


async def _submit(desk: Desk, task: Task, parcel: _Parcel, sleep: Sleep) -> Outcome:
    try:
        request = request_of(task.request, desk.pictures.data_url)
    except KeyError:
        return {
            "status": Status.FAILED,
            "error_kind": "invalid_request",
            "error": "A picture of this request is no longer in the state folder, so it was never "
            "sent. Nothing was charged. Call generate_video again with the picture.",
            "due_at": 0.0,
        }
    callback = ""
    if desk.told(task):
        callback = f"{desk.rules.callback_url}/callbacks/{task.callback_token}"
    render_times, usual = await desk.render_times(task), desk.catalogued(task)
    desk.observe("rate_wait", desk.clock() - task.created_at)
    for pause in (*_NEVER_LEFT_PAUSES, None):
        try:
            submitted = await desk.client.send(
                request, callback_url=callback, leaving=parcel.leaving
            )
        except ProviderUnavailableError as exc:
            if pause is None or exc.provider_code:  # a code is an answer: the request did leave
                return _failed(exc)
            await sleep(pause)
        except RateLimitError as exc:
            return await _too_fast(desk, task, exc)
        except UnconfirmedSubmitError as exc:
            _log.warning("submit of %s is unconfirmed", task.task_id)
            return {
                "status": Status.UNCONFIRMED,
                "error_kind": exc.code,
                "error": str(exc),
                "detail": exc.detail,
                "due_at": 0.0,
            }
        except HailuoError as exc:
            return _failed(exc)
        else:
            return _accepted(desk, task, submitted, render_times, usual)
    raise AssertionError("the last pause is None")


def _accepted(
    desk: Desk, task: Task, submitted: Submitted, render_times: Sequence[RenderTime], usual: float
) -> Outcome:
    """It is bought: from here to the record nothing may fail, wait or be cancelled."""
    now = desk.clock()
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
        "due_at": next_poll(
            now=now,
            submitted_at=now,
            render_times=render_times,
            usual=usual,
            poll_seconds=desk.rules.poll_seconds,
            told=desk.told(task),
        ),
    }


async def _too_fast(desk: Desk, task: Task, exc: RateLimitError) -> Outcome:
    """Certainly not bought: back into the queue, for ten minutes from the first such answer."""
    now = desk.clock()
    since = task.refused_at if task.refused_at and task.refused_at <= now else now
    if now - since > ASK_AGAIN_SECONDS:
        return _failed(exc)
    try:
        due_at = await desk.journal.pause(desk.account, exc.retry_after, now=now)
    except JournalError:
        # Still certainly not bought. Without the common pause it waits for itself.
        due_at = now + (exc.retry_after or _UNRECORDED_PAUSE)
    return {
        "status": Status.PENDING,
        "refused_at": since,
        "error": str(exc),
        "error_kind": exc.code,
        "error_code": exc.provider_code,
        "detail": exc.detail,
        "due_at": due_at,
    }


def _failed(exc: HailuoError) -> Outcome:
    code = exc.provider_code if isinstance(exc, ProviderError) else ""
    trace = exc.trace_id if isinstance(exc, ProviderError) else ""
    return {
        "status": Status.FAILED,
        "error": str(exc),
        "error_kind": exc.code,
        "error_code": code,
        "trace_id": trace,
        "detail": exc.detail,
        "due_at": 0.0,
    }


async def _record(desk: Desk, task: Task, outcome: Outcome, sleep: Sleep) -> None:
    """Write the outcome if the attempt is still ours to speak for.

    A disk that fails at this moment is tried again for as long as the process lives: the provider's
    id must not be lost. A process that leaves in a pause tries once more and goes.
    """
    pauses = chain(_RECORD_PAUSES, repeat(_RECORD_PAUSES[-1]))
    while not await _recorded(desk, task, outcome):
        try:
            await sleep(next(pauses))
        except anyio.get_cancelled_exc_class():
            await _recorded(desk, task, outcome)
            raise


async def _recorded(desk: Desk, task: Task, outcome: Outcome) -> bool:
    try:
        with anyio.CancelScope(shield=True):
            await _write(desk, task, outcome)
    except JournalError:
        _log.exception(
            "task %s could not be recorded as %s (remote_id %s)",
            task.task_id,
            outcome["status"],
            outcome.get("remote_id", ""),
        )
        return False
    return True


async def _write(desk: Desk, task: Task, outcome: Outcome) -> None:
    """Compare and set on the attempt.

    A task that was given up as `unconfirmed` in the meantime is still told what really became of
    it. Only back into the queue it does not go: its person may have bought it another way by now.
    """
    again = outcome["status"] is Status.PENDING
    written = await desk.journal.change(
        task.task_id,
        {**outcome, "owner": task.owner if again else "", "lease_until": 0.0},
        now=desk.clock(),
        status_in=(Status.SUBMITTING,) if again else (Status.SUBMITTING, Status.UNCONFIRMED),
        attempt=task.attempt,
    )
    if again and written is None:
        await desk.journal.change(
            task.task_id,
            {**outcome, "status": Status.FAILED, "due_at": 0.0},
            now=desk.clock(),
            status_in=(Status.UNCONFIRMED,),
            attempt=task.attempt,
        )
    if outcome["status"] is Status.QUEUED and written is None:
        _log.warning(
            "task %s was settled before its answer came: remote_id %s",
            task.task_id,
            outcome["remote_id"],
        )
    if outcome["status"] is Status.QUEUED and task.refused_at:
        await desk.journal.reset_backoff(desk.account)
