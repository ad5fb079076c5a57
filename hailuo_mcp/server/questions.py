"""Questions that a client answers with a new call, or never."""

from __future__ import annotations

import time
from collections.abc import Callable

_OPEN_SECONDS = 600.0
"""As long as the SDK takes an answer."""


class Questions:
    """Those that are open, of all of a process's sessions."""

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._asked: dict[tuple[object, str], float] = {}

    def may_be_put(self, asker: object, question: str) -> bool:
        """Note that it is put; False where the client comes back without an answer to it.

        What a client cannot show, or cannot answer, is not put to it again.
        """
        now = self._clock()
        self._asked = {key: at for key, at in self._asked.items() if now - at < _OPEN_SECONDS}
        if self._asked.pop((asker, question), None) is not None:
            return False
        self._asked[asker, question] = now
        return True

    def answered(self, asker: object, question: str) -> None:
        self._asked.pop((asker, question), None)
