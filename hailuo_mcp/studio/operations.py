"""What the process asks for itself, not for a caller: callbacks, clips to hand out, health."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from hailuo_mcp.domain import POLLED, Status, Task
from hailuo_mcp.studio.desk import Desk

MOST_HEARD = 20_000


class Operations:
    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    async def find(self, task_id: str) -> Task | None:
        return await self._desk.journal.find(task_id)

    async def by_callback(self, token: str) -> Task | None:
        """The task that was submitted with this callback token."""
        return await self._desk.journal.by_callback(token)

    def heard(self, task_id: str) -> None:
        """The provider has found this task's callback address: it need not be asked so often."""
        if len(self._desk.heard) >= MOST_HEARD:
            self._desk.heard.clear()  # they are asked a little more often, that is all
        self._desk.heard.add(task_id)

    async def look(self, task: Task, *, at: float) -> None:
        """Read this task's status at a time; sooner than planned, never later."""
        if task.status in POLLED and at < task.due_at:
            changed = await self._desk.journal.change(
                task.task_id, {"due_at": at}, now=self._desk.clock(), status_in=POLLED
            )
            if changed:
                self._desk.wake(None)

    async def clip(self, task_id: str) -> Path | None:
        """The saved file of a task, if it is still there."""
        task = await self._desk.journal.find(task_id)
        if task is None or task.task_id != task_id or not task.file:
            return None
        return Path(task.file)

    async def counts(self) -> Mapping[Status, int]:
        return await self._desk.journal.counts()

    async def reach_journal(self) -> None:
        """Raises JournalError where it cannot be read."""
        await self._desk.journal.data_version()

    async def reach_provider(self) -> None:
        """Ask the provider something free; raises what stands in the way of buying."""
        self._desk.client.need_key()
        await self._desk.client.check_key()

    def hurry(self) -> None:
        """The process is about to leave: whoever waits is answered with what is known now."""
        self._desk.changes.close()
