"""What reading the journal needs: settings, the provider, the store, the clock.

A command that only looks opens a Reader: it loads neither the client nor the worker. Every Context
is a Reader as well.
"""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Protocol

from hailuo_mcp.catalog.prices import plan_rpm, plan_unit
from hailuo_mcp.dialects.providers import PROVIDERS
from hailuo_mcp.domain.film import Film
from hailuo_mcp.domain.remote import Link
from hailuo_mcp.domain.task import UNFINISHED, Status, Task, Unit
from hailuo_mcp.errors import Do, Step, TaskNotFoundError
from hailuo_mcp.files.private import close_to_others
from hailuo_mcp.journal import make_store
from hailuo_mcp.journal.facts import Limits
from hailuo_mcp.studio.timing import RenderTimes
from hailuo_mcp.text import shown
from hailuo_mcp.views import Spending, View

if TYPE_CHECKING:
    from hailuo_mcp.dialects.dialect import Provider
    from hailuo_mcp.journal.facts import Losses
    from hailuo_mcp.journal.store import Store
    from hailuo_mcp.settings import Settings

SUBMIT_SECONDS = 60.0
"""The HTTP timeout of a paid request."""
SUBMIT_LEASE = SUBMIT_SECONDS + 30.0
"""Longer than the timeout, so that a submit is not declared lost while its owner still waits."""


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
    play: Callable[[Task | Film], Link | None] = lambda _made: None
    """The link from which a page plays a saved clip or film, also on this computer."""
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
class Reader:
    """One account's parts, joined once and never replaced; or a tenant's view of them."""

    settings: Settings
    provider: Provider
    account: str
    """Provider, base URL and a fingerprint of the key, separated by spaces."""
    owner: str
    """This process, as the journal knows it; empty for one that only reads."""
    store: Store
    render_times: RenderTimes
    tenant: str = ""
    """The caller whose settings these are; empty for the operator's."""
    shared_wall: Wall | None = None
    """A tenant's: the budget of all callers of the account, within which its own is."""
    own: OwnSettings = field(default_factory=OwnSettings)
    remote: RemoteAccess = RemoteAccess()
    clock: Callable[[], float] = time.time

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

    @property
    def losses(self) -> Losses | None:
        """What a damaged journal may have lost, until a person accepts it."""
        return self.store.losses

    @property
    def rescued(self) -> bool:
        """Whether the journal was found damaged when it was opened."""
        return self.store.rescued is not None

    def searches(self, task: Task) -> bool:
        """Whether this key's list of tasks at the provider would show such a task."""
        from hailuo_mcp.dialects.dialect_of import dialect_of

        listing = dialect_of(self.provider, task.model).list_tasks(1)
        return listing is not None and task.account == self.account

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


@asynccontextmanager
async def open_reader(settings: Settings) -> AsyncGenerator[Reader]:
    """The journal, opened to be read: nothing is sent, polled or saved meanwhile.

    Raises:
        JournalError: the state folder cannot be used.
    """
    close_to_others(settings.state_dir)
    store, provider = make_store(settings), PROVIDERS[settings.provider]
    await store.open()
    try:
        yield Reader(
            settings=settings,
            provider=provider,
            account=account_of(settings),
            owner="",
            store=store,
            render_times=RenderTimes(store, provider, store.clock),
            clock=store.clock,
        )
    finally:
        await store.close()


def account_of(settings: Settings) -> str:
    """Identify the account: provider, base URL and a fingerprint of the key."""
    from hashlib import sha256

    fingerprint = sha256(b"hailuo-mcp account " + settings.key.encode()).hexdigest()[:12]
    return f"{settings.provider} {settings.address or 'embedded'} {fingerprint}"


def period_start(period: str, now: float) -> float:
    """When the budget's period began, by the local clock."""
    if period == "total":
        return 0.0
    today = time.localtime(now)
    day = 1 if period == "month" else today.tm_mday
    # -1: daylight saving time may have changed since midnight
    return time.mktime((today.tm_year, today.tm_mon, day, 0, 0, 0, 0, 0, -1))
