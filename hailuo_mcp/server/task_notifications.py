"""`notifications/tasks` of the Tasks extension (SEP-2663), over the SDK's own subscriptions."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, cast

from mcp import MCPError
from mcp.server.context import CallNext, HandlerResult
from mcp.server.mcpserver import require_client_extension
from mcp.types import (
    INVALID_PARAMS,
    Notification,
    RequestId,
    ResourceUpdatedNotification,
    ServerNotification,
    SubscriptionsAcknowledgedNotification,
)

from hailuo_mcp.server.request import TASKS
from hailuo_mcp.server.resources import TASK_URI
from hailuo_mcp.server.tasks_extension import VERSIONS, Request, TasksExtension, Wire

if TYPE_CHECKING:
    from mcp.server.session import ServerSession

MOST_TASKS = 100
"""That one subscription is told of; each is looked up before the subscription begins."""
_MOVES_ON = frozenset({"statusMessage", "lastUpdatedAt", "pollIntervalMs"})
"""What changes although nothing happens."""


class TaskNotifications:
    """Serves `taskIds` beside what the SDK's subscriptions serve.

    The SDK (2.3.0) knows resources only, so each task is followed as `hailuo://tasks/…`.
    """

    def __init__(self, tasks: TasksExtension) -> None:
        self._tasks = tasks

    async def serve(self, ctx: Request, call_next: CallNext) -> HandlerResult:
        """The SDK's middleware."""
        if ctx.method != "subscriptions/listen" or ctx.protocol_version not in VERSIONS:
            return await call_next(ctx)
        params: Wire = dict(ctx.params or {})
        asked = _mapping(params.get("notifications"))
        if asked.get("taskIds") is None:
            return await call_next(ctx)
        require_client_extension(ctx, TASKS)
        uris = _texts(asked.get("resourceSubscriptions") or [], "resourceSubscriptions")
        own = await self._own(_texts(asked["taskIds"], "taskIds"))
        stream = _Stream(self._tasks, ctx, own, uris)
        asked["resourceSubscriptions"] = list(dict.fromkeys([*uris, *stream.tasks]))
        params["notifications"] = asked
        # The SDK's handler needs nothing of its session but a way to send.
        return await call_next(replace(ctx, params=params, session=cast("ServerSession", stream)))

    async def _own(self, task_ids: Iterable[str]) -> list[str]:
        """Those that the caller may follow."""
        own: list[str] = []
        for task_id in list(dict.fromkeys(task_ids))[:MOST_TASKS]:
            with suppress(MCPError):
                await self._tasks.known(task_id)
                own.append(task_id)
        return own


class _Stream:
    """What the SDK takes for the session: says `notifications/tasks` where a task has changed."""

    def __init__(
        self, tasks: TasksExtension, ctx: Request, task_ids: Iterable[str], uris: Iterable[str]
    ) -> None:
        """`uris`: the resources that the client itself follows."""
        self._extension = tasks
        self._ctx = ctx
        self._uris = frozenset(uris)
        self._told: dict[str, Wire] = {}
        self.tasks = {TASK_URI.format(task_id=task_id): task_id for task_id in task_ids}

    async def send_notification(
        self, notification: ServerNotification, related_request_id: RequestId | None = None
    ) -> None:
        match notification:
            case SubscriptionsAcknowledgedNotification():
                await self._send(self._acknowledged(notification), related_request_id)
                for task_id in self.tasks.values():
                    # One that has ended will not be announced any more.
                    if told := await self._news(task_id, notification, only_ended=True):
                        await self._send(told, related_request_id)
            case ResourceUpdatedNotification():
                uri = notification.params.uri
                if uri in self._uris:
                    await self._send(notification, related_request_id)
                if uri in self.tasks and (told := await self._news(self.tasks[uri], notification)):
                    await self._send(told, related_request_id)
            case _:
                await self._send(notification, related_request_id)

    def _acknowledged(
        self, notification: SubscriptionsAcknowledgedNotification
    ) -> SubscriptionsAcknowledgedNotification:
        """What the client asked for, in its own words."""
        params = notification.params
        honored = params.notifications
        uris = [uri for uri in honored.resource_subscriptions or () if uri in self._uris]
        own_words = {"resource_subscriptions": uris or None, "taskIds": [*self.tasks.values()]}
        told = params.model_copy(update={"notifications": honored.model_copy(update=own_words)})
        return notification.model_copy(update={"params": told})

    async def _news(
        self,
        task_id: str,
        cause: SubscriptionsAcknowledgedNotification | ResourceUpdatedNotification,
        *,
        only_ended: bool = False,
    ) -> ServerNotification | None:
        """The task as it stands, unless the client was told the same.

        An end may be told twice: over HTTP each answer has a new link to the clip.
        """
        try:
            found = await self._extension.read(task_id)
        except MCPError:
            return None  # the client's own poll gets the reason
        facts = {key: value for key, value in found.items() if key not in _MOVES_ON}
        if facts == self._told.get(task_id) or (only_ended and found["status"] == "working"):
            return None
        self._told[task_id] = facts
        told = Notification[Wire, str](
            method="notifications/tasks", params={"_meta": cause.params.meta, **found}
        )
        return cast("ServerNotification", told)  # a closed union, and the SDK only writes it out

    async def _send(self, notification: ServerNotification, related: RequestId | None) -> None:
        await self._ctx.session.send_notification(notification, related)


def _mapping(value: object) -> Wire:
    return dict(cast("Wire", value)) if isinstance(value, dict) else {}


def _texts(value: object, name: str) -> list[str]:
    given = cast("list[object]", value) if isinstance(value, list) else [None]
    texts = [one for one in given if isinstance(one, str)]
    if len(texts) < len(given):
        raise MCPError(INVALID_PARAMS, f"{name} must be a list of texts.")
    return texts
