"""The one way to spend: check, price, consent, budget, write down, hand over."""

from __future__ import annotations

import hashlib
import secrets
from decimal import Decimal

from anyio.to_thread import run_sync

from hailuo_mcp.catalog.prices import price_words
from hailuo_mcp.client import Prepared
from hailuo_mcp.domain import AnyRequest, Mode, Quote, Status, Task, TemplateRequest
from hailuo_mcp.errors import (
    BudgetExceededError,
    ConsentRequiredError,
    HailuoError,
    InvalidRequestError,
)
from hailuo_mcp.journal.store import KeyTaken, Losses, OverBudget, Recorded
from hailuo_mcp.studio.desk import Desk
from hailuo_mcp.studio.intent import Picture, identity, new_task_id, normal_form
from hailuo_mcp.text import number
from hailuo_mcp.views import Offer, Terms

_ZERO = Decimal(0)


async def buy(
    desk: Desk, request: AnyRequest, terms: Terms, *, caller: str, local: bool
) -> Recorded:
    """Record a purchase and hand it to the worker, or find the task that it would repeat."""
    prepared, draft, reserved_amount, before = await _weigh(
        desk, request, terms, caller, local=local
    )
    found: Recorded | KeyTaken | OverBudget | Losses | None = before
    if found is None:
        if desk.rules.auto_download:
            await run_sync(desk.folders.need_output)
        await _ask_consent(desk, draft, terms, reserved_amount)
        for picture in prepared.images.values():
            desk.pictures.keep(picture.facts.sha256, picture.data)
        found = await desk.journal.record(
            draft, reserved_amount or _ZERO, desk.limits(), now=desk.clock()
        )
    if isinstance(found, KeyTaken):
        raise _taken(found, terms)
    if isinstance(found, Losses):
        raise found.error()
    if isinstance(found, OverBudget):
        raise _over_budget(desk, found, reserved_amount)
    if not found.reused:
        desk.wake(found.task)
    return found


async def quote(
    desk: Desk, request: AnyRequest, terms: Terms, *, caller: str, local: bool
) -> Offer:
    """Everything about a purchase but the purchase.

    Raises:
        HailuoError: as buying would, short of the person's consent.
    """
    _, draft, reserved_amount, before = await _weigh(desk, request, terms, caller, local=local)
    spending = await desk.spending()
    if before:
        view = await desk.view(before.task, reused=True)
        return Offer(
            draft=draft,
            reserved_amount=reserved_amount,
            spending=spending,
            repeats=view,
        )
    held = spending.spent + spending.reserved
    if spending.budget is not None and held + (reserved_amount or _ZERO) > spending.budget:
        found = OverBudget(spent=spending.spent, reserved=spending.reserved)
        raise _over_budget(desk, found, reserved_amount)
    return Offer(
        draft=draft,
        reserved_amount=reserved_amount,
        spending=spending,
        asks=_needs_consent(desk, reserved_amount),
    )


async def consent_question(
    desk: Desk, request: AnyRequest, terms: Terms, *, caller: str, local: bool
) -> str | None:
    """What the person is to be asked, or None where nothing would be bought or nothing be asked.

    A request that would be refused anyway needs no question: the call itself says why.
    """
    if desk.rules.confirm_above is None or terms.confirm:
        return None
    try:
        offer = await quote(desk, request, terms, caller=caller, local=local)
    except HailuoError:
        return None
    if not offer.asks:
        return None
    draft = offer.draft
    price = _price(desk, offer.reserved_amount) + (
        " of play money" if desk.provider.embedded else ""
    )
    return f"Buy this clip for {price}? {draft.model}, {_size(draft)}: {draft.prompt[:200]}"


async def _weigh(
    desk: Desk, request: AnyRequest, terms: Terms, caller: str, *, local: bool
) -> tuple[Prepared, Task, Decimal | None, Recorded | None]:
    """Check and price: the request, its record, what it counts as, and what it would repeat."""
    desk.client.need_key()
    prepared = await desk.prepare(request, local=local)
    draft = _draft(desk, prepared, terms, caller)
    reserved_amount = _counted(desk, prepared)
    before = await desk.journal.find_existing(draft, now=desk.clock())
    if isinstance(before, KeyTaken):
        raise _taken(before, terms)
    if before is None:
        if desk.journal.losses:
            raise desk.journal.losses.error()
        _hold_ceiling(desk, terms, reserved_amount)
    return prepared, draft, reserved_amount, before


def _taken(found: KeyTaken, terms: Terms) -> InvalidRequestError:
    return InvalidRequestError(
        f"request_key {terms.request_key[:40]!r} already names another purchase, task "
        f"{found.task.task_id}. Nothing new was bought or charged. Use a new key for a new "
        "clip, or call query_task for that one.",
        task_id=found.task.task_id,
    )


def _size(draft: Task) -> str:
    if draft.mode is Mode.TEMPLATE:
        return "template"
    parts = (f"{draft.duration} s" if draft.duration else "", draft.resolution or "", draft.mode)
    return ", ".join(part for part in parts if part)


