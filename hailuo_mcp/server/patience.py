"""How long a client can be made to wait: by table, by setting, and by what it has shown."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator
from contextlib import contextmanager

import anyio

_NEXT_TIME = 0.7
_LEAST = 1.0


class Patience:
    """One memory for all of a process's sessions; clients are told apart by name."""

    def __init__(
        self,
        setting: float | None = None,
        *,
        answer: tuple[float, float] = (20.0, 60.0),
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.setting = setting
        """The operator's number, which replaces the table of clients."""
        self._answer = answer
        self._clock = clock
        self._shown: dict[str, float] = {}

    def limit(self, client: str, *, progress: bool) -> float:
        """Seconds for which this client may be kept waiting."""
        from hailuo_mcp.catalog import wait_limit

        table = self.setting if self.setting is not None else wait_limit(client, progress)
        return min(table, self._shown.get(client, table))

    def for_an_answer(self, client: str, *, progress: bool) -> float:
        """Seconds that a person gets for a question, while their client waits for the call."""
        least, most = self._answer
        return min(max(self.limit(client, progress=progress), least), most)

    @contextmanager
    def watch(self, client: str) -> Generator[None]:
        """Remember when a client gives up, so that it gets its next answer sooner."""
        began = self._clock()
        try:
            yield
        except anyio.get_cancelled_exc_class():
            after = max(_LEAST, _NEXT_TIME * (self._clock() - began))
            self._shown[client] = min(after, self._shown.get(client, after))
            raise
