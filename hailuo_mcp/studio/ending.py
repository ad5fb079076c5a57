"""Ends that a person decides: withdraw what was not sent, settle what nobody knows."""

from __future__ import annotations

import logging
from collections.abc import Mapping

from hailuo_mcp.domain import POLLED, Mode, Money, Phase, RemoteStatus, Status, Task
from hailuo_mcp.errors import HailuoError, InvalidRequestError, RemoteTaskNotFoundError
from hailuo_mcp.journal.store import IdTaken
from hailuo_mcp.studio.desk import Desk
from hailuo_mcp.studio.finding import known
from hailuo_mcp.studio.waiting import reread
from hailuo_mcp.views import View

_log = logging.getLogger(__name__)


async def cancel(desk: Desk, task_id: str, *, caller: str) -> View:
    """Withdraw what was not sent; for the rest, say what is true."""
    task = await known(desk, task_id, caller)
    withdrawn = await desk.journal.change(
        task.task_id,
        {
            "status": Status.CANCELLED,
            "due_at": 0.0,
            "error": "Withdrawn before it was sent.",
            "error_kind": "",
            "error_code": "",
        },
        now=desk.clock(),
        status_in=(Status.PENDING,),
    )
    if withdrawn:
        desk.changes.tell(task.task_id)
        return await desk.view(withdrawn)
    task = await reread(desk, task)
    note = ""
    if task.status in (Status.SUBMITTING, *POLLED):
        note = (
            f"It could not be withdrawn: it was already sent, and {desk.provider.name} offers "
            "no way to cancel. It is charged if it succeeds, and saved as usual."
        )
    elif task.status is Status.UNCONFIRMED:
        note = "It could not be withdrawn: nobody knows whether the provider took it."
    elif task.status is not Status.CANCELLED:
        note = f"There is nothing to withdraw: it has {task.status} already."
    return await desk.view(task, notes=(note,) if note else ())


async def settle(desk: Desk, task_id: str, *, bought: bool, remote_id: str) -> View:
    """A person says what became of a purchase, from the provider's own bill.

    Of one that is `unconfirmed`, and again of one that they settled, until it has a clip.
    """
    task = await desk.find(task_id, "")
    if task is None:
        raise desk.unknown(task_id)
    if not task.can_be_settled:
        raise _not_to_settle(task)
    found, note = await _look_up(desk, task, remote_id.strip()) if bought else ("", "")
    # What a person gave may be wrong, and somebody else's; what the provider gave is kept.
    given = task.remote_id if task.settled_at is None else ""
    values: dict[str, object] = {
        **_FRESH,
        "remote_id": found or given,
        "remote_alias": task.remote_alias if task.remote_id == (found or given) else "",
    }
    if found:
        values |= {
            "status": Status.QUEUED,
            "money": Money.RESERVED,
            "submitted_at": task.submitted_at or task.created_at,
            "due_at": desk.clock(),
        }
    elif bought:
        values |= {
            "status": Status.FAILED,
            "money": Money.SPENT,
            "error": "Settled by a person: it was bought, but the provider's id of it is "
            "unknown, so the clip cannot be fetched from here.",
        }
    else:
        values |= {
            "status": Status.FAILED,
            "money": Money.RELEASED,
            "error": "Settled by a person: the provider never took it.",
        }
    settled = await desk.journal.settle(task.task_id, values, now=desk.clock())
    if isinstance(settled, IdTaken):
        raise InvalidRequestError(
            f"{found[:64]!r} is task {settled.task.task_id} already, so it cannot be this one "
            "as well. Nothing was changed or charged. Look for another id in the bill.",
            task_id=task.task_id,
        )
    if settled is None:
        raise _not_to_settle(await reread(desk, task))
    desk.changes.tell(task.task_id)
    desk.wake(None)
    return await desk.view(settled, notes=(note,) if note else ())


_FRESH: Mapping[str, object] = {
    "owner": "",
    "lease_until": 0.0,
    "due_at": 0.0,
    "polls": 0,
    "tries": 0,
    "remote_status": "",
    "file_id": "",
    "url": "",
    "url_expires_at": None,
    "error": "",
    "error_kind": "",
    "error_code": "",
    "polled_at": None,
    "unfinished_at": None,
    "finished_at": None,
}
"""Nothing is known of a task under the id that it has from now on."""


def _not_to_settle(task: Task) -> InvalidRequestError:
    has = "has its clip" if task.status is Status.SUCCEEDED else f"is {task.status}"
    return InvalidRequestError(
        f"Task {task.task_id} {has}, and only an unconfirmed task can be settled, or one that was "
        "settled before and has no clip. Nothing was changed or charged.",
        task_id=task.task_id,
    )


async def _look_up(desk: Desk, task: Task, named: str) -> tuple[str, str]:
    """The id to follow the task by, empty for none; and what the person should know of it.

    Raises:
        InvalidRequestError: the provider does not know the id that the person named.
    """
    remote_id = named or task.remote_id
    if not remote_id:
        return "", ""
    why = f"{desk.provider.name} gave no usable answer"
    if task.account != desk.account:
        why = f"it was bought at {task.provider} with other settings than these"
    else:
        try:
            found = await _ask(desk, task, remote_id)
        except RemoteTaskNotFoundError as exc:
            if not named:  # accepted once, then given up, and still not to be found
                return "", ""
            raise InvalidRequestError(
                f"{desk.provider.name} knows no task {remote_id[:64]!r}. Nothing was changed or "
                "charged. Look for another id in the bill, or settle it without one.",
                detail=exc.detail,
                task_id=task.task_id,
            ) from exc
        except HailuoError as exc:
            _log.info("the id of %s could not be checked: %s", task.task_id, exc)
        else:
            if found.phase is not Phase.UNKNOWN:
                return remote_id, ""
    return remote_id, (
        f"Whether {remote_id[:64]!r} is its id could not be checked, because {why}. If it turns "
        "out wrong, settle it again."
    )


async def _ask(desk: Desk, task: Task, remote_id: str) -> RemoteStatus:
    template = task.mode is Mode.TEMPLATE
    try:
        return await desk.client.query(remote_id, template=template)
    except RemoteTaskNotFoundError:
        if remote_id != task.remote_id or not task.remote_alias:
            raise
        return await desk.client.query(task.remote_alias, template=template)
