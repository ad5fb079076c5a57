"""generate_storyboard: the tool that plans, prices and makes a film of several shots."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from hailuo_mcp.server.context import Ctx
from hailuo_mcp.server.request import tool_request
from hailuo_mcp.server.tools.arguments import Id, Numbers, Size, Texts, Word
from hailuo_mcp.server.tools.purchase import Asked, TermsArguments, agreed_terms
from hailuo_mcp.wording.shapes import Storyboard

if TYPE_CHECKING:
    from hailuo_mcp.domain.film import FilmRequest
    from hailuo_mcp.server.context import Caller
    from hailuo_mcp.studio.studio import Studio


class GenerateStoryboard(TermsArguments):
    shots: Texts = Field([], description="Each shot's prompt, as in generate_video.")
    durations: Numbers = Field([], description="Seconds: one for all, or one each.")
    images: Texts = Field([], description='Each shot\'s first_frame_image; "" for none.')
    continuity: Annotated[Literal["none", "last_frame"], Word] = Field(
        "none",
        description="last_frame: a shot without an image starts where the one before ends.",
    )
    model: str = Field("", description="As in generate_video.")
    resolution: Size = Field("", description="As in generate_video.")
    transition: Annotated[Literal["cut", "fade"], Word] = Field(
        "cut", description="How shots are joined."
    )
    dry_run: bool = Field(default=True, description="Only plan and price; false buys.")
    film_id: Id = Field("", description="Alone: the film as planned.")
    redo: Numbers = Field(
        [], description="With film_id: shots (from 1) to make again, with all that continue them."
    )

    def request(self) -> FilmRequest:
        from hailuo_mcp.domain.film import Continuity, FilmRequest, Transition

        return FilmRequest(
            film_id=self.film_id,
            redo=tuple(self.redo),
            shots=tuple(self.shots),
            durations=tuple(self.durations),
            images=tuple(self.images),
            continuity=Continuity(self.continuity),
            model=self.model,
            resolution=self.resolution or None,
            transition=Transition(self.transition),
        )

    async def question(self, studio: Studio, caller: Caller) -> str | None:
        if self.dry_run:
            return None
        return await studio.film_question(
            self.request(), self.terms(), caller=caller.name, local=caller.local
        )


async def generate_storyboard(wanted: GenerateStoryboard, ctx: Ctx, asked: Asked) -> Storyboard:
    """Plan and make a film of several shots, joined to one file.

    Costs money, but not with dry_run: that checks, prices and gives a film_id. Show the person the
    plan; after their yes call with film_id and dry_run=false, then query_task. redo makes again
    what is not good (preview_video).
    """
    from hailuo_mcp.wording.films import storyboard

    request = await tool_request(ctx)
    studio, caller = request.studio, request.caller
    if wanted.dry_run:
        view = await studio.plan_film(
            wanted.request(), wanted.terms(), caller=caller.name, local=caller.local
        )
        return storyboard(view)
    terms = agreed_terms(wanted, asked)
    with request.wait(wanted.wait_seconds) as seconds:
        view = await studio.make_film(
            wanted.request(),
            terms,
            caller=caller.name,
            local=caller.local,
            wait_seconds=seconds,
            on_progress=request.on_progress,
        )
    return request.tell_film(view)
