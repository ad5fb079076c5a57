"""What status and file requests share: the caller, the task and the fault."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.responses import Response

from hailuo_mcp.sandbox import wire
from hailuo_mcp.sandbox.backend import Backend, Dialect, key_holder
from hailuo_mcp.sandbox.job import Job, Phase
from hailuo_mcp.sandbox.refusal import RATE_LIMIT, RESET, Refusal, Unknown


def answers(
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


def polled_job(request: Request, backend: Backend, family: str, any_id: str, kind: str = "") -> Job:
    """Return the task that a status request asks for, and count the request."""
    who = key_holder(request)
    task = backend.book.task(any_id)
    if task is None or task.key != who.key or task.family != family:
        raise Unknown("task_id")
    if kind and task.kind != kind:
        raise Unknown("task_id")
    _, occasion = backend.book.record("status", at=backend.now(), task_id=task.task_id, key=who.key)
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
    _chaos(backend)
    return task


def finished_job(request: Request, backend: Backend, family: str, file_id: str) -> Job:
    """Return the finished task whose file is asked for, and count the request."""
    who = key_holder(request)
    task = backend.book.job_of_file(file_id)
    if task is None or task.key != who.key or task.family != family or task.kind != "video":
        raise Unknown("file_id")
    backend.book.record("file", at=backend.now(), task_id=task.task_id, key=who.key)
    if task.phase(backend.now()) is not Phase.SUCCESS:
        raise Unknown("file_id")
    _chaos(backend)
    return task


def _chaos(backend: Backend) -> None:
    if backend.dice.strikes("poll_error"):
        raise Refusal(backend.dice.choice((500, 502, 503, RATE_LIMIT, RESET)))
