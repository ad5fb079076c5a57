"""The voice for an agent: tools to call, and a person to turn to."""

from __future__ import annotations

from hailuo_mcp.errors import Do, HailuoError
from hailuo_mcp.wording.saying import say

STEPS = {
    Do.TRY: "{clause}.",
    Do.ARRANGE: "Ask the person to {about}.",
    Do.SET: "Ask the person to set {about}.",
    Do.CHECK: "Ask the person to check {about}.",
    Do.REPEAT: "Repeat this call {about}.",
    Do.NEAREST: "Nearest that works: {about}.",
    Do.CONFIRM: "Ask the person; if they say yes, repeat this call unchanged with "
    "confirm='{about}'. The code works once, for ten minutes.",
    Do.SETTLE: "Ask the person to look at the provider's bill and then run "
    "`hailuo-mcp settle {about} bought` or `not-bought`.",
    Do.QUERY: 'Call query_task with task_id "{about}".',
    Do.DOWNLOAD: 'Call download_video with task_id "{about}", free.',
    Do.LIST_TASKS: "list_tasks shows the ids.",
    Do.LIST_MODELS: "The models are in hailuo://models.",
    Do.LIST_TEMPLATES: "generate_from_template without a template_id lists the templates.",
    Do.ESTIMATE: "estimate_cost compares prices, free.",
    Do.ACCEPT_LOSSES: "Ask the person to run `hailuo-mcp journal accept`.",
    Do.DOCTOR: "Ask the person to run `hailuo-mcp doctor`.",
}


def error_text(error: HailuoError) -> str:
    """What happened, whether money moved, and what to call next."""
    return say(error, STEPS)
