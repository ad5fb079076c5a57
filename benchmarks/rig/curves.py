"""Curves of a long run: whether one of them grows without end, and how it looks in a terminal."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import linear_regression, median

FLAT, GROWS, CAPPED, LEAK = "flat", "grows with", "at most", "LEAK"
_BARS = "▁▂▃▄▅▆▇█"
_FEWEST = 6
"""Samples in the second half from which there is a verdict."""
_DEARER = 1.25
"""So much more for each purchase in the second half is more than chance."""


@dataclass(frozen=True, slots=True)
class Rule:
    """How a figure may grow."""

    name: str
    about: str
    unit: str = ""
    share: float = 0.05
    """Of its own size: what a flat curve may rise by in the second half of the run."""
    least: float = 0.0
    """The same in its unit, where a share of little is nothing."""
    with_: str = ""
    """The figure that it grows with; empty: with nothing."""
    each: float = 0.0
    """How many there may be for each of those, where that is known; else no more than before."""
    most: float = 0.0
    """Its cap, where it may grow up to one."""


@dataclass(frozen=True, slots=True)
class Verdict:
    word: str
    slope: float
    """Per hour, in the second half."""
    note: str = ""

    @property
    def is_leak(self) -> bool:
        return self.word == LEAK


def judge(
    rule: Rule, hours: Sequence[float], values: Sequence[float], cause: Sequence[float] = ()
) -> Verdict:
    """What the second half of the curve says; the first is for caches to fill.

    A flat curve may swing, and rise once when the load does: it leaks only if the line through it
    rises, and its low points from each third of that half to the next.
    """
    half = len(values) // 2
    late, at = list(values[half:]), list(hours[half:])
    if len(late) < _FEWEST or at[-1] <= at[0]:
        return Verdict("too short", 0.0)
    slope = linear_regression(at, late).slope
    if rule.most:
        note = f"{rule.most:,.0f}"
        return Verdict(LEAK if max(values) > rule.most else CAPPED, slope, note)
    if rule.with_:
        rates = _rate(values[: half + 1], cause[: half + 1]), _rate(late, cause[half:])
        room = rule.each or max(rates[0] * _DEARER, rates[0] + rule.least)
        leaks = rates[1] > room
        return Verdict(LEAK if leaks else GROWS, slope, rule.with_)
    room = max(rule.share * abs(median(late)), rule.least)
    size = len(late) // 3
    low, then, last = min(late[:size]), min(late[size : 2 * size]), min(late[2 * size :])
    goes_on = then - low > room / 4 and last - then > room / 4
    rises = slope * (at[-1] - at[0]) > room and goes_on
    return Verdict(LEAK if rises else FLAT, slope)


def _rate(values: Sequence[float], cause: Sequence[float]) -> float:
    """How much more of it there is for each one more of its cause."""
    more = cause[-1] - cause[0]
    return (values[-1] - values[0]) / more if more > 0 else 0.0


def sparkline(values: Sequence[float], width: int = 48) -> str:
    """The curve in one line, from 0 to its highest."""
    top = max(values, default=0.0) or 1.0
    width = min(width, len(values))
    cuts = [round(n * len(values) / width) for n in range(width + 1)] if width else []
    parts = [values[low:high] for low, high in pairwise(cuts)]
    return "".join(_BARS[round(max(part) / top * (len(_BARS) - 1))] for part in parts)
