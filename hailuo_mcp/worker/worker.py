"""The worker: submit what is due, search, poll, save, take over from dead processes."""

from __future__ import annotations

import logging
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from functools import partial

import anyio
from anyio.abc import TaskGroup

from hailuo_mcp.domain.task import POLLED, Status, Task
from hailuo_mcp.errors import JournalError
from hailuo_mcp.journal.facts import Capacity
from hailuo_mcp.studio.context import Context
from hailuo_mcp.studio.reader import SUBMIT_LEASE
from hailuo_mcp.telemetry.events import Event
from hailuo_mcp.worker.filming import advance
from hailuo_mcp.worker.polling import poll
from hailuo_mcp.worker.saving import save_clip
from hailuo_mcp.worker.searching import search
from hailuo_mcp.worker.submitting import submit

_log = logging.getLogger(__name__)

LEASE = 30.0
"""Seconds of the lease for a poll or a save; renewed after a third of that."""
MOST_SUBMITS = 32
MOST_STEPS = 64
STEPS_AT_ONCE = 8
"""Started in one batch: a caller waits for as many turns of the event loop."""
MOST_DOWNLOADS = 8
"""At once: each needs about a megabyte, and more would share the same network."""
BUSY_SECONDS = 2.0
"""How often to look for a dead process's work, while anything is unfinished."""
IDLE_SECONDS = 10.0
BATCH_SECONDS = 0.03
"""Events within this time form one batch: a thousand clips wake the worker often."""
SWEEP_SECONDS = 600.0
"""How often to delete pictures that no task needs any more."""
BEGUN_SECONDS = 3600.0
"""How long an attempt is remembered at least: far longer than anybody takes to hand a task over."""
CLOSE_SECONDS = 1.8
"""How long closing waits for a submit's response; clients kill the server after two seconds."""

Job = Callable[[], Awaitable[None]]


