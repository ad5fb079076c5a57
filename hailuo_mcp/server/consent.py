"""Asking the person before an expensive purchase, where the client has a way to ask."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING, Annotated, Protocol

import anyio
from mcp import MCPError
from mcp.server.mcpserver import AcceptedElicitation, Elicit, ElicitationResult, Resolve
from mcp.types import ElicitResult
from pydantic import BaseModel, Field, ValidationError

from hailuo_mcp.errors import ConsentRequiredError, Do, Step
from hailuo_mcp.server.client_memory import ClientKey
from hailuo_mcp.server.context import Ctx
from hailuo_mcp.server.request import client_of, is_modern

if TYPE_CHECKING:
    from hailuo_mcp.domain import AnyRequest
    from hailuo_mcp.views import Terms


_SMALLEST = Decimal("0.000001")  # the journal counts in millionths


class Approval(BaseModel):
    """What the person is asked to fill in."""

    buy: bool = Field(description="Yes: buy this clip at this price.")


class NotAsked(Approval):
    """Nobody was asked: it is not needed, or not possible. The studio decides what that means."""

    buy: bool = False


class PurchaseArguments(Protocol):
    """The arguments of a tool that spends."""

    take: int
    request_key: str
    wait_seconds: float
    max_cost: float
    confirm: str

    def request(self) -> AnyRequest: ...


def terms_of(wanted: PurchaseArguments) -> Terms:
    from hailuo_mcp.views import Terms

    # A JSON number becomes exactly the decimal that was written.
    ceiling = max(Decimal(str(wanted.max_cost)), _SMALLEST) if wanted.max_cost else None
    return Terms(
        take=wanted.take,
        request_key=wanted.request_key,
        max_cost=ceiling,
        confirm=wanted.confirm,
    )


async def ask_person(wanted: PurchaseArguments, ctx: Ctx) -> Approval | Elicit[Approval]:
    """Put the studio's question to the person; the same arguments always give the same question."""
    if not _can_ask(ctx):
        return NotAsked()
    app = ctx.request_context.lifespan_context
    studio, caller = await app.studio(), app.caller()
    question = await studio.consent_question(
        wanted.request(), terms_of(wanted), caller=caller.name, local=caller.local
    )
    if question is None:
        return NotAsked()
    client = client_of(ctx)
    if is_modern(ctx):
        return _as_answer(ctx, question, client.key)
    return await _within_the_call(ctx, question, app.wait_limits.answer_limit(client))


def _as_answer(ctx: Ctx, question: str, client: ClientKey) -> Approval | Elicit[Approval]:
    """In the modern era the question is the call's answer, and the reply to it is a new call.

    A client that cannot answer does not say so: it only calls again, as if nothing was asked.
    """
    questions = ctx.request_context.lifespan_context.open_questions
    if ctx.input_responses is None:
        return Elicit(question, Approval) if questions.may_ask(client, question) else NotAsked()
    questions.close(client, question)
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


async def _within_the_call(ctx: Ctx, question: str, seconds: float) -> Approval:
    """Ask; a client whose answer cannot be read counts as one that cannot ask.

    Raises:
        ConsentRequiredError: no answer came within so many seconds, which is a no.
    """
    try:
        with anyio.fail_after(seconds):
            answer = await ctx.elicit(question, Approval)
    except TimeoutError:
        raise ConsentRequiredError(
            "Not bought: the person was asked and did not answer in time.",
            Step(Do.TRY, "ask in the chat, then repeat this call for a new question"),
        ) from None
    except (ValueError, MCPError):  # accepted without what was asked for; or the client failed
        return NotAsked()
    return answer.data if isinstance(answer, AcceptedElicitation) else Approval(buy=False)


Asked = Annotated[ElicitationResult[Approval], Resolve(ask_person)]


def agreed_terms(wanted: PurchaseArguments, asked: ElicitationResult[Approval]) -> Terms:
    """The terms of the purchase, with the person's answer in them.

    Raises:
        ConsentRequiredError: they said no, or closed the question.
    """
    match asked:
        case AcceptedElicitation(data=NotAsked()):
            return terms_of(wanted)
        case AcceptedElicitation(data=Approval(buy=True)):
            return replace(terms_of(wanted), approved=True)
        case _:
            raise ConsentRequiredError(
                "Not bought: the person was asked and did not agree to the price.",
                Step(Do.TRY, "do not ask again unless they want it"),
                Step(Do.ESTIMATE),
            )


def _can_ask(ctx: Ctx) -> bool:
    """Whether the client declared forms ({} is the older way to do so) and can be reached."""
    declared = ctx.client_capabilities.elicitation if ctx.client_capabilities else None
    if declared is None or (declared.form is None and declared.url is not None):
        return False
    return is_modern(ctx) or ctx.session.can_send_request
