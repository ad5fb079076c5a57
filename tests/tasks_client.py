"""A client's half of the Tasks extension (SEP-2663), on the SDK's public interface."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

from mcp import Client
from mcp.client.extension import ClaimContext, ClientExtension, NotificationBinding, ResultClaim
from mcp.client.session import ClientSession
from mcp.types import CallToolResult, NotificationParams, Request, Result
from pydantic import ConfigDict, TypeAdapter
from until import until

TASKS = "io.modelcontextprotocol/tasks"
_ANYTHING = TypeAdapter(dict[str, Any])


class Handle(Result):
    """What a call is answered with in place of its result."""

    result_type: Literal["task"]
    task_id: str
    status: str
    status_message: str
    created_at: str
    last_updated_at: str
    ttl_ms: int | None
    poll_interval_ms: int


class _News(NotificationParams):
    model_config = ConfigDict(extra="allow")


class _TaskRequest(Request[dict[str, Any], str]):
    name_param = "taskId"


class _Listen(Request[dict[str, Any], str]):
    pass


class TasksClient(ClientExtension):
    """Declares the extension and follows each task to its end."""

    identifier = TASKS

    def __init__(self) -> None:
        self.handles: list[Handle] = []
        self.news: list[dict[str, Any]] = []
        """What `notifications/tasks` have said."""

    def claims(self) -> Sequence[ResultClaim[Any]]:
        return [ResultClaim(result_type="task", model=Handle, resolve=self._follow)]

    def notifications(self) -> Sequence[NotificationBinding[Any]]:
        method = "notifications/tasks"
        return [NotificationBinding(method=method, params_type=_News, handler=self._note)]

    async def _note(self, news: _News) -> None:
        self.news.append(news.model_extra or {})

    async def _follow(self, handle: Handle, ctx: ClaimContext) -> CallToolResult:
        self.handles.append(handle)

        async def ended() -> dict[str, Any] | None:
            task = await ask(ctx.session, "tasks/get", handle.task_id)
            return None if task["status"] == "working" else task

        return CallToolResult.model_validate((await until(ended))["result"])


async def ask(
    client: Client | ClientSession, method: str, task_id: str, **more: Any
) -> dict[str, Any]:
    """One request about a task; the wire's own answer."""
    session = client.session if isinstance(client, Client) else client
    request = _TaskRequest(method=method, params={"taskId": task_id, **more})
    return await session.send_request(request, _ANYTHING)


async def listen(client: Client, **notifications: Any) -> None:
    """Hold a subscription open until cancelled."""
    params = {"notifications": notifications}
    request = _Listen(method="subscriptions/listen", params=params)
    await client.session.send_request(request, _ANYTHING)
