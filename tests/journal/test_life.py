"""The whole life of tasks as a state machine: two processes, a provider, crashes and a bad clock.

The model is not a second journal. It is the provider's truth, which attempt reached it and which
it took, and the journal is held to what follows from that.
"""

import asyncio
import tempfile
from collections import Counter
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from hailuo_mcp.domain.film import Film
from hailuo_mcp.domain.requests import Mode
from hailuo_mcp.domain.task import POLLED, Money, Status, Task, Unit
from hailuo_mcp.journal.facts import Capacity, Limits, OverBudget, Recorded
from hailuo_mcp.journal.store import Store
from hailuo_mcp.worker.submitting import record_outcome

from .stores import STORES

ACCOUNT, BUDGET, RPM = "a", Decimal(10), 3
CALLERS = ("", "ann", "bob")
MONEY = {
    Status.SUCCEEDED: Money.SPENT,
    Status.FAILED: Money.RELEASED,
    Status.CANCELLED: Money.RELEASED,
}
SIDES = st.integers(0, 1)
ANY = st.integers(0, 1000)


@dataclass
class Process:
    owner: str
    journal: Store
    sending: list[Task] = field(default_factory=list)
    """Sent, and the answer is still to come."""
    working: list[Task] = field(default_factory=list)
    """Claimed for a poll."""


