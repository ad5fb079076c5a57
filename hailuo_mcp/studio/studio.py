"""The use cases: generate, query, list, download, cancel, settle."""

from __future__ import annotations

import time
from collections.abc import Collection
from decimal import Decimal
from pathlib import Path

import anyio

from hailuo_mcp import catalog
from hailuo_mcp.dialects.wire import Provider
from hailuo_mcp.domain import (
    POLLED,
    AnyRequest,
    Mode,
    Money,
    Phase,
    RemoteStatus,
    Status,
    Task,
)
from hailuo_mcp.errors import (
    InvalidRequestError,
    JournalError,
    RemoteTaskNotFoundError,
    TaskFailedError,
)
from hailuo_mcp.studio import buying
from hailuo_mcp.studio.changes import Changes
from hailuo_mcp.studio.desk import Desk, Rules
from hailuo_mcp.studio.intent import new_task_id
from hailuo_mcp.studio.views import Listing, Progress, Saved, Spending, Terms, View

ANSWER_SECONDS = 3.6
"""How long a purchase waits for the provider's answer before it answers itself."""
TICK_SECONDS = 1.0
_UNFINISHED = (Status.PENDING, Status.SUBMITTING, Status.QUEUED, Status.RUNNING)


class Studio:
    """One account's work, shared by every face of the product."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    @property
    def provider(self) -> Provider:
        return self._desk.provider

    @property
    def account(self) -> str:
        """Provider, base URL and a fingerprint of the key, separated by spaces."""
        return self._desk.account

    @property
    def rules(self) -> Rules:
        return self._desk.rules

    @property
    def changes(self) -> Changes:
        return self._desk.changes

    @property
    def unit(self) -> str:
        return self._desk.unit

    async def generate(
        self,
        request: AnyRequest,
        terms: Terms,
        *,
        caller: str = "",
        local: bool = True,
        wait_seconds: float = 0,
        on_progress: Progress | None = None,
    ) -> View:
        """Buy one clip, or find the task that this request repeats.

        Answers within a few seconds although the provider may not have; what was begun goes on
        without the caller.

        Raises:
            InvalidRequestError: refused here, free: rules, budget, consent.
            TaskFailedError: the provider refused at once, free.
        """
        bought = await buying.buy(self._desk, request, terms, caller=caller, local=local)
        task = bought.task
        deadline = time.monotonic() + max(ANSWER_SECONDS, wait_seconds)
        with anyio.move_on_after(ANSWER_SECONDS):
            while task.status is Status.SUBMITTING:
                await self._desk.changes.wait((task.task_id,), TICK_SECONDS)
                task = await self._reread(task)
        if task.status is Status.FAILED and not bought.reused:
            raise TaskFailedError(
                task.error or "The provider refused the request. Nothing was charged.",
                code=task.error_kind or "provider_refused",
                retry=task.error_kind in ("rate_limited", "provider_unavailable"),
                task_id=task.task_id,
            )
        if wait_seconds > 0:
            left = deadline - time.monotonic()
            return await self._wait(task, left, on_progress, reused=bought.reused)
        return await self._desk.view(task, reused=bought.reused)

    async def consent_question(
        self, request: AnyRequest, terms: Terms, *, caller: str = "", local: bool = True
    ) -> str | None:
        """The exact question to put to the person, or None where none is needed."""
        return await buying.consent_question(self._desk, request, terms, caller=caller, local=local)

    async def query(
        self,
        task_id: str,
        *,
        caller: str = "",
        wait_seconds: float = 0,
        on_progress: Progress | None = None,
    ) -> View:
        """How a task stands; waits until its file is on disk or it is final."""
        task = await self._known(task_id, caller)
        await self._nudge(task)
        return await self._wait(task, wait_seconds, on_progress)

    async def tasks(
        self, *, caller: str = "", status: str = "", limit: int = 20, wait_seconds: float = 0
    ) -> Listing:
        """The newest tasks and the spending so far; a wait ends when any listed task ends."""
        wanted = _statuses(status)
        seen = caller or None

        async def read() -> tuple[View, ...]:
            found = await self._desk.journal.newest(caller=seen, statuses=wanted, limit=limit)
            return tuple([await self._desk.view(task) for task in found])

        rows = await read()
        open_ids = {row.task.task_id for row in rows if not row.settled}
        deadline = time.monotonic() + wait_seconds
        while open_ids and (left := deadline - time.monotonic()) > 0:
            await self._desk.changes.wait(open_ids, min(left, 5.0))
            now_open = {
                view.task.task_id for view in await self._views(open_ids) if not view.settled
            }
            if now_open != open_ids:
                break
        if wait_seconds > 0:
            rows = await read()
        return Listing(rows=rows, spending=await self.spending())

    async def spending(self) -> Spending:
        desk = self._desk
        sums = await desk.journal.money(desk.account, desk.unit, desk.period_start())
        budget = desk.rules.budget
        return Spending(
            unit=desk.unit,
            period=desk.rules.budget_period,
            spent=sums.spent,
            reserved=sums.reserved,
            uncertain=sums.uncertain,
            budget=budget,
            left=None if budget is None else max(Decimal(0), budget - sums.spent - sums.reserved),
        )

    async def download(
        self,
        task_id: str,
        *,
        caller: str = "",
        output_path: str = "",
        overwrite: bool = False,
        wait_seconds: float = 0,
    ) -> Saved:
        """Have the clip on disk, and a copy where the caller asks for one. Costs nothing."""
        desk = self._desk
        task = await self._known(task_id, caller)
        target = None
        if output_path:  # refused before anything is fetched for it
            name = Path(task.file).name if task.file else f"{task.task_id}.mp4"
            target = desk.folders.target(output_path, default_name=name)
        if task.file and not await anyio.Path(task.file).exists():
            task = await self._set(task, file="", sha256="", bytes=None) or task
        if task.status is Status.SUCCEEDED and not task.saved:
            changed = await self._set(task, due_at=desk.clock(), tries=0, save_error="")
            task = changed or task
            desk.wake(None)
        view = await self._wait(task, wait_seconds, None, until_saved=True)
        task = view.task
        if not task.saved:
            saving = task.status is Status.SUCCEEDED and not task.save_error
            return Saved(view=view, status="saving" if saving else "not_ready", url=task.url)
        saved = Saved(
            view=view,
            status="saved",
            file=task.file,
            bytes=task.bytes,
            sha256=task.sha256,
            width=task.width,
            height=task.height,
            seconds=task.seconds,
        )
        if target is None or target == Path(task.file):
            return saved
        from dataclasses import replace

        from hailuo_mcp.downloader import copy_clip

        if target.name == f"{task.task_id}.mp4":
            target = target.with_name(Path(task.file).name)
        copied = await copy_clip(Path(task.file), target, overwrite=overwrite)
        return replace(saved, file=str(copied.path))

    async def cancel(self, task_id: str, *, caller: str = "") -> View:
        """Withdraw what was not sent; for the rest, say what is true."""
        desk = self._desk
        task = await self._known(task_id, caller)
        withdrawn = await desk.journal.change(
            task.task_id,
            {"status": Status.CANCELLED, "due_at": 0.0, "error": "Withdrawn before it was sent."},
            now=desk.clock(),
            status_in=(Status.PENDING,),
        )
        if withdrawn:
            desk.changes.tell(task.task_id)
            return await desk.view(withdrawn)
        task = await self._reread(task)
        note = ""
        if task.status in (Status.SUBMITTING, *POLLED):
            note = (
                f"It could not be withdrawn: it was already sent, and {desk.provider.name} offers "
                "no way to cancel. It is charged if it succeeds, and saved as usual."
            )
        elif task.status is Status.UNCONFIRMED:
            note = "It could not be withdrawn: nobody knows whether the provider took it."
        elif task.status is not Status.CANCELLED:
            note = f"There is nothing to withdraw: it has {task.status} already."
        return await desk.view(task, notes=(note,) if note else ())

    async def settle(self, task_id: str, *, bought: bool, remote_id: str = "") -> View:
        """A person says what became of an `unconfirmed` task, from the provider's own bill."""
        desk = self._desk
        task = await desk.find(task_id, "")
        if task is None:
            raise desk.unknown(task_id)
        if not bought:
            values: dict[str, object] = {
                "status": Status.FAILED,
                "money": Money.RELEASED,
                "error": "Settled by a person: the provider never took it.",
            }
        elif remote_id:
            values = {
                "status": Status.QUEUED,
                "remote_id": remote_id,
                "submitted_at": task.created_at,
                "due_at": desk.clock(),
                "tries": 0,
            }
            other = await desk.journal.find(remote_id)
            if other and other.task_id != task.task_id and other.money is not Money.UNKNOWN:
                raise InvalidRequestError(
                    f"{remote_id[:64]!r} is task {other.task_id} already, so it cannot be this one "
                    "as well. Nothing was changed or charged. Look for another id in the bill.",
                    task_id=task.task_id,
                )
        else:
            values = {
                "status": Status.FAILED,
                "money": Money.SPENT,
                "error": "Settled by a person: it was bought, but the provider's id of it is "
                "unknown, so the clip cannot be fetched from here.",
            }
        settled = await desk.journal.change(
            task.task_id, values, now=desk.clock(), status_in=(Status.UNCONFIRMED,)
        )
        if settled is None:
            raise InvalidRequestError(
                f"Task {task.task_id} is {task.status}, and only an unconfirmed task can be "
                "settled. Nothing was changed or charged.",
                task_id=task.task_id,
            )
        desk.changes.tell(task.task_id)
        desk.wake(None)
        return await desk.view(settled)

    def estimate(
        self,
        *,
        model: str = "",
        mode: str = "",
        duration: int = 0,
        resolution: str = "",
        count: int = 1,
        plan: str = "",
    ) -> catalog.Estimate:
        """What clips would cost, by the published prices of the provider in use."""
        return catalog.estimate(
            model,
            mode,
            duration,
            resolution,
            count,
            plan or self.rules.plan,
            price_list=self.provider.price_list,
            region=self.provider.region,
            carries=self._desk.client.carries,
        )

    def templates(self) -> tuple[catalog.Template, ...]:
        return catalog.templates(self.provider.templates) if self.provider.templates else ()

    async def recent_ids(self, prefix: str, *, caller: str = "") -> list[str]:
        found = await self._desk.journal.newest(caller=caller or None, limit=200)
        return [task.task_id for task in found if task.task_id.startswith(prefix)][:100]

    # ── how it waits ──────────────────────────────────────────────────────────────────────────

    async def _wait(
        self,
        task: Task,
        seconds: float,
        on_progress: Progress | None,
        *,
        reused: bool = False,
        until_saved: bool = False,
    ) -> View:
        desk = self._desk
        deadline = time.monotonic() + seconds
        view = await desk.view(task, reused=reused)
        while (left := deadline - time.monotonic()) > 0:
            waiting_for_file = until_saved and view.task.status is Status.SUCCEEDED
            over = view.task.saved or bool(view.task.save_error and not view.task.due_at)
            if over if waiting_for_file else view.settled:
                break
            if on_progress:
                await on_progress(view)
            await desk.changes.wait((task.task_id,), min(left, TICK_SECONDS))
            view = await desk.view(await self._reread(view.task), reused=reused)
        return view

    async def _nudge(self, task: Task) -> None:
        """Somebody asks: read the status as soon as the interval since the last read allows."""
        if task.status not in POLLED:
            return
        at = max(
            self._desk.clock(),
            (task.polled_at or task.submitted_at or 0) + self.rules.poll_seconds,
        )
        if at < task.due_at:
            await self._desk.journal.change(
                task.task_id, {"due_at": at}, now=self._desk.clock(), status_in=POLLED
            )
            self._desk.wake(None)

    # ── how it finds ──────────────────────────────────────────────────────────────────────────

    async def _reread(self, task: Task) -> Task:
        try:
            return await self._desk.journal.find(task.task_id) or task
        except JournalError:
            return task  # what is known is still true enough to answer with

    async def _views(self, task_ids: Collection[str]) -> list[View]:
        tasks = [await self._desk.journal.find(task_id) for task_id in task_ids]
        return [await self._desk.view(task) for task in tasks if task]

    async def _set(self, task: Task, **values: object) -> Task | None:
        return await self._desk.journal.change(task.task_id, values, now=self._desk.clock())

    async def _known(self, task_id: str, caller: str) -> Task:
        task_id = task_id.strip()
        if task := await self._desk.find(task_id, caller):
            return task
        if await self._desk.journal.find(task_id):
            raise self._desk.unknown(task_id)  # somebody else's
        return await self._adopt(task_id, caller)

    async def _adopt(self, remote_id: str, caller: str) -> Task:
        """Take in a task that the provider knows and the journal does not."""
        desk = self._desk
        if not remote_id or len(remote_id) > 200 or not remote_id.isprintable():  # noqa: PLR2004
            raise desk.unknown(remote_id)
        desk.client.need_key()
        found: RemoteStatus | None = None
        template = False
        for template in (False, True) if desk.client.carries.templates else (False,):
            try:
                found = await desk.client.query(remote_id, template=template)
                break
            except RemoteTaskNotFoundError:
                continue
        if found is None or found.phase is Phase.UNKNOWN:
            raise desk.unknown(remote_id)
        now = desk.clock()
        adopted = await desk.journal.adopt(
            Task(
                task_id=new_task_id(now),
                account=desk.account,
                provider=desk.provider.name,
                caller=caller,
                status=Status.QUEUED,
                created_at=now,
                updated_at=now,
                mode=Mode.TEMPLATE if template else Mode.T2V,
                model="",
                identity=f"adopted {remote_id}",
                remote_id=remote_id,
                remote_status=found.word,
                unit=desk.unit,
                money=Money.UNKNOWN,
                due_at=now,
            )
        )
        desk.wake(None)
        return adopted


def _statuses(text: str) -> tuple[Status, ...]:
    word = text.strip().lower()
    if not word:
        return ()
    if word == "unfinished":
        return _UNFINISHED
    try:
        return (Status(word),)
    except ValueError:
        words = ", ".join((*Status, "unfinished"))
        raise InvalidRequestError(
            f"There is no status {text[:40]!r}. Nothing was charged. It takes one of: {words}."
        ) from None
