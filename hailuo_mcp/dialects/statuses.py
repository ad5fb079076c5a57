"""A provider's status words: what they mean, and which of them may be shown.

A word of the provider's own choosing could be an instruction to a model, so only known words and
plain ones are shown; the journal keeps the rest.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from hailuo_mcp.dialects.codes import MEANINGS
from hailuo_mcp.dialects.dialect import HttpReply
from hailuo_mcp.dialects.parsing import prose, said, size, word
from hailuo_mcp.domain.remote import Phase, RemoteStatus

UNKNOWN_CODE = "unknown"
OTHER_STATUS = "other"
_NUMBER = re.compile(r"[0-9]{1,6}")
_ONE_WORD = re.compile(r"[A-Za-z]{1,20}")
"""Too short to carry a message."""
_WORDS = {  # every word ever seen (facts 11)
    Phase.QUEUED: "preparing queueing queued pending submitted waiting",
    Phase.RUNNING: "processing running in_progress",
    Phase.SUCCEEDED: "success succeeded completed complete finish finished done",
    Phase.FAILED: "fail failed failure error exception expired",
    Phase.CANCELLED: "cancelled canceled",
}
_PHASES = {text: phase for phase, texts in _WORDS.items() for text in texts.split()}


def phase_of(text: str) -> Phase:
    """Return the phase for a provider's word; an unknown word is never final: polling continues."""
    return _PHASES.get(text.strip().lower().replace(" ", "_").replace("-", "_"), Phase.UNKNOWN)


def code_word(value: object) -> str:
    """Return a failure code; empty if none was given, "unknown" for a strange one."""
    text = word(value)
    if text in MEANINGS or _NUMBER.fullmatch(text):
        return text
    return UNKNOWN_CODE if value else ""


def status_word(value: object) -> str:
    """Return a status as sent if it is known or one plain word; otherwise "other"."""
    text = word(value)
    if phase_of(text) is not Phase.UNKNOWN or _ONE_WORD.fullmatch(text):
        return text
    return OTHER_STATUS if value else ""


def remote_status(
    reply: HttpReply,
    body: Mapping[str, object],
    phase: Phase,
    *,
    error_code: str = "",
    reason: object = None,
    file_id: str = "",
    url: str = "",
    url_expires_at: float | None = None,
) -> RemoteStatus:
    """Return the result of a status request; `reason` is why it failed, as the provider says."""
    if phase is Phase.SUCCEEDED and not file_id and not url:
        phase = Phase.UNKNOWN  # finished, but there is nothing to fetch yet: ask again
    shown = status_word(body.get("status"))
    hidden = [prose(body.get("status"))] if shown == OTHER_STATUS else []
    hidden += [prose(reason)] if code_word(reason) == UNKNOWN_CODE else []
    detail = "; ".join(text for text in (said(body), *hidden) if text)[:500]
    return RemoteStatus(
        phase=phase,
        word=shown,
        file_id=file_id,
        url=url,
        url_expires_at=url_expires_at if url else None,
        width=size(body.get("video_width") or body.get("width")),
        height=size(body.get("video_height") or body.get("height")),
        error_code=error_code if phase is Phase.FAILED else "",
        detail="" if phase is Phase.SUCCEEDED else detail,
        trace_id=reply.trace_id,
    )
