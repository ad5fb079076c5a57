"""Telling listeners that a task has changed (resource subscriptions, 2026-07-28)."""

from __future__ import annotations

import math
from contextlib import suppress
from typing import TYPE_CHECKING

import anyio
from mcp.server.subscriptions import SubscriptionBus
from mcp.shared.subscriptions import ResourceUpdated

if TYPE_CHECKING:
    from hailuo_mcp.studio.studio import Studio

from hailuo_mcp.server.resources import SPENDING_URI, TASK_URI


async def publish_changes(studio: Studio, bus: SubscriptionBus) -> None:
    """Publish until cancelled."""
    send, receive = anyio.create_memory_object_stream[str](math.inf)

    def note(task_id: str) -> None:
        # Called from within a job that handles money: it is never kept waiting, and never told
        # that nobody listens any more.
        with suppress(anyio.BrokenResourceError, anyio.ClosedResourceError):
            send.send_nowait(task_id)

    studio.changes.listen(note)
    async with send, receive:
        async for task_id in receive:
            await bus.publish(ResourceUpdated(uri=TASK_URI.replace("{task_id}", task_id)))
            await bus.publish(ResourceUpdated(uri=SPENDING_URI))
