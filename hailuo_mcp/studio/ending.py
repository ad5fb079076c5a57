"""Ends that a person decides: withdraw what was not sent, settle what nobody knows."""

from __future__ import annotations

from hailuo_mcp.domain import POLLED, Money, Status
from hailuo_mcp.errors import InvalidRequestError
from hailuo_mcp.studio.desk import Desk
from hailuo_mcp.studio.finding import known
from hailuo_mcp.studio.views import View
from hailuo_mcp.studio.waiting import reread


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
    """A person says what became of an `unconfirmed` task, from the provider's own bill."""
    task = await desk.find(task_id, "")
    if task is None:
        raise desk.unknown(task_id)
    remote_id = remote_id or task.remote_id  # accepted once, then given up
    if not bought:
        values: dict[str, object] = {
            "status": Status.FAILED,
            "money": Money.RELEASED,
            "error": "Settled by a person: the provider never took it.",
        }
    elif remote_id:
        values = {
            "status": Status.QUEUED,
            "remote_id": remote_id,
            "submitted_at": task.created_at,
            "due_at": desk.clock(),
            "tries": 0,
        }
        other = await desk.journal.find(remote_id)
        if other and other.task_id != task.task_id and other.money is not Money.UNKNOWN:
            raise InvalidRequestError(
                f"{remote_id[:64]!r} is task {other.task_id} already, so it cannot be this one "
                "as well. Nothing was changed or charged. Look for another id in the bill.",
                task_id=task.task_id,
            )
    else:
        values = {
            "status": Status.FAILED,
            "money": Money.SPENT,
            "error": "Settled by a person: it was bought, but the provider's id of it is "
            "unknown, so the clip cannot be fetched from here.",
        }
    settled = await desk.journal.change(
        task.task_id, values, now=desk.clock(), status_in=(Status.UNCONFIRMED,)
    )
    if settled is None:
        raise InvalidRequestError(
            f"Task {task.task_id} is {task.status}, and only an unconfirmed task can be "
            "settled. Nothing was changed or charged.",
            task_id=task.task_id,
        )
    desk.changes.tell(task.task_id)
    desk.wake(None)
    return await desk.view(settled)
