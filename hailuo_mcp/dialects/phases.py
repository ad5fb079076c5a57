"""Every status word that was ever seen, and what it means (facts 11)."""

from __future__ import annotations

from hailuo_mcp.domain import Phase

_WORDS = {
    Phase.QUEUED: "preparing queueing queued pending submitted waiting",
    Phase.RUNNING: "processing running in_progress",
    Phase.SUCCEEDED: "success succeeded completed complete finish finished done",
    Phase.FAILED: "fail failed failure error exception expired",
    Phase.CANCELLED: "cancelled canceled",
}
_PHASES = {text: phase for phase, texts in _WORDS.items() for text in texts.split()}


def phase_of(text: str) -> Phase:
    """Return the normal form of a provider's word; an unknown one is polled on, never final."""
    return _PHASES.get(text.strip().lower().replace(" ", "_").replace("-", "_"), Phase.UNKNOWN)