def _draft(desk: Desk, prepared: Prepared, terms: Terms, caller: str) -> Task:
    request, now = prepared.request, desk.clock()
    pictures = {
        opened.wire: Picture(facts=opened.facts, url=opened.url)
        for opened in prepared.images.values()
    }
    if isinstance(request, TemplateRequest):
        model, prompt = f"template {request.template_id}", " / ".join(request.text_inputs)
        duration = resolution = None
    else:
        model, prompt = request.model, request.prompt
        duration, resolution = request.duration, request.resolution
    return Task(
        task_id=new_task_id(now),
        account=desk.account,
        provider=desk.provider.name,
        caller=caller,
        status=Status.PENDING,
        created_at=now,
        updated_at=now,
        mode=request.mode,
        model=model,
        duration=duration,
        resolution=resolution,
        prompt=prompt,
        request=normal_form(request, pictures),
        identity=identity(
            request,
            pictures,
            account=desk.account,
            caller=caller,
            take=terms.take,
            request_key=terms.request_key,
        ),
        take=terms.take,
        request_key=terms.request_key,
        amount=prepared.quote.amount,
        unit=desk.unit,
        owner=desk.owner,
        due_at=now,
        warnings=prepared.warnings,
        callback_token=secrets.token_urlsafe(24) if desk.rules.callback_url else "",
    )


def _counted(desk: Desk, prepared: Prepared) -> Decimal | None:
    """What the clip counts as; None where nobody says. A budget refuses that."""
    amount = prepared.quote.amount
    if amount is not None and prepared.quote.unit is desk.unit:
        return amount
    if desk.rules.unpriced_cost is not None:
        return desk.rules.unpriced_cost
    if desk.rules.budget is not None:
        raise BudgetExceededError(
            f"No price is published for this clip at {desk.provider.name}, so the budget cannot "
            "vouch for it. Nothing was sent or charged. The person who runs this server can set "
            f"HAILUO_UNPRICED_COST to what such a clip shall count as, in {desk.unit}."
        )
    return None


def _hold_ceiling(desk: Desk, terms: Terms, reserved_amount: Decimal | None) -> None:
    if terms.max_cost is None or (
        reserved_amount is not None and reserved_amount <= terms.max_cost
    ):
        return
    if reserved_amount is None:
        raise BudgetExceededError(
            f"No price is published for this clip at {desk.provider.name}, so max_cost cannot be "
            "held. Nothing was sent or charged. Leave max_cost out if the person agrees to an "
            "unknown price; the person who runs this server can also set HAILUO_UNPRICED_COST to "
            "what such a clip shall count as."
        )
    raise BudgetExceededError(
        f"This clip {_costs(desk, reserved_amount)}, and max_cost is "
        f"{_price(desk, terms.max_cost)}. "
        "Nothing was sent or charged. Raise max_cost if the person agrees, or choose a cheaper "
        "clip: estimate_cost compares them."
    )


def _over_budget(
    desk: Desk, found: OverBudget, reserved_amount: Decimal | None
) -> BudgetExceededError:
    budget = desk.rules.budget or _ZERO
    left = max(_ZERO, budget - found.spent - found.reserved)
    whose = "the sandbox's" if desk.provider.embedded else "the"
    period = {"day": "today", "month": "this month"}.get(desk.rules.budget_period, "in total")
    return BudgetExceededError(
        f"This clip {_costs(desk, reserved_amount)} and only {number(left)} of {whose} budget of "
        f"{_price(desk, budget)} is left {period} ({number(found.spent)} spent, "
        f"{number(found.reserved)} reserved for clips "
        "under way). Nothing was sent or charged. Tell the person: only they can raise "
        "HAILUO_BUDGET; a cheaper clip may still fit (estimate_cost)."
    )


def _costs(desk: Desk, amount: Decimal | None) -> str:
    """What a clip costs; in the sandbox a real one would."""
    return f"{'would cost' if desk.provider.embedded else 'costs'} {_price(desk, amount)}"


def _price(desk: Desk, amount: Decimal | None) -> str:
    if amount is None:
        return "an amount that nobody publishes"
    return price_words(Quote(amount=amount, unit=desk.unit))


def _needs_consent(desk: Desk, reserved_amount: Decimal | None) -> bool:
    limit = desk.rules.confirm_above
    return limit is not None and (reserved_amount is None or reserved_amount > limit)


async def _ask_consent(
    desk: Desk, draft: Task, terms: Terms, reserved_amount: Decimal | None
) -> None:
    """Pass with the person's yes or a good code; otherwise refuse with a new code."""
    if not _needs_consent(desk, reserved_amount):
        return
    now = desk.clock()
    if terms.approved and (
        terms.at_hand
        or await desk.journal.use_approval(caller=draft.caller, identity=draft.identity, now=now)
    ):
        return
    if terms.confirm and await desk.journal.use_code(
        _digest(terms.confirm),
        caller=draft.caller,
        identity=draft.identity,
        amount=reserved_amount,
        now=now,
    ):
        return
    code = secrets.token_hex(4)
    await desk.journal.issue_code(
        _digest(code), caller=draft.caller, identity=draft.identity, amount=reserved_amount, now=now
    )
    wrong = "That code is not good for this request. " if terms.confirm else ""
    raise ConsentRequiredError(
        f"{wrong}This clip {_costs(desk, reserved_amount)}, and the person who runs this server "
        f"wants to be asked above {_price(desk, desk.rules.confirm_above)}. "
        "Nothing was sent or charged. "
        f"Ask the person; if they say yes, repeat this call unchanged with confirm={code!r}. The "
        "code works once, for ten minutes."
    )


def _digest(code: str) -> str:
    return hashlib.sha256(code.strip().encode("utf-8", "surrogatepass")).hexdigest()
