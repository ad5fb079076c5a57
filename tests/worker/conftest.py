"""A studio without a worker: a real journal, and a client that a test scripts."""

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import anyio
import pytest

from hailuo_mcp.bootstrap import join, open_client
from hailuo_mcp.domain.remote import (
    Capabilities,
    Link,
    RemoteStatus,
    RemoteTask,
    RemoteTasks,
    Submitted,
)
from hailuo_mcp.domain.requests import Mode
from hailuo_mcp.domain.task import Status, Task
from hailuo_mcp.errors import JournalError
from hailuo_mcp.journal import make_store
from hailuo_mcp.journal.facts import Limits, Recorded
from hailuo_mcp.journal.store import Store
from hailuo_mcp.settings import Settings
from hailuo_mcp.studio.context import Context

FAILURE = JournalError("The disk is full. Nothing was sent or charged.")


class FailingStore:
    """Passes everything on to a store, and fails as often as a test says, by the method's name."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.failures: dict[str, int] = {}

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._store, name)

        async def call(*args: Any, **more: Any) -> Any:
            if self.failures.get(name, 0) > 0:
                self.failures[name] -= 1
                raise FAILURE
            return await found(*args, **more)

        return call if callable(found) else found


class Client:
    """Answers in the order that a test gives; an exception is raised."""

    capabilities = Capabilities(modes=frozenset(Mode))

    def __init__(self) -> None:
        self.answers: list[Submitted | Exception | Callable[[], Awaitable[Submitted]]] = []
        self.sent = 0
        self.leaves = True
        self.unreachable: anyio.Event | None = None
        """Set when a request waits for its connection, which never comes."""
        self.states: list[RemoteStatus | Exception | Callable[[], Awaitable[RemoteStatus]]] = []
        self.asked: list[str] = []
        self.no_link: Exception | None = None
        self.listed: list[RemoteTask] | Exception = []
        """The provider's list of tasks."""
        self.page_size = 20
        self.pages = 0
        """How many pages of it were read."""

    async def newest(self, *, model: str, page: int = 1) -> RemoteTasks:
        assert model
        self.pages += 1
        if isinstance(self.listed, Exception):
            raise self.listed
        newest = sorted(self.listed, key=lambda one: -one.created_at)
        shown = newest[(page - 1) * self.page_size : page * self.page_size]
        return RemoteTasks(tasks=tuple(shown), total=len(newest))

    async def query(
        self, remote_id: str, *, template: bool = False, model: str = ""
    ) -> RemoteStatus:
        self.asked.append(remote_id)
        state = self.states.pop(0)
        if isinstance(state, Exception):
            raise state
        return state if isinstance(state, RemoteStatus) else await state()

    async def link(self, _status: RemoteStatus) -> Link:
        if self.no_link is not None:
            raise self.no_link
        return Link(url="http://127.0.0.1:9/clip.mp4")

    def stream(self, *_args: Any, **_more: Any) -> Any:
        raise AssertionError("nothing is fetched in these tests")

    async def send(
        self, _request: Any, *, callback_url: str = "", leaving: Callable[[], None]
    ) -> Submitted:
        del callback_url
        self.sent += 1
        if self.unreachable:
            self.unreachable.set()
            await anyio.sleep_forever()
        if self.leaves:
            leaving()
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer if isinstance(answer, Submitted) else await answer()


class Bench:
    """A studio, a clock that the test holds, and pauses that take no time."""

    def __init__(self, tmp_path: Path) -> None:
        settings = Settings.from_env(
            {
                "HAILUO_PROVIDER": "sandbox",
                "HAILUO_BASE_URL": "http://127.0.0.1:9",
                "HAILUO_STATE_DIR": str(tmp_path / "state"),
                "HAILUO_OUTPUT_DIR": str(tmp_path / "clips"),
            }
        )
        self.now = 1_800_000_000.0
        self.journal: Any = FailingStore(make_store(settings))
        self.client = Client()
        client = open_client(settings)
        studio = join(settings, self.journal, client, "1-bench", lambda: self.now)
        scripted: Any = self.client
        self.context: Context = replace(studio, client=scripted, chance=lambda: 0.5)
        self.paused: list[float] = []

    async def sleep(self, seconds: float) -> None:
        self.paused.append(seconds)

    async def bought(self, **facts: Any) -> Task:
        """A task that is this process's to send."""
        draft = Task(
            task_id=f"v{self.now:.0f}",
            account=self.context.account,
            provider="sandbox",
            caller="",
            status=Status.PENDING,
            created_at=self.now,
            updated_at=self.now,
            mode=Mode.T2V,
            model="m",
            request='{"model": "m", "prompt": "a cat"}',
            identity="a cat",
            amount=Decimal(2),
            owner=self.context.owner,
        )
        limits = Limits(rpm=None, budget=None, since=0.0, lease=90.0)
        found = await self.journal.record(replace(draft, **facts), Decimal(2), limits, now=self.now)
        assert isinstance(found, Recorded)
        return found.task

    async def held(self, **facts: Any) -> Task:
        """A task that is at the provider and whose next step is this process's."""
        task = await self.bought()
        values = {
            "status": Status.RUNNING,
            "remote_id": "77",
            "submitted_at": self.now,
            "due_at": self.now,
            "lease_until": self.now + 30,
        }
        changed = await self.journal.change(task.task_id, {**values, **facts}, now=self.now)
        assert changed is not None
        return changed

    async def read(self, task: Task) -> Task:
        found = await self.journal.find(task.task_id)
        assert found is not None
        return found


@pytest.fixture
async def bench(tmp_path: Path) -> AsyncIterator[Bench]:
    made = Bench(tmp_path)
    await made.journal.open()
    await made.journal.register(
        made.context.owner,
        account=made.context.account,
        provider="sandbox",
        base_url=made.context.base_url,
        pid=1,
        now=made.now,
    )
    yield made
    await made.journal.close()
