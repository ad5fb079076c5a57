"""How often a caller may ask for ids that this journal does not know: they may be others' ids."""

from __future__ import annotations

from collections import deque

from hailuo_mcp.errors import Do, RateLimitError, Step

LOOKUPS_PER_MINUTE = 6
_SECONDS = 60.0


class LookupLimit:
    """By caller, when they asked for an unknown id in the last minute."""

    def __init__(self) -> None:
        self._asked: dict[str, deque[float]] = {}

    def count(self, caller: str, *, now: float) -> None:
        """Count one more, found or not.

        Raises:
            RateLimitError: there were enough in this minute.
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
