"""The one paid request: sent once, and its outcome written down whatever it is."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable

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
from hailuo_mcp.studio import Desk
from hailuo_mcp.studio.intent import request_of
from hailuo_mcp.worker.schedule import next_poll

_log = logging.getLogger(__name__)

ASK_AGAIN_SECONDS = 600.0
"""For this long a task that was refused for speed is sent again, each time with a new slot."""
_NEVER_LEFT_PAUSES = (0.5, 1.5)
"""Seconds between tries of a request that certainly never left this machine."""

Sleep = Callable[[float], Awaitable[None]]


async def send(desk: Desk, task: Task, *, sleep: Sleep = anyio.sleep) -> None:
    """Submit a task that this process owns and record what became of it.

    Cancelled in the middle, the task is `unconfirmed`: the request may be on its way.
    """
    outcome: dict[str, object] = {"status": Status.UNCONFIRMED, "due_at": 0.0}
    try:
        outcome = await _submit(desk, task, sleep)
    finally:
        with anyio.CancelScope(shield=True):
            await _record(desk, task, outcome, sleep)
        desk.changes.tell(task.task_id)


async def _submit(desk: Desk, task: Task, sleep: Sleep) -> dict[str, object]:
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
    if task.callback_token and desk.client.carries.callback:
        callback = f"{desk.rules.callback_url}/callbacks/{task.callback_token}"
    for pause in (*_NEVER_LEFT_PAUSES, None):
        try:
            return await _accepted(
                desk, task, await desk.client.send(request, callback_url=callback)
            )
        except ProviderUnavailableError as exc:
            if pause is None:
                return _failed(exc)
            await sleep(pause)
        except RateLimitError as exc:
            return await _too_fast(desk, task, exc)
        except UnconfirmedSubmitError as exc:
            _log.warning("submit of %s is unconfirmed: %s", task.task_id, exc.detail)
            return {
                "status": Status.UNCONFIRMED,
                "error_kind": exc.code,
                "error": str(exc),
                "detail": exc.detail,
                "due_at": 0.0,
            }
        except HailuoError as exc:
            return _failed(exc)
    raise AssertionError("the last pause is None")


async def _accepted(desk: Desk, task: Task, submitted: Submitted) -> dict[str, object]:
    now = desk.clock()
    return {
        "status": Status.QUEUED,
        "remote_id": submitted.remote_id,
        "remote_alias": submitted.remote_alias,
        "trace_id": submitted.trace_id,
        "submitted_at": now,
        "error": "",
        "error_kind": "",
        "tries": 0,
        "due_at": next_poll(
            now=now,
            submitted_at=now,
            spans=await desk.spans(task),
            usual=await desk.usual_seconds(task),
            poll_seconds=desk.rules.poll_seconds,
            told=bool(task.callback_token) and desk.client.carries.callback,
        ),
    }


async def _too_fast(desk: Desk, task: Task, exc: RateLimitError) -> dict[str, object]:
    """Certainly not bought: back into the queue, for ten minutes from the first such answer."""
    now = desk.clock()
    since = task.refused_at if task.refused_at and task.refused_at <= now else now
    if now - since > ASK_AGAIN_SECONDS:
        return _failed(exc)
    return {
        "status": Status.PENDING,
        "refused_at": since,
        "error": str(exc),
        "error_kind": exc.code,
        "error_code": exc.provider_code,
        "detail": exc.detail,
        "due_at": await desk.journal.pause(desk.account, exc.retry_after, now=now),
    }


def _failed(exc: HailuoError) -> dict[str, object]:
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


async def _record(desk: Desk, task: Task, outcome: dict[str, object], sleep: Sleep) -> None:
    """Write the outcome if the attempt is still ours to speak for.

    A task that was given up as `unconfirmed` in the meantime is still told what really became of
    it. A disk that fails at this moment is tried again: the provider's id must not be lost.
    """
    owner = task.owner if outcome["status"] is Status.PENDING else ""
    given_up = Status.UNCONFIRMED if outcome["status"] is not Status.PENDING else Status.SUBMITTING
    for pause in (0.1, 0.5, 1.0, 3.0, None):
        try:
            await desk.journal.change(
                task.task_id,
                {**outcome, "owner": owner, "lease_until": 0.0},
                now=desk.clock(),
                status_in=(Status.SUBMITTING, given_up),
                attempt=task.attempt,
            )
            if outcome["status"] is Status.QUEUED and task.refused_at:
                await desk.journal.calm(desk.account)
        except JournalError:
            _log.exception(
                "task %s could not be recorded as %s (remote_id %s)",
                task.task_id,
                outcome["status"],
                outcome.get("remote_id", ""),
            )
            if pause is None:
                return
            await sleep(pause)
        else:
            return
