"""Telling listeners that a task has changed (resource subscriptions, 2026-07-28)."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import anyio
from mcp.server.subscriptions import SubscriptionBus
from mcp.shared.subscriptions import ResourceUpdated

if TYPE_CHECKING:
    from hailuo_mcp.studio import Studio

from hailuo_mcp.server.resources import SPENDING_URI, TASK_URI


async def publish_changes(studio: Studio, bus: SubscriptionBus) -> None:
    """Publish until cancelled. The studio calls from within a job, so it is never kept waiting."""
    send, receive = anyio.create_memory_object_stream[str](math.inf)
    studio.changes.listen(send.send_nowait)
    async with send, receive:
        async for task_id in receive:
            await bus.publish(ResourceUpdated(uri=TASK_URI.replace("{task_id}", task_id)))
            await bus.publish(ResourceUpdated(uri=SPENDING_URI))
