"""What a finished clip cost by what the provider counted, in place of what was quoted."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from hailuo_mcp.catalog.prices import price_of_usage
from hailuo_mcp.domain.remote import Usage
from hailuo_mcp.domain.requests import Mode
from hailuo_mcp.domain.task import Task, Unit


def counted_cost(task: Task, usage: Usage | None) -> Mapping[str, object]:
    """The values of a task that follow from the provider's count; none without a full price.

    Without an amount nobody has promised a price (adopted, or none was published): it stays so.
    """
    amount = _price(task, usage) if usage and task.amount is not None else None
    if amount is None:
        return {}
    # The same amount, too: what it was reserved with may have been more than a lower bound.
    quoted = task.amount if task.quoted is None else task.quoted
    return {"amount": amount, "quoted": None if amount == quoted else quoted}


def _price(task: Task, usage: Usage) -> Decimal | None:
    upgrade = task.mode is Mode.UPGRADE
    price = price_of_usage(task.model, task.resolution or "", usage, upgrade=upgrade)
    if task.unit in price.partial:
        return None
    return {Unit.USD: price.usd, Unit.CNY: price.cny}.get(task.unit)
