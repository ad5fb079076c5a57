"""generate_from_template: buys a clip made by one of the provider's templates."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import Field

from hailuo_mcp.catalog.video_templates import find_template
from hailuo_mcp.server.calls import accept
from hailuo_mcp.server.consent import Asked
from hailuo_mcp.server.context import Ctx
from hailuo_mcp.server.tools._purchase import (
    CONFIRM,
    MAX_COST,
    MOST_TAKES,
    REQUEST_KEY,
    TAKE,
    WAIT,
    buy,
    terms_of,
)
from hailuo_mcp.server.tools._reading import Arguments, Id, Texts
from hailuo_mcp.wording.costs import no_such_template, template_choice
from hailuo_mcp.wording.shapes import VideoTask

if TYPE_CHECKING:
    from hailuo_mcp.domain import TemplateRequest
    from hailuo_mcp.views import Terms


class GenerateFromTemplate(Arguments):
    template_id: Id = Field(
        "",
        description='The template\'s id or name, such as "Diving". Empty lists all of them, free.',
    )
    text_inputs: Texts = Field([], description="The template's texts, in its order.")
    media_inputs: Texts = Field(
        [],
        description="The template's pictures in its order, each a path, a file:// or https:// URL; "
        "never an invented path or base64.",
    )
    take: int = Field(1, ge=0, le=MOST_TAKES, description=TAKE)
    request_key: Id = Field("", description=REQUEST_KEY)
    wait_seconds: float = Field(0, ge=0, description=WAIT)
    max_cost: float = Field(0, ge=0, description=MAX_COST)
    confirm: Id = Field("", description=CONFIRM)

    def request(self) -> TemplateRequest:
        from hailuo_mcp.domain import TemplateRequest

        return TemplateRequest(
            template_id=self.template_id,
            text_inputs=tuple(self.text_inputs),
            media_inputs=tuple(self.media_inputs),
        )

    def terms(self) -> Terms:
        return terms_of(self)


async def generate_from_template(wanted: GenerateFromTemplate, ctx: Ctx, asked: Asked) -> VideoTask:
    """Buy one clip from a template of the provider's, such as a pet that dives.

    Costs money for each new clip. Answers and goes on as generate_video does: next call query_task.
    With an empty template_id it buys nothing and lists ids, names, inputs and prices.
    """
    call = await accept(ctx)
    offered, provider = call.studio.templates(), call.studio.provider
    name = wanted.template_id.strip()
    if not name:
        return template_choice(offered, notice=call.backstage.notice)
    # A number may be a template that no list has yet; a name that is in none is a mistake.
    if offered and not name.isdigit() and not find_template(name, provider.templates):
        raise no_such_template(name, offered)
    return await buy(call, wanted, asked)
