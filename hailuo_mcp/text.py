"""How refusals and numbers read: every problem at once, what was charged, what would work."""

from __future__ import annotations

import re
from collections.abc import Sequence
from decimal import Decimal

from hailuo_mcp.errors import InvalidRequestError

_SHOWN = 40
_NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?")
_MOST = 20
"""More problems than that are a flood, not help."""


def shown(text: str, most: int = _SHOWN) -> str:
    """Make somebody's own text fit for a message: short, and nothing invisible in it."""
    seen = "".join(c if c.isprintable() else "�" for c in text[: most + 1])
    return f"{seen[:most]}…" if len(text) > most else seen


def number(amount: Decimal) -> str:
    """Write a decimal as people do: no exponent, no trailing zeros."""
    return format(amount.normalize(), "f")


def refusal(problems: Sequence[str], advice: str = "") -> InvalidRequestError:
    """Put all problems into one error; `advice` is a sentence on what to do instead."""
    named = list(dict.fromkeys(problems))
    opening = "Refused" if len(named) == 1 else f"Refused for {len(named)} reasons"
    if len(named) > _MOST:
        named[_MOST:] = [f"and {len(named) - _MOST} more of the kind"]
    parts = [f"{opening}: {'; '.join(named)}.", "Nothing was sent or charged.", advice]
    return InvalidRequestError(" ".join(part for part in parts if part))


def is_number(text: str) -> bool:
    """Whether a number is written here as people write one.

    Python also takes 1_000 for a thousand, and digits of other scripts: whoever wrote those may
    have meant something else.
    """
    return _NUMBER.fullmatch(text.strip()) is not None
