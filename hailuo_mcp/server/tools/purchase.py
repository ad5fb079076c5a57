"""What the tools that spend have in common: their arguments, the person's consent, the purchase."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING, Annotated

import anyio
from mcp import MCPError
from mcp.server.mcpserver import AcceptedElicitation, Elicit, ElicitationResult, Resolve
from mcp.types import ElicitResult
from pydantic import BaseModel, Field, ValidationError

from hailuo_mcp.errors import ConsentRequiredError, Do, Step
from hailuo_mcp.server.client_memory import ClientKey
from hailuo_mcp.server.context import Caller, Ctx
from hailuo_mcp.server.request import ToolRequest, client_of, is_modern
from hailuo_mcp.server.tools.arguments import Arguments, Id
from hailuo_mcp.wording.shapes import VideoTask

if TYPE_CHECKING:
    from hailuo_mcp.domain.requests import AnyRequest
    from hailuo_mcp.studio.studio import Studio
    from hailuo_mcp.views import Terms

MOST_TAKES = 1_000_000
_SMALLEST = Decimal("0.000001")  # the journal counts in millionths


def ceiling_of(max_cost: float) -> Decimal | None:
    """What a clip may cost at most; a JSON number becomes exactly the decimal that was written."""
    return max(Decimal(str(max_cost)), _SMALLEST) if max_cost else None


class TermsArguments(Arguments):
    """The terms on which a tool spends."""

    request_key: Id = Field(
        "",
        description="Your name for it: bought only once.",
    )
    wait_seconds: float = Field(0, ge=0, description="Longest wait; 0: none.")
    max_cost: float = Field(
        0,
        ge=0,
        description="Refuse above this price, in the plan's unit; 0: never.",
    )
    confirm: Id = Field(
        "",
        description="A refusal's code, after the person's yes.",
    )

    def terms(self) -> Terms:
        from hailuo_mcp.views import Terms

        ceiling = ceiling_of(self.max_cost)
        return Terms(request_key=self.request_key, max_cost=ceiling, confirm=self.confirm)

    async def question(self, studio: Studio, caller: Caller) -> str | None:
        """What the person must be asked first; None if nothing. The same for the same arguments."""
        raise NotImplementedError


class PurchaseArguments(TermsArguments):
    """The arguments of a tool that buys one clip, beside the clip."""

    take: int = Field(
        1,
        ge=0,
        le=MOST_TAKES,
        description="2, 3 …: the same again.",
    )

    def request(self) -> AnyRequest:
        """What is bought."""
        raise NotImplementedError

    def terms(self) -> Terms:
        return replace(super().terms(), take=self.take)

    async def question(self, studio: Studio, caller: Caller) -> str | None:
        return await studio.consent_question(
            self.request(), self.terms(), caller=caller.name, local=caller.local
        )


class Approval(BaseModel):
    """What the person is asked to fill in."""

    buy: bool = Field(description="Yes: buy this at this price.")


class NotAsked(Approval):
    """Nobody was asked: it is not needed, or not possible. The studio decides what that means."""

    buy: bool = False


async def ask_person(wanted: TermsArguments, ctx: Ctx) -> Approval | Elicit[Approval]:
    """Put the studio's question to the person; the same arguments always give the same question."""
    if not _can_ask(ctx):
        return NotAsked()
    app = ctx.request_context.lifespan_context
    studio, caller = await app.studio(), app.caller()
    question = await wanted.question(studio, caller)
    if question is None:
        return NotAsked()
    client = client_of(ctx)
    if is_modern(ctx):
        return await _as_answer(ctx, studio, question, client.key)
    return await _within_the_call(ctx, question, app.wait_limits.answer_limit(client))


async def _as_answer(
    ctx: Ctx, studio: Studio, question: str, client: ClientKey
) -> Approval | Elicit[Approval]:
    """In the modern era the question is the call's answer, and the reply to it is a new call.

    A client that cannot answer does not say so: it only calls again, as if nothing was asked.
    """
    if ctx.input_responses is None:
        may_ask = await studio.may_ask(client, question)
        return Elicit(question, Approval) if may_ask else NotAsked()
    await studio.close_question(client, question)
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


def agreed_terms(wanted: TermsArguments, asked: ElicitationResult[Approval]) -> Terms:
    """The terms of the purchase, with the person's answer in them.

    Raises:
        ConsentRequiredError: they said no, or closed the question.
    """
    match asked:
        case AcceptedElicitation(data=NotAsked()):
            return wanted.terms()
        case AcceptedElicitation(data=Approval(buy=True)):
            return replace(wanted.terms(), approved=True)
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


async def buy(request: ToolRequest, wanted: PurchaseArguments, asked: Asked) -> VideoTask:
    terms = agreed_terms(wanted, asked)
    with request.wait(wanted.wait_seconds) as seconds:
        view = await request.studio.generate(
            wanted.request(),
            terms,
            caller=request.caller.name,
            local=request.caller.local,
            wait_seconds=seconds,
            on_progress=request.on_progress,
        )
    return request.tell(view)
