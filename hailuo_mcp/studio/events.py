"""How the parts of one process notify each other: of tasks that changed, of work to do."""

from __future__ import annotations

from collections.abc import Callable, Collection

import anyio

from hailuo_mcp.domain.task import Task
from hailuo_mcp.journal.store import Store


class Changes:
    """Wakes callers that wait for a task when it may have changed."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._waiting: dict[anyio.Event, Collection[str]] = {}
        self._listeners: list[Callable[[str], None]] = []
        self._wanted: list[Callable[[], bool]] = []
        self.count = 0
        """Rises with every change of any task: an equal number means no change."""
        self._watching = False
        self.closing = False
        """The process is closing: waiting calls answer with what is known now."""

    def announce(self, task_id: str) -> None:
        """Announce a change of this task."""
        self.count += 1
        for event, task_ids in self._waiting.items():
            if task_id in task_ids:
                event.set()
        for listener in self._listeners:
            listener(task_id)

    def close(self) -> None:
        """Let every waiting call answer now."""
        self.closing = True
        self._wake_all()

    def listen(
        self, listener: Callable[[str], None], wanted: Callable[[], bool] = lambda: False
    ) -> None:
        """Call this with the id of each task that changes; "" means some task, in another process.

        `wanted`: whether others' changes must be looked for now, where the store does not tell.
        """
        self._listeners.append(listener)
        self._wanted.append(wanted)

    async def wait(self, task_ids: Collection[str], seconds: float) -> None:
        """Return when one of them may have changed, or when the time is up."""
        event = anyio.Event()
        self._waiting[event] = task_ids
        try:
            with anyio.move_on_after(seconds):
                await event.wait()
        finally:
            del self._waiting[event]

    async def watch(self) -> None:
        """Announce what other processes write. Runs as long as the studio.

        Of several workers in a process, the first one's does it for all.
        """
        if self._watching:
            return
        self._watching = True
        await self._store.watch(self._announce_from_elsewhere, self._is_wanted)

    def _is_wanted(self) -> bool:
        return bool(self._waiting) or any(wanted() for wanted in self._wanted)

    def _announce_from_elsewhere(self, task_id: str) -> None:
        if task_id:
            self.announce(task_id)
        else:
            self.count += 1
            self._wake_all()
            for listener in self._listeners:
                listener("")

    def _wake_all(self) -> None:
        for event in self._waiting:
            event.set()


class Wakeup:
    """Wakes the worker, and hands it the tasks that this process has to send."""

    def __init__(self) -> None:
        self._event = anyio.Event()
        self._tasks: list[Task] = []

    def notify(self, task: Task | None = None) -> None:
        """There is work in the journal; `task` is new and can be sent without looking there."""
        if task is not None:
            self._tasks.append(task)
        self._event.set()

    async def wait(self) -> list[Task]:
        """Wait for a call of notify() and return the tasks that came with it."""
        await self._event.wait()
        self._event = anyio.Event()
        tasks, self._tasks = self._tasks, []
        return tasks
