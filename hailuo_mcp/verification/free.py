"""The free part of a verification: each planned request is announced, sent and judged."""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass, replace

from hailuo_mcp.client import HailuoClient
from hailuo_mcp.dialects.dialect import HttpReply, Provider
from hailuo_mcp.dialects.dialect_of import dialect_of
from hailuo_mcp.dialects.parsing import fields, identifier, task_ids
from hailuo_mcp.errors import (
    AuthenticationError,
    HailuoError,
    ProviderError,
    UnconfirmedSubmitError,
    UnexpectedResponseError,
)
from hailuo_mcp.verification.facts import (
    Difference,
    Exchange,
    Kind,
    Operation,
    Outcome,
    Reason,
    Step,
)
from hailuo_mcp.verification.observed import (
    Observed,
    answer_words,
    differences_of,
    outcome_of,
    reason_of,
    time_words,
    undocumented_balance,
)
from hailuo_mcp.verification.plan import Planned, free_steps, refused_steps

_NOT_FOUND = 404


@dataclass(frozen=True, slots=True, kw_only=True)
class Tried:
    """A step, with what only the person may see of it."""

    step: Step
    exchanges: tuple[Exchange, ...] = ()
    error: HailuoError | None = None
    """Why it failed."""
    accepted: bool = False
    """What had to be refused was not, or nobody knows whether it was."""
    remote_id: str = ""
    """Of the task that was made so, if the provider named one: never for a report."""

    @property
    def key_refused(self) -> AuthenticationError | None:
        return self.error if isinstance(self.error, AuthenticationError) else None


def planned_steps(provider: Provider, *, refusals: bool = True) -> tuple[Planned, ...]:
    """Everything that the free part sends, in this order."""
    return free_steps(provider) + (refused_steps(provider) if refusals else ())


async def verify_free(
    client: HailuoClient,
    observed: Observed,
    *,
    refusals: bool = True,
    clock: Callable[[], float] = time.monotonic,
) -> AsyncGenerator[Planned | Tried]:
    """Try one planned request after the other: yields each before it is sent, and its result.

    It ends early if the key is refused or nothing answers. After a request that had to be refused
    and was not, no other of that kind is sent; all those come last.
    """
    ended: Reason | None = None
    key_is_shown = answers = False
    for planned in planned_steps(client.provider, refusals=refusals):
        if ended:
            yield Tried(step=Step(name=planned.name, outcome=Outcome.SKIPPED, reason=ended))
            continue
        # Not every provider of a dialect has the address that shows a key: then the next shows it.
        asks_key = planned.shows_key or not key_is_shown
        yield planned
        tried = await try_step(client, replace(planned, shows_key=asks_key), observed, clock)
        key_is_shown = key_is_shown or _shows_key(tried)
        answers = answers or bool(tried.exchanges)
        if not answers:
            ended = Reason.UNREACHABLE
            tried = replace(tried, step=replace(tried.step, reason=ended))
        elif tried.key_refused:
            ended = Reason.KEY_REFUSED
        elif tried.accepted:
            ended = Reason.NOT_REFUSED
        yield tried


async def try_step(
    client: HailuoClient, planned: Planned, observed: Observed, clock: Callable[[], float]
) -> Tried:
    """Send one planned request, and compare its answer with what is documented."""
    observed.take()
    began, error = clock(), None
    try:
        reply = await client.exchange(planned.request)
        if planned.shows_key and not planned.must_be_refused and reply.status != _NOT_FOUND:
            client.read_probe(reply)
    except HailuoError as exc:
        error = exc
    took = clock() - began
    exchanges = tuple(
        Exchange(operation=planned.operation, request=request, reply=reply)
        for request, reply in observed.take()
    )
    if not exchanges:
        return _unanswered(planned, error)
    differences = differences_of(client.provider, exchanges, planned.codes)
    last = exchanges[-1].reply
    answers = (*(answer_words(it.reply) for it in exchanges), time_words(took))
    if planned.operation is Operation.BALANCE:
        answers += tuple(undocumented_balance(last))
    if planned.must_be_refused:
        # The dialect decides, as for every purchase: it takes nothing for free that may not be.
        found = _accepted(client.provider, planned, last)
        differences = tuple(it for it in differences if it.kind is not Kind.ACCEPTED)
        if found is not None:
            differences = (found, *differences)
            step = Step(
                name=planned.name,
                outcome=Outcome.DIFFERS,
                answers=answers,
                differences=differences,
            )
            remote_id = named_task(last)
            return Tried(step=step, exchanges=exchanges, accepted=True, remote_id=remote_id)
    step = Step(
        name=planned.name,
        outcome=Outcome.FAILED if error else outcome_of(differences),
        answers=answers,
        differences=differences,
        reason=reason_of(error) if error else None,
    )
    return Tried(step=step, exchanges=exchanges, error=error)


def _unanswered(planned: Planned, error: HailuoError | None) -> Tried:
    # An answer that is too large was not kept: it is none that could be compared.
    read = isinstance(error, UnexpectedResponseError)
    kind = Kind.UNREADABLE if read else Kind.NO_ANSWER
    step = Step(
        name=planned.name,
        outcome=Outcome.FAILED,
        differences=(Difference(operation=planned.operation, kind=kind),),
        reason=Reason.UNREADABLE if read else Reason.NO_ANSWER,
    )
    return Tried(step=step, error=error, accepted=isinstance(error, UnconfirmedSubmitError))


def _shows_key(tried: Tried) -> bool:
    """Whether the answer told something of the key: any but "there is no such address" does."""
    return any(it.reply.status != _NOT_FOUND for it in tried.exchanges)


def _accepted(provider: Provider, planned: Planned, reply: HttpReply) -> Difference | None:
    """A difference unless the answer is a certain refusal, as the dialect reads it."""
    try:
        dialect_of(provider, planned.model).read_submit(reply)
    except ProviderError:
        return None
    except HailuoError:
        found = "no certain refusal"
    else:
        found = "a task"
    return Difference(
        operation=planned.operation, kind=Kind.ACCEPTED, expected="a refusal", found=found
    )


def named_task(reply: HttpReply) -> str:
    """The id of a task that an answer names, wherever it is; empty for none."""
    given = task_ids(fields(reply.json()), reply.body, flat=True)
    return next((it for it in map(identifier, given) if it not in ("", "0")), "")