class Worker:
    """Owned by the process, not by a request: a caller that leaves stops nothing."""

    def __init__(self, context: Context, *, keeps_house: bool = True) -> None:
        """`keeps_house`: it deletes pictures and makes backups, which one of a process does."""
        self._context = context
        self._keeps_house = keeps_house
        self._due = anyio.Event()
        """There may be something to do in the journal."""
        self._submitting: set[str] = set()
        self._begun: dict[tuple[str, int], float] = {}
        """When each attempt was started that could be started again, which it must not be."""
        self._idle = anyio.Event()
        """Nothing is being submitted; only close() waits for it."""
        self._held: set[str] = set()
        self._downloads = anyio.Semaphore(MOST_DOWNLOADS)
        self._accounts: list[str] = [context.account]
        self._recovered_at = float("-inf")
        self._swept_at = float("-inf")
        self._lost_at: float | None = None
        """Since when the journal cannot be used; None while it can."""
        self._ended: set[str] = set()
        """Dead processes that were reported; some have tasks for ten more minutes."""
        self._closing = False

    @asynccontextmanager
    async def running(self) -> AsyncGenerator[None]:
        """Work until the block is left, then wait briefly for the response to a submit."""
        trouble: Exception | None = None
        async with anyio.create_task_group() as jobs:
            jobs.start_soon(self._context.changes.watch)
            jobs.start_soon(self._renew_leases)
            jobs.start_soon(self._keep_looking, jobs)
            jobs.start_soon(self._take_new_tasks, jobs)
            try:
                yield
            except Exception as exc:  # noqa: BLE001  # raised below: the group would wrap it
                trouble = exc
            finally:
                with anyio.CancelScope(shield=True):
                    await self.close()
                jobs.cancel_scope.cancel()
        with anyio.CancelScope(shield=True):
            await self.return_unsent()
        if trouble is not None:
            raise trouble

    async def _take_new_tasks(self, jobs: TaskGroup) -> None:
        while True:
            for task in await self._context.wakeup.wait():
                if task.status is Status.SUBMITTING:
                    self._start_submit(jobs, task)
            self._due.set()

    async def close(self) -> None:
        """Start nothing new; wait briefly for the response to a submit."""
        self._closing = True
        await self.return_unsent()
        with anyio.move_on_after(CLOSE_SECONDS):
            while self._submitting:
                self._idle = anyio.Event()
                await self._idle.wait()

    async def return_unsent(self) -> None:
        """Another process sends what was recorded but not started here."""
        with suppress(JournalError):
            for task in await self._context.store.submitting(self._context.owner):
                if (task.task_id, task.attempt) not in self._begun:
                    await self._return_to_queue(task)

    async def _keep_looking(self, jobs: TaskGroup) -> None:
        while True:
            self._due = anyio.Event()
            try:
                pause = await self._look(jobs)
            except (JournalError, OSError) as exc:  # the folders of the state, too
                self._lose_journal(exc)
                pause = BUSY_SECONDS
            else:
                self._regain_journal()
            with anyio.move_on_after(pause):
                await self._due.wait()
                await anyio.sleep(BATCH_SECONDS)

    async def _look(self, jobs: TaskGroup) -> float:
        """Start what is due. Returns how long to sleep."""
        context = self._context
        now = context.clock()
        if self._closing:
            return IDLE_SECONDS
        if not 0 <= now - self._recovered_at < BUSY_SECONDS:
            await self._recover(jobs, now)
            now = context.clock()  # the journal may have kept us waiting
        claimed = await context.store.claim(
            self._accounts,
            context.owner,
            Capacity(
                rpm=context.rpm,
                caller_rpm=context.own.rpm,
                sends=MOST_SUBMITS - len(self._submitting),
                steps=min(STEPS_AT_ONCE, MOST_STEPS - len(self._held)),
                submit_lease=SUBMIT_LEASE,
                lease=LEASE,
            ),
            now=now,
        )
        for task in claimed.sends:
            self._start_submit(jobs, task)
        for task in claimed.steps:
            self._start_step(jobs, task.task_id, partial(self._step, task))
        for film in claimed.films:
            self._start_step(jobs, film.film_id, partial(advance, self._context, film))
        if claimed.next_at is None:
            return IDLE_SECONDS
        if claimed.sends or claimed.steps or claimed.films:
            return BATCH_SECONDS  # there may be more than one batch
        full = len(self._held) >= MOST_STEPS or len(self._submitting) >= MOST_SUBMITS
        return BUSY_SECONDS if full else min(BUSY_SECONDS, max(0.02, claimed.next_at - now))

    async def _recover(self, jobs: TaskGroup, now: float) -> None:
        """Find dead processes, and another key's work without a process."""
        context, store = self._context, self._context.store
        self._recovered_at = now
        owners = await store.owners()
        dead = await store.dead(owners)
        changed = await store.recover(dead, now=self._context.clock())
        for task_id in changed:
            context.changes.announce(task_id)
        if changed or not self._ended.issuperset(dead):
            self._ended = set(dead)
            context.report(
                Event.TAKEN_OVER,
                owners=len(dead),
                changed=len(changed),
                tasks=changed[:MOST_SUBMITS],
            )
        alive = [owner for owner in owners if owner not in dead]
        others = await store.unattended_accounts(
            context.account, context.provider.name, context.base_url, alive
        )
        self._accounts = [context.account, *others]
        for task in (unsent := await store.submitting(context.owner)):
            # Recorded by a caller who was cancelled before handing it over.
            self._start_submit(jobs, task)
        self._forget_begun({(task.task_id, task.attempt) for task in unsent}, now)
        if self._keeps_house and not 0 <= now - self._swept_at < SWEEP_SECONDS:
            self._swept_at = now
            in_use = await store.pictures_in_use(now=now)
            await context.pictures.sweep(in_use)
            await context.storage.sweep(now)
            await store.back_up(now)

    def _start_submit(self, jobs: TaskGroup, task: Task) -> None:
        attempt = (task.task_id, task.attempt)
        if attempt not in self._begun:
            self._begun[attempt] = self._context.clock()
            self._submitting.add(task.task_id)
            jobs.start_soon(self._job, task.task_id, partial(self._submit, task), self._submitting)

    def _forget_begun(self, unsent: set[tuple[str, int]], now: float) -> None:
        """Forget attempts that nobody can hand over again: old, and recorded as answered.

        One whose answer could not be recorded is `unsent` in the journal, and stays.
        """
        for attempt, begun in list(self._begun.items()):
            may_come_again = attempt in unsent or attempt[0] in self._submitting
            if now - begun >= BEGUN_SECONDS and not may_come_again:
                del self._begun[attempt]

    def _start_step(self, jobs: TaskGroup, held_id: str, step: Job) -> None:
        """Work on a task or a film whose lease this process holds."""
        # The lease may have lapsed while this process slept; the claim has renewed it.
        if held_id not in self._held:
            self._held.add(held_id)
            jobs.start_soon(self._job, held_id, step, self._held)

    async def _job(self, its_id: str, work: Job, busy: set[str]) -> None:
        """A bug here must not end the other jobs.

        The lease runs out, and a task that was being sent becomes `unconfirmed`: the truth.
        """
        try:
            await work()
        except JournalError as exc:  # the step is repeated when the lease has run out
            _log.warning("work on %s stopped: %s", its_id, exc)
        except Exception:  # noqa: BLE001  # the job boundary
            _log.exception("work on %s ended unexpectedly", its_id)
        finally:
            busy.discard(its_id)
            self._idle.set()
            self._due.set()

    async def _submit(self, task: Task) -> None:
        if self._closing:
            await self._return_to_queue(task)
        else:
            await submit(self._context, task)

    async def _return_to_queue(self, task: Task) -> None:
        """Certainly not sent: another process may send it."""
        await self._context.store.change(
            task.task_id,
            {"status": Status.PENDING, "lease_until": 0.0},
            now=self._context.clock(),
            status_in=(Status.SUBMITTING,),
            attempt=task.attempt,
        )

    async def _step(self, task: Task) -> None:
        """Do one due step of a task whose lease this process holds: search, poll, save."""
        ready: Task | None = task
        if task.status is Status.UNCONFIRMED:
            ready = None
            await search(self._context, task)
        elif task.status in POLLED:
            ready = await poll(self._context, task)
        if ready is not None and ready.status is Status.SUCCEEDED:
            async with self._downloads:
                await save_clip(self._context, ready)

    async def _renew_leases(self) -> None:
        context = self._context
        while True:
            await anyio.sleep(LEASE / 3)
            now = context.clock()
            try:
                for held, length in ((self._held, LEASE), (self._submitting, SUBMIT_LEASE)):
                    if held:
                        await context.store.renew(context.owner, tuple(held), until=now + length)
            except JournalError as exc:
                self._lose_journal(exc)

    def _lose_journal(self, exc: JournalError | OSError) -> None:
        """Say it once, however often it is tried again."""
        if self._lost_at is None:
            self._lost_at = self._context.clock()
            ours = exc if isinstance(exc, JournalError) else JournalError(exc.strerror or "")
            self._context.report(Event.DATABASE_LOST, code=ours.code, why=ours.what)

    def _regain_journal(self) -> None:
        if self._lost_at is not None:
            seconds = round(max(0.0, self._context.clock() - self._lost_at), 1)
            self._lost_at = None
            self._context.report(Event.DATABASE_BACK, seconds=seconds)
