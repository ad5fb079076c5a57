"""What can be read beside the tools, as JSON."""

from __future__ import annotations

import json
from typing import Any

from mcp.server.mcpserver.exceptions import ResourceError, ResourceNotFoundError
from mcp.server.mcpserver.resources import FunctionResource, Resource

from hailuo_mcp.catalog.camera_moves import moves
from hailuo_mcp.catalog.prices import plans, published
from hailuo_mcp.catalog.video_models import models
from hailuo_mcp.catalog.video_templates import templates
from hailuo_mcp.errors import HailuoError, TaskNotFoundError
from hailuo_mcp.server.calls import accept
from hailuo_mcp.server.context import Backstage, Ctx
from hailuo_mcp.server.server import Server
from hailuo_mcp.text import number
from hailuo_mcp.wording import agent, costs
from hailuo_mcp.wording.costs import prices
from hailuo_mcp.wording.tasks import video_task

JSON = "application/json"
TASK_URI = "hailuo://tasks/{task_id}"
SPENDING_URI = "hailuo://spending"


def all_resources(backstage: Backstage) -> list[Resource]:
    async def spending() -> str:
        try:
            studio = await backstage.studio()
            so_far, provider = await studio.spending(), studio.provider
            whose = {"message": provider.notice} if provider.notice else {}
            return _json({**whose, "provider": provider.name, **costs.spending(so_far)})
        except HailuoError as error:
            raise ResourceError(agent.error_text(error)) from error

    return [
        FunctionResource(
            uri="hailuo://models",
            name="models",
            title="Video models",
            description="What each model can make, at which sizes, its prices, and the packs.",
            mime_type=JSON,
            fn=_models,
        ),
        FunctionResource(
            uri="hailuo://camera",
            name="camera",
            title="Camera moves",
            description="The 15 camera moves, in English and Chinese.",
            mime_type=JSON,
            fn=_camera,
        ),
        FunctionResource(
            uri="hailuo://templates",
            name="templates",
            title="Templates",
            description="The templates of both regions, their inputs and prices.",
            mime_type=JSON,
            fn=_templates,
        ),
        FunctionResource(
            uri=SPENDING_URI,
            name="spending",
            title="Spending",
            description="Spent, reserved and left in the budget's period.",
            mime_type=JSON,
            fn=spending,
        ),
    ]


def add_task_resource(server: Server) -> None:
    @server.resource(
        TASK_URI,
        name="task",
        title="One task",
        description="How one clip stands; tells its listeners of each change.",
        mime_type=JSON,
    )
    async def task(task_id: str, ctx: Ctx) -> str:  # pyright: ignore[reportUnusedFunction]  registered
        try:
            call = await accept(ctx)
            view = await call.studio.query(task_id, caller=call.caller.name, wait_seconds=0)
        except TaskNotFoundError as error:
            raise ResourceNotFoundError(agent.error_text(error)) from error
        except HailuoError as error:
            raise ResourceError(agent.error_text(error)) from error
        return _json(video_task(view))


def _json(value: Any) -> str:  # noqa: ANN401  any JSON
    return json.dumps(value, ensure_ascii=False)


def _models() -> str:
    return _json({"models": _each_model(), "packs": _packs()})


def _packs() -> list[dict[str, Any]]:
    return [
        {
            "plan": plan.name,
            "chinese": plan.chinese,
            "price_cny": str(plan.price_cny),
            "list_cny": str(plan.list_cny),
            "saves_percent": plan.saves_percent,
            "credits": str(plan.credits),
            "valid": plan.valid,
            "rpm": plan.rpm[plan.sold_in],
            "for_accounts_in": plan.sold_in,
            "buy_at": plan.buy_at,
            "source": plan.source,
            "checked": plan.checked,
        }
        for plan in plans()
        if plan.pack
    ]


def _each_model() -> list[dict[str, Any]]:
    return [
        {
            "model": model.name,
            "about": model.about,
            "modes": {
                mode.value: {
                    "default": [rules.default_resolution, rules.default_duration],
                    "sizes": {
                        size: {
                            str(seconds): prices(published(model.name, size, seconds))
                            for seconds in lengths
                        }
                        for size, lengths in rules.sizes.items()
                    },
                    "fast_pretreatment": rules.fast_pretreatment,
                }
                for mode, rules in model.modes.items()
            },
            "source": model.source,
            "checked": model.checked,
        }
        for model in models()
    ]


def _camera() -> str:
    return _json(
        [
            {"move": f"[{move.english}]", "chinese": f"[{move.chinese}]", "group": move.group}
            for move in moves()
        ]
    )


def _templates() -> str:
    return _json(
        [
            {
                "template_id": template.template_id,
                "region": template.region,
                "name": template.name,
                "chinese": template.chinese,
                "about": template.about,
                "images": template.images,
                "texts": template.texts,
            }
            | ({"usd": number(template.usd)} if template.usd is not None else {})
            for region in ("cn", "global")
            for template in templates(region)
        ]
    )
