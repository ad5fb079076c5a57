"""generate_from_template: buys a clip made by one of the provider's templates."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import Field

from hailuo_mcp.server.context import Ctx
from hailuo_mcp.server.request import tool_request
from hailuo_mcp.server.tools.arguments import Id, Texts
from hailuo_mcp.server.tools.purchase import Asked, PurchaseArguments, buy
from hailuo_mcp.wording.shapes import VideoTask

if TYPE_CHECKING:
    from hailuo_mcp.domain.requests import TemplateRequest


class GenerateFromTemplate(PurchaseArguments):
    template_id: Id = Field(
        "",
        description='The template\'s id or name, such as "Diving". Empty lists all with '
        "inputs and prices, free.",
    )
    text_inputs: Texts = Field([], description="The template's texts, in its order.")
    media_inputs: Texts = Field(
        [],
        description="The template's pictures, in its order, as in generate_video.",
    )

    def request(self) -> TemplateRequest:
        from hailuo_mcp.domain.requests import TemplateRequest

        return TemplateRequest(
            template_id=self.template_id,
            text_inputs=tuple(self.text_inputs),
            media_inputs=tuple(self.media_inputs),
        )


async def generate_from_template(wanted: GenerateFromTemplate, ctx: Ctx, asked: Asked) -> VideoTask:
    """Buy one clip made by a template of the provider's.

    Costs money for each new clip. Answers as generate_video does; next: query_task.
    """
    from hailuo_mcp.rules.template import need_template
    from hailuo_mcp.wording.costs import template_choice

    request = await tool_request(ctx)
    if not wanted.template_id.strip():
        return template_choice(request.studio.templates(), notice=request.app.notice)
    need_template(wanted.template_id, request.studio.client.seller)
    return await buy(request, wanted, asked)
