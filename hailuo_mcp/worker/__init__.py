"""What goes on without a caller: send what is due, poll, save, and take over from the dead."""

from __future__ import annotations

import logging
import random
from collections.abc import Callable
from contextlib import suppress

import anyio
import anyio.to_thread
from anyio.abc import TaskGroup

from hailuo_mcp.domain import Status, Task
from hailuo_mcp.errors import JournalError
from hailuo_mcp.journal.store import Capacity
from hailuo_mcp.studio.desk import SUBMIT_LEASE, Desk
from hailuo_mcp.worker.polling import Follower
from hailuo_mcp.worker.processes import ProcessLocks
from hailuo_mcp.worker.submitting import send

__all__ = ["ProcessLocks", "Worker"]

_log = logging.getLogger(__name__)

LEASE = 30.0
"""Seconds that a poll or a save is held; renewed at a third of that."""
MOST_SENDS = 32
MOST_STEPS = 64
STEPS_AT_ONCE = 8
"""Begun at one look: a caller's answer waits for as many turns of the event loop."""
BUSY_SECONDS = 2.0
"""How often to look for what a vanished process left, while anything is unfinished."""
IDLE_SECONDS = 10.0
TOGETHER_SECONDS = 0.03
"""What happens within this time is looked at once: a thousand clips ring often."""
SWEEP_SECONDS = 600.0
"""How often pictures that no task needs any more are looked for."""
GOODBYE_SECONDS = 1.8
"""How long leaving waits for the answer of a submit; clients kill two seconds after asking."""


