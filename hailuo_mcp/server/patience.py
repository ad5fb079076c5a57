"""How long a client can be made to wait: by table, by setting, and by what it has shown."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator
from contextlib import contextmanager

import anyio

_NEXT_TIME = 0.7
_LEAST = 1.0
_REMEMBERED = 900.0
"""Seconds until a client that gave up is trusted again: its person may only have stopped it."""


class Patience:
    """One memory for all of a process's sessions, which are told apart by caller and client."""

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
        self._shown: dict[tuple[str, str], tuple[float, float]] = {}
        self._waiting: dict[tuple[str, str, str], float] = {}

    def limit(self, client: str, *, progress: bool, caller: str = "") -> float:
        """Seconds for which this client may be kept waiting."""
        from hailuo_mcp.catalog import wait_limit

        table = self.setting if self.setting is not None else wait_limit(client, progress=progress)
        return min(table, self._known(caller, client) or table)

    def _known(self, caller: str, client: str) -> float | None:
        """What it has shown lately."""
        after, at = self._shown.get((caller, client), (0.0, 0.0))
        return after if after and self._clock() - at < _REMEMBERED else None

    def for_an_answer(self, client: str, *, progress: bool) -> float:
        """Seconds that a person gets for a question, while their client waits for the call."""
        least, most = self._answer
        return min(max(self.limit(client, progress=progress), least), most)

    @contextmanager
    def watch(self, client: str, task_id: str = "", *, caller: str = "") -> Generator[None]:
        """Remember when a client gives up, so that it gets its next answer sooner.

        It shows that by cancelling; the Python SDK before 2.0 tells nobody, and shows it only by
        asking for the same task again while its last call is still waiting here.
        """
        began = self._clock()
        waiting = (caller, client, task_id)
        if task_id and began - (earlier := self._waiting.get(waiting, began)) >= _LEAST:
            self._learn(caller, client, began - earlier)
        self._waiting[waiting] = began
        try:
            yield
        except anyio.get_cancelled_exc_class():
            self._learn(caller, client, self._clock() - began)
            raise
        finally:
            if self._waiting.get(waiting) == began:
                del self._waiting[waiting]

    def _learn(self, caller: str, client: str, waited: float) -> None:
        after = max(_LEAST, _NEXT_TIME * waited)
        known = self._known(caller, client)
        self._shown[caller, client] = (min(after, known or after), self._clock())
