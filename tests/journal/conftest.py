"""An open journal, a clock that the test holds, and somebody who buys."""

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from decimal import Decimal
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from hailuo_mcp.domain.requests import Mode
from hailuo_mcp.domain.task import Status, Task, Unit
from hailuo_mcp.journal.facts import Capacity, Claimed, KeyTaken, Limits, OverBudget, Recorded
from hailuo_mcp.journal.store import Store

from .stores import STORES

ACCOUNT, OTHER = "sandbox a 1", "sandbox a 2"
LEASE, SUBMIT_LEASE = 30.0, 90.0


class Shop:
    """One process's view of a journal; several may share the file."""

    def __init__(self, journal: Store, owner: str = "me") -> None:
        self.journal = journal
        self.owner = owner
        self.now = 1_800_000_000.0
        self._number = count(1)

    def draft(self, **facts: Any) -> Task:
        number = next(self._number)
        task = Task(
            task_id=f"v{self.owner}{number:04}",
            account=ACCOUNT,
            provider="sandbox",
            caller="",
            status=Status.PENDING,
            created_at=self.now,
            updated_at=self.now,
            mode=Mode.T2V,
            model="m",
            identity=f"{self.owner} {number}",
            amount=Decimal(1),
            unit=Unit.CNY,
            owner=self.owner,
            due_at=self.now,
        )
        return replace(task, **facts)

    async def try_to_buy(
        self,
        *,
        cost: str = "1",
        budget: str | None = None,
        since: float = 0.0,
        rpm: int | None = None,
        **facts: Any,
    ) -> Recorded | OverBudget | KeyTaken:
        limits = Limits(
            rpm=rpm,
            budget=None if budget is None else Decimal(budget),
            since=since,
            lease=SUBMIT_LEASE,
        )
        draft = self.draft(**facts)
        return await self.journal.record(draft, Decimal(cost), limits, now=self.now)

    async def buy(self, **terms: Any) -> Task:
        found = await self.try_to_buy(**terms)
        assert isinstance(found, Recorded), found
        assert not found.reused
        return found.task

    async def asks_again(self, **terms: Any) -> Task | None:
        """The task that the purchase repeats; None where it is a new one."""
        found = await self.try_to_buy(**terms)
        assert isinstance(found, Recorded), found
        return found.task if found.reused else None

    async def claim(self, **terms: Any) -> Claimed:
        values: dict[str, Any] = {"rpm": None, "sends": 10, "steps": 10}
        return await self.journal.claim(
            [ACCOUNT],
            self.owner,
            Capacity(**{**values, **terms}, submit_lease=SUBMIT_LEASE, lease=LEASE),
            now=self.now,
        )

    async def becomes(self, task: Task, status: Status, **values: Any) -> Task:
        """What the worker writes after an answer."""
        free = {"owner": "", "lease_until": 0.0, "due_at": 0.0}
        changed = await self.journal.change(
            task.task_id, {**free, "status": status, **values}, now=self.now
        )
        assert changed is not None
        return changed

    async def read(self, task: Task) -> Task:
        found = await self.journal.find(task.task_id)
        assert found is not None
        return found


@pytest.fixture(params=STORES)
def make_store(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[], Store]:
    """Each is another process's, on the same journal."""
    return lambda: STORES[request.param](tmp_path)


@pytest.fixture
def arrive(make_store: Callable[[], Store]) -> Callable[[str], Awaitable[Shop]]:
    """Any number of processes, by their names."""

    async def begin(owner: str) -> Shop:
        shop = Shop(make_store(), owner)
        await shop.journal.open()
        for account in (ACCOUNT, OTHER):
            await shop.journal.register(
                owner, account=account, provider="sandbox", base_url="a", pid=1, now=shop.now
            )
        return shop

    return begin


@pytest.fixture
async def shop(arrive: Callable[[str], Awaitable[Shop]]) -> AsyncIterator[Shop]:
    opened = await arrive("me")
    yield opened
    await opened.journal.close()


@pytest.fixture
async def neighbour(arrive: Callable[[str], Awaitable[Shop]], shop: Shop) -> AsyncIterator[Shop]:
    """Another process on the same journal."""
    opened = await arrive("other")
    yield opened
    await opened.journal.close()
