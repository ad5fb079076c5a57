"""What every use case works with: the journal, the client, the clock and the settings."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from decimal import Decimal
from statistics import median
from typing import Protocol

from hailuo_mcp.catalog import video_models
from hailuo_mcp.catalog.prices import plan_rpm, plan_unit
from hailuo_mcp.client import HailuoClient, Prepared
from hailuo_mcp.dialects.wire import Provider
from hailuo_mcp.domain import (
    IMAGE_FIELDS,
    UNFINISHED,
    AnyRequest,
    Link,
    Task,
    TemplateRequest,
    Unit,
)
from hailuo_mcp.errors import InvalidRequestError, JournalError, TaskNotFoundError
from hailuo_mcp.files.folders import Folders
from hailuo_mcp.journal.store import Limits, RenderTime, Store
from hailuo_mcp.studio.changes import Changes
from hailuo_mcp.studio.guesses import Guesses
from hailuo_mcp.studio.pictures import Pictures
from hailuo_mcp.views import Spending, View

ENOUGH = 3
"""Finished tasks of a kind from which their time counts as learned."""
_WIDEST = 2.0
"""A time that is known no better than to this many times the usual one teaches nothing."""
_UNDER_WAY_SECONDS = 2.0
SUBMIT_SECONDS = 60.0
"""The HTTP timeout of a paid request."""
SUBMIT_LEASE = SUBMIT_SECONDS + 30.0
"""Outlives the timeout, so that nobody calls a submit lost while its owner still listens."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """The operator's decisions that a use case needs, as values."""

    plan: str = "payg"
    rpm: int = 0
    """0: the plan's."""
    budget: Decimal | None = None
    budget_period: str = "day"
    unpriced_cost: Decimal | None = None
    confirm_above: Decimal | None = None
    poll_seconds: float = 10.0
    auto_download: bool = True
    callback_url: str = ""
    """Empty in a process that serves no HTTP: it would never hear of its tasks."""


class Uploads(Protocol):
    """Pictures that callers elsewhere handed in."""

    def find(self, upload_id: str) -> bytes | None: ...

    def invitation(self) -> str:
        """How the present caller can hand a picture in; empty where nobody asks from elsewhere."""
        ...


