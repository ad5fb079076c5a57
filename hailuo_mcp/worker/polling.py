"""Read a task's status at the provider until the task ends."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping

from hailuo_mcp.backoff import backoff
from hailuo_mcp.dialects.refusals import explain
from hailuo_mcp.domain import POLLED, Phase, RemoteStatus, Status, Task
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
from hailuo_mcp.worker.schedule import GIVE_UP_SECONDS, next_poll

_log = logging.getLogger(__name__)

NOT_FOUND_TRIES = 6
NOT_FOUND_SECONDS = 3600.0
"""A young task may not be visible everywhere at once, and a provider may be out of order: not found
this often in a row, and not seen for this long, it counts as lost."""
GIVE_UP_POLLS = 100
"""No fewer reads, however old it is."""
RELEASE: Mapping[str, object] = {"owner": "", "lease_until": 0.0}


async def poll(context: Context, task: Task, chance: Callable[[], float]) -> Task | None:
    """Read the status once. Returns the task, still held, when its clip is to be saved now."""
    began = context.clock()
    try:
        found = await context.read_status(task)
        _need_own_key(context, task, found)
    except HailuoError as exc:
        await _record_trouble(context, task, exc, chance)
        return None
    finally:
        context.remote.observe("poll", context.clock() - began)
    now = context.clock()
    submitted_at = task.submitted_at or task.created_at
    read: dict[str, object] = {
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
        save = context.settings.auto_download
        changed = await record_step(
            context,
            task,
            **read,
            status=Status.SUCCEEDED,
            finished_at=now,
            file_id=found.file_id,
            url=found.url,
            url_expires_at=found.url_expires_at,
            width=found.width,
            height=found.height,
            due_at=now if save else 0.0,
            **({} if save else RELEASE),
        )
        return changed if save else None
    if found.phase in (Phase.FAILED, Phase.CANCELLED):
        cancelled = found.phase is Phase.CANCELLED
        await record_step(
            context,
            task,
            **(read | {"error": _reason(context, found), "error_kind": "provider_failed"}),
            status=Status.CANCELLED if cancelled else Status.FAILED,
            due_at=0.0,
            **RELEASE,
        )
    # Often enough, too: one look under a wrong clock says nothing about age.
    elif now - submitted_at > GIVE_UP_SECONDS and task.polls + 1 >= GIVE_UP_POLLS:
        await _give_up(context, task, "never reported its end")
    else:
        await record_step(
            context,
            task,
            **read,
            status=Status.QUEUED if found.phase is Phase.QUEUED else Status.RUNNING,
            unfinished_at=now,
            due_at=next_poll(
                now=now,
                submitted_at=submitted_at,
                render_times=await context.render_times.recent(task),
                published=context.render_times.published(task),
                poll_seconds=context.settings.poll_seconds,
                callback=context.expects_callback(task),
                in_flight=await context.in_flight.count(),
            ),
            **RELEASE,
        )
    return None


async def record_step(context: Context, task: Task, **values: object) -> Task | None:
    """Record a step if the lease is still ours and nobody took it before; announced either way."""
    changed = await context.store.change(
        task.task_id,
        values,
        now=context.clock(),
        held_by=context.owner,
        remote_id=task.remote_id,  # a person may have settled it with another one
        status_in=POLLED if task.status in POLLED else (Status.SUCCEEDED,),
    )
    context.changes.announce(task.task_id)
    return changed


def _need_own_key(context: Context, task: Task, found: RemoteStatus) -> None:
    """Raise where this key cannot know: of a foreign task a provider may say that it failed."""
    ended = found.phase in (Phase.FAILED, Phase.CANCELLED)
    if ended and task.account != context.account:
        raise AuthenticationError(
            "The provider says that this clip failed, but it was asked with another key than the "
            "one that bought the clip, so nothing is settled.",
            Step(Do.ARRANGE, "run hailuo-mcp with the key that bought the clip"),
            detail=found.detail,
        )


async def _record_trouble(
    context: Context, task: Task, exc: HailuoError, chance: Callable[[], float]
) -> None:
    """A read that failed says nothing about the task: poll again later."""
    now = context.clock()
    own = task.account == context.account
    seen = max(task.submitted_at or task.created_at, task.unfinished_at or 0.0)
    if (
        isinstance(exc, RemoteTaskNotFoundError)
        and own
        and task.tries + 1 >= NOT_FOUND_TRIES
        and not 0 <= now - seen < NOT_FOUND_SECONDS
    ):
        await _give_up(context, task, "now says that it knows no such task")
        return
    wait = backoff(
        task.tries,
        first=context.settings.poll_seconds,
        most=60.0 if own and now - seen <= GIVE_UP_SECONDS else 3600.0,
        jitter=chance(),
    )
    if isinstance(exc, RateLimitError) and exc.retry_after is not None:
        wait = max(wait, min(exc.retry_after, 600.0))
    await record_step(
        context,
        task,
        polls=task.polls + 1,
        polled_at=now,
        tries=task.tries + 1,
        error=exc.what,
        error_kind=exc.code,
        error_code=exc.provider_code if isinstance(exc, ProviderError) else "",
        detail=exc.detail,
        due_at=now + wait,
        **RELEASE,
    )


async def _give_up(context: Context, task: Task, why: str) -> None:
    _log.warning("task %s is given up: the provider %s", task.task_id, why)
    await record_step(
        context,
        task,
        status=Status.UNCONFIRMED,
        error=f"The provider accepted the request, but {why}.",
        error_kind="unconfirmed",
        due_at=0.0,
        **RELEASE,
    )


def _reason(context: Context, found: RemoteStatus) -> str:
    if found.phase is Phase.CANCELLED:
        return "The provider cancelled it."
    if not found.error_code or found.error_code == "0":
        return "The provider could not make this clip and gave no reason."
    return explain(found.error_code, provider=context.provider).message()
