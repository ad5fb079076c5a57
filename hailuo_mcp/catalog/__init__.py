"""The facts: models, prices, plans, moves, templates, clients; data with source and date.

A name is loaded when it is first asked for: start-up time is a feature, and most of a server's life
needs few of them.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hailuo_mcp.catalog.calls import (
        MODE_WORDS,
        Call,
        every_call,
        nearest_call,
        resolve_size,
        size_name,
    )
    from hailuo_mcp.catalog.camera_moves import (
        Move,
        find_move,
        is_misnomer,
        moves,
        near_move,
    )
    from hailuo_mcp.catalog.estimates import Estimate, estimate
    from hailuo_mcp.catalog.mcp_clients import McpClient, Signs, clients, wait_limit
    from hailuo_mcp.catalog.packs import PlanCost
    from hailuo_mcp.catalog.prices import (
        Plan,
        Price,
        list_price,
        plan_named,
        plan_rpm,
        plan_unit,
        plans,
        price_words,
        published,
    )
    from hailuo_mcp.catalog.video_models import (
        Limits,
        Model,
        ModeRules,
        carried,
        default_model,
        find_model,
        limits,
        models,
        nearest_model,
        usual_seconds,
    )
    from hailuo_mcp.catalog.video_templates import (
        Template,
        find_template,
        model_title,
        nearest_template,
        template_price,
        templates,
    )
    from hailuo_mcp.catalog.wording import number, refusal, shown

_HOME = {
    "MODE_WORDS": "calls",
    "Call": "calls",
    "Estimate": "estimates",
    "Limits": "video_models",
    "McpClient": "mcp_clients",
    "ModeRules": "video_models",
    "Model": "video_models",
    "Move": "camera_moves",
    "Plan": "prices",
    "PlanCost": "packs",
    "Price": "prices",
    "Signs": "mcp_clients",
    "Template": "video_templates",
    "carried": "video_models",
    "clients": "mcp_clients",
    "default_model": "video_models",
    "estimate": "estimates",
    "every_call": "calls",
    "find_model": "video_models",
    "find_move": "camera_moves",
    "find_template": "video_templates",
    "model_title": "video_templates",
    "is_misnomer": "camera_moves",
    "limits": "video_models",
    "list_price": "prices",
    "models": "video_models",
    "moves": "camera_moves",
    "near_move": "camera_moves",
    "nearest_call": "calls",
    "nearest_model": "video_models",
    "nearest_template": "video_templates",
    "number": "wording",
    "plan_named": "prices",
    "plan_rpm": "prices",
    "plan_unit": "prices",
    "plans": "prices",
    "price_words": "prices",
    "published": "prices",
    "refusal": "wording",
    "resolve_size": "calls",
    "shown": "wording",
    "size_name": "calls",
    "template_price": "video_templates",
    "templates": "video_templates",
    "usual_seconds": "video_models",
    "wait_limit": "mcp_clients",
}


def __getattr__(name: str) -> object:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value: object = getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
    globals()[name] = value
    return value


__all__ = [
    "MODE_WORDS",
    "Call",
    "Estimate",
    "Limits",
    "McpClient",
    "ModeRules",
    "Model",
    "Move",
    "Plan",
    "PlanCost",
    "Price",
    "Signs",
    "Template",
    "carried",
    "clients",
    "default_model",
    "estimate",
    "every_call",
    "find_model",
    "find_move",
    "find_template",
    "is_misnomer",
    "limits",
    "list_price",
    "model_title",
    "models",
    "moves",
    "near_move",
    "nearest_call",
    "nearest_model",
    "nearest_template",
    "number",
    "plan_named",
    "plan_rpm",
    "plan_unit",
    "plans",
    "price_words",
    "published",
    "refusal",
    "resolve_size",
    "shown",
    "size_name",
    "template_price",
    "templates",
    "usual_seconds",
    "wait_limit",
]
