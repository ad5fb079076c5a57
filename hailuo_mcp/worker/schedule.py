"""When to ask how a task stands, and when to try to save its clip again."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median

from hailuo_mcp.backoff import backoff
from hailuo_mcp.errors import DownloadError, HailuoError
from hailuo_mcp.files.download import CorruptClipError
from hailuo_mcp.journal.store import RenderTime
from hailuo_mcp.studio.waiting import soonest, told_seconds

_OLD = ((7200.0, 600.0), (1200.0, 60.0), (600.0, 20.0))
"""(age, shortest interval): what is this late is asked about ever more rarely."""
MOST_READS = 50.0
"""A second, of all tasks together: each costs 3 ms of CPU time, and the provider's patience."""
GIVE_UP_SECONDS = 7 * 86_400.0
SAVE_TRIES = 10
"""For a trouble that another try does not cure by itself; and no fewer for any."""
SAVE_SECONDS = 7 * 86_400.0
"""For a trouble that may pass, such as no network: the clip is paid for, and asking is free."""
CORRUPT_SECONDS = 10.0
"""The first pause after a clip that is damaged at the provider; the ninth is 43 minutes. It is
fetched whole each time, and what helps is that somebody puts it right there."""


def next_poll(
    *,
    now: float,
    submitted_at: float,
    render_times: Sequence[RenderTime],
    usual: float,
    poll_seconds: float,
    told: bool,
    in_flight: int = 1,
) -> float:
    """The time of the next status read. `usual` is what the catalogue says of such clips.

    Learned kinds are first asked about when the fastest of them was ready, then in steps that
    are small against the whole; unknown ones from half of their usual time at the latest.
    The more are `under_way`, the rarer each is asked about, from a few hundred on.
    With a callback (`told`) polling only goes on underneath, in case none comes.
    """
    submitted_at = min(submitted_at, now)  # a clock may have been set back
    age = now - submitted_at
    typical = median(span.most for span in render_times) if render_times else usual
    if told:
        return max(submitted_at + 2 * typical, now + told_seconds(poll_seconds))
    if first := soonest(render_times, usual):
        latest = 1.25 * max(span.most for span in render_times)
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
    interval = max(interval, in_flight / MOST_READS)
    return now + max([interval, *(least for past, least in _OLD if age > past)])


def save_again(
    trouble: HailuoError, *, tries: int, age: float, own: bool, jitter: float
) -> float | None:
    """Seconds until a clip that could not be saved is tried again; None: not by itself.

    `age`: how long it has been ready. `own`: it was bought with this key.
    """
    first, most = 2.0, 900.0
    if isinstance(trouble, CorruptClipError):
        again = tries < SAVE_TRIES
        first, most = CORRUPT_SECONDS, 3600.0
    elif isinstance(trouble, DownloadError):
        again = trouble.retry and (age < SAVE_SECONDS or tries < SAVE_TRIES)
    else:  # the provider's no to the question for a link: perhaps another key's task
        again = tries < SAVE_TRIES or not own
    return backoff(tries - 1, first=first, most=most, jitter=jitter) if again else None
