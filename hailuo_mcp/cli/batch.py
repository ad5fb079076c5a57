"""Several clips by one command: all are checked, priced and asked for before one is bought.

The same command again continues: what was bought is found by its take, and in a file by its
content, so nothing is bought twice.
"""

from __future__ import annotations

import time
from argparse import Namespace
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from hailuo_mcp.cli import arguments, batch_results, exits
from hailuo_mcp.cli.arguments import FOREVER, STANDARD
from hailuo_mcp.cli.finish import finish
from hailuo_mcp.cli.prompt_file import Clip, Refused, read_clips, takes_of
from hailuo_mcp.cli.session import Session, run_with_studio
from hailuo_mcp.cli.terminal import Terminal
from hailuo_mcp.domain import AnyRequest, Status
from hailuo_mcp.errors import (
    AuthenticationError,
    ConfigError,
    ConsentRequiredError,
    Do,
    HailuoError,
    InsufficientBalanceError,
    InvalidRequestError,
    JournalError,
    QuotaExceededError,
    Step,
    TaskFailedError,
    UnconfirmedSubmitError,
)

if TYPE_CHECKING:
    from decimal import Decimal

    from hailuo_mcp.cli.progress import Bar, Lines
    from hailuo_mcp.views import Offer, Spending, Terms, View

_NOT_SENT = (Status.PENDING, Status.SUBMITTING)
_ALL_ALIKE = frozenset(
    it.code for it in (AuthenticationError, InsufficientBalanceError, QuotaExceededError)
)
"""Refusals that the next clip would get as well."""
_MOST_UNANSWERED = 3
"""Purchases without an answer, one after the other, after which no more are made: each may have
been charged."""
_LOOK_SECONDS = 1.0
"""How often the journal is read for all of them; less often where that takes long."""
_LOOK_SHARE = 4
"""Reading takes a quarter of the time at most: the same process sends, polls and saves."""


@dataclass(slots=True, kw_only=True)
class Made:
    """What has become of a clip of the batch."""

    clip: Clip
    view: View | None = None
    """None where no task was recorded."""
    error: HailuoError | None = None
    """Why it was not bought, or not copied."""
    copy: str = ""
    """Where it was copied to."""
    before: bool = False
    """It was bought by an earlier command."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What a batch would buy; all of it is checked and priced."""

    offers: tuple[tuple[Clip, Terms, Offer], ...]
    refused: tuple[Refused, ...]
    total: Decimal | None
    """The price of what is new; None if a price is not published."""
    asks: bool
    spending: Spending
    over: HailuoError | None = None
    """Why the sum is refused."""

    @property
    def new(self) -> int:
        return sum(offer.repeats is None for _, _, offer in self.offers)


def buy_takes(args: Namespace, terminal: Terminal, request: AnyRequest) -> int:
    """Buy several takes of one request."""
    _check_options(args, terminal)
    return _buy(args, terminal, takes_of(args, 0, request))


def buy_file(args: Namespace, terminal: Terminal) -> int:
    """Buy a clip for each line of a file."""
    if args.prompt.strip():
        raise InvalidRequestError(
            "There are a prompt and a file of prompts.",
            Step(Do.TRY, "leave the prompt out, or write it into the file"),
        )
    _check_options(args, terminal)
    clips, unread = read_clips(args, terminal)
    return _buy(args, terminal, clips, unread)


def _check_options(args: Namespace, terminal: Terminal) -> None:
    if args.output == STANDARD:
        raise InvalidRequestError(
            "Standard output can take one clip only.",
            Step(Do.TRY, "name a folder, with a slash at its end"),
        )
    arguments.check_result(args, terminal)
    if args.request_key:
        raise InvalidRequestError(
            "--request-key names one purchase, and these are several.",
            Step(Do.TRY, "leave it out: the same command again buys nothing twice"),
        )
    if args.confirm:
        raise InvalidRequestError(
            "--confirm agrees to one purchase, and these are several.",
            Step(Do.TRY, "agree to all of them at once, with --yes"),
        )


def _buy(
    args: Namespace, terminal: Terminal, clips: Sequence[Clip], unread: Sequence[Refused] = ()
) -> int:
    """Check all, ask once, buy; `unread`: lines to be corrected before anything is bought."""
    _need_folder(clips)
    try:
        plan = run_with_studio(args, terminal, partial(_plan, clips=clips), works=False)
    except HailuoError:
        if not unread:
            raise
        plan = None
    if unread or plan is None:
        every = sorted((*unread, *(plan.refused if plan else ())), key=lambda one: one.line)
        batch_results.show_refused(args, terminal, every, clips=len(clips), unread=True)
        return exits.REFUSED
    refused, again = plan.refused, batch_results.again(args)
    skips = getattr(args, "skip_refused", False) and bool(plan.offers)
    if refused and not skips and not args.dry_run:
        batch_results.show_refused(args, terminal, refused, clips=len(clips))
        return exits.REFUSED
    if args.dry_run or not (terminal.json or (terminal.quiet and not plan.asks)):
        batch_results.show_plan(args, terminal, plan, refused)
    elif refused:
        batch_results.note_refused(args, terminal, refused)
    if args.dry_run:
        would_be = plan.over is not None or (refused and not skips)
        return exits.REFUSED if would_be else exits.DONE
    if plan.over:
        raise plan.over
    if not _agreed(args, terminal, plan):
        return exits.REFUSED
    job = partial(_make, plan=plan, refused=refused, again=again)
    return run_with_studio(args, terminal, job)


