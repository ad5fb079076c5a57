"""What every use case and the worker share: settings, the store, the client, the clock."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Protocol

from hailuo_mcp.catalog.prices import plan_rpm, plan_unit
from hailuo_mcp.client import HailuoClient
from hailuo_mcp.dialects.dialect import Provider
from hailuo_mcp.dialects.providers import dialect_of
from hailuo_mcp.domain import UNFINISHED, Film, Link, Mode, Phase, RemoteStatus, Status, Task, Unit
from hailuo_mcp.errors import Do, RemoteTaskNotFoundError, Step, TaskNotFoundError
from hailuo_mcp.files.folders import Folders
from hailuo_mcp.files.storage import Storage
from hailuo_mcp.journal.store import Limits, Losses, Store
from hailuo_mcp.studio.events import Changes, Wakeup
from hailuo_mcp.studio.lookup_limit import LookupLimit
from hailuo_mcp.studio.pictures import Pictures
from hailuo_mcp.studio.timing import InFlight, RenderTimes
from hailuo_mcp.telemetry.events import Event, log_event, tenant_name
from hailuo_mcp.telemetry.tracing import Span, span
from hailuo_mcp.text import shown
from hailuo_mcp.views import Spending, View

if TYPE_CHECKING:
    from hailuo_mcp.settings import Settings

SUBMIT_SECONDS = 60.0
"""The HTTP timeout of a paid request."""
SUBMIT_LEASE = SUBMIT_SECONDS + 30.0
"""Longer than the timeout, so that a submit is not declared lost while its owner still waits."""
_MOST_CONFIRMED = 20_000


class Uploads(Protocol):
    """Pictures that callers on other computers have uploaded."""

    async def find(self, upload_id: str) -> bytes | None:
        """The picture, if the current caller has sent it.

        Raises:
            InvalidRequestError: it cannot be read at the moment.
        """
        ...

    def invitation(self) -> str:
        """How the current caller can upload a picture; empty for a caller on this computer."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoteAccess:
    """What an HTTP server adds for callers on other computers; the defaults add nothing."""

    link: Callable[[Task | Film], Link | None] = lambda _made: None
    """The link to a saved clip or film for the current caller, if on another computer."""
    uploads: Uploads | None = None
    observe: Callable[[str, float], None] = lambda _what, _seconds: None
    """Called with durations: submit, poll, download, and the wait for the rate limit."""
    count: Callable[[str, str], None] = lambda _event, _tenant: None
    """Called with each event and the tenant that it is about, if any."""
    count_cost: Callable[[Unit, Decimal], None] = lambda _unit, _more: None
    """Called with what a clip cost more than quoted (below 0: less), by the provider's count."""
    callback_url: str = ""
    """Where providers reach this server; empty if it receives no callbacks."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wall:
    """A budget and its period."""

    budget: Decimal
    period: str


@dataclass(slots=True, kw_only=True)
class OwnSettings:
    """What tenants have of their own, for the worker, which works for all callers.

    One for a process. A tenant that was removed stays in it: its clips are still saved.
    """

    folders: dict[str, str] = field(default_factory=dict[str, str])
    """By caller: a full path, or one below the server's place for clips, separated by "/"."""
    rpm: dict[str, int] = field(default_factory=dict[str, int])
    """By caller."""
    account_rpm: dict[str, int | None] = field(default_factory=dict[str, int | None])
    """By account, where there are tenants."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class Context:
    """One account's parts, joined once and never replaced; or a tenant's view of them."""

    settings: Settings
    provider: Provider
    account: str
    """Provider, base URL and a fingerprint of the key, separated by spaces."""
    owner: str
    """This process, as the journal knows it."""
    store: Store
    client: HailuoClient
    folders: Folders
    storage: Storage
    """Where clips, input pictures and uploads are kept."""
    pictures: Pictures
    changes: Changes
    wakeup: Wakeup = field(default_factory=Wakeup)
    render_times: RenderTimes
    in_flight: InFlight
    lookup_limit: LookupLimit = field(default_factory=LookupLimit)
    callback_confirmed: set[str] = field(default_factory=set[str])
    """Ids of tasks whose callback address the provider has used: it will announce their end."""
    cancelling: set[str] = field(default_factory=set[str])
    """Ids of tasks that a call is cancelling at the provider."""
    tenant: str = ""
    """The caller whose settings these are; empty for the operator's."""
    shared_wall: Wall | None = None
    """A tenant's: the budget of all callers of the account, within which its own is."""
    own: OwnSettings = field(default_factory=OwnSettings)
    remote: RemoteAccess = RemoteAccess()
    clock: Callable[[], float] = time.time
    chance: Callable[[], float] = random.random
    """A random number in [0, 1), for jitter."""

    @property
    def base_url(self) -> str:
        return self.settings.address or "embedded"

    @property
    def unit(self) -> Unit:
        return plan_unit(self.settings.plan, self.provider.region)

    @property
    def rpm(self) -> int | None:
        """The account's submits per minute; None if there is no limit."""
        if self.account in self.own.account_rpm:
            return self.own.account_rpm[self.account]
        return self.settings.rpm or plan_rpm(self.settings.plan, self.provider.region)

    @property
    def period_start(self) -> float:
        return period_start(self.settings.budget_period, self.clock())

    @property
    def has_budget(self) -> bool:
        return self.settings.budget is not None or self.shared_wall is not None

    def limits(self) -> Limits:
        """The limits of a purchase at this moment."""
        budget, since, rpm = self.settings.budget, self.period_start, self.rpm
        if not self.tenant:
            return Limits(rpm=rpm, budget=budget, since=since, lease=SUBMIT_LEASE)
        wall = self.shared_wall
        return Limits(
            rpm=rpm,
            budget=wall.budget if wall else None,
            since=period_start(wall.period, self.clock()) if wall else 0.0,
            caller_budget=budget,
            caller_since=since,
            caller_rpm=self.own.rpm.get(self.tenant),
            lease=SUBMIT_LEASE,
        )

    def saves(self, task: Task) -> bool:
        """Whether its clip is saved as soon as it is ready; a film needs those of its shots."""
        return self.settings.auto_download or bool(task.film_id)

    def storage_of(self, caller: str) -> Storage:
        """Where this caller's clips go."""
        folder = self.own.folders.get(caller, "")
        return self.storage.below(folder) if folder else self.storage

    @property
    def losses(self) -> Losses | None:
        """What a damaged journal may have lost, until a person accepts it."""
        return self.store.losses

    @property
    def rescued(self) -> bool:
        """Whether the journal was found damaged when it was opened."""
        return self.store.rescued is not None

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

    def searches(self, task: Task) -> bool:
        """Whether this key's list of tasks at the provider would show such a task."""
        listing = dialect_of(self.provider, task.model).list_tasks(1)
        return listing is not None and task.account == self.account

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

    async def spending(self) -> Spending:
        """What was spent and what is left in the budget's period; a tenant's by that tenant."""
        caller = self.tenant or None
        sums = await self.store.sums(self.account, self.unit, self.period_start, caller=caller)
        budget = self.settings.budget
        lefts = [] if budget is None else [budget - sums.spent - sums.reserved]
        if wall := self.shared_wall:
            since = period_start(wall.period, self.clock())
            of_all = await self.store.sums(self.account, self.unit, since)
            lefts.append(wall.budget - of_all.spent - of_all.reserved)
        return Spending(
            provider=self.provider.name,
            unit=self.unit,
            period=self.settings.budget_period,
            spent=sums.spent,
            reserved=sums.reserved,
            uncertain=sums.uncertain,
            budget=budget,
            left=max(Decimal(0), min(lefts)) if lefts else None,
            others=sums.others,
        )

    async def view(self, task: Task, *, reused: bool = False, notes: tuple[str, ...] = ()) -> View:
        now = self.clock()
        eta = check = None
        if task.status in UNFINISHED and not task.waits:
            start = task.submitted_at or max(now, task.due_at)
            left = start + await self.render_times.typical(task) - now
            eta = round(left) if left >= 1 else None
            # Past its usual time, the end is unknown: look again soon, but not every second.
            check = min(60, max(5, round(left) if left > 0 else 15))
        searching = (
            task.status is Status.UNCONFIRMED
            and task.due_at > 0
            and not (task.remote_id or task.candidates)
            and self.searches(task)
        )
        if searching:
            check = min(60, max(5, round(task.due_at - now)))
        return View(
            task=task,
            now=now,
            searching=searching,
            losses=self.losses,
            reused=reused,
            notes=(*task.warnings, *notes),
            eta_seconds=eta,
            next_check_seconds=check,
            auto_download=self.saves(task),
            link=self.remote.link(task) if task.saved else None,
            of_tenant=bool(self.tenant),
        )

    def unknown_task(self, task_id: str) -> TaskNotFoundError:
        return TaskNotFoundError(
            f"There is no task {shown(task_id)!r}: neither the journal nor the provider in use "
            f"({self.provider.name}) knows this id.",
            Step(Do.LIST_TASKS),
        )


def period_start(period: str, now: float) -> float:
    """When the budget's period began, by the local clock."""
    if period == "total":
        return 0.0
    today = time.localtime(now)
    day = 1 if period == "month" else today.tm_mday
    # -1: daylight saving time may have changed since midnight
    return time.mktime((today.tm_year, today.tm_mon, day, 0, 0, 0, 0, 0, -1))