@dataclass(kw_only=True)
class Desk:
    rules: Rules
    provider: Provider
    account: str
    base_url: str
    owner: str
    """This process, as the journal knows it."""
    journal: Store
    client: HailuoClient
    folders: Folders
    pictures: Pictures
    changes: Changes
    wake: Callable[[Task | None], None] = lambda _task: None
    """Hands a task that is to be sent to the worker, or tells it to look at the journal."""
    clock: Callable[[], float] = time.time
    link: Callable[[Task], Link | None] = lambda _task: None
    """Where the present caller, if they sit elsewhere, can fetch a saved clip."""
    uploads: Uploads | None = None
    observe: Callable[[str, float], None] = lambda _what, _seconds: None
    """Told how long things took: submit, poll, download, and the wait for the rate limit."""
    guesses: Guesses = field(default_factory=Guesses)
    heard: set[str] = field(default_factory=set[str])
    """Tasks whose provider was heard at their callback address: it will say when they end."""
    _spans: dict[tuple[object, ...], tuple[float, list[RenderTime]]] = field(
        default_factory=dict[tuple[object, ...], tuple[float, list[RenderTime]]]
    )

    _under_way: tuple[float, int] = (0.0, 0)

    @property
    def unit(self) -> Unit:
        return plan_unit(self.rules.plan, self.provider.region)

    @property
    def rpm(self) -> int | None:
        return self.rules.rpm or plan_rpm(self.rules.plan, self.provider.region)

    def limits(self) -> Limits:
        return Limits(
            rpm=self.rpm, budget=self.rules.budget, since=self.period_start(), lease=SUBMIT_LEASE
        )

    async def spending(self) -> Spending:
        """What was spent and is left in the budget's period."""
        sums = await self.journal.sums(self.account, self.unit, self.period_start())
        budget = self.rules.budget
        return Spending(
            provider=self.provider.name,
            unit=self.unit,
            period=self.rules.budget_period,
            spent=sums.spent,
            reserved=sums.reserved,
            uncertain=sums.uncertain,
            budget=budget,
            left=None if budget is None else max(Decimal(0), budget - sums.spent - sums.reserved),
            others=sums.others,
        )

    def period_start(self) -> float:
        return period_start(self.rules.budget_period, self.clock())

    async def find(self, task_id: str, caller: str) -> Task | None:
        """The caller's task; the local person (no caller name) sees everybody's."""
        return await self.journal.find(task_id, caller=caller)

    def told(self, task: Task) -> bool:
        """The provider was, or is to be, given an address of this process for the task's end."""
        return bool(
            task.callback_token and self.rules.callback_url and self.client.capabilities.callback
        )

    def unknown(self, task_id: str) -> TaskNotFoundError:
        return TaskNotFoundError(
            f"There is no task {task_id[:64]!r} here, and the provider in use "
            f"({self.provider.name}) knows none of that id. Nothing was charged. "
            "list_tasks shows the ids."
        )

    async def render_times(self, task: Task) -> list[RenderTime]:
        """How long tasks of this kind took lately; the first few are learned from at once."""
        kind = (task.provider, task.model, task.resolution, task.duration)
        asked, render_times = self._spans.get(kind, (0.0, []))
        known_for = 30.0 if len(render_times) >= ENOUGH else 1.0
        if not 0 <= self.clock() - asked < known_for:
            try:
                found = await self.journal.render_times(*kind)
            except JournalError:
                return render_times  # a guess at the time is no reason to fail what needs it
            # Found ready the next morning: that says when somebody looked, not how long it took.
            widest = _WIDEST * self.catalogued(task)
            render_times = [span for span in found if span.most - span.least <= widest]
            self._spans[kind] = (self.clock(), render_times)
        return render_times

    async def in_flight(self) -> int:
        """How many clips of this account are being made, of every process; some seconds old."""
        asked, count = self._under_way
        if not 0 <= self.clock() - asked < _UNDER_WAY_SECONDS:
            with suppress(JournalError):  # a guess at the number is good enough
                count = await self.journal.in_flight(self.account)
            self._under_way = (self.clock(), count)
        return count

    async def usual_seconds(self, task: Task) -> float:
        """The typical time from submit to success: this journal's own, else the catalogue's."""
        if render_times := await self.render_times(task):
            return median(span.most for span in render_times)
        return self.catalogued(task)

    def catalogued(self, task: Task) -> float:
        """How long such a clip takes, by the catalogue."""
        if self.provider.usual_seconds is not None:
            return self.provider.usual_seconds
        return video_models.usual_seconds(task.model, task.resolution, task.duration)

    async def view(self, task: Task, *, reused: bool = False, notes: tuple[str, ...] = ()) -> View:
        now = self.clock()
        eta = check = None
        if task.status in UNFINISHED:
            start = task.submitted_at or max(now, task.due_at)
            left = start + await self.usual_seconds(task) - now
            eta = round(left) if left >= 1 else None
            # past its usual time nobody knows: look again soon, but not for every second of it
            check = min(60, max(5, round(left) if left > 0 else 15))
        return View(
            task=task,
            now=now,
            losses=self.journal.losses,
            reused=reused,
            notes=(*task.warnings, *notes),
            eta_seconds=eta,
            next_check_seconds=check,
            auto_download=self.rules.auto_download,
            link=self.link(task) if task.saved else None,
        )

    async def prepare(self, request: AnyRequest, *, local: bool) -> Prepared:
        """Open the pictures, check and price; a caller elsewhere is told how to hand one in."""
        find = self.uploads.find if self.uploads else None
        try:
            return await self.client.prepare(request, local=local, upload=find)
        except InvalidRequestError as exc:
            if (
                local
                or self.uploads is None
                or not _names_a_picture_elsewhere(request, self.uploads)
            ):
                raise
            raise InvalidRequestError(f"{exc} {self.uploads.invitation()}".strip()) from None


def period_start(period: str, now: float) -> float:
    """When the budget's period began, by the local clock."""
    if period == "total":
        return 0.0
    today = time.localtime(now)
    day = 1 if period == "month" else today.tm_mday
    # -1: midnight may have had another summer time than this moment
    return time.mktime((today.tm_year, today.tm_mon, day, 0, 0, 0, 0, 0, -1))


def _names_a_picture_elsewhere(request: AnyRequest, uploads: Uploads) -> bool:
    """Whether a picture is on the caller's computer, from where only an upload brings it here."""
    if isinstance(request, TemplateRequest):
        given = list(request.media_inputs)
    else:
        given = [getattr(request, name) for name in IMAGE_FIELDS]
    return any(
        uploads.find(text[7:]) is None if text.startswith("upload:") else _is_path(text)
        for text in given
        if text
    )


def _is_path(text: str) -> bool:
    return not text.lower().startswith(("data:", "https://", "http://"))
