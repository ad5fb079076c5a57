"""Which of a provider's words a model gets to see: known ones; the rest is for the journal.

A word of the provider's own choosing could be an instruction.
"""

from __future__ import annotations

import re

from hailuo_mcp.dialects.codes import MEANINGS
from hailuo_mcp.dialects.phases import phase_of
from hailuo_mcp.dialects.wire import prose, word
from hailuo_mcp.domain import Phase

UNKNOWN_CODE = "unknown"
OTHER_STATUS = "other"
_NUMBER = re.compile(r"[0-9]{1,6}")
_ONE_WORD = re.compile(r"[A-Za-z]{1,20}")
"""Too little to say anything with."""


def code_word(value: object) -> str:
    """Return a code of a failure; empty where none was given, "unknown" for a strange one."""
    text = word(value)
    if text in MEANINGS or _NUMBER.fullmatch(text):
        return text
    return UNKNOWN_CODE if value else ""


def status_word(value: object) -> str:
    """Return a status as it was sent if it is known or one plain word; "other" if it is not."""
    text = word(value)
    if phase_of(text) is not Phase.UNKNOWN or _ONE_WORD.fullmatch(text):
        return text
    return OTHER_STATUS if value else ""


def for_journal(said: str, *, status: object = None, code: object = None) -> str:
    """Add to what a provider said the words of it that are not shown."""
    hidden = [prose(status)] if status_word(status) == OTHER_STATUS else []
    hidden += [prose(code)] if code_word(code) == UNKNOWN_CODE else []
    return "; ".join(text for text in (said, *hidden) if text)[:500]
