"""How often a caller may ask for ids that this journal does not know: they may be others' ids."""

from __future__ import annotations

from collections import deque

from hailuo_mcp.errors import RateLimitError

MOST = 6
SECONDS = 60.0


class Guesses:
    """By caller, when they asked in the last minute."""

    def __init__(self) -> None:
        self._asked: dict[str, deque[float]] = {}

    def count(self, caller: str, *, now: float) -> None:
        """Count one more, found or not.

        Raises:
            RateLimitError: there were enough in this minute.
        """
        for name, asked in list(self._asked.items()):
            while asked and not 0 <= now - asked[0] < SECONDS:  # a clock may have been set back
                asked.popleft()
            if not asked:
                del self._asked[name]
        asked = self._asked.setdefault(caller, deque())
        if len(asked) >= MOST:
            wait = SECONDS - (now - asked[0])
            raise RateLimitError(
                f"{MOST} ids that this server does not know were asked for within a minute, and "
                f"no more are looked up for {wait:.0f} s. Nothing was charged. Take the ids that "
                "list_tasks shows, or ask for this one again then.",
                retry_after=wait,
            )
        asked.append(now)
