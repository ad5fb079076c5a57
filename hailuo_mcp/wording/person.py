"""The voice for a person at a shell: commands to run, and settings that are theirs."""

from __future__ import annotations

from hailuo_mcp.errors import Do, HailuoError
from hailuo_mcp.wording.saying import say

STEPS = {
    Do.TRY: "{clause}.",
    Do.ARRANGE: "{clause}.",
    Do.SET: "Set {about}.",
    Do.CHECK: "Check {about}.",
    Do.REPEAT: "Try again {about}.",
    Do.NEAREST: "Nearest that works: {about}.",
    Do.CONFIRM: "If you agree, repeat the command with --confirm {about}, or --yes. The code "
    "works once, for ten minutes.",
    Do.SETTLE: "Look at the provider's bill, then run `{program} settle {about} bought` or "
    "`not-bought`.",
    Do.QUERY: "Run `{program} query {about}`.",
    Do.DOWNLOAD: "Run `{program} download {about}`, free.",
    Do.LIST_TASKS: "`{program} tasks` shows the ids.",
    Do.LIST_MODELS: "`{program} models` lists the models.",
    Do.LIST_TEMPLATES: "`{program} template` lists the templates.",
    Do.ESTIMATE: "`{program} estimate` compares prices.",
    Do.ACCEPT_LOSSES: "Run `{program} journal accept`.",
    Do.DOCTOR: "Run `{program} doctor`.",
}


def error_text(error: HailuoError, *, program: str = "hailuo-mcp") -> str:
    """What happened, whether money moved, and what to run; `program` is how this one is called."""
    return say(error, STEPS, program=program)
