"""What the voices share: an error says what happened, whether money moved and what is next."""

from __future__ import annotations

from collections.abc import Mapping

from hailuo_mcp.errors import (
    ConfigError,
    Do,
    HailuoError,
    InvalidRequestError,
    JournalError,
    Step,
)

_NOTHING_SENT = (ConfigError, InvalidRequestError, JournalError)


def say(error: HailuoError, sentences: Mapping[Do, str], **names: str) -> str:
    """Put an error into the sentences of one voice; `names` fill what they leave open."""
    parts = [error.what, money(error), *(next_step(it, sentences, **names) for it in error.then)]
    return " ".join(part for part in parts if part)


def next_step(step: Step, sentences: Mapping[Do, str], **names: str) -> str:
    """Say what can be done next; empty where this reader cannot do it."""
    about = step.about
    if step.do is Do.REPEAT:
        about = f"in {about} s" if about else "in a minute"
    clause = f"{about[:1].upper()}{about[1:]}"
    return sentences.get(step.do, "").format(about=about, clause=clause, **names)


def money(error: HailuoError) -> str:
    """Say whether money moved."""
    if "charged" in error.what.casefold() or "costs nothing" in error.what:
        return ""  # interim, while sentences still carry it themselves
    if error.charged == "maybe":
        return "It may have been charged."
    if error.charged != "no":
        return ""
    return (
        "Nothing was sent or charged."
        if isinstance(error, _NOTHING_SENT)
        else "Nothing was charged."
    )
