"""How long clips take to render, and when to poll them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress

from hailuo_mcp.catalog import video_models
from hailuo_mcp.dialects.dialect import Provider
from hailuo_mcp.domain.task import Task
from hailuo_mcp.errors import JournalError
from hailuo_mcp.journal.facts import RenderTime
from hailuo_mcp.journal.store import Store

ENOUGH = 3
"""Finished tasks of a kind from which its render time counts as learned."""
_WIDEST = 2.0
"""A render time whose uncertainty exceeds this many times the usual one is ignored."""
_IN_FLIGHT_SECONDS = 2.0

Clock = Callable[[], float]


class RenderTimes:
    """How long clips took lately, by kind. Answers of the journal are kept for some seconds."""

    def __init__(self, store: Store, provider: Provider, clock: Clock) -> None:
        self._store = store
        self._provider = provider
        self._clock = clock
        self._known: dict[tuple[object, ...], tuple[float, list[RenderTime]]] = {}

    async def recent(self, task: Task) -> list[RenderTime]:
        """The render times of tasks of this kind; the first few are read without delay."""
        kind = (task.provider, task.model, task.resolution, task.duration)
        asked, times = self._known.get(kind, (0.0, []))
        known_for = 30.0 if len(times) >= ENOUGH else 1.0
        if not 0 <= self._clock() - asked < known_for:
            try:
                found = await self._store.render_times(*kind)
            except JournalError:
                return times  # a failed estimate must not fail its caller
            # Found ready the next morning: that says when somebody looked, not how long it took.
            widest = _WIDEST * self.published(task)
            times = [time for time in found if time.most - time.least <= widest]
            self._known[kind] = (self._clock(), times)
        return times

    async def typical(self, task: Task) -> float:
        """Seconds from submit to success: measured by this journal, else published."""
        if times := await self.recent(task):
            from statistics import median

            return median(time.most for time in times)
        return self.published(task)

    def published(self, task: Task) -> float:
        """Seconds that such a clip takes, according to the provider or the catalogue."""
        if self._provider.usual_seconds is not None:
            return self._provider.usual_seconds
        return video_models.usual_seconds(task.model, task.resolution, task.duration)


class InFlight:
    """How many clips of this account are in flight, in all processes; a few seconds old."""

    def __init__(self, store: Store, account: str, clock: Clock) -> None:
        self._store = store
        self._account = account
        self._clock = clock
        self._asked = 0.0
        self._count = 0

    async def count(self) -> int:
        if not 0 <= self._clock() - self._asked < _IN_FLIGHT_SECONDS:
            with suppress(JournalError):  # an old number is good enough
                self._count = await self._store.in_flight(self._account)
            self._asked = self._clock()
        return self._count


def earliest_ready(times: Sequence[RenderTime], published: float) -> float | None:
    """The age at which to poll such a clip first; None if too few were seen.

    A clip that was ready at its first poll was never seen unfinished: its kind may be faster than
    known, but hardly twice as fast; if it is, the next ones are polled even earlier. The age never
    exceeds the `published` time: a slow day must not hide the fast ones after it.
    """
    if len(times) < ENOUGH:
        return None
    learned = max(min(time.least for time in times), 0.5 * min(time.most for time in times))
    return min(learned, published)


def callback_poll_seconds(poll_seconds: float) -> float:
    """The interval for a task whose end the provider announces: a safety net."""
    return max(60.0, 3 * poll_seconds)
