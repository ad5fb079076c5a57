"""Text: foreign text shortened for messages, amounts as people write them, names, paths."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Protocol

LONGEST_ID = 200
"""Characters of a provider's id; anything longer is not an id."""
_SHOWN = 40
_NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?")


def shown(text: str, most: int = _SHOWN) -> str:
    """Make foreign text fit for a message: short, without invisible characters."""
    seen = "".join(c if c.isprintable() else "�" for c in text[: most + 1])
    return f"{seen[:most]}…" if len(text) > most else seen


def number(amount: Decimal) -> str:
    """Write a decimal without exponent and trailing zeros."""
    return format(amount.normalize(), "f")


def iso_time(seconds: float) -> str:
    """A moment, in Unix seconds, as ISO 8601 in UTC: 2026-11-21T14:30:00+00:00."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds")


def is_number(text: str) -> bool:
    """Whether text is a number as people write one.

    Python also takes 1_000 for a thousand, and digits of other scripts, which may have been meant
    otherwise.
    """
    return _NUMBER.fullmatch(text.strip()) is not None


def system_reason(error: OSError) -> str:
    """Why the system refused, in its own words and in lower case."""
    return (error.strerror or str(error) or "the system refuses").lower()


def expanded(text: str) -> Path:
    """A path with the home folder in it; ~ and a name that no user has is an ordinary name."""
    try:
        return Path(text).expanduser()
    except RuntimeError:
        return Path(text)


def squeeze(text: str) -> str:
    """Normalise a name for comparison: without case, spaces and joining marks."""
    return "".join(c for c in text.casefold() if c not in " -_\t\n\r　")


class SecretText(Protocol):
    """A key or a token that no message shows, such as pydantic's SecretStr."""

    def get_secret_value(self) -> str: ...
