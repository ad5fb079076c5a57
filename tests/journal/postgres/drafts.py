"""Purchases to record."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

from hailuo_mcp.domain.requests import Mode
from hailuo_mcp.domain.task import Status, Task
from hailuo_mcp.journal.facts import Limits

LIMITS = Limits(rpm=None, budget=Decimal(1000), since=0.0, lease=90.0)


def draft(name: str, **facts: Any) -> Task:
    task = Task(
        task_id=name,
        account="a",
        provider="p",
        caller="",
        status=Status.PENDING,
        created_at=1.0,
        updated_at=1.0,
        mode=Mode.T2V,
        model="m",
        identity=name,
        owner="me",
    )
    return replace(task, **facts)


async def buy(store: Any, name: str, **facts: Any) -> Any:
    return await store.record(draft(name, **facts), Decimal(1), LIMITS, now=store.clock())
