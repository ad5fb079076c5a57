"""Find a task by our id or the provider's; adopt one that only the provider knows."""

from __future__ import annotations

import logging

from hailuo_mcp.catalog.video_models import api_of, models
from hailuo_mcp.domain.remote import Api, Phase, RemoteStatus
from hailuo_mcp.domain.requests import Mode
from hailuo_mcp.domain.task import Money, Status, Task
from hailuo_mcp.errors import (
    Do,
    HailuoError,
    InvalidRequestError,
    ProviderError,
    ProviderUnavailableError,
    RateLimitError,
    RemoteTaskNotFoundError,
    Step,
    TaskNotFoundError,
    UnexpectedResponseError,
)
from hailuo_mcp.studio.context import Context
from hailuo_mcp.studio.request_record import new_task_id
from hailuo_mcp.text import LONGEST_ID

_log = logging.getLogger(__name__)


async def find_task(context: Context, task_id: str, caller: str) -> Task:
    """Find the caller's task; a task that only the provider knows is adopted.

    Raises:
        TaskNotFoundError: it is unknown, or another caller's.
        InvalidRequestError: it is a film's, which is not one task.
        RateLimitError: the caller has asked for too many unknown ids.
    """
    task_id = task_id.strip()
    if task := await context.store.find(task_id, caller=caller):
        return task
    await refuse_film(context, task_id, caller)
    if caller:
        context.lookup_limit.count(caller, now=context.clock())
    if await context.store.find(task_id) or await context.store.find_film(task_id):
        raise context.unknown_task(task_id)  # somebody else's
    return await _adopt(context, task_id, caller)


async def refuse_film(context: Context, task_id: str, caller: str) -> None:
    """Raise InvalidRequestError if it is the id of the caller's film, where only a task will do."""
    if await context.store.find_film(task_id, caller=caller):
        raise InvalidRequestError(
            f"{task_id} is a film, and this is possible for single clips only. Nothing was "
            "changed.",
            Step(Do.TRY, "name one of its shots by its task_id"),
            task_id=task_id,
        )


async def _adopt(context: Context, remote_id: str, caller: str) -> Task:
    """Adopt a task that the provider knows and the journal does not."""
    if not remote_id or len(remote_id) > LONGEST_ID or not remote_id.isprintable():
        raise context.unknown_task(remote_id)
    context.client.need_key()
    if await context.store.others_await_ids(context.account, caller):
        # The same answer for every such id, so that it does not reveal which the provider knows.
        refusal = TaskNotFoundError(
            "None of your tasks has this id. It may belong to another caller's clip whose id is "
            "not known yet, so the provider is not asked about it now.",
            Step(Do.TRY, "try again later"),
        )
        refusal.retry = True
        raise refusal
    found, mode, model = await _ask(context, remote_id)
    if found is None or found.phase is Phase.UNKNOWN:
        raise context.unknown_task(remote_id)
    now = context.clock()
    adopted = await context.store.adopt(
        Task(
            task_id=new_task_id(now),
            account=context.account,
            provider=context.provider.name,
            caller=caller,
            status=Status.QUEUED,
            created_at=now,
            updated_at=now,
            mode=mode,
            model=model,
            duration=found.duration,
            resolution=found.resolution or None,
            identity=f"adopted {remote_id}",
            remote_id=remote_id,
            remote_status=found.word,
            unit=context.unit,
            money=Money.UNKNOWN,
            due_at=now,
        )
    )
    if adopted is None:
        raise context.unknown_task(remote_id)
    context.wakeup.notify()
    return adopted


async def _ask(context: Context, remote_id: str) -> tuple[RemoteStatus | None, Mode, str]:
    """What the provider knows under this id, with the task's mode and model for later questions.

    v2 comes first: it says for certain whether it has the task, while v1 may call one failed that
    is not its own (facts 1.6). So while v2 gives no answer, such a failure does not count. A key or
    a relay may have v1 alone.
    """
    client = context.client
    trouble: HailuoError | None = None
    if context.provider.v2:
        asked = next(model.name for model in models() if model.api is Api.V2)
        try:
            found = await client.query(remote_id, model=asked)
        except (ProviderUnavailableError, RateLimitError, UnexpectedResponseError) as exc:
            trouble = exc
        except ProviderError as exc:
            _log.debug("v2 does not have it: %s", exc.code)
        else:
            # Under a name that is not listed, the next question would go to v1.
            model = found.model if api_of(found.model) is Api.V2 else asked
            return found, Mode.UPGRADE if found.upgrade else Mode.T2V, model
    for template in (False, True) if client.capabilities.templates else (False,):
        try:
            found = await client.query(remote_id, template=template)
        except RemoteTaskNotFoundError:
            continue
        if trouble and found.phase is Phase.FAILED:
            raise trouble
        return found, Mode.TEMPLATE if template else Mode.T2V, ""
    if isinstance(trouble, ProviderError):
        raise trouble
    return None, Mode.T2V, ""
