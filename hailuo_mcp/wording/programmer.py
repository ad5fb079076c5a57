"""The voice for a programmer with HailuoClient: parameters and methods, no tools, no variables."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING

from hailuo_mcp.dialects.refusals import explain
from hailuo_mcp.domain.remote import Phase, RemoteStatus
from hailuo_mcp.errors import Do, HailuoError, ProviderError, Step
from hailuo_mcp.wording.phrases import join, money, next_steps, steps_of

if TYPE_CHECKING:
    from hailuo_mcp.dialects.dialect import Provider

STEPS: Mapping[Do, str] = {
    Do.TRY: "{clause}.",
    Do.ARRANGE: "{clause}.",
    Do.SET: "Pass {about} to HailuoClient.",
    Do.CHECK: "Check {about}.",
    Do.REPEAT: "Try again {about}.",
    Do.NEAREST: "Nearest that works: {about}.",
    Do.CROP_IMAGE: 'VideoRequest(image_fit="crop") cuts the edges off.',
    Do.PAD_IMAGE: 'VideoRequest(image_fit="pad") adds white bars.',
    Do.SETTLE: "The provider's bill shows whether it was bought.",
    Do.QUERY: 'query("{about}") reads its status.',
    Do.DOWNLOAD: 'download("{about}") saves it.',
}
PHASES: Mapping[Phase, str] = {
    Phase.QUEUED: "Queued at {provider}; wait() returns when it has ended.",
    Phase.RUNNING: "Rendering at {provider}; wait() returns when it has ended.",
    Phase.SUCCEEDED: "The clip is ready at {provider}; download() saves it.",
    Phase.CANCELLED: "{provider} cancelled the clip. Nothing was charged.",
    Phase.UNKNOWN: "{provider} gave an unknown status; wait() asks again.",
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
    return join(error.what, money(error), next_steps(_by_parameter(steps_of(error)), STEPS))


def status_text(status: RemoteStatus, provider: Provider) -> str:
    """A clip's state, according to one poll."""
    if status.phase is not Phase.FAILED:
        return PHASES[status.phase].format(provider=provider.name)
    if status.error_code in ("", "0"):
        return error_text(ProviderError("The clip failed. The provider gave no reason."))
    refusal = explain(status.error_code, provider=provider)
    return error_text(refusal.error(f"The clip failed. {refusal.what}", *refusal.then))


def _by_parameter(steps: Iterable[Step]) -> Iterator[Step]:
    """Settings as parameters of HailuoClient; those that it does not have are left out."""
    for step in steps:
        name, equals, value = step.about.partition("=")
        if step.do not in (Do.SET, Do.CHECK):
            yield step
        elif parameter := _PARAMETERS.get(name):
            yield Step(step.do, f'{parameter}="{value}"' if equals else parameter)
