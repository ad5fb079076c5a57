"""The conditions of a purchase: the caller's ceiling, the budget, the person's consent."""

from __future__ import annotations

import hashlib
import secrets
from decimal import Decimal

from hailuo_mcp.catalog.prices import price_words
from hailuo_mcp.domain.task import Quote
from hailuo_mcp.errors import (
    BudgetExceededError,
    ConsentRequiredError,
    Do,
    InvalidRequestError,
    Step,
)
from hailuo_mcp.journal.facts import OverBudget
from hailuo_mcp.studio.reader import Reader
from hailuo_mcp.text import number, shown
from hailuo_mcp.views import Spending, Terms

ZERO = Decimal(0)
_PERIODS = {"day": "today", "month": "this month", "total": "in total"}


def reserved_amount(reader: Reader, quote: Quote) -> Decimal | None:
    """What a clip counts as; None if nobody knows what it costs, which a budget refuses."""
    known = quote.amount if quote.unit is reader.unit else None
    if known is not None and not quote.lower_bound:
        return known
    if reader.settings.unpriced_cost is not None:
        return max(reader.settings.unpriced_cost, known or ZERO)
    if reader.has_budget:
        raise BudgetExceededError(
            f"{_unknown(reader, quote)}, so the budget cannot be enforced unless such clips count "
            f"as a fixed amount of {reader.unit}.",
            Step(Do.SET, "HAILUO_UNPRICED_COST"),
        )
    return None


def _unknown(reader: Reader, quote: Quote | None, *, noun: str = "clip") -> str:
    """Why nobody knows what it costs, as a clause."""
    if quote and quote.lower_bound:
        least = price_words(quote)
        return f"This {noun} costs {least} at {reader.provider.name}, and nobody knows how much"
    return f"No price is published for this {noun} at {reader.provider.name}"


def hold_ceiling(
    reader: Reader,
    terms: Terms,
    amount: Decimal | None,
    *,
    noun: str = "clip",
    quote: Quote | None = None,
) -> None:
    """Raise if it costs more than the caller allows, or nobody knows whether it does."""
    if terms.max_cost is None:
        return
    if amount is None:
        raise BudgetExceededError(
            f"{_unknown(reader, quote, noun=noun)}, so the ceiling for its cost cannot be "
            "enforced.",
            Step(Do.TRY, "leave the ceiling out if an unknown price is acceptable"),
            Step(Do.SET, "HAILUO_UNPRICED_COST"),
        )
    if amount > terms.max_cost:
        raise BudgetExceededError(
            f"This {noun} {costs(reader, amount)}, more than the ceiling of "
            f"{price(reader, terms.max_cost)}.",
            Step(
                Do.TRY, f"choose a cheaper {noun}, or raise the ceiling if the price is acceptable"
            ),
            Step(Do.ESTIMATE),
        )


def hold_budget(
    reader: Reader, spending: Spending, amount: Decimal | None, *, noun: str = "clip"
) -> None:
    """Raise if it costs more than is left; the journal decides again when it records it."""
    if spending.left is None or (amount or ZERO) <= spending.left:
        return
    held, own = spending.spent + spending.reserved, spending.budget
    callers = own is not None and held + (amount or ZERO) > own
    raise over_budget(reader, spending, amount, callers=callers, noun=noun)


def over_budget(
    reader: Reader,
    found: OverBudget | Spending,
    amount: Decimal | None,
    *,
    callers: bool,
    noun: str = "clip",
) -> BudgetExceededError:
    """A tenant is told its own numbers, and nothing of what others have spent."""
    if (wall := reader.shared_wall) and not callers:
        return BudgetExceededError(
            f"This {noun} {costs(reader, amount)}, and less than that is left of the "
            f"budget that all callers of this account share {_PERIODS[wall.period]}.",
            Step(Do.RAISE, "HAILUO_BUDGET"),
            Step(Do.ESTIMATE),
        )
    budget = reader.settings.budget or ZERO
    left = max(ZERO, budget - found.spent - found.reserved)
    whose = "the sandbox's" if reader.provider.is_sandbox else "the"
    period = _PERIODS[reader.settings.budget_period]
    return BudgetExceededError(
        f"This {noun} {costs(reader, amount)}, and only {number(left)} of {whose} budget "
        f"of {price(reader, budget)} is left {period} ({number(found.spent)} spent, "
        f"{number(found.reserved)} reserved for clips in progress).",
        Step(Do.RAISE, "HAILUO_BUDGET"),
        Step(Do.ESTIMATE),
    )


def key_taken(terms: Terms, taken_by: str, found_id: str, *, noun: str) -> InvalidRequestError:
    return InvalidRequestError(
        f"The request key {shown(terms.request_key)!r} already names another {taken_by} "
        f"{found_id}.",
        Step(Do.TRY, f"use a new request key for a new {noun}"),
        Step(Do.QUERY, found_id),
        task_id=found_id,
    )


def costs(reader: Reader, amount: Decimal | None, quote: Quote | None = None) -> str:
    """What something costs; in the sandbox, what it would cost."""
    word = "would cost" if reader.provider.is_sandbox else "costs"
    return f"{word} {price(reader, amount, quote)}"


def price(reader: Reader, amount: Decimal | None, quote: Quote | None = None) -> str:
    """What it counts as; without that, what is published of it in the quote."""
    if amount is None and quote and quote.lower_bound:
        return price_words(quote)
    if amount is None:
        return "an unpublished amount"
    return price_words(Quote(amount=amount, unit=reader.unit))


def asked_price(reader: Reader, amount: Decimal | None, quote: Quote | None = None) -> str:
    """The price in a question to the person."""
    play = " of play money" if reader.provider.is_sandbox else ""
    return f"{price(reader, amount, quote)}{play}"


def needs_consent(reader: Reader, amount: Decimal | None) -> bool:
    limit = reader.settings.confirm_above
    return limit is not None and (amount is None or amount > limit)


async def require_consent(
    reader: Reader,
    terms: Terms,
    amount: Decimal | None,
    *,
    caller: str,
    identity: str,
    noun: str = "clip",
    quote: Quote | None = None,
) -> None:
    """Pass with the person's yes or a valid code; otherwise refuse with a new code.

    `identity`: what they agree to.
    """
    if not needs_consent(reader, amount):
        return
    now, store = reader.clock(), reader.store
    if terms.approved and (
        terms.at_hand or await store.use_approval(caller=caller, identity=identity, now=now)
    ):
        return
    if terms.confirm and await store.use_code(
        _digest(terms.confirm), caller=caller, identity=identity, amount=amount, now=now
    ):
        return
    code = secrets.token_hex(4)
    await store.issue_code(_digest(code), caller=caller, identity=identity, amount=amount, now=now)
    wrong = "That code is not valid for this request. " if terms.confirm else ""
    raise ConsentRequiredError(
        f"{wrong}This {noun} {costs(reader, amount, quote)}, and {noun}s above "
        f"{price(reader, reader.settings.confirm_above)} need consent.",
        Step(Do.CONFIRM, code),
    )


def _digest(code: str) -> str:
    return hashlib.sha256(code.strip().encode("utf-8", "surrogatepass")).hexdigest()
