"""What was said lately, so that who polls is not told again what is still true."""

from __future__ import annotations

import time
from collections.abc import Callable

_REMEMBERED = 120.0
"""Seconds: longer than anybody pauses between two polls. Whoever asks later is told everything:
an agent's context may have been cut, and over HTTP it may be another agent."""


class Told:
    """One memory for all of a process's sessions."""

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._last: dict[tuple[object, str], tuple[object, float]] = {}

    def already(self, asker: object, subject: str, facts: object) -> bool:
        """Whether these facts are what the asker heard last; from now on they are."""
        now = self._clock()
        self._last = {key: it for key, it in self._last.items() if now - it[1] < _REMEMBERED}
        known, _ = self._last.get((asker, subject), (None, now))
        self._last[asker, subject] = (facts, now)
        return known == facts