async def _plan(session: Session, *, clips: Sequence[Clip]) -> Plan:
    args, studio = session.args, session.studio
    terms = replace(arguments.terms(args, approved=False), max_cost=None)
    clips = [replace(clip, request=await session.with_ids(clip.request)) for clip in clips]
    wanted = [(clip.request, replace(terms, take=clip.take)) for clip in clips]
    checked = await studio.quote_batch(wanted, named=bool(getattr(args, "file", "")))
    offers, refused = list[tuple[Clip, "Terms", "Offer"]](), list[Refused]()
    taken = dict[str, int]()
    for clip, one in zip(clips, checked, strict=True):
        try:
            if one.offer is None:
                raise one.refused or InvalidRequestError("It cannot be made.")
            _check_output(session, clip, one.offer, taken)
        except HailuoError as exc:
            if not any(it.line == clip.line and it.error.what == exc.what for it in refused):
                refused.append(Refused(clip.line, exc))
        else:
            offers.append((clip, one.terms, one.offer))
    total: Decimal | None = None
    asks, over = False, None
    try:
        total, asks = studio.hold_batch(
            [offer for _, _, offer in offers], max_cost=args.max_cost or None
        )
    except HailuoError as exc:
        over = exc
    return Plan(
        offers=tuple(offers),
        refused=tuple(refused),
        total=total,
        asks=asks,
        spending=await studio.spending(),
        over=over,
    )


def _check_output(session: Session, clip: Clip, offer: Offer, taken: dict[str, int]) -> None:
    """Refuse a place that another clip of the batch gets, or that no clip can be written to."""
    if not clip.output:
        return
    where = arguments.output_path(clip.output)
    if not _is_folder(where):
        if where in taken:
            raise InvalidRequestError(
                f"The place of its copy, {clip.output}, is also that of line {taken[where]}.",
                Step(Do.TRY, "name a folder, with a slash at its end"),
            )
        taken[where] = clip.line
    if offer.repeats and offer.repeats.task.saved:
        return  # it may have been copied before: equal bytes are left as they are
    session.output_path(clip.output)


def _need_folder(clips: Sequence[Clip]) -> None:
    """Refuse one file for all clips."""
    first = clips[0].output if clips else ""
    same = len(clips) > 1 and all(clip.output == first for clip in clips)
    if first and same and not _is_folder(arguments.output_path(first)):
        raise InvalidRequestError(
            f"{first} is one file, and there are {len(clips)} clips.",
            Step(Do.TRY, "name a folder, with a slash at its end"),
        )


def _is_folder(where: str) -> bool:
    if where.endswith(("/", "\\")):
        return True
    try:
        return Path(where).expanduser().is_dir()
    except (OSError, RuntimeError, ValueError):
        return False


def _agreed(args: Namespace, terminal: Terminal, plan: Plan) -> bool:
    """Whether the person agrees to the sum; a script does by running the command.

    Raises:
        ConsentRequiredError: the sum needs consent, and nobody can be asked.
    """
    if args.yes or not plan.new:
        return True
    if terminal.can_ask and (plan.asks or not batch_results.is_sandbox(plan)):
        question = batch_results.question(plan)
        # The studio is closed while they think: an open one has work that must not wait.
        args.yes = terminal.ask(question, refused="Not bought, nothing was charged.")
        return bool(args.yes)
    if plan.asks:
        raise ConsentRequiredError(
            f"{batch_results.costs(plan)}, which needs consent (HAILUO_CONFIRM_ABOVE).",
            Step(Do.TRY, "agree to the sum with --yes"),
        )
    return True


async def _make(session: Session, *, plan: Plan, refused: Sequence[Refused], again: str) -> int:
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
    views = [one.view for one in made if one.view]
    await finish(session, views, [one.copy for one in made if one.copy])
    return code


async def _buy_each(session: Session, plan: Plan, watch: _Watch) -> HailuoError | None:
    """Buy one after the other. Returns why the rest was not tried."""
    args, studio = session.args, session.studio
    session.buying, unanswered = True, 0
    for one, (clip, terms, _) in zip(watch.made, plan.offers, strict=True):
        mine = replace(terms, approved=args.yes, at_hand=args.yes)
        try:
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
        await watch.look(_LOOK_SECONDS)
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

    async def look(self, seconds: float) -> None:
        """Read all that still move, unless that was done so lately; copy what has come."""
        began = time.monotonic()
        if began - self.looked < max(seconds, _LOOK_SHARE * self.took):
            return
        for one in self.made:
            if one.view and not one.view.settled:
                one.view = await self.session.studio.known(one.view.task.task_id)
            await self._copy(one)
        self.session.tasks = [one.view.task for one in self.made if one.view]
        self.session.report_search([one.view for one in self.made if one.view])
        await self.progress.show_all([one.view for one in self.made if one.view])
        self.looked = time.monotonic()
        self.took = self.looked - began

    async def until_over(self) -> None:
        """Until nothing changes any more, or the time is up that the person gave."""
        args, changes = self.session.args, self.session.studio.changes
        most = FOREVER if args.wait_seconds is None else args.wait_seconds
        ends = self.began + most
        await self.look(0.0)
        while open_ids := self._open(sending=args.no_wait):
            left = ends - time.monotonic()
            if changes.closing or (left <= 0 and not args.no_wait):
                return
            await changes.wait(open_ids, _LOOK_SECONDS if args.no_wait else min(left, 1.0))
            await self.look(_LOOK_SECONDS / 2)

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
        try:
            saved = await self.session.studio.download(
                view.task.task_id,
                output_path=arguments.output_path(clip.output),
                overwrite=self.session.args.overwrite,
                keep=not self.session.args.no_keep,
                wait_seconds=FOREVER,
            )
        except HailuoError as exc:
            one.error = exc
        else:
            one.view, one.copy = saved.view, saved.file
