"""Upgrade a finished clip: find it, say free why it cannot be, buy it as any other clip."""

from __future__ import annotations

import json

from hailuo_mcp.domain.requests import Mode, UpgradeRequest
from hailuo_mcp.domain.task import Money, Status, Task
from hailuo_mcp.errors import Do, HailuoError, InvalidRequestError, Step
from hailuo_mcp.studio.context import Context
from hailuo_mcp.studio.lookup import find_task
from hailuo_mcp.studio.purchase import consent_question, generate
from hailuo_mcp.studio.request_record import upgrade_of
from hailuo_mcp.views import Progress, Terms, View

_UNMADE = Step(Do.TRY, "make the draft again, and upgrade the new one")


async def upgrade(
    context: Context,
    task_id: str,
    resolution: str,
    terms: Terms,
    *,
    caller: str = "",
    local: bool = True,
    wait_seconds: float = 0,
    on_progress: Progress | None = None,
) -> View:
    """Buy the clip of a task again at a higher resolution, or find the task that did.

    Raises:
        HailuoError: as in `upgrade_request` and `generate`.
    """
    request = await upgrade_request(context, task_id, resolution, caller=caller)
    return await generate(
        context,
        request,
        terms,
        caller=caller,
        local=local,
        wait_seconds=wait_seconds,
        on_progress=on_progress,
    )


async def upgrade_question(
    context: Context, task_id: str, resolution: str, terms: Terms, *, caller: str = ""
) -> str | None:
    """The exact question for the person, or None if none is needed; as `consent_question`."""
    try:
        request = await upgrade_request(context, task_id, resolution, caller=caller)
    except HailuoError:
        return None
    return await consent_question(context, request, terms, caller=caller)


async def upgrade_request(
    context: Context, task_id: str, resolution: str, *, caller: str = ""
) -> UpgradeRequest:
    """What is bought to upgrade the caller's clip, by our id or the provider's. Costs nothing.

    Raises:
        InvalidRequestError: it cannot be upgraded, and why.
        TaskNotFoundError: it is unknown, or another caller's.
    """
    source = await find_task(context, task_id, caller)
    if source.mode is Mode.UPGRADE:
        of = upgrade_of(source.request)  # unknown of one that was bought elsewhere
        drafts = [Step(Do.QUERY, of)] if of else []
        raise _refused(source, f"is itself an upgrade{of and f' of task {of}'}", *drafts)
    _need_possible_clip(source)
    request = UpgradeRequest(
        source_id=source.task_id,
        remote_id=source.remote_id,
        model=source.model,
        resolution=resolution,
        source_resolution=source.resolution or "",
        duration=source.duration,
        prompt=source.prompt,
        source_record=source.request if source.request != "{}" else "",
        watermark=json.loads(source.request).get("watermark"),
    )
    if source.model:  # a clip that was bought elsewhere has none before its first status
        from hailuo_mcp.rules.upgrade import check_upgrade

        check_upgrade(request, context.client.seller)
    if source.status is not Status.SUCCEEDED:
        unready = _refused(source, f"is {source.status}", Step(Do.QUERY, source.task_id))
        unready.retry = True
        raise unready
    if source.account != context.account:
        settings = Step(Do.TRY, f"use the provider and key that bought it ({source.provider})")
        raise _refused(source, "was bought from another account", settings)
    _need_young(context, source)
    return request


def _need_possible_clip(source: Task) -> None:
    """Raise unless it has a clip, or may still get one."""
    match source.status:
        case Status.UNCONFIRMED:
            raise _refused(source, "may not have been bought", Step(Do.SETTLE, source.task_id))
        case Status.FAILED if source.money is Money.SPENT:
            raise _refused(source, "was settled as bought, without the provider's id", _UNMADE)
        case Status.FAILED | Status.CANCELLED:
            ended = "failed" if source.status is Status.FAILED else "was cancelled"
            raise _refused(source, f"{ended} and has no clip", _UNMADE)
        case _:
            pass


def _need_young(context: Context, source: Task) -> None:
    from hailuo_mcp.rules.upgrade import SOURCE_SECONDS

    bought = source.submitted_at or source.finished_at or source.created_at
    if context.clock() - bought >= SOURCE_SECONDS:
        days = f"{SOURCE_SECONDS / 86_400:g} days"
        raise _refused(source, f"is older than {days}, after which it is not kept", _UNMADE)


def _refused(source: Task, why: str, *then: Step) -> InvalidRequestError:
    return InvalidRequestError(
        f"Task {source.task_id} cannot be upgraded: it {why}.", *then, task_id=source.task_id
    )
