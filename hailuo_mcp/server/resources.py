"""What can be read besides the tools, as JSON."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from mcp.server.mcpserver import MCPServer
from mcp.server.mcpserver.exceptions import ResourceError, ResourceNotFoundError
from mcp.server.mcpserver.resources import FunctionResource

from hailuo_mcp.errors import HailuoError, TaskNotFoundError
from hailuo_mcp.server.context import AppContext, Ctx
from hailuo_mcp.server.request import tool_request

if TYPE_CHECKING:
    from hailuo_mcp.catalog.video_models import Model

JSON = "application/json"
TASK_URI = "hailuo://tasks/{task_id}"
SPENDING_URI = "hailuo://spending"
_MODELS = "What each model can make, at which sizes, its prices, and the packs."
_TEMPLATES = "The templates of both regions, their inputs and prices."


def add_resources(server: MCPServer[AppContext], app: AppContext) -> None:
    async def spending() -> str:
        from hailuo_mcp.wording import agent, costs

        try:
            studio = await app.studio()
            so_far, provider = await studio.spending(), studio.provider
        except HailuoError as error:
            told = agent.error_text(error, of_tenant=app.is_tenant)
            raise ResourceError(told) from error
        notice = {"message": provider.notice} if provider.notice else {}
        return _json({**notice, "provider": provider.name, **costs.spending(so_far)})

    for name, title, description, read in (
        ("models", "Video models", _MODELS, _models),
        ("camera", "Camera moves", "The 15 camera moves, in English and Chinese.", _camera),
        ("templates", "Templates", _TEMPLATES, _templates),
        ("spending", "Spending", "Spent, reserved and left in the budget's period.", spending),
    ):
        server.add_resource(
            FunctionResource(
                uri=f"hailuo://{name}",
                name=name,
                title=title,
                description=description,
                mime_type=JSON,
                fn=read,
            )
        )

    @server.resource(
        TASK_URI,
        name="task",
        title="One task",
        description="The status of one clip or film; its subscribers are told of each change.",
        mime_type=JSON,
    )
    async def task(task_id: str, ctx: Ctx) -> str:  # pyright: ignore[reportUnusedFunction]  registered
        from hailuo_mcp.wording import agent
        from hailuo_mcp.wording.films import storyboard
        from hailuo_mcp.wording.tasks import video_task

        try:
            request = await tool_request(ctx)
            if film := await request.film(task_id):
                return _json(storyboard(await request.studio.query_film(film)))
            view = await request.studio.query(task_id, caller=request.caller.name, wait_seconds=0)
        except TaskNotFoundError as error:
            raise ResourceNotFoundError(agent.error_text(error, of_tenant=app.is_tenant)) from error
        except HailuoError as error:
            raise ResourceError(agent.error_text(error, of_tenant=app.is_tenant)) from error
        return _json(video_task(view))


def _json(value: Any) -> str:  # noqa: ANN401  any JSON
    return json.dumps(value, ensure_ascii=False)


_PLAN_FIELDS = ("saves_percent", "valid", "buy_at", "source", "checked")
_TEMPLATE_FIELDS = ("template_id", "region", "name", "chinese", "about", "images", "texts")


def _models() -> str:
    from hailuo_mcp.catalog.prices import Rate, plans, published, rate_of
    from hailuo_mcp.catalog.video_models import length_words, models
    from hailuo_mcp.wording.costs import prices

    def by_second(rate: Rate) -> dict[str, Any]:
        return {
            "a_second": prices(rate.of_output),
            "a_second_of_a_reference_clip": prices(rate.of_input),
            f"a_picture_beyond_{rate.free_images}": prices(rate.of_image),
        }

    def size_prices(model: Model, size: str, lengths: tuple[int, ...]) -> dict[str, Any]:
        if rate := rate_of(model.name, size):
            return {"seconds": length_words(lengths), **by_second(rate)}
        return {str(s): prices(published(model.name, size, s)) for s in lengths}

    def upgrades(model: Model) -> dict[str, Any]:
        found = {
            f"{low} to {high}": by_second(rate)
            for low, high in model.upgrades.items()
            if (rate := rate_of(model.name, high, upgrade=True))
        }
        return {"upgrades": found} if found else {}

    def modes(model: Model) -> dict[str, Any]:
        return {
            mode.value: {
                "default": [rules.default_resolution, rules.default_duration],
                "sizes": {
                    size: size_prices(model, size, lengths) for size, lengths in rules.sizes.items()
                },
                "fast_pretreatment": rules.fast_pretreatment,
                **({"aspect_ratios": rules.ratios} if rules.ratios else {}),
            }
            for mode, rules in model.modes.items()
        }

    return _json(
        {
            "models": [
                {
                    "model": model.name,
                    "about": model.about,
                    "modes": modes(model),
                    **upgrades(model),
                    **({"not_in_packs": True} if model.payg_only else {}),
                    **({"notes": model.notes} if model.notes else {}),
                    "source": model.source,
                    "checked": model.checked,
                }
                for model in models()
            ],
            "packs": [
                {
                    "plan": plan.name,
                    "chinese": plan.chinese,
                    "price_cny": str(plan.price_cny),
                    "list_cny": str(plan.list_cny),
                    "credits": str(plan.credits),
                    "rpm": plan.rpm[plan.sold_in],
                    "for_accounts_in": plan.sold_in,
                    **{name: getattr(plan, name) for name in _PLAN_FIELDS},
                }
                for plan in plans()
                if plan.pack
            ],
        }
    )


def _camera() -> str:
    from hailuo_mcp.catalog.camera_moves import moves

    return _json(
        [
            {"move": f"[{move.english}]", "chinese": f"[{move.chinese}]", "group": move.group}
            for move in moves()
        ]
    )


def _templates() -> str:
    from hailuo_mcp.catalog.video_templates import REGIONS, templates
    from hailuo_mcp.text import number

    return _json(
        [
            {name: getattr(template, name) for name in _TEMPLATE_FIELDS}
            | ({"usd": number(template.usd)} if template.usd is not None else {})
            for region in REGIONS
            for template in templates(region)
        ]
    )
