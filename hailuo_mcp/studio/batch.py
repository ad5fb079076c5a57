"""Several purchases that one person agrees to at once: checked, priced and held together."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from hailuo_mcp.client import Prepared
from hailuo_mcp.domain.requests import AnyRequest
from hailuo_mcp.errors import (
    BudgetExceededError,
    ConfigError,
    HailuoError,
    InvalidRequestError,
    JournalError,
)
from hailuo_mcp.studio.conditions import ZERO, hold_budget, hold_ceiling, needs_consent
from hailuo_mcp.studio.context import Context
from hailuo_mcp.studio.preparing import prepare
from hailuo_mcp.studio.purchase import draft_of
from hailuo_mcp.studio.request_record import key_in_file
from hailuo_mcp.views import Offer, Terms


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """One clip of a batch: what it would cost, or why it would be refused."""

    terms: Terms
    """With its place, if it is named by its content."""
    offer: Offer | None = None
    refused: HailuoError | None = None
    elsewhere: bool = False
    """It is new to this account, and was bought with another key or at another address."""


async def recover_dead(context: Context) -> None:
    """Take over from processes that have died, so that what is known of their tasks is true.

    What was not sent for ten minutes is then cancelled, and what may have been is unconfirmed.
    """
    store = context.store
    if dead := await store.dead(await store.owners()):
        for task_id in await store.recover(dead, now=context.clock()):
            context.changes.announce(task_id)


async def quote_batch(
    context: Context, wanted: Sequence[tuple[AnyRequest, Terms]], *, named: bool
) -> list[Checked]:
    """Check and price each clip, and look for what was bought before. Nothing is sent.

    The takes of a request that follow each other are checked once: their pictures are opened once.
    The budget is held by `hold_batch`, for all together.

    `named`: each clip gets its place among those of the same content and take.

    Raises:
        ConfigError: no key is set.
        JournalError: the journal cannot be read, or may have lost tasks.
    """
    context.client.need_key()
    await recover_dead(context)
    spending = await context.spending()
    places, found = Counter[str](), list[Checked]()
    before: AnyRequest | None = None
    prepared: Prepared | HailuoError = InvalidRequestError("")
    for request, terms in wanted:
        if request != before:
            before, prepared = request, await _prepared(context, request)
        if isinstance(prepared, HailuoError):
            found.append(Checked(terms=terms, refused=prepared))
            continue
        mine = terms
        if named:
            opened = {it.wire: it for it in prepared.inputs}
            content = key_in_file(prepared.request, opened, terms)
            places[content] += 1
            mine = replace(terms, place=places[content])
        try:
            draft = await draft_of(context, prepared, mine, "")
        except InvalidRequestError as exc:
            found.append(Checked(terms=mine, refused=exc))
            continue
        offer = Offer(
            draft=draft.task,
            reserved_amount=draft.reserved_amount,
            spending=spending,
            repeats=await context.view(draft.existing, reused=True) if draft.existing else None,
            asks=draft.existing is None and needs_consent(context, draft.reserved_amount),
        )
        found.append(Checked(terms=mine, offer=offer))
    free = context.provider.is_sandbox
    return await _with_elsewhere(context, found) if named and not free else found


async def _with_elsewhere(context: Context, checked: list[Checked]) -> list[Checked]:
    """The account is a part of what makes a purchase the same, so another key buys all again."""
    keys = {it.offer.draft.request_key for it in checked if it.offer and it.offer.repeats is None}
    known = await context.store.keys_elsewhere(
        keys, provider=context.provider.name, account=context.account
    )
    return [
        replace(it, elsewhere=True)
        if it.offer and it.offer.repeats is None and it.offer.draft.request_key in known
        else it
        for it in checked
    ]


async def _prepared(context: Context, request: AnyRequest) -> Prepared | HailuoError:
    try:
        return await prepare(context, request, caller="", local=True)
    except (ConfigError, JournalError):
        raise  # these concern all of them
    except HailuoError as exc:
        return exc


def hold_batch(
    context: Context, offers: Sequence[Offer], *, max_cost: Decimal | None
) -> tuple[Decimal | None, bool]:
    """Hold the sum of what is new against the ceiling and the budget.

    Returns the sum, None if a price is not published, and whether the person must be asked first.

    Raises:
        BudgetExceededError: it costs more than either; it says how many would fit.
    """
    new = [offer for offer in offers if offer.repeats is None]
    if not new:
        return ZERO, False
    amounts = [offer.reserved_amount for offer in new]
    known = [amount for amount in amounts if amount is not None]
    total = sum(known, ZERO) if len(known) == len(amounts) else None
    hold_ceiling(context, Terms(max_cost=max_cost), total, noun="batch")
    try:
        hold_budget(context, new[0].spending, total, noun="batch")
    except BudgetExceededError as exc:
        fits = _fitting(known, new[0].spending.left or ZERO)
        many = f"The first {fits} of its {len(new)} new clips" if fits else "None of its new clips"
        raise BudgetExceededError(f"{exc.what} {many} would fit.", *exc.then) from None
    return total, needs_consent(context, total)


def _fitting(amounts: Sequence[Decimal], left: Decimal) -> int:
    """How many from the first can be bought with that."""
    for fits, amount in enumerate(amounts):
        left -= amount
        if left < 0:
            return fits
    return len(amounts)
