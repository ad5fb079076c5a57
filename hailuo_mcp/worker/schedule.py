"""When to poll a task, and when to retry saving its clip."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from hailuo_mcp.backoff import backoff
from hailuo_mcp.domain.task import Task
from hailuo_mcp.errors import DownloadError, HailuoError
from hailuo_mcp.files.download import CorruptClipError
from hailuo_mcp.journal.facts import RenderTime
from hailuo_mcp.studio.context import Context
from hailuo_mcp.studio.timing import callback_poll_seconds, earliest_ready

_OLD = ((7200.0, 600.0), (1200.0, 60.0), (600.0, 20.0))
"""(age, shortest interval): the later a clip is, the more rarely it is polled."""
MOST_READS = 50.0
"""Polls a second for all tasks: each costs 3 ms of CPU time, and part of a rate limit."""
GIVE_UP_SECONDS = 7 * 86_400.0
SAVE_TRIES = 10
"""The fewest tries for any error; the most for one that does not pass by itself."""
SAVE_SECONDS = 7 * 86_400.0
"""How long to retry after an error that may pass, such as no network: the clip is paid for."""
CORRUPT_SECONDS = 10.0
"""The first pause after a clip that is damaged at the provider; the ninth is 43 minutes. Each try
downloads it whole, and it helps only once the provider has repaired it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PollSchedule:
    """When a task of one kind is polled."""

    render_times: Sequence[RenderTime]
    published: float
    """Seconds that such a clip takes, according to the catalogue."""
    poll_seconds: float
    callback: bool
    """The provider announces the end; polling is only a safety net."""

    def next_poll(self, now: float, submitted_at: float, in_flight: int = 1) -> float:
        """The time of the next status read.

        Learned kinds are first asked about when the fastest of them was ready, then in steps that
        are small against the whole; unknown ones from half of their usual time at the latest.
        From a few hundred clips `in_flight` on, each is polled more rarely.
        """
        times, poll_seconds = self.render_times, self.poll_seconds
        submitted_at = min(submitted_at, now)  # a clock may have been set back
        age = now - submitted_at
        typical = median(time.most for time in times) if times else self.published
        if self.callback:
            return max(submitted_at + 2 * typical, now + callback_poll_seconds(poll_seconds))
        if first := earliest_ready(times, self.published):
            latest = 1.25 * max(time.most for time in times)
            aims: tuple[float, ...] = (first,)
            step = 0.05 * first
        else:
            # Once early, in case it is a fast one; again where most may be ready, and from then on
            # in steps that are small against the time that it has taken already.
            first = min(0.5 * typical, 3 * poll_seconds)
            aims = (first, 1.5 * first)
            latest = 2 * typical
            step = age / 12
        for aim in aims:
            if age < aim:
                return max(submitted_at + aim, now + 0.2 * poll_seconds)
        interval = min(poll_seconds, max(0.2 * poll_seconds, step))
        interval = max(interval if age <= latest else poll_seconds, in_flight / MOST_READS)
        return now + max([interval, *(least for past, least in _OLD if age > past)])


async def poll_schedule(context: Context, task: Task) -> PollSchedule:
    return PollSchedule(
        render_times=await context.render_times.recent(task),
        published=context.render_times.published(task),
        poll_seconds=context.settings.poll_seconds,
        callback=context.expects_callback(task),
    )


def retry_save_after(
    trouble: HailuoError, *, tries: int, age: float, own: bool, jitter: float
) -> float | None:
    """Seconds until a clip that could not be saved is tried again; None: not automatically.

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
