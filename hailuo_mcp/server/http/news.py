"""News of tasks: each listener hears of their own, and of another's as little as of none.

The person at this computer, who has no name, hears of everybody's.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from mcp.server.subscriptions import InMemorySubscriptionBus, ResourceUpdated, ServerEvent

from hailuo_mcp.server.context import Caller
from hailuo_mcp.server.resources import TASK_URI

_TASKS = TASK_URI.partition("{")[0]


@dataclass(frozen=True)
class _TaskUpdated(ResourceUpdated):
    caller: str | None


class OwnNews(InMemorySubscriptionBus):
    def __init__(
        self, caller: Callable[[], Caller], owner: Callable[[str], Awaitable[str | None]]
    ) -> None:
        """`owner`: whose a task is; None where nobody can tell, and then nobody is told."""
        super().__init__()
        self._caller = caller
        self._owner = owner

    async def publish(self, event: ServerEvent) -> None:
        if not self._listeners:
            return
        if isinstance(event, ResourceUpdated) and event.uri.startswith(_TASKS):
            event = _TaskUpdated(event.uri, await self._owner(event.uri.removeprefix(_TASKS)))
        await super().publish(event)

    def subscribe(self, listener: Callable[[ServerEvent], None]) -> Callable[[], None]:
        name = self._caller().name  # called in the listener's own request

        def own(event: ServerEvent) -> None:
            if not isinstance(event, _TaskUpdated) or name in ("", event.caller):
                listener(event)

        return super().subscribe(own)
