"""A lower bound counts as an unknown price, unless such clips count as a fixed amount."""

from decimal import Decimal
from types import SimpleNamespace
from typing import Any, cast

import pytest

from hailuo_mcp.domain.task import Quote, Unit
from hailuo_mcp.errors import BudgetExceededError, Do, Step
from hailuo_mcp.studio.conditions import hold_ceiling, reserved_amount
from hailuo_mcp.studio.context import Context
from hailuo_mcp.views import Terms

LEAST = Quote(amount=Decimal("3.50"), unit=Unit.CNY, lower_bound=True)


def context(unpriced: str = "", *, budget: bool = False) -> Context:
    settings = SimpleNamespace(unpriced_cost=Decimal(unpriced) if unpriced else None)
    provider = SimpleNamespace(name="here", is_sandbox=False)
    found: Any = SimpleNamespace(
        settings=settings, provider=provider, unit=Unit.CNY, has_budget=budget
    )
    return cast("Context", found)


@pytest.mark.parametrize(
    ("quote", "unpriced", "counts"),
    [
        (LEAST, "", None),
        (LEAST, "2", "3.5"),
        (LEAST, "7", "7"),
        (Quote(amount=Decimal("3.5"), unit=Unit.CNY), "7", "3.5"),
        (Quote(amount=None, unit=Unit.CNY), "7", "7"),
        (Quote(amount=Decimal(9), unit=Unit.USD, lower_bound=True), "7", "7"),
    ],
)
def test_the_greater_of_bound_and_fixed_amount_counts(
    quote: Quote, unpriced: str, counts: str | None
) -> None:
    assert reserved_amount(context(unpriced), quote) == (counts and Decimal(counts))


def test_a_budget_refuses_a_bound_and_says_what_is_known() -> None:
    with pytest.raises(BudgetExceededError) as refused:
        reserved_amount(context(budget=True), LEAST)
    assert refused.value.what == (
        "This clip costs at least 3.5 CNY at here, and nobody knows how much, so the budget cannot "
        "be enforced unless such clips count as a fixed amount of CNY."
    )
    assert refused.value.then == (Step(Do.SET, "HAILUO_UNPRICED_COST"),)
    assert reserved_amount(context("1", budget=True), LEAST) == Decimal("3.5")


def test_a_ceiling_refuses_a_bound_below_it_too() -> None:
    terms = Terms(max_cost=Decimal(100))
    with pytest.raises(BudgetExceededError, match=r"at least 3\.5 CNY at here, and nobody"):
        hold_ceiling(context(), terms, None, quote=LEAST)
    hold_ceiling(context("1"), terms, Decimal("3.5"), quote=LEAST)
