"""Cancel a task that the provider has queued, where its API can do that."""

from __future__ import annotations

import logging
from collections.abc import Collection
from dataclasses import dataclass

from hailuo_mcp.catalog.video_models import api_of
from hailuo_mcp.domain.remote import Api, Phase, RemoteStatus
from hailuo_mcp.domain.task import POLLED, Status, Task
from hailuo_mcp.errors import HailuoError, RecordDeletedError, RemoteTaskNotFoundError
from hailuo_mcp.studio.context import Context
from hailuo_mcp.studio.waiting import poll_at, read_again
from hailuo_mcp.telemetry.events import Event

_log = logging.getLogger(__name__)

SENT = frozenset({Status.SUBMITTING, *POLLED})
"""The statuses of a task that is, or may be, at the provider and has not ended."""
BEING_MADE = "already being made; it is charged if it succeeds, and saved as usual"
_READY = "already made; it is charged, and saved as usual"
_FAILED = "it has failed at the provider, free of charge"
_FAILED_THERE = "The provider could not make this clip and gave no reason."
_DELETED = (
    "The provider accepted the request, but has deleted its record: the task ended at the moment "
    "when it was to be cancelled."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelOutcome:
    task: Task
    """As the journal has it afterwards."""
    why_not: str = ""
    """Why it was not cancelled, to follow a colon; empty if it was."""


def offers_cancel(context: Context, task: Task) -> bool:
    """Whether the provider can cancel such a task while it is queued."""
    return context.provider.v2 and api_of(task.model) is Api.V2


async def cancel_at_provider(context: Context, task: Task) -> CancelOutcome:
    """Cancel a task that is SENT, if it is queued at this moment; one that has ended stays.

    The provider deletes the record of a finished task by the same request. So that is sent once,
    directly after the provider said that the task is queued, and never again.
    """
    why_not = _why_impossible(context, task)
    if why_not:
        return CancelOutcome(task=task, why_not=why_not)
    if task.task_id in context.cancelling:
        return CancelOutcome(task=task, why_not="another call is cancelling it at this moment")
    context.cancelling.add(task.task_id)
    try:
        return await _cancel(context, task)
    finally:
        context.cancelling.discard(task.task_id)


def _why_impossible(context: Context, task: Task) -> str:
    if not offers_cancel(context, task):
        return (
            f"it was already sent, and {context.provider.name} offers no way to cancel such clips. "
            "It is charged if it succeeds, and saved as usual"
        )
    if task.account != context.account:
        return (
            "it was bought with another key, and only that one can cancel it. It is charged if it "
            "succeeds"
        )
    if task.status is Status.SUBMITTING:
        return "it is being sent at this moment. As soon as it is queued, it can be cancelled"
    return ""


async def _cancel(context: Context, task: Task) -> CancelOutcome:
    try:
        before = await context.read_status(task)
    except HailuoError as trouble:
        _log.info("the status of %s could not be read: %s", task.task_id, trouble)
        return await _left(
            context,
            task,
            f"{context.provider.name} gave no usable answer about its status, so nothing was sent",
        )
    if before.phase is not Phase.QUEUED:
        return await _by_status(context, task, before)
    answered = True
    try:
        if await context.client.cancel(task.remote_id, model=task.model):
            return await _record_cancelled(context, task)
    except RecordDeletedError as deleted:
        return await _record_deleted(context, task, deleted)
    except HailuoError as lost:
        answered = False
        _log.warning("the request to cancel %s gave %s: %s", task.task_id, lost.code, lost)
    return await _afterwards(context, task, answered=answered)


async def _afterwards(context: Context, task: Task, *, answered: bool) -> CancelOutcome:
    """It was asked for and not confirmed: look what became of it."""
    try:
        found = await context.read_status(task)
    except RemoteTaskNotFoundError as gone:
        return await _record_deleted(context, task, gone)
    except HailuoError:
        return await _left(
            context,
            task,
            "no usable answer came, so it is unknown whether it was cancelled. If it was not, it "
            "is charged if it succeeds, and saved as usual",
        )
    if found.phase is not Phase.QUEUED:
        return await _by_status(context, task, found)
    said = "the provider refused" if answered else "no usable answer came"
    return await _left(
        context, task, f"{said}, and it is still queued. It is charged if it succeeds"
    )


async def _by_status(context: Context, task: Task, found: RemoteStatus) -> CancelOutcome:
    """It is not queued: what became of it."""
    match found.phase:
        case Phase.CANCELLED:
            return await _record_cancelled(context, task)
        case Phase.SUCCEEDED:
            return await _left(context, task, _READY)
        case Phase.FAILED:
            return await _left(context, task, _FAILED)
        case Phase.RUNNING:
            return await _left(context, task, BEING_MADE)
        case _:
            why = "what the provider says of its status is not clear, so nothing more was sent"
            return await _left(context, task, why)


async def _left(context: Context, task: Task, why_not: str) -> CancelOutcome:
    """Not cancelled; the worker asks for its status now, and records what it hears."""
    await poll_at(context, task, context.clock())
    return CancelOutcome(task=await read_again(context, task), why_not=why_not)


async def _record_cancelled(context: Context, task: Task) -> CancelOutcome:
    """The provider says that it is cancelled: release its money.

    A worker that polls it at this moment loses its lease, and with it what it has read. If it was
    faster and recorded the same, only the reason is replaced.
    """
    error = "It was cancelled while it was queued at the provider."
    changed = await _end(context, task, Status.CANCELLED, error, (*POLLED, Status.CANCELLED))
    if changed is None:
        now = await read_again(context, task)
        return CancelOutcome(task=now, why_not=f"it is {now.status} by now")
    return CancelOutcome(task=changed)


async def _record_deleted(
    context: Context, task: Task, why: RecordDeletedError | RemoteTaskNotFoundError
) -> CancelOutcome:
    """It ended between the question and the request to cancel it, and its record is gone there.

    Unless the provider says that it had failed, only its bill can tell whether it was paid for.
    """
    _log.warning("%s is gone at the provider: %s", task.task_id, why)
    if isinstance(why, RecordDeletedError) and why.charged == "no":
        done = await _end(context, task, Status.FAILED, _FAILED_THERE, POLLED, "provider_failed")
        event, why_not = Event.FAILED, _FAILED
    else:
        done = await _end(context, task, Status.UNCONFIRMED, _DELETED, POLLED, "unconfirmed")
        event = Event.UNCONFIRMED
        why_not = "it ended at that moment, and the provider has deleted its record"
    if done:
        context.report(event, done, code=done.error_kind)
    return CancelOutcome(task=done or await read_again(context, task), why_not=why_not)


async def _end(  # the step, and the statuses in which it may happen
    context: Context,
    task: Task,
    status: Status,
    error: str,
    status_in: Collection[Status],
    kind: str = "",
) -> Task | None:
    values: dict[str, object] = {
        "status": status,
        "error": error,
        "error_kind": kind,
        "error_code": "",
        "due_at": 0.0,
        "owner": "",
        "lease_until": 0.0,
    }
    if status is Status.CANCELLED:
        values["remote_status"] = status.value
    return await context.store.change(
        task.task_id,
        values,
        now=context.clock(),
        remote_id=task.remote_id,
        status_in=status_in,
    )
