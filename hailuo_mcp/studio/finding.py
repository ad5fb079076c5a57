"""Which task is meant: by our id, by the provider's, or one that is the provider's alone."""

from __future__ import annotations

from hailuo_mcp.domain import Mode, Money, Phase, RemoteStatus, Status, Task
from hailuo_mcp.errors import RemoteTaskNotFoundError, TaskNotFoundError
from hailuo_mcp.studio.desk import Desk
from hailuo_mcp.studio.intent import new_task_id

_LONGEST_ID = 200


async def known(desk: Desk, task_id: str, caller: str) -> Task:
    """The task that the caller means; an id that only the provider knows is adopted.

    Raises:
        TaskNotFoundError: nobody knows it, or it is another caller's.
        RateLimitError: the caller has asked for too many ids that are not theirs.
    """
    task_id = task_id.strip()
    if task := await desk.find(task_id, caller):
        return task
    if caller:
        desk.guesses.count(caller, now=desk.clock())
    if await desk.journal.find(task_id):
        raise desk.unknown(task_id)  # somebody else's
    return await _adopt(desk, task_id, caller)


async def _adopt(desk: Desk, remote_id: str, caller: str) -> Task:
    """Take in a task that the provider knows and the journal does not."""
    if not remote_id or len(remote_id) > _LONGEST_ID or not remote_id.isprintable():
        raise desk.unknown(remote_id)
    desk.client.need_key()
    if await desk.journal.others_await_ids(desk.account, caller):
        # Said of every such id, so that nobody learns by it which ones the provider knows.
        raise _doubtful()
    found: RemoteStatus | None = None
    template = False
    for template in (False, True) if desk.client.capabilities.templates else (False,):
        try:
            found = await desk.client.query(remote_id, template=template)
            break
        except RemoteTaskNotFoundError:
            continue
    if found is None or found.phase is Phase.UNKNOWN:
        raise desk.unknown(remote_id)
    now = desk.clock()
    adopted = await desk.journal.adopt(
        Task(
            task_id=new_task_id(now),
            account=desk.account,
            provider=desk.provider.name,
            caller=caller,
            status=Status.QUEUED,
            created_at=now,
            updated_at=now,
            mode=Mode.TEMPLATE if template else Mode.T2V,
            model="",
            identity=f"adopted {remote_id}",
            remote_id=remote_id,
            remote_status=found.word,
            unit=desk.unit,
            money=Money.UNKNOWN,
            due_at=now,
        )
    )
    if adopted is None:
        raise desk.unknown(remote_id)
    desk.wake(None)
    return adopted


def _doubtful() -> TaskNotFoundError:
    error = TaskNotFoundError(
        "This id is of no task of yours, and at the moment it is not certain whose else it can be, "
        "so it is not looked up. Nothing was charged. Try again later, or ask the person who runs "
        "this server."
    )
    error.retry = True
    return error
