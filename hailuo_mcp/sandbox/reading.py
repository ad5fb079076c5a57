"""What status and file requests have in common: who asks, for what, and which fault strikes."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.responses import Response

from hailuo_mcp.sandbox import wire
from hailuo_mcp.sandbox.desk import Desk, Dialect, caller
from hailuo_mcp.sandbox.refusal import RATE_LIMIT, RESET, Refusal, Unknown
from hailuo_mcp.sandbox.task import Phase, Task


def answering(
    dialect: Dialect, handler: Callable[[Request], Awaitable[Response]]
) -> Callable[[Request], Awaitable[Response]]:
    """Let a handler raise; the dialect words the refusal."""

    async def answer(request: Request) -> Response:
        try:
            return await handler(request)
        except Refusal as refusal:
            if refusal.code == RESET:
                return wire.NoAnswer(reset=True)
            return dialect.refused(refusal)
        except wire.Interrupt as interrupt:
            return interrupt.response

    return answer


def polled(request: Request, desk: Desk, family: str, any_id: str, kind: str = "") -> Task:
    """Return the task that a status request asks for, and count the request."""
    who = caller(request)
    task = desk.book.task(any_id)
    if task is None or task.key != who.key or task.family != family:
        raise Unknown("task_id")
    if kind and task.kind != kind:
        raise Unknown("task_id")
    _, occasion = desk.book.record("status", at=desk.now(), task_id=task.task_id, key=who.key)
    faults = task.faults
    if "lost-task" in faults:
        raise Unknown("task_id")
    if faults.hits("poll-reset", occasion):
        raise Refusal(RESET)
    if faults.hits("poll-500", occasion):
        raise Refusal(500)
    if faults.hits("poll-1002", occasion):
        raise Refusal(RATE_LIMIT)
    if faults.hits("poll-html", occasion):
        raise wire.Interrupt(wire.html_page())
    _chaos(desk)
    return task


def filed(request: Request, desk: Desk, family: str, file_id: str) -> Task:
    """Return the finished task whose file is asked for, and count the request."""
    who = caller(request)
    task = desk.book.task_of_file(file_id)
    if task is None or task.key != who.key or task.family != family or task.kind != "video":
        raise Unknown("file_id")
    desk.book.record("file", at=desk.now(), task_id=task.task_id, key=who.key)
    if task.phase(desk.now()) is not Phase.SUCCESS:
        raise Unknown("file_id")
    _chaos(desk)
    return task


def _chaos(desk: Desk) -> None:
    if desk.dice.strikes("poll_error"):
        raise Refusal(desk.dice.choice((500, 502, 503, RATE_LIMIT, RESET)))
