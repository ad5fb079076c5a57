"""The facts: models, prices, plans, moves, templates, clients; data with source and date."""

from hailuo_mcp.catalog.calls import (
    MODE_WORDS,
    Call,
    every_call,
    nearest_call,
    resolve_size,
)
from hailuo_mcp.catalog.camera import (
    Move,
    find_move,
    is_misnomer,
    moves,
    near_move,
    nearest_move,
)
from hailuo_mcp.catalog.clients import McpClient, clients, wait_limit
from hailuo_mcp.catalog.estimates import Estimate, estimate
from hailuo_mcp.catalog.machines import (
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
from hailuo_mcp.catalog.packs import PlanCost
from hailuo_mcp.catalog.prices import (
    Plan,
    Price,
    list_price,
    number,
    plan_named,
    plan_rpm,
    plan_unit,
    plans,
    price_words,
    published,
)
from hailuo_mcp.catalog.templates import (
    Template,
    find_template,
    nearest_template,
    templates,
)
from hailuo_mcp.catalog.wording import refusal, shown

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
    "models",
    "moves",
    "near_move",
    "nearest_call",
    "nearest_model",
    "nearest_move",
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
    "templates",
    "usual_seconds",
    "wait_limit",
]
