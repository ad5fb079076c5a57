"""Moments as a person types them: 90m, 2d, a date, a month."""

from __future__ import annotations

import re
import time
from argparse import ArgumentTypeError
from datetime import date, datetime, timedelta

from hailuo_mcp.text import shown

EXAMPLES = "90m, 2d, 2026-11-21, 2026-11"
"""For the help of an option."""
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 7 * 86_400}
_AGO = re.compile(r"(\d{1,6}(?:\.\d{1,3})?)\s*([smhdw])(?:\s*ago)?")
_YEAR_OR_MONTH = re.compile(r"(\d{4})(?:-(\d{1,2}))?")
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")


def since(text: str, now: float | None = None) -> float | None:
    """The moment at which a period begins, in Unix seconds; None for empty text.

    Dates are this computer's: a date or a month means its first moment.

    Raises:
        ArgumentTypeError: it is no such moment.
    """
    return _ends(text, now)[0]


def until(text: str, now: float | None = None) -> float | None:
    """The moment before which a period ends: the end of a date or month; None for empty text.

    Raises:
        ArgumentTypeError: it is no such moment.
    """
    return _ends(text, now)[1]


def _ends(text: str, now: float | None) -> tuple[float | None, float | None]:
    """The first moment of what is named, and the first one after it; of a moment, it twice."""
    plain = text.strip().lower()
    if not plain:
        return None, None
    now = time.time() if now is None else now
    try:
        if ago := _AGO.fullmatch(plain):
            moment = now - float(ago[1]) * _SECONDS[ago[2]]
            datetime.fromtimestamp(moment)  # noqa: DTZ006  # far before the first year?
            return moment, moment
        first, after = _days(plain, datetime.fromtimestamp(now).date())  # noqa: DTZ006
        if first is None or after is None:
            moment = datetime.fromisoformat(plain.upper()).timestamp()
            return moment, moment
        return _midnight(first), _midnight(after)
    except (ValueError, OverflowError, OSError):
        raise ArgumentTypeError(
            f"{shown(text)!r} is no date or time; write for example {EXAMPLES}, "
            '"2026-11-21 14:30", today or yesterday'
        ) from None


def _days(plain: str, today: date) -> tuple[date | None, date | None]:
    """The first day of what is named and the first day after it; None for a time of day."""
    if plain in ("today", "yesterday"):
        day = today - timedelta(days=int(plain == "yesterday"))
        return day, day + timedelta(days=1)
    if found := _YEAR_OR_MONTH.fullmatch(plain):
        year, month = int(found[1]), int(found[2] or 1)
        first = date(year, month, 1)
        last_month = month if found[2] else 12
        return first, date(year + last_month // 12, last_month % 12 + 1, 1)
    if _DATE.fullmatch(plain):
        day = date.fromisoformat(plain)
        return day, day + timedelta(days=1)
    return None, None


def _midnight(day: date) -> float:
    """The local one: days are 23 or 25 hours long when clocks change."""
    return datetime(day.year, day.month, day.day).timestamp()  # noqa: DTZ001
