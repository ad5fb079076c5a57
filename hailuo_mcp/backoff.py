"""How long to wait before a retry."""

from __future__ import annotations


def backoff(tries: int, *, first: float, most: float, jitter: float = 0.5) -> float:
    """Seconds to wait after `tries` earlier waits: doubled each time, up to `most`.

    `jitter` in [0, 1) spreads those that failed together, by a quarter in either direction.
    """
    return float(min(most, first * 2.0 ** min(tries, 16)) * (0.75 + 0.5 * jitter))
