"""Asking the person before a dear purchase, where the client has a way to ask."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import replace
from math import inf
from typing import TYPE_CHECKING, Annotated, Protocol

import anyio
from mcp.server.mcpserver import AcceptedElicitation, Elicit, ElicitationResult, Resolve
from pydantic import BaseModel, Field

from hailuo_mcp.errors import ConsentRequiredError
from hailuo_mcp.server.backstage import Ctx
from hailuo_mcp.server.calls import client_name, wants_progress

if TYPE_CHECKING:
    from hailuo_mcp.domain import AnyRequest
    from hailuo_mcp.studio import Terms

_MODERN = "2026-07-28"
"""From this version on a question is the call's answer, and its reply a new call."""


class Approval(BaseModel):
    """What the person is asked to fill in."""

    buy: bool = Field(description="Yes: buy this clip at this price.")


class NotAsked(Approval):
    """Nobody was asked: no need, or no way. The studio decides what that means."""

    buy: bool = False


class Purchase(Protocol):
    """The arguments of a tool that spends."""

    def request(self) -> AnyRequest: ...
    def terms(self) -> Terms: ...


_answer_by: ContextVar[anyio.CancelScope] = ContextVar("_answer_by")


@contextmanager
def time_to_answer() -> Generator[None]:
    """Bound the time that a question may stay open within this call; no answer is a no."""
    with anyio.CancelScope() as scope:
        token = _answer_by.set(scope)
        try:
            yield
        finally:
            _answer_by.reset(token)
    if scope.cancelled_caught:
        raise ConsentRequiredError(
            "Not bought, nothing was charged: the person was asked and did not answer in time. "
            "Ask in the chat, then repeat this call for a new question."
        )


async def ask_person(wanted: Purchase, ctx: Ctx) -> Approval | Elicit[Approval]:
    """Put the studio's question to the person; the same arguments always give the same question."""
    if not _can_ask(ctx):
        return NotAsked()
    backstage = ctx.request_context.lifespan_context
    studio = await backstage.studio()
    caller = backstage.caller()
    question = await studio.consent_question(
        wanted.request(), wanted.terms(), caller=caller.name, local=caller.local
    )
    if question is None:
        return NotAsked()
    seconds = backstage.patience.for_an_answer(client_name(ctx), progress=wants_progress(ctx))
    _answer_by.get().deadline = anyio.current_time() + seconds
    return Elicit(question, Approval)


Asked = Annotated[ElicitationResult[Approval], Resolve(ask_person)]


def agreed(terms: Terms, asked: ElicitationResult[Approval]) -> Terms:
    """The terms with the person's answer in them.

    Raises:
        ConsentRequiredError: they said no, or closed the question.
    """
    _answer_by.get().deadline = inf
    match asked:
        case AcceptedElicitation(data=NotAsked()):
            return terms
        case AcceptedElicitation(data=Approval(buy=True)):
            return replace(terms, approved=True)
        case _:
            raise ConsentRequiredError(
                "Not bought, nothing was charged: the person was asked and did not agree to the "
                "price. Do not ask again unless they want it; estimate_cost finds a cheaper clip."
            )


def _can_ask(ctx: Ctx) -> bool:
    """Whether the client declared forms ({} is the old way to), and there is a way to reach it."""
    declared = ctx.client_capabilities.elicitation if ctx.client_capabilities else None
    if declared is None or (declared.form is None and declared.url is not None):
        return False
    return (ctx.protocol_version or "") >= _MODERN or ctx.session.can_send_request
