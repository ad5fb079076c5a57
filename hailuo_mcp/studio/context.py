"""What every use case and the worker share: what reading needs, the client, the storage."""

from __future__ import annotations

import random
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass, field

from hailuo_mcp.client import HailuoClient
from hailuo_mcp.domain.remote import Link, Phase, RemoteStatus
from hailuo_mcp.domain.requests import Mode
from hailuo_mcp.domain.task import Task
from hailuo_mcp.errors import RemoteTaskNotFoundError
from hailuo_mcp.files.folders import Folders
from hailuo_mcp.files.storage import Storage
from hailuo_mcp.studio.events import Changes, Wakeup
from hailuo_mcp.studio.lookup_limit import LookupLimit
from hailuo_mcp.studio.pictures import Pictures
from hailuo_mcp.studio.reader import Reader
from hailuo_mcp.studio.timing import InFlight
from hailuo_mcp.telemetry.events import Event, log_event, tenant_name
from hailuo_mcp.telemetry.tracing import Span, span

_MOST_CONFIRMED = 20_000


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class Context(Reader):
    """One account's parts, joined once and never replaced; or a tenant's view of them."""

    client: HailuoClient
    folders: Folders
    storage: Storage
    """Where clips, input pictures and uploads are kept."""
    pictures: Pictures
    changes: Changes
    wakeup: Wakeup = field(default_factory=Wakeup)
    in_flight: InFlight
    lookup_limit: LookupLimit = field(default_factory=LookupLimit)
    callback_confirmed: set[str] = field(default_factory=set[str])
    """Ids of tasks whose callback address the provider has used: it will announce their end."""
    cancelling: set[str] = field(default_factory=set[str])
    """Ids of tasks that a call is cancelling at the provider."""
    posters: dict[tuple[str, str], bytes] = field(default_factory=dict[tuple[str, str], bytes])
    """Small pictures of clips that were asked for last, by the clip's id and file."""
    chance: Callable[[], float] = random.random
    """A random number in [0, 1), for jitter."""

    def storage_of(self, caller: str) -> Storage:
        """Where this caller's clips go."""
        folder = self.own.folders.get(caller, "")
        return self.storage.below(folder) if folder else self.storage

    def report(self, event: Event, task: Task | None = None, **facts: object) -> None:
        """Log and count what happened; for a task, with the seconds since it was recorded."""
        if task is not None:
            facts["seconds"] = round(max(0.0, self.clock() - task.created_at), 3)
            facts["tenant"] = tenant_name(task.caller)
        log_event(event, task, **facts)
        self.remote.count(event, str(facts.get("tenant", "")))

    @contextmanager
    def step(self, name: str, task: Task) -> Generator[Span]:
        """Trace one step of a task's life, as a part of its purchase."""
        with span(
            name,
            task.traceparent,
            task_id=task.task_id,
            provider=task.provider,
            model=task.model,
            tenant=tenant_name(task.caller),
        ) as started:
            yield started

    def expects_callback(self, task: Task) -> bool:
        """Whether the provider has, or will be given, an address of this process for the task."""
        return bool(
            task.callback_token and self.remote.callback_url and self.client.capabilities.callback
        )

    def confirm_callback(self, task_id: str) -> None:
        """The provider has used this task's callback address: it needs fewer polls."""
        if len(self.callback_confirmed) >= _MOST_CONFIRMED:
            self.callback_confirmed.clear()  # those tasks are polled a little more often
        self.callback_confirmed.add(task_id)

    async def read_status(self, task: Task) -> RemoteStatus:
        """Poll the task's status, by its second id if the first is not found."""
        template = task.mode is Mode.TEMPLATE
        try:
            return await self.client.query(task.remote_id, template=template, model=task.model)
        except RemoteTaskNotFoundError:
            if not task.remote_alias:
                raise
            return await self.client.query(task.remote_alias, template=template, model=task.model)

    async def ask_link(self, task: Task, *, fresh: bool) -> Link:
        """Where the clip can be downloaded; if `fresh`, by a new link."""
        known = RemoteStatus(
            phase=Phase.SUCCEEDED,
            word=task.remote_status,
            file_id=task.file_id,
            url=task.url,
            url_expires_at=task.url_expires_at,
        )
        if fresh and not task.file_id:  # such a link comes only with the status
            known = await self.read_status(task)
        return await self.client.link(known)
