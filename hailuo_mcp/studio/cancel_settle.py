"""Cancel a task that was not sent or is still queued; settle an unconfirmed one."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import replace

from hailuo_mcp.domain.remote import Phase
from hailuo_mcp.domain.task import POLLED, Money, Status, Task
from hailuo_mcp.errors import Do, HailuoError, InvalidRequestError, RemoteTaskNotFoundError, Step
from hailuo_mcp.journal.facts import IdTaken
from hailuo_mcp.studio.context import Context
from hailuo_mcp.studio.lookup import find_task, refuse_film
from hailuo_mcp.studio.provider_cancel import SENT, cancel_at_provider
from hailuo_mcp.studio.waiting import read_again
from hailuo_mcp.text import shown
from hailuo_mcp.views import View

_log = logging.getLogger(__name__)


async def cancel_task(context: Context, task_id: str, *, caller: str = "") -> View:
    """Cancel a task that was not sent, or is queued where that can be cancelled; else say why not.

    Nothing that has ended is changed, here or at the provider.
    """
    task = await find_task(context, task_id, caller)
    cancelled = await withdraw(context, task)
    if cancelled:
        announce(context, cancelled)
        return await context.view(cancelled)
    task = await read_again(context, task)
    note = ""
    if task.status in SENT:
        done = await cancel_at_provider(context, task)
        task = done.task
        if task.status not in POLLED:
            announce(context, task)
        note = f"It could not be withdrawn: {done.why_not}." if done.why_not else ""
    elif task.status is Status.UNCONFIRMED:
        note = "It could not be withdrawn: it is unknown whether the provider accepted it."
    elif task.status is not Status.CANCELLED:
        note = f"There is nothing to withdraw: it has already ended ({task.status})."
    return await context.view(task, notes=(note,) if note else ())


def announce(context: Context, task: Task) -> None:
    """Tell who waits for it, or for the film that it is a shot of."""
    context.changes.announce(task.task_id)
    if task.film_id:
        context.changes.announce(task.film_id)
        context.wakeup.notify()  # the film has something to do now


async def withdraw(context: Context, task: Task) -> Task | None:
    """The task, cancelled free; None if it was sent or has ended."""
    return await context.store.change(
        task.task_id,
        {
            "status": Status.CANCELLED,
            "due_at": 0.0,
            "error": "Withdrawn before it was sent.",
            "error_kind": "",
            "error_code": "",
        },
        now=context.clock(),
        status_in=(Status.PENDING,),
    )


_RESET: Mapping[str, object] = {
    **dict.fromkeys(("owner", "remote_status", "file_id", "url"), ""),
    **dict.fromkeys(("error", "error_kind", "error_code"), ""),
    **dict.fromkeys(("lease_until", "due_at"), 0.0),
    **dict.fromkeys(("polls", "tries"), 0),
    **dict.fromkeys(("url_expires_at", "polled_at", "unfinished_at", "finished_at"), None),
    "candidates": (),
}
"""Nothing is known of a task under its new id."""
_NO_ID = "Settled as bought, without the provider's id, so the clip cannot be downloaded here."
_ENDS = {True: (Money.SPENT, _NO_ID), False: (Money.RELEASED, "Settled as not bought.")}
"""By whether it was bought, if its id is unknown."""


async def settle_task(context: Context, task_id: str, *, bought: bool, remote_id: str = "") -> View:
    """Record what a person found on the provider's bill about a purchase.

    Possible for an `unconfirmed` task, or a settled one without a clip.
    """
    task = await context.store.find(task_id)
    if task is None:
        await refuse_film(context, task_id, "")
        raise context.unknown_task(task_id)
    if not task.can_be_settled:
        raise _cannot_be_settled(task)
    found, note = await _check_id(context, task, remote_id.strip()) if bought else ("", "")
    # An id from a person may be wrong; one from the provider is kept.
    kept = found or (task.remote_id if task.settled_at is None else "")
    alias = task.remote_alias if task.remote_id == kept else ""
    values: dict[str, object] = {**_RESET, "remote_id": kept, "remote_alias": alias}
    if found:
        values |= {"status": Status.QUEUED, "money": Money.RESERVED, "due_at": context.clock()}
        values["submitted_at"] = task.submitted_at or task.created_at
    else:
        money, error = _ENDS[bought]
        values |= {"status": Status.FAILED, "money": money, "error": error}
    settled = await context.store.settle(task.task_id, values, now=context.clock())
    if isinstance(settled, IdTaken):
        raise InvalidRequestError(
            f"The id {shown(found)!r} already belongs to task {settled.task.task_id}, so it cannot "
            "belong to this one as well. Nothing was changed.",
            Step(Do.ARRANGE, "look for another id in the provider's bill"),
            task_id=task.task_id,
        )
    if settled is None:
        raise _cannot_be_settled(await read_again(context, task))
    announce(context, settled)
    await _look_for_others(context, task, found)
    context.wakeup.notify()
    return await context.view(settled, notes=(note,) if note else ())


async def _look_for_others(context: Context, task: Task, taken: str) -> None:
    """Have those that might have been the same one looked for now: they have a choice less."""
    now, choices = context.clock(), {taken, *task.candidates} - {""}
    for other in await context.store.awaiting_ids(task.account):
        if not choices.isdisjoint(other.candidates):
            await context.store.change(
                other.task_id,
                {"due_at": now, "tries": 0},
                now=now,
                status_in=(Status.UNCONFIRMED,),
            )


def _cannot_be_settled(task: Task) -> InvalidRequestError:
    has = "has its clip" if task.status is Status.SUCCEEDED else f"is {task.status}"
    return InvalidRequestError(
        f"Task {task.task_id} {has}, and only an unconfirmed task can be settled, or one that was "
        "settled before and has no clip. Nothing was changed.",
        task_id=task.task_id,
    )


async def _check_id(context: Context, task: Task, named: str) -> tuple[str, str]:
    """The id to poll the task by, empty for none; and what the person should know about it.

    Raises:
        InvalidRequestError: the provider does not know the id that the person named.
    """
    remote_id = named or task.remote_id
    if not remote_id:
        return "", ""
    if remote_id != task.remote_id:
        task = replace(task, remote_id=remote_id, remote_alias="")
    why = f"{context.provider.name} gave no usable answer"
    if task.account != context.account:
        why = f"it was bought at {task.provider} with other settings"
    else:
        try:
            found = await context.read_status(task)
        except RemoteTaskNotFoundError as exc:
            if not named:  # accepted once, then given up, and still not found
                return "", ""
            raise InvalidRequestError(
                f"{context.provider.name} knows no task {shown(remote_id)!r}. Nothing was changed.",
                Step(Do.ARRANGE, "look for another id in the bill, or settle it without an id"),
                detail=exc.detail,
                task_id=task.task_id,
            ) from exc
        except HailuoError as exc:
            _log.info("the id of %s could not be checked: %s", task.task_id, exc)
        else:
            if found.phase is not Phase.UNKNOWN:
                return remote_id, ""
    return remote_id, (
        f"Whether {shown(remote_id)!r} is its id could not be checked, because {why}. If the id is "
        "wrong, settle the task again."
    )
