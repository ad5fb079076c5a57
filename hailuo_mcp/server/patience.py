"""How long a client can be made to wait: by table, by setting, and by what it has shown."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import anyio

if TYPE_CHECKING:
    from hailuo_mcp.catalog.mcp_clients import Signs

_NEXT_TIME = 0.7
_NO_LESSON = 2.0
"""Seconds: whoever leaves earlier was stopped by its person, or asks twice at the same time."""
_REMEMBERED = 180.0
"""Seconds until a client that gave up is trusted again: its person may only have stopped it."""

Key = tuple[str, str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Asker:
    """Who waits for an answer."""

    signs: Signs
    """What the client shows of itself with this call."""
    caller: str = ""
    session: str = ""
    """Empty on stdio, where the process has one client, and where the protocol has no sessions."""

    @property
    def key(self) -> Key:
        """Those whose calls are one client's, as far as anybody can tell."""
        return (self.caller, self.signs.name, self.session)


class Patience:
    """One memory for all of a process's sessions."""

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
        self._shown: dict[Key, tuple[float, float]] = {}
        self._waiting: dict[tuple[Key, str], float] = {}

    def limit(self, asker: Asker) -> float:
        """Seconds for which this client may be kept waiting."""
        from hailuo_mcp.catalog.mcp_clients import wait_limit

        table = self.setting if self.setting is not None else wait_limit(asker.signs)
        return min(table, self._known(asker.key) or table)

    def _known(self, key: Key) -> float | None:
        """What it has shown lately."""
        after, at = self._shown.get(key, (0.0, 0.0))
        return after if after and self._clock() - at < _REMEMBERED else None

    def for_an_answer(self, asker: Asker) -> float:
        """Seconds that a person gets for a question, while their client waits for the call."""
        least, most = self._answer
        return min(max(self.limit(asker), least), most)

    @contextmanager
    def watch(self, asker: Asker, task_id: str = "") -> Generator[None]:
        """Remember when a client gives up, so that it gets its next answer sooner.

        It shows that by cancelling; the Python SDK before 2.0 tells nobody, and shows it only by
        asking for the same task again while its last call is still waiting here.
        """
        began = self._clock()
        waiting = (asker.key, task_id)
        if task_id and not asker.signs.modern:
            self._learn(asker.key, began - self._waiting.get(waiting, began))
        self._waiting[waiting] = began
        try:
            yield
        except anyio.get_cancelled_exc_class():
            self._learn(asker.key, self._clock() - began)
            raise
        finally:
            if self._waiting.get(waiting) == began:
                del self._waiting[waiting]

    def _learn(self, key: Key, waited: float) -> None:
        if waited < _NO_LESSON:
            return
        after, now = _NEXT_TIME * waited, self._clock()
        known = self._known(key)
        self._shown = {who: it for who, it in self._shown.items() if now - it[1] < _REMEMBERED}
        self._shown[key] = (min(after, known or after), now)
