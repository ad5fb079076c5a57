"""Limits look-ups of ids that are not in the journal: they may belong to others."""

from __future__ import annotations

from collections import deque

from hailuo_mcp.errors import Do, RateLimitError, Step

LOOKUPS_PER_MINUTE = 6
_SECONDS = 60.0


class LookupLimit:
    """By caller, the times of look-ups of unknown ids in the last minute."""

    def __init__(self) -> None:
        self._asked: dict[str, deque[float]] = {}

    def count(self, caller: str, *, now: float) -> None:
        """Count one more look-up, found or not.

        Raises:
            RateLimitError: the limit for this minute is reached.
        """
        for name, asked in list(self._asked.items()):
            while asked and not 0 <= now - asked[0] < _SECONDS:  # a clock may have been set back
                asked.popleft()
            if not asked:
                del self._asked[name]
        asked = self._asked.setdefault(caller, deque())
        if len(asked) >= LOOKUPS_PER_MINUTE:
            wait = _SECONDS - (now - asked[0])
            raise RateLimitError(
                f"At most {LOOKUPS_PER_MINUTE} unknown ids can be looked up within a minute.",
                Step(Do.LIST_TASKS),
                Step(Do.REPEAT, f"{wait:.0f}"),
                retry_after=wait,
            )
        asked.append(now)
