"""Buy the clips of a plan one after the other, follow all of them, copy each as it comes."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from hailuo_mcp.cli import arguments, results
from hailuo_mcp.cli.arguments import FOREVER
from hailuo_mcp.cli.follow.finish import finish
from hailuo_mcp.cli.make import batch_results
from hailuo_mcp.cli.make.batch_plan import Plan
from hailuo_mcp.cli.make.batch_results import Made
from hailuo_mcp.cli.make.prompt_file import Refused
from hailuo_mcp.cli.session import Session
from hailuo_mcp.domain.task import Status
from hailuo_mcp.errors import (
    AuthenticationError,
    ConfigError,
    DownloadError,
    HailuoError,
    InsufficientBalanceError,
    JournalError,
    QuotaExceededError,
    TaskFailedError,
    UnconfirmedSubmitError,
)

if TYPE_CHECKING:
    from hailuo_mcp.cli.output.progress import Bar, Lines

_NOT_SENT = (Status.PENDING, Status.SUBMITTING)
_ALL_ALIKE = frozenset(
    it.code for it in (AuthenticationError, InsufficientBalanceError, QuotaExceededError)
)
"""Refusals that the next clip would get as well."""
_MOST_UNANSWERED = 3
"""Purchases without an answer, one after the other, after which no more are made: each may have
been charged."""
_SAVE_SECONDS = 600.0
"""The longest wait for a clip that is saved only because its copy is wanted."""
_LOOK_SECONDS = 1.0
"""How often the journal is read for all of them; less often where that takes long."""
_LOOK_SHARE = 4
"""Reading takes a quarter of the time at most: the same process sends, polls and saves."""


async def make(session: Session, *, plan: Plan, refused: Sequence[Refused], again: str) -> int:
    """Buy what is new, wait for all, copy each as it comes, and show what became of them.

    Returns the exit code.
    """
    session.again = again
    made = [Made(clip=clip) for clip, _, _ in plan.offers]
    with session.terminal.progress() as progress:
        progress.tell("checking and sending")
        await session.studio.recover_dead()  # the person may have thought for a while
        watch = _Watch(session=session, made=made, progress=progress)
        stopped = await _buy_each(session, plan, watch)
        await watch.until_over()
    code = batch_results.show(session, made, refused, stopped=stopped)
    repeated = [offer.repeats for _, _, offer in plan.offers if offer.repeats]
    results.note_kept_name(session, sum(view.task.saved for view in repeated))
    copies = [one.copy for one in made if one.copy]
    await finish(session, [one.view for one in made if one.view], copies)
    return code


async def _buy_each(session: Session, plan: Plan, watch: _Watch) -> HailuoError | None:
    """Buy one after the other. Returns why the rest was not tried."""
    args, studio = session.args, session.studio
    session.buying, unanswered = True, 0
    for one, (clip, terms, offer) in zip(watch.made, plan.offers, strict=True):
        mine = replace(terms, approved=args.yes, at_hand=args.yes)
        try:
            if offer.repeats:
                # Never made anew, even if it has failed since: its price is not in the sum that
                # was agreed to and held against --max-cost.
                one.view, one.before = await studio.known(offer.repeats.task.task_id), True
            else:
                one.view = await studio.generate(clip.request, mine)
                one.before = one.view.reused
        except TaskFailedError as exc:
            one.error, one.view = exc, await studio.known(exc.task_id)
            if exc.code in _ALL_ALIKE:
                return exc
        except (JournalError, ConfigError) as exc:
            one.error = exc
            return exc
        except HailuoError as exc:
            one.error = exc
        if one.before:
            await watch.hurry(one)
        if one.view:
            session.tasks.append(one.view.task)
        unsure = one.view and one.view.task.status is Status.UNCONFIRMED and not one.before
        unanswered = unanswered + 1 if unsure else 0
        if unanswered == _MOST_UNANSWERED:
            return UnconfirmedSubmitError(f"{unanswered} in a row got no answer.")
        await watch.look_again(_LOOK_SECONDS)
    return None


@dataclass(kw_only=True)
class _Watch:
    """Follows all clips of a batch at once."""

    session: Session
    made: list[Made]
    progress: Bar | Lines
    began: float = field(default_factory=time.monotonic)
    looked: float = float("-inf")
    took: float = 0.0

    async def hurry(self, one: Made) -> None:
        """Bring forward what an earlier command has left: its poll, or a save that failed."""
        view, studio = one.view, self.session.studio
        if view is None or (view.settled and view.task.status is not Status.SUCCEEDED):
            return
        task_id = view.task.task_id
        if view.task.status is not Status.SUCCEEDED:
            one.view = await studio.query(task_id)
        elif not view.task.saved and studio.settings.auto_download:
            one.view = (await studio.download(task_id)).view

    async def look_again(self, seconds: float) -> None:
        """As `look`, unless that was done so lately."""
        if time.monotonic() - self.looked >= max(seconds, _LOOK_SHARE * self.took):
            await self.look()

    async def look(self) -> None:
        """Read all that still move, and copy what has come."""
        began = time.monotonic()
        for one in self.made:
            if one.view and not one.view.settled:
                one.view = await self.session.studio.known(one.view.task.task_id)
            await self._copy(one)
        self.session.report_search([one.view for one in self.made if one.view])
        self.session.tasks = [one.view.task for one in self.made if one.view]
        await self.progress.show_all([one.view for one in self.made if one.view])
        self.looked = time.monotonic()
        self.took = self.looked - began

    async def until_over(self) -> None:
        """Until nothing changes any more, or the time is up that the person gave."""
        args, changes = self.session.args, self.session.studio.changes
        most = FOREVER if args.wait_seconds is None else args.wait_seconds
        ends = self.began + most
        await self.look()  # always: what was settled before has nothing to wait for, but a copy
        while open_ids := self._open(sending=args.no_wait):
            left = ends - time.monotonic()
            if changes.closing or (left <= 0 and not args.no_wait):
                return
            await changes.wait(open_ids, _LOOK_SECONDS if args.no_wait else min(left, 1.0))
            await self.look_again(_LOOK_SECONDS / 2)

    def _open(self, *, sending: bool) -> set[str]:
        """The tasks that still move; with `sending`, only those that are not sent yet."""
        return {
            one.view.task.task_id
            for one in self.made
            if one.view
            and not (one.view.settled or self.session.needs_person(one.view.task))
            and (not sending or one.view.task.status in _NOT_SENT)
        }

    async def _copy(self, one: Made) -> None:
        view, clip = one.view, one.clip
        if view is None or not clip.output or one.copy or one.error:
            return
        if view.task.status is not Status.SUCCEEDED or not view.settled:
            return
        if not view.task.saved and self.session.studio.settings.auto_download:
            return  # saving it was given up; the summary says why
        try:
            saved = await self.session.studio.download(
                view.task.task_id,
                output_path=arguments.output_path(clip.output),
                overwrite=self.session.args.overwrite,
                keep=not self.session.args.no_keep,
                wait_seconds=_SAVE_SECONDS,
            )
        except DownloadError as exc:
            one.error = await self.session.not_copied(view.task.task_id, exc)
        except HailuoError as exc:
            one.error = exc
        else:
            one.view, one.copy = saved.view, saved.file
