"""The use cases: generate, query, list, download, cancel, settle."""

from __future__ import annotations

import time
from collections.abc import Collection

import anyio

from hailuo_mcp.catalog import video_templates
from hailuo_mcp.catalog.video_templates import Template
from hailuo_mcp.dialects.wire import Provider
from hailuo_mcp.domain import STATUS_WORDS, UNFINISHED, AnyRequest, Status
from hailuo_mcp.errors import (
    InvalidRequestError,
    TaskFailedError,
)
from hailuo_mcp.journal.store import Losses
from hailuo_mcp.rules import estimate
from hailuo_mcp.rules.estimate import Estimate
from hailuo_mcp.studio import buying, ending, fetching, finding, linking, waiting
from hailuo_mcp.studio.changes import Changes
from hailuo_mcp.studio.desk import Desk, Rules
from hailuo_mcp.studio.operations import Operations
from hailuo_mcp.views import Listing, Offer, Progress, Saved, Spending, Terms, View

ANSWER_SECONDS = 3.5
"""A purchase is answered after this, checks included, whether or not the provider has answered."""


class Studio:
    """One account's work, shared by every face of the product."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    @property
    def provider(self) -> Provider:
        return self._desk.provider

    @property
    def losses(self) -> Losses | None:
        """What a damaged journal may have lost, until a person accepts it."""
        return self._desk.journal.losses

    @property
    def rescued(self) -> bool:
        """Whether the journal was found damaged when it was opened."""
        return self._desk.journal.rescued is not None

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
    def operations(self) -> Operations:
        """What the process asks for itself, not for a caller."""
        return Operations(self._desk)

    @property
    def unit(self) -> str:
        return self._desk.unit

    async def quote(
        self, request: AnyRequest, terms: Terms, *, caller: str = "", local: bool = True
    ) -> Offer:
        """What a purchase would come to: its price, what is left, and whether somebody is asked.

        Raises:
            HailuoError: as `generate` would, short of asking the person. Nothing is sent.
        """
        return await buying.quote(self._desk, request, terms, caller=caller, local=local)

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
        began = time.monotonic()
        bought = await buying.buy(self._desk, request, terms, caller=caller, local=local)
        task = bought.task
        with anyio.move_on_after(began + ANSWER_SECONDS - time.monotonic()):
            while task.status is Status.SUBMITTING:
                await self._desk.changes.wait((task.task_id,), waiting.TICK_SECONDS)
                task = await waiting.reread(self._desk, task)
        if task.status is Status.FAILED and not bought.reused:
            raise TaskFailedError(
                task.error or "The provider refused the request. Nothing was charged.",
                code=task.error_kind or "provider_refused",
                retry=task.error_kind in ("rate_limited", "provider_unavailable"),
                task_id=task.task_id,
            )
        if wait_seconds > 0:
            left = began + max(ANSWER_SECONDS, wait_seconds) - time.monotonic()
            view = await waiting.wait(self._desk, task, left, on_progress, reused=bought.reused)
            return await linking.with_link(self._desk, view)
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
        task = await finding.known(self._desk, task_id, caller)
        await waiting.nudge(self._desk, task)
        view = await waiting.wait(self._desk, task, wait_seconds, on_progress)
        return await linking.with_link(self._desk, view)

    async def tasks(
        self, *, caller: str = "", status: str = "", limit: int = 20, wait_seconds: float = 0
    ) -> Listing:
        """The newest tasks and the spending so far; a wait ends when any listed task ends."""
        wanted, saved = _wanted(status)
        seen = caller or None

        async def read() -> tuple[View, ...]:
            found = await self._desk.journal.newest(
                caller=seen, statuses=wanted, saved=saved, limit=limit
            )
            return tuple([await self._desk.view(task) for task in found])

        rows = await read()
        open_ids = {row.task.task_id for row in rows if not row.settled}
        deadline = time.monotonic() + wait_seconds
        while open_ids and not self.changes.closing and (left := deadline - time.monotonic()) > 0:
            await self._desk.changes.wait(open_ids, min(left, 5.0))
            now_open = [view.task for view in await self._views(open_ids) if not view.settled]
            if {task.task_id for task in now_open} != open_ids:
                break
            for task in now_open:
                await waiting.insist(self._desk, task)
        if wait_seconds > 0:
            rows = await read()
        return Listing(rows=rows, spending=await self.spending(), losses=self.losses)

    async def spending(self) -> Spending:
        return await self._desk.spending()

    async def download(
        self,
        task_id: str,
        *,
        caller: str = "",
        output_path: str = "",
        overwrite: bool = False,
        wait_seconds: float = 0,
        on_progress: Progress | None = None,
    ) -> Saved:
        """Have the clip on disk, and a copy where the caller asks for one. Costs nothing."""
        return await fetching.download(
            self._desk,
            task_id,
            caller=caller,
            output_path=output_path,
            overwrite=overwrite,
            wait_seconds=wait_seconds,
            on_progress=on_progress,
        )

    async def cancel(self, task_id: str, *, caller: str = "") -> View:
        """Withdraw what was not sent; for the rest, say what is true."""
        return await ending.cancel(self._desk, task_id, caller=caller)

    async def settle(self, task_id: str, *, bought: bool, remote_id: str = "") -> View:
        """A person says what became of an `unconfirmed` task, from the provider's own bill."""
        return await ending.settle(self._desk, task_id, bought=bought, remote_id=remote_id)

    def estimate(
        self,
        *,
        model: str = "",
        mode: str = "",
        duration: int = 0,
        resolution: str = "",
        count: int = 1,
        plan: str = "",
    ) -> Estimate:
        """What clips would cost, by the published prices of the provider in use."""
        return estimate.estimate(
            self._desk.client.seller,
            model=model,
            mode=mode,
            duration=duration,
            resolution=resolution,
            count=count,
            plan=plan,
        )

    def templates(self) -> tuple[Template, ...]:
        return video_templates.templates(self.provider.templates) if self.provider.templates else ()

    async def recent_ids(self, prefix: str, *, caller: str = "") -> list[str]:
        found = await self._desk.journal.newest(caller=caller or None, limit=200)
        return [task.task_id for task in found if task.task_id.startswith(prefix)][:100]

    async def _views(self, task_ids: Collection[str]) -> list[View]:
        tasks = [await self._desk.journal.find(task_id) for task_id in task_ids]
        return [await self._desk.view(task) for task in tasks if task]


def _wanted(text: str) -> tuple[tuple[Status, ...], bool | None]:
    """The statuses that a word means, and whether the clip is to be on disk."""
    word = text.strip().lower()
    if not word:
        return (), None
    if word == "unfinished":
        return tuple(UNFINISHED), None
    if word in ("saved", "unsaved"):
        return (Status.SUCCEEDED,), word == "saved"
    try:
        return (Status(word),), None
    except ValueError:
        words = ", ".join(STATUS_WORDS)
        raise InvalidRequestError(
            f"There is no status {text[:40]!r}. Nothing was charged. It takes one of: {words}."
        ) from None
