"""The one way to spend: check, price, consent, budget, record, hand over to the worker."""

from __future__ import annotations

import hashlib
import secrets
import time
from dataclasses import dataclass
from decimal import Decimal
from functools import partial

import anyio

from hailuo_mcp.catalog.prices import price_words
from hailuo_mcp.client import Prepared
from hailuo_mcp.dialects.providers import failure_steps
from hailuo_mcp.domain import (
    IMAGE_FIELDS,
    AnyRequest,
    Quote,
    Status,
    Task,
    TemplateRequest,
)
from hailuo_mcp.errors import (
    BudgetExceededError,
    ConsentRequiredError,
    Do,
    HailuoError,
    InvalidRequestError,
    Step,
    TaskFailedError,
)
from hailuo_mcp.journal.store import KeyTaken, Losses, OverBudget, Recorded
from hailuo_mcp.studio.clip_frames import clip_frame
from hailuo_mcp.studio.context import Context, Uploads
from hailuo_mcp.studio.download import with_link
from hailuo_mcp.studio.request_record import identity, new_task_id, request_json
from hailuo_mcp.studio.waiting import TICK_SECONDS, read_again, wait
from hailuo_mcp.telemetry import tracing
from hailuo_mcp.telemetry.events import Event, tenant_name
from hailuo_mcp.text import number, shown
from hailuo_mcp.views import Offer, Progress, Spending, Terms, View

ANSWER_SECONDS = 3.5
"""A purchase returns after this, checks included, even if the provider has not answered."""
_ZERO = Decimal(0)
_PERIODS = {"day": "today", "month": "this month", "total": "in total"}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Draft:
    """A checked and priced request, ready to be bought."""

    prepared: Prepared
    task: Task
    reserved_amount: Decimal | None
    """What it counts as; None where no price is published."""
    existing: Task | None
    """The task of the same request."""


async def quote(
    context: Context, request: AnyRequest, terms: Terms, *, caller: str = "", local: bool = True
) -> Offer:
    """Preview a purchase: its price, the remaining budget, and whether consent is needed.

    Raises:
        HailuoError: as in `generate`, except for consent. Nothing is sent.
    """
    draft = await _draft(context, request, terms, caller, local=local)
    spending, amount = await context.spending(), draft.reserved_amount
    new = draft.existing is None
    if new and spending.left is not None and (amount or _ZERO) > spending.left:
        held, own = spending.spent + spending.reserved, spending.budget
        callers = own is not None and held + (amount or _ZERO) > own
        raise _over_budget(context, spending, amount, callers=callers)
    return Offer(
        draft=draft.task,
        reserved_amount=amount,
        spending=spending,
        repeats=await context.view(draft.existing, reused=True) if draft.existing else None,
        asks=new and _needs_consent(context, amount),
    )


async def consent_question(
    context: Context, request: AnyRequest, terms: Terms, *, caller: str = "", local: bool = True
) -> str | None:
    """The exact question for the person, or None if none is needed.

    A request that would be refused anyway needs no question: the call itself says why.
    """
    if context.settings.confirm_above is None or terms.confirm:
        return None
    try:
        offer = await quote(context, request, terms, caller=caller, local=local)
    except HailuoError:
        return None
    if not offer.asks:
        return None
    draft = offer.draft
    price = _price(context, offer.reserved_amount)
    of_play = " of play money" if context.provider.is_sandbox else ""
    size = (f"{draft.duration} s" if draft.duration else "", draft.resolution, draft.mode)
    what = ", ".join(part for part in size if part)
    return f"Buy this clip for {price}{of_play}? {draft.model}, {what}: {draft.prompt[:200]}"


async def generate(
    context: Context,
    request: AnyRequest,
    terms: Terms,
    *,
    caller: str = "",
    local: bool = True,
    wait_seconds: float = 0,
    on_progress: Progress | None = None,
) -> View:
    """Buy one clip, or find the task that this request repeats.

    Returns within a few seconds, even if the provider has not answered; the work continues
    without the caller.

    Raises:
        InvalidRequestError: refused here, free: rules, budget, consent.
        TaskFailedError: the provider refused at once, free.
    """
    began = time.monotonic()
    with tracing.span("purchase", tenant=tenant_name(caller)) as step:
        bought = await _buy(context, request, terms, caller, local=local)
        task = bought.task
        step.note(
            task_id=task.task_id,
            provider=task.provider,
            model=task.model,
            status=task.status,
            reused=bought.reused,
            amount=None if task.amount is None else float(task.amount),
            unit=task.unit,
        )
    with anyio.move_on_after(began + ANSWER_SECONDS - time.monotonic()):
        while task.status is Status.SUBMITTING:
            await context.changes.wait((task.task_id,), TICK_SECONDS)
            task = await read_again(context, task)
    if task.status is Status.FAILED and not bought.reused:
        raise TaskFailedError(
            task.error or "The provider refused the request.",
            *failure_steps(task.provider, task.error_code),
            code=task.error_kind or "provider_refused",
            retry=task.error_kind in ("rate_limited", "provider_unavailable"),
            task_id=task.task_id,
        )
    if wait_seconds <= 0:
        return await context.view(task, reused=bought.reused)
    left = began + max(ANSWER_SECONDS, wait_seconds) - time.monotonic()
    view = await wait(context, task, left, on_progress, reused=bought.reused)
    return await with_link(context, view)


