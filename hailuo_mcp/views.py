"""What a use case hands back: the task as it stands, and what its reader will want to know."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Literal

from hailuo_mcp.catalog.prices import price_words
from hailuo_mcp.dialects.providers import provider_notice
from hailuo_mcp.domain import Link, Quote, Status, Task

if TYPE_CHECKING:
    from hailuo_mcp.journal.store import Losses, UnitSpending


def cost_words(task: Task) -> str:
    """What a task costs, or would cost where its provider charges nothing; "" if nobody knows."""
    if task.amount is None:
        return ""
    price = price_words(Quote(amount=task.amount, unit=task.unit))
    return f"would cost {price}" if provider_notice(task.provider) else price


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What the buyer says about the purchase, beside what is bought."""

    take: int = 1
    request_key: str = ""
    max_cost: Decimal | None = None
    confirm: str = ""
    """The one-use code of an earlier refusal."""
    approved: bool = False
    """The person said yes to consent_question's question just now."""
    at_hand: bool = False
    """They said it to this process itself: no message carried it that could arrive twice."""


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """A task as it stands at `now`."""

    task: Task
    now: float
    losses: Losses | None = None
    """What a damaged journal may have lost: nothing is bought until a person accepts it."""
    reused: bool = False
    notes: tuple[str, ...] = ()
    """What the request, or this answer only, gives to say: whole sentences for every reader."""
    eta_seconds: int | None = None
    next_check_seconds: int | None = None
    auto_download: bool = True
    link: Link | None = None
    """Where this server hands the clip out, for a caller who cannot reach its disk."""

    @property
    def notice(self) -> str:
        """What its provider's messages open with: the sandbox says what it is."""
        return provider_notice(self.task.provider)

    @property
    def settled(self) -> bool:
        """Waiting longer changes nothing."""
        if self.task.status is Status.SUCCEEDED and self.auto_download:
            return self.saved_or_given_up
        return self.task.status.is_final or self.task.status is Status.UNCONFIRMED

    @property
    def saved_or_given_up(self) -> bool:
        """It is on disk, or nobody is about to save it."""
        return self.task.saved or not self.task.due_at


@dataclass(frozen=True, slots=True, kw_only=True)
class Spending:
    provider: str
    """Whose sums these are: never those of another as well."""
    unit: str
    period: str
    spent: Decimal
    reserved: Decimal
    uncertain: Decimal
    """The part of `reserved` that nobody knows to be bought or not."""
    budget: Decimal | None = None
    left: Decimal | None = None
    others: tuple[UnitSpending, ...] = ()
    """What the same key bought in other units, under another plan."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """A purchase before it is made: checked and priced, with what is left for it."""

    draft: Task
    """What would be written down."""
    reserved_amount: Decimal | None
    """What it counts as; None where nobody publishes a price."""
    spending: Spending
    repeats: View | None = None
    """The task of the same request: nothing would be bought."""
    asks: bool = False
    """The person is to be asked first."""

    @property
    def notice(self) -> str:
        """What its provider's messages open with: the sandbox says what it is."""
        return provider_notice(self.draft.provider)


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    rows: tuple[View, ...]
    spending: Spending
    losses: Losses | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Saved:
    """What download found or did."""

    view: View
    status: Literal["saved", "saving", "not_ready"]
    file: str = ""
    url: str = ""
    bytes: int | None = None
    sha256: str = ""
    width: int | None = None
    height: int | None = None
    seconds: float | None = None


Progress = Callable[[View], Awaitable[None]]
