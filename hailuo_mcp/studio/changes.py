"""Waiting for news of a task, from this process or another one on the same journal."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Awaitable, Callable, Collection

import anyio

from hailuo_mcp.errors import JournalError

LOOK_SECONDS = 0.25
"""How often the journal is asked whether another process wrote, while somebody waits."""


class Changes:
    """A bell for each task that somebody waits for."""

    def __init__(self, stamp: Callable[[], Awaitable[int]]) -> None:
        self._stamp = stamp
        self._bells: defaultdict[str, list[anyio.Event]] = defaultdict(list)
        self._listeners: list[Callable[[str], None]] = []
        self._last = 0
        self.told = 0
        """Rises with every change of any task: the same number as before means no news."""
        self.closing = False
        """The process is leaving: whoever waits is to answer with what is known now."""

    def tell(self, task_id: str) -> None:
        """Something happened to this task."""
        self.told += 1
        self._ring(task_id)
        for listener in self._listeners:
            listener(task_id)

    def close(self) -> None:
        self.closing = True
        self._ring_all()

    def listen(self, listener: Callable[[str], None]) -> None:
        """Call this with the id of each task that changes in this process."""
        self._listeners.append(listener)

    async def wait(self, task_ids: Collection[str], seconds: float) -> None:
        """Return when one of them may have changed, or when the time is up."""
        bell = anyio.Event()
        for task_id in task_ids:
            self._bells[task_id].append(bell)
        try:
            with anyio.move_on_after(seconds):
                await bell.wait()
        finally:
            for task_id in task_ids:
                if bell in (rung := self._bells.get(task_id, [])):
                    rung.remove(bell)
                    if not rung:
                        del self._bells[task_id]

    async def watch(self) -> None:
        """Ring every bell when another process has written. Runs as long as the studio."""
        while True:
            await anyio.sleep(LOOK_SECONDS)
            if not self._bells:
                continue
            try:
                stamp = await self._stamp()
            except JournalError:
                continue  # whoever waits looks for himself now and then
            if stamp != self._last:
                self._last = stamp
                self.told += 1
                self._ring_all()

    def _ring_all(self) -> None:
        for task_id in list(self._bells):
            self._ring(task_id)

    def _ring(self, task_id: str) -> None:
        for bell in self._bells.pop(task_id, ()):
            bell.set()