async def _buy(
    context: Context, request: AnyRequest, terms: Terms, caller: str, *, local: bool
) -> Recorded:
    """Record a purchase and pass it to the worker, or find the task that it would repeat."""
    draft = await _draft(context, request, terms, caller, local=local)
    if draft.existing:
        return Recorded(task=draft.existing, reused=True)
    if context.settings.auto_download:
        await context.storage.need_writable()
    await _require_consent(context, draft.task, terms, draft.reserved_amount)
    for picture in draft.prepared.images.values():
        await context.pictures.keep(picture.facts.sha256, picture.data)
    counted, now = draft.reserved_amount or _ZERO, context.clock()
    found = await context.store.record(draft.task, counted, context.limits(), now=now)
    if isinstance(found, KeyTaken):
        raise _key_taken(found, terms)
    if isinstance(found, Losses):
        raise found.error()
    if isinstance(found, OverBudget):
        context.report(Event.OVER_BUDGET, tenant=tenant_name(caller))
        raise _over_budget(context, found, draft.reserved_amount, callers=found.callers)
    if not found.reused:
        context.report(Event.RECORDED, found.task, amount=str(counted), unit=found.task.unit)
        context.wakeup.notify(found.task)
    return found


async def _draft(
    context: Context, request: AnyRequest, terms: Terms, caller: str, *, local: bool
) -> _Draft:
    """Check and price a request, and look for the task that it would repeat."""
    context.client.need_key()
    prepared = await _prepare(context, request, caller, local=local)
    task = _new_task(context, prepared, terms, caller)
    reserved_amount = _reserved_amount(context, prepared)
    found = await context.store.find_existing(task, now=context.clock())
    if isinstance(found, KeyTaken):
        raise _key_taken(found, terms)
    if found is None:
        if context.losses:
            raise context.losses.error()
        _hold_ceiling(context, terms, reserved_amount)
    existing = found.task if found else None
    return _Draft(prepared=prepared, task=task, reserved_amount=reserved_amount, existing=existing)


async def _prepare(context: Context, request: AnyRequest, caller: str, *, local: bool) -> Prepared:
    """Open the pictures, check and price; a remote caller learns how to upload a picture."""
    uploads = context.remote.uploads
    try:
        find = uploads.find if uploads else None
        frame = partial(clip_frame, context, caller)
        return await context.client.prepare(request, local=local, upload=find, frame=frame)
    except InvalidRequestError as exc:
        if local or not uploads or not await _has_pictures_to_upload(request, uploads):
            raise
        invitation = Step(Do.TRY, uploads.invitation().removesuffix("."))
        raise InvalidRequestError(exc.what, *exc.then, invitation) from None


async def _has_pictures_to_upload(request: AnyRequest, uploads: Uploads) -> bool:
    """Whether a picture is on a remote caller's computer, so that it must be uploaded."""
    if isinstance(request, TemplateRequest):
        given = list(request.media_inputs)
    else:
        given = [getattr(request, name) for name in IMAGE_FIELDS]
    for text in given:
        if text.startswith("upload:"):
            if await uploads.find(text[7:]) is None:
                return True
        elif text and not text.lower().startswith(("data:", "https://", "http://", "task:")):
            return True
    return False


def _new_task(context: Context, prepared: Prepared, terms: Terms, caller: str) -> Task:
    request, now = prepared.request, context.clock()
    pictures = {opened.wire: opened for opened in prepared.images.values()}
    if isinstance(request, TemplateRequest):
        model, prompt = f"template {request.template_id}", " / ".join(request.text_inputs)
        duration = resolution = None
    else:
        model, prompt = request.model, request.prompt
        duration, resolution = request.duration, request.resolution
    return Task(
        task_id=new_task_id(now),
        account=context.account,
        provider=context.provider.name,
        caller=caller,
        status=Status.PENDING,
        created_at=now,
        updated_at=now,
        mode=request.mode,
        model=model,
        duration=duration,
        resolution=resolution,
        prompt=prompt,
        request=request_json(request, pictures),
        identity=identity(request, pictures, terms, account=context.account, caller=caller),
        take=terms.take,
        request_key=terms.request_key,
        amount=prepared.quote.amount,
        unit=context.unit,
        owner=context.owner,
        due_at=now,
        warnings=prepared.warnings,
        callback_token=secrets.token_urlsafe(24) if context.remote.callback_url else "",
        traceparent=tracing.traceparent(),
    )


