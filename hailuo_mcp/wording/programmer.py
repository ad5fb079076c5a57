"""The voice for a programmer with HailuoClient: parameters and methods, no tools, no variables."""

from __future__ import annotations

from hailuo_mcp.errors import Do, HailuoError, Step
from hailuo_mcp.wording.saying import say

STEPS = {
    Do.TRY: "{clause}.",
    Do.ARRANGE: "{clause}.",
    Do.SET: "Pass {about} to HailuoClient.",
    Do.CHECK: "Check {about}, as passed to HailuoClient.",
    Do.REPEAT: "Try again {about}.",
    Do.NEAREST: "Nearest that works: {about}.",
    Do.QUERY: 'query("{about}") reads its status.',
    Do.DOWNLOAD: 'download("{about}") saves it.',
    Do.SETTLE: "The provider's bill shows whether it was bought.",
}
_PARAMETERS = {
    "HAILUO_API_KEY": "api_key",
    "HAILUO_PROVIDER": "provider",
    "HAILUO_BASE_URL": "base_url",
    "HAILUO_ALLOWED_HOSTS_PRIVATE": "private_hosts",
    "HAILUO_ALLOWED_DIRS": "folders",
    "HAILUO_OUTPUT_DIR": "path",
}


def error_text(error: HailuoError) -> str:
    """What happened, whether money moved, and what to change in the program."""
    steps = (_with_parameter(step) for step in error.then)
    spoken = HailuoError(error.what, *(step for step in steps if step), charged=error.charged)
    return say(spoken, STEPS)


def _with_parameter(step: Step) -> Step | None:
    """A setting by the parameter of HailuoClient that does the same; None where there is none."""
    if step.do not in (Do.SET, Do.CHECK):
        return step
    name, equals, value = step.about.partition("=")
    parameter = _PARAMETERS.get(name)
    if parameter is None:
        return None
    return Step(step.do, f'{parameter}="{value}"' if equals else parameter)
