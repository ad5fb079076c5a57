"""Asking the person before a dear purchase, where the client has a way to ask."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import replace
from math import inf
from typing import TYPE_CHECKING, Annotated, Protocol

import anyio
from mcp import MCPError
from mcp.server.mcpserver import AcceptedElicitation, Elicit, ElicitationResult, Resolve
from mcp.types import ElicitResult
from pydantic import BaseModel, Field, ValidationError

from hailuo_mcp.errors import ConsentRequiredError
from hailuo_mcp.server.calls import asker, is_modern
from hailuo_mcp.server.context import Ctx

if TYPE_CHECKING:
    from hailuo_mcp.domain import AnyRequest
    from hailuo_mcp.views import Terms


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
    who = asker(ctx)
    if is_modern(ctx):
        return _as_answer(ctx, question, who.key)
    _answer_by.get().deadline = anyio.current_time() + backstage.patience.for_an_answer(who)
    return await _within_the_call(ctx, question)


def _as_answer(ctx: Ctx, question: str, who: object) -> Approval | Elicit[Approval]:
    """In the modern era the question is the call's answer, and its reply a new call.

    A client that cannot answer says so to nobody: it only calls again, as if nothing was asked.
    """
    questions = ctx.request_context.lifespan_context.questions
    if ctx.input_responses is None:
        return Elicit(question, Approval) if questions.may_be_put(who, question) else NotAsked()
    questions.answered(who, question)
    usable = all(_can_be_read(answer) for answer in ctx.input_responses.values())
    return Elicit(question, Approval) if usable else NotAsked()


def _can_be_read(answer: object) -> bool:
    if not isinstance(answer, ElicitResult):
        return False
    if answer.action != "accept":
        return True
    try:
        Approval.model_validate(answer.content)
    except ValidationError:
        return False
    return True


async def _within_the_call(ctx: Ctx, question: str) -> Approval:
    """Ask, and take no answer that can be read for a client that cannot ask."""
    try:
        answer = await ctx.elicit(question, Approval)
    except (ValueError, MCPError):  # accepted without what was asked for; or the client failed
        return NotAsked()
    return answer.data if isinstance(answer, AcceptedElicitation) else Approval(buy=False)


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
    return is_modern(ctx) or ctx.session.can_send_request
