"""The voice for a programmer with HailuoClient: parameters and methods, no tools, no variables."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from hailuo_mcp.dialects.refusals import explain
from hailuo_mcp.domain import Phase, RemoteStatus
from hailuo_mcp.errors import Do, HailuoError, Step
from hailuo_mcp.wording.phrases import say

if TYPE_CHECKING:
    from hailuo_mcp.dialects.wire import Provider

STEPS: Mapping[Do, str] = {
    Do.TRY: "{clause}.",
    Do.ARRANGE: "{clause}.",
    Do.SET: "Pass {about} to HailuoClient.",
    Do.CHECK: "Check {about}, as passed to HailuoClient.",
    Do.REPEAT: "Try again {about}.",
    Do.NEAREST: "Nearest that works: {about}.",
    Do.SETTLE: "The provider's bill shows whether it was bought.",
    Do.QUERY: 'query("{about}") reads its status.',
    Do.DOWNLOAD: 'download("{about}") saves it.',
}
PHASES: Mapping[Phase, str] = {
    Phase.QUEUED: "Queued at {provider}; wait() returns when it has ended.",
    Phase.RUNNING: "Rendering at {provider}; wait() returns when it has ended.",
    Phase.SUCCEEDED: "The clip is ready at {provider}; download() saves it.",
    Phase.CANCELLED: "{provider} cancelled the clip. Nothing was charged.",
    Phase.UNKNOWN: "{provider} gave a status that is not known here; wait() asks again.",
}
_PARAMETERS = {
    "HAILUO_API_KEY": "api_key",
    "HAILUO_PROVIDER": "provider",
    "HAILUO_BASE_URL": "base_url",
    "HAILUO_PLAN": "plan",
    "HAILUO_ALLOWED_HOSTS_PRIVATE": "private_hosts",
    "HAILUO_ALLOWED_DIRS": "folders",
}


def error_text(error: HailuoError) -> str:
    """What happened, whether money moved, and what to change in the program."""
    return say(error, STEPS, then=_steps(error.then))


def status_text(status: RemoteStatus, provider: Provider) -> str:
    """How a clip stands, by one status read."""
    if status.phase is not Phase.FAILED:
        return PHASES[status.phase].format(provider=provider.name)
    kind, why = HailuoError, "The provider gave no reason."
    if status.error_code not in ("", "0"):
        refusal = explain(status.error_code, provider=provider)
        kind, why = refusal.error, f"{refusal.cause} ({status.error_code})."
    return error_text(kind(f"The clip failed. {why}"))


def _steps(steps: tuple[Step, ...]) -> list[Step]:
    """Settings by the parameters of HailuoClient that do the same; without those it has not."""
    known = list[Step]()
    for step in steps:
        if step.do not in (Do.SET, Do.CHECK):
            known.append(step)
            continue
        name, equals, value = step.about.partition("=")
        if parameter := _PARAMETERS.get(name):
            known.append(replace(step, about=f'{parameter}="{value}"' if equals else parameter))
    return known