class Life(RuleBasedStateMachine):
    store = ""
    """Which of STORES keeps the tasks."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.loop = asyncio.new_event_loop()
        self.now, self.number = 1_800_000_000.0, 0
        self.dead: list[str] = []
        self.sent: set[tuple[str, int]] = set()
        self.refused: set[tuple[str, int]] = set()
        """Attempts that the provider certainly did not take."""
        self.taken: dict[str, Decimal] = {}
        """task_id to cost: what the provider bills."""
        self.received: set[str] = set()
        self.settled: set[str] = set()
        self.processes = [self._process(), self._process()]

    def teardown(self) -> None:
        for process in self.processes:
            self._do(process.journal.close())
        self.loop.close()
        self.folder.cleanup()

    def _do(self, work: Any) -> Any:
        return self.loop.run_until_complete(work)

    def _process(self) -> Process:
        self.number += 1
        journal = STORES[self.store](Path(self.folder.name))
        self._do(journal.open())
        self._do(
            journal.register(
                f"p{self.number}",
                account=ACCOUNT,
                provider="p",
                base_url="b",
                pid=self.number,
                now=self.now,
            )
        )
        return Process(f"p{self.number}", journal)

    def _leaves(self, process: Process, task: Task) -> None:
        """The request goes out. No attempt may ever do so twice, no task while one may be taken."""
        attempt = (task.task_id, task.attempt)
        assert attempt not in self.sent, f"{attempt} was sent twice"
        for earlier in range(1, task.attempt):
            assert (task.task_id, earlier) in self.refused, f"{attempt} follows an unsure one"
        self.sent.add(attempt)
        process.sending.append(task)

    # ── what happens ──────────────────────────────────────────────────────────────────────────

    @rule(side=SIDES, identity=st.integers(0, 4), cost=st.sampled_from(["0.7", "2", "3.5"]))
    def somebody_buys(self, side: int, identity: int, cost: str) -> None:
        self.number += 1
        process = self.processes[side]
        draft = Task(
            task_id=f"v{self.number}",
            account=ACCOUNT,
            provider="p",
            caller=CALLERS[identity % 3],
            status=Status.PENDING,
            created_at=self.now,
            updated_at=self.now,
            mode=Mode.T2V,
            model="m",
            identity=f"{identity}",
            amount=Decimal(cost),
            owner=process.owner,
            due_at=self.now,
        )
        limits = Limits(rpm=RPM, budget=BUDGET, since=0.0, lease=90.0)
        before = self._tasks()
        found = self._do(process.journal.record(draft, Decimal(cost), limits, now=self.now))
        same = [
            task
            for task in before
            if task.identity == draft.identity
            and (not task.status.is_final)
            and (task.status is not Status.UNCONFIRMED or self.now - task.created_at < 86_400)
        ]
        if isinstance(found, Recorded) and not found.reused:
            assert not same, "bought although the same is under way"
            if found.task.status is Status.SUBMITTING:
                self._leaves(process, found.task)
        elif isinstance(found, OverBudget):
            assert found.spent + found.reserved + Decimal(cost) > BUDGET

    @rule(side=SIDES, cost=st.sampled_from(["0.7", "2"]), again=st.booleans())
    def somebody_makes_a_film_of_two_shots(self, side: int, cost: str, again: bool) -> None:
        """Whole or not at all, and once."""
        self.number += 2
        process, name = self.processes[side], f"f{self.number}"
        shots = [
            Task(
                task_id=f"v{self.number + place}",
                account=ACCOUNT,
                provider="p",
                caller="",
                status=Status.PENDING,
                created_at=self.now,
                updated_at=self.now,
                mode=Mode.T2V,
                model="m",
                identity=f"{name} {place}",
                amount=Decimal(cost),
                owner=process.owner,
                shot=place + 1,
            )
            for place in (0, 1)
        ]
        self.number += 1
        film = Film(
            **dict.fromkeys(("film_id", "identity"), name),
            account=ACCOUNT,
            provider="p",
            caller="",
            created_at=self.now,
            updated_at=self.now,
        )
        limits = Limits(rpm=RPM, budget=BUDGET, since=0.0, lease=90.0)
        self._do(process.journal.plan_film(film, now=self.now))
        for _ in range(1 + again):
            drafts = [(shot, Decimal(cost)) for shot in shots]
            found = self._do(process.journal.make_film(film, drafts, limits, now=self.now))
        made = self._do(process.journal.film_tasks(name))
        if isinstance(found, OverBudget):
            assert found.spent + found.reserved + 2 * Decimal(cost) > BUDGET
        assert len(made) == (0 if isinstance(found, OverBudget) else 2)
        assert (found is None) == (again and not isinstance(found, OverBudget))

    @rule(side=SIDES)
    def a_process_looks_for_work(self, side: int) -> None:
        process = self.processes[side]
        claimed = self._do(
            process.journal.claim(
                [ACCOUNT],
                process.owner,
                Capacity(rpm=RPM, sends=5, steps=5, submit_lease=90.0, lease=30.0),
                now=self.now,
            )
        )
        for task in claimed.sends:
            self._leaves(process, task)
        process.working += claimed.steps

    @precondition(lambda self: any(process.sending for process in self.processes))
    @rule(
        side=SIDES,
        which=ANY,
        end=st.sampled_from(["taken", "taken, unheard", "lost on the way", "refused", "too fast"]),
    )
    def the_provider_answers(self, side: int, which: int, end: str) -> None:
        process = self.processes[side]
        if not process.sending:
            return
        task = process.sending.pop(which % len(process.sending))
        if end.startswith("taken"):
            self.received.add(task.task_id)
            self.taken[task.task_id] = task.amount or Decimal(0)
        elif end != "lost on the way":
            self.refused.add((task.task_id, task.attempt))
        outcome: dict[str, object] = {
            "taken": {
                "status": Status.QUEUED,
                "remote_id": f"r{task.task_id}",
                "submitted_at": self.now,
                "due_at": self.now + 5,
            },
            "refused": {"status": Status.FAILED, "due_at": 0.0},
            "too fast": {"status": Status.PENDING, "refused_at": self.now, "due_at": self.now + 3},
        }.get(end, {"status": Status.UNCONFIRMED, "due_at": 0.0})
        context: Any = SimpleNamespace(
            store=process.journal,
            account=ACCOUNT,
            clock=lambda: self.now,
            searches=lambda _: True,
        )
        self._do(record_outcome(context, task, outcome))

    @rule(side=SIDES, which=ANY, end=st.sampled_from(["running", "succeeded", "failed"]))
    def a_poll_is_answered(self, side: int, which: int, end: str) -> None:
        process = self.processes[side]
        if not process.working:
            return
        task = process.working.pop(which % len(process.working))
        changed = self._do(
            process.journal.change(
                task.task_id,
                {
                    "status": Status(end),
                    "owner": "",
                    "lease_until": 0.0,
                    "due_at": self.now + 5 if end == "running" else 0.0,
                },
                now=self.now,
                held_by=process.owner,
                status_in=POLLED,
            )
        )
        if changed and end == "failed":
            self.taken.pop(task.task_id, None)

    @rule(side=SIDES)
    def a_process_is_killed_and_another_starts(self, side: int) -> None:
        gone = self.processes[side]
        # What was in the air may still arrive; the next rule of the provider will not hear of it.
        for task in gone.sending[::2]:
            self.received.add(task.task_id)
            self.taken[task.task_id] = task.amount or Decimal(0)
        self._do(gone.journal.close())
        self.dead.append(gone.owner)
        self.processes[side] = self._process()

    @rule(side=SIDES)
    def a_process_takes_over_from_the_dead(self, side: int) -> None:
        self._do(self.processes[side].journal.recover(self.dead, now=self.now))

    @rule(seconds=st.sampled_from([1.0, 31.0, 61.0, 91.0, 601.0, 3601.0, 90_000.0, -5.0, -4000.0]))
    def time_passes_or_the_clock_is_set(self, seconds: float) -> None:
        self.now += seconds

    @rule(which=ANY)
    def somebody_cancels(self, which: int) -> None:
        tasks = self._tasks()
        if not tasks:
            return
        task = tasks[which % len(tasks)]
        self._do(
            self.processes[0].journal.change(
                task.task_id,
                {"status": Status.CANCELLED, "due_at": 0.0},
                now=self.now,
                status_in=(Status.PENDING,),
            )
        )

    @rule(which=ANY, with_id=st.booleans())
    def a_person_settles_by_the_bill(self, which: int, with_id: bool) -> None:
        flying = {task.task_id for process in self.processes for task in process.sending}
        open_ones = [
            task
            for task in self._tasks()
            if task.status is Status.UNCONFIRMED and task.task_id not in flying
        ]
        if not open_ones:
            return
        task = open_ones[which % len(open_ones)]
        values: dict[str, object] = {"status": Status.FAILED, "money": Money.RELEASED}
        if task.task_id in self.taken and with_id:
            values = {
                "status": Status.QUEUED,
                "remote_id": f"r{task.task_id}",
                "due_at": self.now,
            }
        elif task.task_id in self.taken:
            values["money"] = Money.SPENT
        self.settled.add(task.task_id)
        changed = self._do(
            self.processes[0].journal.change(
                task.task_id, values, now=self.now, status_in=(Status.UNCONFIRMED,)
            )
        )
        assert changed is not None

    # ── what always holds ─────────────────────────────────────────────────────────────────────

    def _tasks(self) -> list[Task]:
        return list(self._do(self.processes[0].journal.newest(limit=10_000)))

    @invariant()
    def all_is_well(self) -> None:
        """One look for everything: to ask the store is what a step costs."""
        self._do(self._look())

    async def _look(self) -> None:
        tasks = list(await self.processes[0].journal.newest(limit=10_000))
        self._money_fits_the_status(tasks)
        await self._the_running_totals_are_those_of_the_tasks(tasks)
        self._what_was_taken_is_never_called_free(tasks)
        self._the_difference_to_the_bill_is_what_never_arrived(tasks)

    def _money_fits_the_status(self, tasks: list[Task]) -> None:
        for task in tasks:
            if task.task_id not in self.settled:
                assert task.money is MONEY.get(task.status, Money.RESERVED), task

    async def _the_running_totals_are_those_of_the_tasks(self, tasks: list[Task]) -> None:
        journal = self.processes[1].journal
        for caller in (None, "ann"):
            own = [task for task in tasks if caller in (None, task.caller)]
            counted = Counter(task.status for task in own)
            assert await journal.counts(caller=caller) == counted
            for since in (0.0, self.now - 1000, self.now - 90_000.5):
                sums = await journal.sums(ACCOUNT, Unit.CNY, since, caller=caller)
                held = [(t, t.amount or Decimal(0)) for t in own if t.created_at >= since]
                assert sums.spent == sum(
                    (cost for task, cost in held if task.money is Money.SPENT), Decimal(0)
                )
                assert sums.reserved == sum(
                    (cost for task, cost in held if task.money is Money.RESERVED), Decimal(0)
                )
                assert sums.uncertain == sum(
                    (cost for task, cost in held if task.status is Status.UNCONFIRMED), Decimal(0)
                )
                assert sums.spent + sums.reserved <= BUDGET

    def _what_was_taken_is_never_called_free(self, tasks: list[Task]) -> None:
        for task in tasks:
            if task.task_id in self.taken:
                assert task.money in (Money.RESERVED, Money.SPENT), task
                assert task.status not in (Status.PENDING, Status.CANCELLED), task

    def _the_difference_to_the_bill_is_what_never_arrived(self, tasks: list[Task]) -> None:
        reserved_amount = [
            task.amount or Decimal(0)
            for task in tasks
            if task.money in (Money.RESERVED, Money.SPENT)
        ]
        never = [
            task.amount or Decimal(0)
            for task in tasks
            if task.money is Money.RESERVED and task.task_id not in self.taken
        ]
        bill = sum(self.taken.values(), Decimal(0))
        assert sum(reserved_amount, Decimal(0)) - bill == sum(never, Decimal(0))


EXAMPLES = {"sqlite": 18, "postgres": 7}
"""A step costs four times as much in a database on its own; its statements are the same ones."""


@pytest.mark.slow
@pytest.mark.parametrize("store", STORES)
def test_life(store: str) -> None:
    run_state_machine_as_test(
        type("LifeOf", (Life,), {"store": store}),
        settings=settings(max_examples=EXAMPLES[store], stateful_step_count=50),
    )
