"""The one way to spend: check, price, consent, budget, record, hand over to the worker."""

from __future__ import annotations

import secrets
import time
from dataclasses import dataclass, replace
from decimal import Decimal

import anyio

from hailuo_mcp.client import Prepared
from hailuo_mcp.dialects.providers import failure_steps
from hailuo_mcp.domain.requests import AnyRequest, TemplateRequest
from hailuo_mcp.domain.task import Status, Task
from hailuo_mcp.errors import Do, HailuoError, InvalidRequestError, Step, TaskFailedError
from hailuo_mcp.journal.facts import KeyTaken, Losses, OverBudget, Recorded
from hailuo_mcp.studio.conditions import (
    ZERO,
    asked_price,
    hold_budget,
    hold_ceiling,
    key_taken,
    needs_consent,
    over_budget,
    require_consent,
    reserved_amount,
)
from hailuo_mcp.studio.context import Context
from hailuo_mcp.studio.download import with_link
from hailuo_mcp.studio.preparing import prepare
from hailuo_mcp.studio.request_record import (
    identity,
    key_in_file,
    new_task_id,
    request_json,
    same_files,
)
from hailuo_mcp.studio.waiting import TICK_SECONDS, read_again, wait
from hailuo_mcp.telemetry import tracing
from hailuo_mcp.telemetry.events import Event, tenant_name
from hailuo_mcp.views import Offer, Progress, Terms, View

ANSWER_SECONDS = 3.5
"""A purchase returns after this, checks included, even if the provider has not answered."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
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
    if new:
        hold_budget(context, spending, amount)
    return Offer(
        draft=draft.task,
        reserved_amount=amount,
        spending=spending,
        repeats=await context.view(draft.existing, reused=True) if draft.existing else None,
        asks=new and needs_consent(context, amount),
        lower_bound=draft.prepared.quote.lower_bound,
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
    price = asked_price(context, offer.reserved_amount, offer.quote)
    size = (f"{draft.duration} s" if draft.duration else "", draft.resolution, draft.mode)
    what = ", ".join(part for part in size if part)
    return f"Buy this clip for {price}? {draft.model}, {what}: {draft.prompt[:200]}"


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
    wanted = draft.task.identity
    await require_consent(
        context,
        terms,
        draft.reserved_amount,
        caller=caller,
        identity=wanted,
        quote=draft.prepared.quote,
    )
    for opened in draft.prepared.inputs:
        if opened.data:
            await context.pictures.keep(opened.facts.sha256, opened.data)
    counted, now = draft.reserved_amount or ZERO, context.clock()
    found = await context.store.record(draft.task, counted, context.limits(), now=now)
    if isinstance(found, KeyTaken):
        raise _key_taken(found, terms)
    if isinstance(found, Losses):
        raise found.error()
    if isinstance(found, OverBudget):
        context.report(Event.OVER_BUDGET, tenant=tenant_name(caller))
        raise over_budget(context, found, draft.reserved_amount, callers=found.callers)
    if not found.reused:
        context.report(Event.RECORDED, found.task, amount=str(counted), unit=found.task.unit)
        context.wakeup.notify(found.task)
    return found


async def _draft(
    context: Context, request: AnyRequest, terms: Terms, caller: str, *, local: bool
) -> Draft:
    """Check and price a request, and look for the task that it would repeat."""
    context.client.need_key()
    prepared = await prepare(context, request, caller=caller, local=local)
    return await draft_of(context, prepared, terms, caller)


async def draft_of(context: Context, prepared: Prepared, terms: Terms, caller: str) -> Draft:
    """What would be recorded of a checked request, and the task that it would repeat."""
    if terms.place:
        opened = {it.wire: it for it in prepared.inputs}
        terms = replace(terms, request_key=key_in_file(prepared.request, opened, terms))
    task = _new_task(context, prepared, terms, caller)
    if terms.same_files not in (None, same_files(task.request)):
        raise InvalidRequestError(
            "This would be another request: a picture, clip or sound that the first take was made "
            "from is not the same any more.",
            Step(Do.TRY, "ask for the clip anew, with the files that you want"),
        )
    amount = reserved_amount(context, prepared.quote)
    found = await context.store.find_existing(task, now=context.clock())
    if isinstance(found, KeyTaken):
        raise _key_taken(found, terms)
    if found is None:
        if context.losses:
            raise context.losses.error()
        hold_ceiling(context, terms, amount, quote=prepared.quote)
    existing = found.task if found else None
    return Draft(prepared=prepared, task=task, reserved_amount=amount, existing=existing)


def _new_task(context: Context, prepared: Prepared, terms: Terms, caller: str) -> Task:
    request, now = prepared.request, context.clock()
    inputs = {opened.wire: opened for opened in prepared.inputs}
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
        request=request_json(request, inputs),
        identity=identity(request, inputs, terms, account=context.account, caller=caller),
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


def _key_taken(found: KeyTaken, terms: Terms) -> InvalidRequestError:
    return key_taken(terms, "purchase, task", found.task.task_id, noun="clip")
