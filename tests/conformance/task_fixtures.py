"""The suite's tasks on our Tasks extension; nothing that we sell asks questions or crashes."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import anyio
from mcp import MCPError
from mcp.server.mcpserver import MCPServer, require_client_extension
from mcp.server.mcpserver.exceptions import ToolError
from mcp.types import (
    INTERNAL_ERROR,
    CallToolResult,
    ElicitRequest,
    ElicitRequestFormParams,
    InputRequiredResult,
)

from hailuo_mcp.server.request import takes_tasks
from hailuo_mcp.server.tasks_extension import TasksExtension
from hailuo_mcp.wording import phrases


def _form(message: str, field: str, kind: str) -> ElicitRequest:
    schema = {"type": "object", "properties": {field: {"type": kind}}, "required": [field]}
    return ElicitRequest(params=ElicitRequestFormParams(message=message, requested_schema=schema))


_QUESTIONS: dict[str, dict[str, ElicitRequest]] = {
    "slow_compute": {},
    "failing_job": {},
    "protocol_error_job": {},
    "confirm_delete": {"confirm": _form("Delete it?", "confirm", "boolean")},
    "multi_input": {
        "first": _form("What is your first name?", "name", "string"),
        "last": _form("What is your last name?", "name", "string"),
    },
    "test_tool_with_task": {},
}
"""By tool, what its task asks."""
_ONLY_AS_TASKS = ("failing_job", "test_tool_with_task")


class Job:
    """A call that goes on after its answer."""

    def __init__(self, task_id: str, questions: dict[str, ElicitRequest]) -> None:
        self.task_id = task_id
        self.open = dict(questions)
        self.end: dict[str, Any] = {}
        self.began = phrases.moment(time.time())
        self.answered = anyio.Event()
        self.work: asyncio.Task[None] | None = None

    async def run(self, call_next, ctx) -> None:
        if self.open:
            await self.answered.wait()
        try:
            result = await call_next(ctx)
        except MCPError as fault:
            self.end = {"status": "failed", "error": fault.error.model_dump(exclude_none=True)}
        else:
            self.complete(result)

    def complete(self, result: CallToolResult) -> None:
        told = result.model_dump(by_alias=True, mode="json", exclude_none=True)
        self.end = {"status": "completed", "result": told}

    def state(self) -> dict[str, Any]:
        found = {
            "taskId": self.task_id,
            "status": "input_required" if self.open else "working",
            "createdAt": self.began,
            "lastUpdatedAt": phrases.moment(time.time()),
            "ttlMs": 600_000,
            "pollIntervalMs": 200,
        }
        if self.open and not self.end:
            found["inputRequests"] = {
                name: one.model_dump(by_alias=True, mode="json", exclude_none=True)
                for name, one in self.open.items()
            }
        return found | self.end


class CertifiedTasks(TasksExtension):
    """Our extension, which serves the suite's jobs beside our own tasks."""

    jobs: dict[str, Job]

    async def intercept_tool_call(self, params, ctx, call_next):
        if params.name not in _QUESTIONS:
            return await super().intercept_tool_call(params, ctx, call_next)
        if not takes_tasks(ctx.protocol_version, ctx.session.client_capabilities):
            if params.name in _ONLY_AS_TASKS:
                require_client_extension(ctx, self.identifier)
            return await call_next(ctx)
        job = Job(f"job-{len(self.jobs)}", _QUESTIONS[params.name])
        if params.name == "test_tool_with_task":
            result = await call_next(ctx)
            if isinstance(result, InputRequiredResult):
                return result
            job.complete(result)
        else:
            job.work = asyncio.create_task(job.run(call_next, ctx))
        self.jobs[job.task_id] = job
        created = {"resultType": "task", **job.state()}
        return {key: it for key, it in created.items() if key not in ("result", "inputRequests")}

    async def read(self, task_id):
        job = self.jobs.get(task_id)
        return job.state() if job else await super().read(task_id)

    async def answer(self, task_id, responses):
        if (job := self.jobs.get(task_id)) is None:
            return await super().answer(task_id, responses)
        job.open = {name: one for name, one in job.open.items() if name not in responses}
        if not job.open:
            job.answered.set()
        return None

    async def cancel(self, task_id):
        if (job := self.jobs.get(task_id)) is None:
            return await super().cancel(task_id)
        if not job.end:
            job.end = {"status": "cancelled"}
            if job.work:
                job.work.cancel()
        return None


def add_tasks(server: MCPServer) -> None:
    @server.tool()
    def greet(name: str) -> str:
        return f"Hello, {name}!"

    @server.tool()
    async def slow_compute(seconds: float = 1, label: str = "") -> str:
        with anyio.move_on_after(seconds):  # that it takes so long is what the suite asks for
            await anyio.sleep_forever()
        return f"Computed {label}"

    @server.tool()
    def failing_job() -> str:
        raise ToolError("This job always fails")

    @server.tool()
    def protocol_error_job() -> str:
        raise MCPError(INTERNAL_ERROR, "This job always crashes")

    @server.tool()
    def confirm_delete(filename: str) -> str:
        return f"Deleted {filename}"

    @server.tool()
    def multi_input() -> str:
        return "Both answers have come."
