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
        self._waiting: dict[tuple[str, str], float] = {}

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
    def watch(self, client: str, task_id: str = "") -> Generator[None]:
        """Remember when a client gives up, so that it gets its next answer sooner.

        It shows that by cancelling; the Python SDK before 2.0 tells nobody, and shows it only by
        asking for the same task again while its last call is still waiting here.
        """
        began = self._clock()
        waiting = (client, task_id)
        if task_id and began - (earlier := self._waiting.get(waiting, began)) >= _LEAST:
            self._learn(client, began - earlier)
        self._waiting[waiting] = began
        try:
            yield
        except anyio.get_cancelled_exc_class():
            self._learn(client, self._clock() - began)
            raise
        finally:
            if self._waiting.get(waiting) == began:
                del self._waiting[waiting]

    def _learn(self, client: str, waited: float) -> None:
        after = max(_LEAST, _NEXT_TIME * waited)
        self._shown[client] = min(after, self._shown.get(client, after))