class Worker:
    """Owned by the process, not by a request: a caller that leaves takes nothing along."""

    def __init__(
        self, desk: Desk, processes: ProcessLocks, *, chance: Callable[[], float] = random.random
    ) -> None:
        self._desk = desk
        self._processes = processes
        self._follower = Follower(desk, chance)
        self._bell = anyio.Event()
        self._jobs: TaskGroup | None = None
        self._early: list[Task] = []
        """To be sent as soon as run() has started."""
        self._sending: set[str] = set()
        self._sent: set[tuple[str, int]] = set()
        """Every attempt that this process has begun: none is begun twice, whoever hands it over."""
        self._idle = anyio.Event()
        """Nothing is being sent; only finish() waits for it."""
        self._held: set[str] = set()
        self._accounts: list[str] = [desk.account]
        self._looked_around = float("-inf")
        self._swept = float("-inf")
        self._closing = False
        self._ended = False
        """Nothing can be begun any more; what is handed over now is put back."""

    def wake(self, task: Task | None) -> None:
        """Send this task now if it is ours to send; otherwise look at the journal."""
        if task and task.status is Status.SUBMITTING:
            self._start_send(task)
        self._bell.set()

    async def run(self) -> None:
        try:
            async with anyio.create_task_group() as jobs:
                self._jobs = jobs
                while self._early:
                    jobs.start_soon(self._send, self._early.pop())
                jobs.start_soon(self._desk.changes.watch)
                jobs.start_soon(self._renew)
                await self._keep_looking(jobs)
        finally:
            self._ended = True

    async def _keep_looking(self, jobs: TaskGroup) -> None:
        while True:
            self._bell = anyio.Event()
            try:
                pause = await self._look(jobs)
            except (JournalError, OSError) as exc:  # the folders of the state, too
                _log.warning("%s", exc)
                pause = BUSY_SECONDS
            with anyio.move_on_after(pause):
                await self._bell.wait()
                await anyio.sleep(TOGETHER_SECONDS)

    async def finish(self) -> None:
        """Start nothing new; wait a moment for the answer of what was just sent."""
        self._closing = True
        await self.put_back_unsent()
        with anyio.move_on_after(GOODBYE_SECONDS):
            while self._sending:
                self._idle = anyio.Event()
                await self._idle.wait()

    async def put_back_unsent(self) -> None:
        """What was written down and not begun is another process's to send."""
        with suppress(JournalError):
            for task in await self._desk.journal.submitting(self._desk.owner):
                if (task.task_id, task.attempt) not in self._sent:
                    await self._put_back(task)

    async def _look(self, jobs: TaskGroup) -> float:
        """Start what is due. Returns how long to rest."""
        desk = self._desk
        now = desk.clock()
        if self._closing:
            return IDLE_SECONDS
        if not 0 <= now - self._looked_around < BUSY_SECONDS:
            await self._look_around(now)
        claimed = await desk.journal.claim(
            self._accounts,
            desk.owner,
            Capacity(
                rpm=desk.rpm,
                sends=MOST_SENDS - len(self._sending),
                steps=min(STEPS_AT_ONCE, MOST_STEPS - len(self._held)),
                submit_lease=SUBMIT_LEASE,
                lease=LEASE,
            ),
            now=now,
        )
        for task in claimed.sends:
            self._start_send(task)
        for task in claimed.steps:
            # Its lease may have lapsed while this process slept; the claim has renewed it.
            if task.task_id not in self._held:
                self._held.add(task.task_id)
                jobs.start_soon(self._step, task)
        if claimed.next_at is None:
            return IDLE_SECONDS
        if claimed.sends or claimed.steps:
            return TOGETHER_SECONDS  # there may be more than fitted
        full = len(self._held) >= MOST_STEPS or len(self._sending) >= MOST_SENDS
        return BUSY_SECONDS if full else min(BUSY_SECONDS, max(0.02, claimed.next_at - now))

    async def _look_around(self, now: float) -> None:
        """Find processes that are gone, and another key's work that nobody does."""
        desk = self._desk
        self._looked_around = now
        owners = await desk.journal.owners()
        dead = self._processes.dead(owners)
        for task_id in await desk.journal.recover(dead, now=now):
            desk.changes.tell(task_id)
        alive = [owner for owner in owners if owner not in dead]
        others = await desk.journal.unattended_accounts(
            desk.account, desk.provider.name, desk.base_url, alive
        )
        self._accounts = [desk.account, *others]
        for task in await desk.journal.submitting(desk.owner):
            # Written down by a caller who was cancelled before they could hand it over.
            self._start_send(task)
        if not 0 <= now - self._swept < SWEEP_SECONDS:
            self._swept = now
            in_use = await desk.journal.pictures_in_use()
            await anyio.to_thread.run_sync(desk.pictures.sweep, in_use)
            await desk.journal.back_up(now)

    def _start_send(self, task: Task) -> None:
        attempt = (task.task_id, task.attempt)
        if attempt not in self._sent and not self._ended:
            self._sent.add(attempt)
            self._sending.add(task.task_id)
            if self._jobs is None:
                self._early.append(task)
            else:
                self._jobs.start_soon(self._send, task)

    async def _send(self, task: Task) -> None:
        try:
            if self._closing:
                await self._put_back(task)
            else:
                await send(self._desk, task)
        except Exception:  # noqa: BLE001  # the job boundary
            # A bug here must not end the other jobs. The lease runs out and the task becomes
            # `unconfirmed`, which is the truth.
            _log.exception("sending %s ended unexpectedly", task.task_id)
        finally:
            self._sending.discard(task.task_id)
            self._idle.set()
            self._bell.set()

    async def _put_back(self, task: Task) -> None:
        """Certainly not sent: another process sends it, or nobody does."""
        await self._desk.journal.change(
            task.task_id,
            {"status": Status.PENDING, "lease_until": 0.0},
            now=self._desk.clock(),
            status_in=(Status.SUBMITTING,),
            attempt=task.attempt,
        )

    async def _step(self, task: Task) -> None:
        try:
            await self._follower.step(task)
        except Exception:  # noqa: BLE001  # the job boundary
            _log.exception("a step of %s ended unexpectedly", task.task_id)
        finally:
            self._held.discard(task.task_id)
            self._bell.set()

    async def _renew(self) -> None:
        while True:
            await anyio.sleep(LEASE / 3)
            now = self._desk.clock()
            try:
                for held, length in ((self._held, LEASE), (self._sending, SUBMIT_LEASE)):
                    if held:
                        await self._desk.journal.renew(
                            self._desk.owner, tuple(held), until=now + length
                        )
            except JournalError as exc:
                _log.warning("%s", exc)