def _reserved_amount(context: Context, prepared: Prepared) -> Decimal | None:
    """What the clip counts as; None if no price is published, which a budget refuses."""
    amount = prepared.quote.amount
    if amount is not None and prepared.quote.unit is context.unit:
        return amount
    if context.settings.unpriced_cost is not None:
        return context.settings.unpriced_cost
    if context.has_budget:
        raise BudgetExceededError(
            f"No price is published for this clip at {context.provider.name}, so the budget cannot "
            f"be enforced unless such clips count as a fixed amount of {context.unit}.",
            Step(Do.SET, "HAILUO_UNPRICED_COST"),
        )
    return None


def _hold_ceiling(context: Context, terms: Terms, reserved_amount: Decimal | None) -> None:
    if terms.max_cost is None:
        return
    if reserved_amount is None:
        raise BudgetExceededError(
            f"No price is published for this clip at {context.provider.name}, so the ceiling for "
            "its cost cannot be enforced.",
            Step(Do.TRY, "leave the ceiling out if an unknown price is acceptable"),
            Step(Do.SET, "HAILUO_UNPRICED_COST"),
        )
    if reserved_amount > terms.max_cost:
        raise BudgetExceededError(
            f"This clip {_costs(context, reserved_amount)}, more than the ceiling of "
            f"{_price(context, terms.max_cost)}.",
            Step(Do.TRY, "choose a cheaper clip, or raise the ceiling if the price is acceptable"),
            Step(Do.ESTIMATE),
        )


def _key_taken(found: KeyTaken, terms: Terms) -> InvalidRequestError:
    return InvalidRequestError(
        f"The request key {shown(terms.request_key)!r} already names another purchase, task "
        f"{found.task.task_id}.",
        Step(Do.TRY, "use a new request key for a new clip"),
        Step(Do.QUERY, found.task.task_id),
        task_id=found.task.task_id,
    )


def _over_budget(
    context: Context,
    found: OverBudget | Spending,
    reserved_amount: Decimal | None,
    *,
    callers: bool,
) -> BudgetExceededError:
    """A tenant is told its own numbers, and nothing of what others have spent."""
    if (wall := context.shared_wall) and not callers:
        return BudgetExceededError(
            f"This clip {_costs(context, reserved_amount)}, and less than that is left of the "
            f"budget that all callers of this account share {_PERIODS[wall.period]}.",
            Step(Do.RAISE, "HAILUO_BUDGET"),
            Step(Do.ESTIMATE),
        )
    budget = context.settings.budget or _ZERO
    left = max(_ZERO, budget - found.spent - found.reserved)
    whose = "the sandbox's" if context.provider.is_sandbox else "the"
    period = _PERIODS[context.settings.budget_period]
    return BudgetExceededError(
        f"This clip {_costs(context, reserved_amount)}, and only {number(left)} of {whose} budget "
        f"of {_price(context, budget)} is left {period} ({number(found.spent)} spent, "
        f"{number(found.reserved)} reserved for clips in progress).",
        Step(Do.RAISE, "HAILUO_BUDGET"),
        Step(Do.ESTIMATE),
    )


def _costs(context: Context, amount: Decimal | None) -> str:
    """What a clip costs; in the sandbox, what it would cost."""
    return f"{'would cost' if context.provider.is_sandbox else 'costs'} {_price(context, amount)}"


def _price(context: Context, amount: Decimal | None) -> str:
    if amount is None:
        return "an unpublished amount"
    return price_words(Quote(amount=amount, unit=context.unit))


def _needs_consent(context: Context, reserved_amount: Decimal | None) -> bool:
    limit = context.settings.confirm_above
    return limit is not None and (reserved_amount is None or reserved_amount > limit)


async def _require_consent(
    context: Context, draft: Task, terms: Terms, reserved_amount: Decimal | None
) -> None:
    """Pass with the person's yes or a valid code; otherwise refuse with a new code."""
    if not _needs_consent(context, reserved_amount):
        return
    now, store, caller, wanted = context.clock(), context.store, draft.caller, draft.identity
    if terms.approved and (
        terms.at_hand or await store.use_approval(caller=caller, identity=wanted, now=now)
    ):
        return
    if terms.confirm and await store.use_code(
        _digest(terms.confirm), caller=caller, identity=wanted, amount=reserved_amount, now=now
    ):
        return
    code = secrets.token_hex(4)
    await store.issue_code(
        _digest(code), caller=caller, identity=wanted, amount=reserved_amount, now=now
    )
    wrong = "That code is not valid for this request. " if terms.confirm else ""
    raise ConsentRequiredError(
        f"{wrong}This clip {_costs(context, reserved_amount)}, and clips above "
        f"{_price(context, context.settings.confirm_above)} need consent.",
        Step(Do.CONFIRM, code),
    )


def _digest(code: str) -> str:
    return hashlib.sha256(code.strip().encode("utf-8", "surrogatepass")).hexdigest()
