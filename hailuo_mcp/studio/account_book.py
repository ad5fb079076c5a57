"""The account book: what was charged, reserved and left in doubt, by day, provider and model.

A clip belongs to the day on which it was requested, by this computer's clock, as in the budget;
when it became ready or was settled does not matter. The sums are the journal's own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING

from hailuo_mcp.domain.task import Money, Status, Unit
from hailuo_mcp.journal.facts import EVERYTHING, Charge, Filter

if TYPE_CHECKING:
    from hailuo_mcp.studio.reader import Reader
    from hailuo_mcp.views import View

_MOST = 10_000_000
ZERO = Decimal(0)


@dataclass(slots=True, kw_only=True)
class Line:
    """The sums of some tasks, in one unit."""

    of: tuple[str, ...]
    """What these tasks have in common."""
    unit: Unit
    tasks: int = 0
    charged: int = 0
    """How many of them were charged."""
    reserved_tasks: int = 0
    """How many may still be charged, with those in doubt."""
    uncertain_tasks: int = 0
    free: int = 0
    """Failed or cancelled."""
    unpriced: int = 0
    """Charged, without a published price and without an amount that they count as."""
    elsewhere: int = 0
    """Bought by another program: what they cost is unknown here."""
    counted: int = 0
    """Charged by the provider's count, which differed from the quote."""
    spent: Decimal = ZERO
    reserved: Decimal = ZERO
    uncertain: Decimal = ZERO
    """The part of `reserved` that belongs to unconfirmed tasks."""
    over_quote: Decimal = ZERO
    """What the provider's counts are above the quotes, in all."""

    def add(self, charge: Charge) -> None:
        self.tasks += 1
        if charge.money is Money.SPENT:
            self.charged += 1
            self.spent += charge.counted
            self.unpriced += charge.amount is None and not charge.counted
            if charge.quoted is not None:
                self.counted += 1
                self.over_quote += charge.counted - charge.quoted
        elif charge.money is Money.RESERVED:
            self.reserved_tasks += 1
            self.reserved += charge.counted
            if charge.status is Status.UNCONFIRMED:
                self.uncertain_tasks += 1
                self.uncertain += charge.counted
        elif charge.money is Money.RELEASED:
            self.free += 1
        else:
            self.elsewhere += 1


def day_of(charge: Charge) -> str:
    """The day on which it was requested, by this computer's clock."""
    return datetime.fromtimestamp(charge.created_at).strftime("%Y-%m-%d")  # noqa: DTZ006


GROUPS: Mapping[str, Callable[[Charge], str]] = {
    "day": day_of,
    "month": lambda charge: day_of(charge)[:7],
    "provider": lambda charge: charge.provider,
    "model": lambda charge: charge.model or "unknown",
}
"""What the book can be summed by."""


def lines(charges: Iterable[Charge], by: Sequence[str]) -> list[Line]:
    """The sums of what has these in common, and of each unit apart; sorted."""
    found = dict[tuple[tuple[str, ...], Unit], Line]()
    for charge in charges:
        of = tuple(GROUPS[name](charge) for name in by)
        line = found.get((of, charge.unit))
        if line is None:
            line = found[of, charge.unit] = Line(of=of, unit=charge.unit)
        line.add(charge)
    return [found[key] for key in sorted(found)]


async def charged_tasks(reader: Reader, only: Filter = EVERYTHING) -> list[View]:
    """The tasks of the book with all that is known of them, from the oldest to the newest."""
    found = await reader.store.newest(only=only, limit=_MOST)
    return [await reader.view(task) for task in reversed(found)]
