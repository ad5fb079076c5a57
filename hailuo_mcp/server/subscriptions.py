"""Telling clients that a task has changed (resource subscriptions, 2026-07-28)."""

from __future__ import annotations

import math
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

import anyio
from mcp.server.subscriptions import InMemorySubscriptionBus, ServerEvent, SubscriptionBus
from mcp.shared.subscriptions import ResourceUpdated

from hailuo_mcp.domain.task import tenant_of
from hailuo_mcp.errors import JournalError
from hailuo_mcp.server.context import AppContext
from hailuo_mcp.server.resources import SPENDING_URI, TASK_URI

if TYPE_CHECKING:
    from hailuo_mcp.studio.studio import Studio

_TASKS = TASK_URI.partition("{")[0]


_NEWEST = 100
"""Published where some task has changed and nobody knows which."""


async def publish_changes(
    studio: Studio, bus: SubscriptionBus, wanted: Callable[[], bool] = lambda: False
) -> None:
    """Publish until cancelled. `wanted`: whether anybody wants to hear what other processes do."""
    send, receive = anyio.create_memory_object_stream[str](math.inf)

    def note(task_id: str) -> None:
        # Called from a job that handles money: it must not wait, nor fail when nobody listens.
        with suppress(anyio.BrokenResourceError, anyio.ClosedResourceError):
            send.send_nowait(task_id)

    studio.changes.listen(note, wanted)
    async with send, receive:
        async for changed in receive:
            task_ids = [changed] if changed else await _newest(studio, wanted)
            for task_id in task_ids:
                await bus.publish(ResourceUpdated(uri=f"{_TASKS}{task_id}"))
            await bus.publish(SpendingChanged(SPENDING_URI, tuple(task_ids)))


async def _newest(studio: Studio, wanted: Callable[[], bool]) -> list[str]:
    """Whoever follows one of these looks at it, and sees whether it has changed."""
    if not wanted():
        return []
    with suppress(JournalError):
        tasks = await studio.store.newest(limit=_NEWEST)
        films = await studio.store.newest_films(limit=_NEWEST)
        return [*(task.task_id for task in tasks), *(film.film_id for film in films)]
    return []


@dataclass(frozen=True)
class SpendingChanged(ResourceUpdated):
    task_ids: tuple[str, ...]
    """Whose costs may have changed it."""


@dataclass(frozen=True)
class _TaskUpdated(ResourceUpdated):
    owner: str | None


@dataclass(frozen=True)
class _SpendingUpdated(ResourceUpdated):
    owners: frozenset[str | None]


class CallerBus(InMemorySubscriptionBus):
    """Tells each caller about their own tasks only, and the person at this computer about all.

    Spending is the account's, except a tenant's, which is its own.
    """

    def __init__(self, app: AppContext) -> None:
        super().__init__()
        self._app = app

    def is_listened_to(self) -> bool:
        return bool(self._listeners)

    async def publish(self, event: ServerEvent) -> None:
        if not self._listeners:
            return
        if isinstance(event, ResourceUpdated) and event.uri.startswith(_TASKS):
            event = _TaskUpdated(event.uri, await self._owner(event.uri.removeprefix(_TASKS)))
        elif isinstance(event, SpendingChanged) and self._app.tenants:
            owners = frozenset([await self._owner(task_id) for task_id in event.task_ids])
            event = _SpendingUpdated(event.uri, owners)
        await super().publish(event)

    def subscribe(self, listener: Callable[[ServerEvent], None]) -> Callable[[], None]:
        name = self._app.caller().name  # called in the listener's own request

        def own(event: ServerEvent) -> None:
            if isinstance(event, _TaskUpdated) and name not in ("", event.owner):
                return
            tenant = tenant_of(name)
            if isinstance(event, _SpendingUpdated) and tenant and tenant not in event.owners:
                return
            listener(event)

        return super().subscribe(own)

    async def _owner(self, task_id: str) -> str | None:
        """The caller whose task or film it is; None where it cannot be read: nobody is told."""
        studio = self._app.opened
        if studio is None:
            return None
        try:
            found = await studio.store.find(task_id) or await studio.store.find_film(task_id)
        except JournalError:
            return None
        return found.caller if found else None
