"""list_tasks: the clips so far and the money so far."""

from __future__ import annotations

from pydantic import Field

from hailuo_mcp.server.context import Ctx
from hailuo_mcp.server.request import tool_request
from hailuo_mcp.server.tools.arguments import Arguments
from hailuo_mcp.wording.shapes import TaskList


class ListTasks(Arguments):
    status: str = Field(
        "",
        description="Only this status: pending, submitting, queued, running, unfinished (all of "
        "these), succeeded, failed, cancelled, unconfirmed or planned (films).",
    )
    limit: int = Field(20, ge=0, le=100, description="At most this many.")
    wait_seconds: float = Field(0, ge=0, description="Longest wait for any to end; 0: none.")


async def list_tasks(wanted: ListTasks, ctx: Ctx) -> TaskList:
    """List clips and films, newest first, and what was spent, is reserved and is left. Free.

    Use it before buying again after an error or a timeout, and to wait for several clips (status
    "unfinished", wait_seconds). Next: query_task.
    """
    from hailuo_mcp.wording.tasks import list_facts, still_listed, task_list

    request = await tool_request(ctx)
    with request.wait(wanted.wait_seconds) as seconds:
        listing = await request.studio.tasks(
            caller=request.caller.name,
            status=wanted.status,
            limit=wanted.limit,
            wait_seconds=seconds,
        )
    subject = f"tasks {wanted.status} {wanted.limit}"
    told = request.already_told(subject, list_facts(listing))
    if told and wanted.wait_seconds and (short := still_listed(listing)):
        return short
    return task_list(listing, limit=wanted.limit)
