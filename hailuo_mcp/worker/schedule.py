"""When to ask how a task stands: few questions, and one of them soon after it is done."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median

from hailuo_mcp.journal import Span
from hailuo_mcp.studio.waiting import soonest, told_seconds

_OLD = ((7200.0, 600.0), (1200.0, 60.0), (600.0, 20.0))
"""(age, shortest interval): what is this late is asked about ever more rarely."""
MOST_READS = 50.0
"""A second, of all tasks together: each costs 3 ms of CPU time, and the provider's patience."""
GIVE_UP_SECONDS = 7 * 86_400.0


def next_poll(
    *,
    now: float,
    submitted_at: float,
    spans: Sequence[Span],
    usual: float,
    poll_seconds: float,
    told: bool,
    under_way: int = 1,
) -> float:
    """The time of the next status read. `usual` is what the catalogue says of such clips.

    Learned kinds are first asked about when the fastest of them was ready, then in steps that
    are small against the whole; unknown ones from half of their usual time at the latest.
    The more are `under_way`, the rarer each is asked about, from a few hundred on.
    With a callback (`told`) polling only goes on underneath, in case none comes.
    """
    submitted_at = min(submitted_at, now)  # a clock may have been set back
    age = now - submitted_at
    typical = median(span.most for span in spans) if spans else usual
    if told:
        return max(submitted_at + 2 * typical, now + told_seconds(poll_seconds))
    if first := soonest(spans, usual):
        latest = 1.25 * max(span.most for span in spans)
        aims: tuple[float, ...] = (first,)
        apart = 0.05 * first
    else:
        # Once early, in case it is a fast one; again where most may be ready, and from then on in
        # steps that are small against the time that it has taken already.
        first = min(0.5 * typical, 3 * poll_seconds)
        aims = (first, 1.5 * first)
        latest = 2 * typical
        apart = age / 12
    for aim in aims:
        if age < aim:
            return max(submitted_at + aim, now + 0.2 * poll_seconds)
    interval = min(poll_seconds, max(0.2 * poll_seconds, apart)) if age <= latest else poll_seconds
    interval = max(interval, under_way / MOST_READS)
    return now + max([interval, *(least for past, least in _OLD if age > past)])


def backoff(tries: int, *, first: float, most: float, jitter: float) -> float:
    """Seconds until the next try; `jitter` in [0, 1) spreads those that failed together."""
    return float(min(most, first * 2.0 ** min(tries, 16)) * (0.75 + 0.5 * jitter))
