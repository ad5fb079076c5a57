"""hailuo-mcp verify: ask, compare, buy one clip if the person wants that, and write a report."""

from __future__ import annotations

import time
from argparse import ArgumentParser, Namespace
from collections.abc import Iterable
from contextlib import aclosing, suppress
from dataclasses import replace
from typing import TYPE_CHECKING

import hailuo_mcp
from hailuo_mcp.cli import arguments, exits, setting_sources
from hailuo_mcp.cli.output.terminal import Terminal

if TYPE_CHECKING:
    from pathlib import Path

    from hailuo_mcp.cli.session import Session
    from hailuo_mcp.cli.set_up.key_check import Connect
    from hailuo_mcp.cli.set_up.verify.page import Page
    from hailuo_mcp.cli.set_up.verify.report import Report
    from hailuo_mcp.domain.requests import VideoRequest
    from hailuo_mcp.domain.task import Task
    from hailuo_mcp.errors import HailuoError
    from hailuo_mcp.settings import Settings
    from hailuo_mcp.verification.facts import Exchange, Step, Verdict
    from hailuo_mcp.verification.free import Tried
    from hailuo_mcp.verification.observed import Observed
    from hailuo_mcp.verification.plan import Planned
    from hailuo_mcp.verification.purchase import Purchase
    from hailuo_mcp.views import Offer, Terms, View

_MOST_TAKES = 100
_LOOK_SECONDS = 2.0
"""How often it is looked whether waiting makes sense."""
_LONGEST_SECONDS = 1800.0
"""A clip takes minutes. One that takes longer goes on without the verification."""


def verify_options(parser: ArgumentParser) -> None:
    add = parser.add_argument_group("purchase").add_argument
    what = "also buy the cheapest clip, after its price was shown and you agreed"
    arguments.add_flag(add, "--buy", what)
    what = "with --buy: buy at the shown price, without a question"
    arguments.add_flag(add, ("-y", "--yes"), what)
    add = parser.add_argument_group("result").add_argument
    what = "where the report goes (default: hailuo-verify-….md, here)"
    arguments.add_text(add, "--report", metavar="FILE", what=what)
    what = "also keep a recording for the project's tests, redacted"
    arguments.add_text(add, "--record", metavar="FOLDER", what=what)
    what = "leave out the requests that the provider must refuse"
    arguments.add_flag(parser.add_argument, "--no-refusals", what)


def verify(args: Namespace, terminal: Terminal) -> int:
    from hailuo_mcp.cli.running import run_with_studio

    settings = setting_sources.settings(args)
    _need_answer(args, terminal)
    run = _Run(args, terminal, settings)
    if args.buy:
        run.offer, run.request, run.take = run_with_studio(args, terminal, _quoted, works=False)
        _need_price(args, run.offer)
    run.begin()
    try:
        run.free()
        if args.buy and run.may_buy():
            run.buy()
    except KeyboardInterrupt:
        run.end(interrupted=True)
        raise
    return run.end()


def _need_answer(args: Namespace, terminal: Terminal) -> None:
    """Raise InvalidRequestError if a purchase is wanted, and nobody can agree to its price."""
    from hailuo_mcp.errors import Do, InvalidRequestError, Step

    if args.yes and not args.buy:
        raise InvalidRequestError(
            "--yes answers the question of --buy, which is missing.",
            Step(Do.TRY, "add --buy to buy a clip, or leave --yes out"),
        )
    if args.buy and not args.yes and not terminal.can_ask:
        raise InvalidRequestError(
            "--buy asks before it buys, and nobody can answer here.",
            Step(Do.TRY, "add --yes to buy at the price that is shown, or leave --buy out"),
        )


def _need_price(args: Namespace, offer: Offer) -> None:
    """Raise InvalidRequestError if --yes would agree to a price that nobody knows."""
    from hailuo_mcp.cli.set_up.verify.page import goes_on

    if not args.yes or goes_on(offer) or offer.reserved_amount is not None:
        return
    from hailuo_mcp.errors import Do, InvalidRequestError, Step

    raise InvalidRequestError(
        f"{offer.draft.provider} publishes no price for this clip, so --yes cannot agree to it.",
        Step(Do.SET, "HAILUO_UNPRICED_COST"),
        Step(Do.TRY, "leave --yes out, and answer the question at a terminal"),
    )


async def _quoted(session: Session) -> tuple[Offer, VideoRequest, int]:
    """The price of the cheapest clip; nothing is sent.

    The clip of an earlier verification does not count, once it is saved. Before that it does:
    there is nothing to buy, and the verification goes on with it, also if it is unconfirmed.
    """
    from hailuo_mcp.domain.task import Status
    from hailuo_mcp.verification.purchase import cheapest

    studio = session.studio
    request = cheapest(studio.client.seller, studio.provider)
    take = 1
    while True:
        offer = await studio.quote(request, _terms(take, approved=False))
        earlier = offer.repeats
        made = (
            earlier is not None
            and earlier.task.status is Status.SUCCEEDED
            and earlier.saved_or_given_up
        )
        if not made or take == _MOST_TAKES:
            return offer, request, take
        take += 1


def _terms(take: int, *, approved: bool) -> Terms:
    from hailuo_mcp.views import Terms

    return Terms(take=take, approved=approved, at_hand=approved)


class _Run:
    """One verification, from the first request to the report."""

    offer: Offer | None = None
    request: VideoRequest
    take: int

    def __init__(self, args: Namespace, terminal: Terminal, settings: Settings) -> None:
        from hailuo_mcp.cli.set_up.verify.page import Page
        from hailuo_mcp.cli.set_up.verify.report import Report
        from hailuo_mcp.dialects.providers import PROVIDERS
        from hailuo_mcp.verification.facts import Verdict
        from hailuo_mcp.verification.observed import Observed

        self.args, self.terminal, self.settings = args, terminal, settings
        self.provider = PROVIDERS[settings.provider]
        began = time.time()
        self.verdict: Verdict = Verdict(
            provider=self.provider.name,
            dialect=self.provider.dialect,
            own_host=_is_own(settings),
            version=hailuo_mcp.__version__,
            began=began,
        )
        self.observed: Observed = Observed()
        self.page: Page = Page(terminal, args)
        self.report: Report = Report(args.report, self.provider.name, began)
        self.code = exits.DONE
        self.bought = "no"
        self.accepted = self.key_refused = False
        self.step = ""
        """What is being tried."""
        self.asks_to_make = False
        """It has to be refused, and nobody knows yet whether it was."""
        self.purchase: Purchase | None = None

    def begin(self) -> None:
        """Say what will be sent, and see that a report can be written before anything is.

        Raises:
            ConfigError: there is no key.
            InvalidRequestError: the report or the recording cannot be written there.
        """
        from hailuo_mcp.bootstrap import open_client
        from hailuo_mcp.verification.free import planned_steps

        open_client(self.settings).need_key()
        self._need_recording_folder()
        self.report.begin(self.verdict)
        planned = planned_steps(self.provider, refusals=not self.args.no_refusals)
        self.page.head(self.settings, planned, self.offer)

    def free(self) -> None:
        import anyio

        from hailuo_mcp.cli.running import ends_as_by_interrupt

        with ends_as_by_interrupt():
            anyio.run(self._free)

    async def _free(self) -> None:
        from hailuo_mcp.bootstrap import open_client
        from hailuo_mcp.verification.free import Tried, verify_free

        client = open_client(self.settings, observe=self.observed)
        refusals = not self.args.no_refusals
        try:
            async with aclosing(verify_free(client, self.observed, refusals=refusals)) as steps:
                async for it in steps:
                    if isinstance(it, Tried):
                        await self._tried(it)
                    else:
                        self._about_to(it)
        finally:
            await client.aclose()

    def _about_to(self, planned: Planned) -> None:
        self.step, self.asks_to_make = planned.name, planned.must_be_refused
        if planned.must_be_refused:
            self.report.announce(self.verdict, f"About to send: {planned.name}.", bought="maybe")
            self.page.about_to(planned)

    async def _tried(self, tried: Tried) -> None:
        from hailuo_mcp.bootstrap import open_client

        step, self.asks_to_make = tried.step, False
        if tried.accepted:  # first of all: the id of the task is nowhere else
            self.accepted, self.bought = True, "maybe"
            self.page.accepted(tried, self.provider)
        self._add([step], [(step.name, it) for it in tried.exchanges])
        self.page.step(step)
        if tried.accepted:
            return
        if error := tried.key_refused:
            self.key_refused = True
            self.page.key_refused(error, await region_of_key(self.settings, open_client))
        elif tried.error:
            self.page.failed(tried.error)

    def may_buy(self) -> bool:
        """Whether there is a point in buying, and the person agrees to the price."""
        from hailuo_mcp.verification.facts import Outcome, Reason, Step

        self.step = "the question about the price"
        why: Reason | None = None
        if self.accepted:
            why = Reason.NOT_REFUSED
        elif self.key_refused:
            why = Reason.KEY_REFUSED
        elif not self.verdict.exchanges:
            why = Reason.UNREACHABLE
        elif self.offer and not self.page.agrees(self.offer, self.request):
            why = Reason.NOT_AGREED
        if why:
            skipped = Step(name="the purchase", outcome=Outcome.SKIPPED, paid=True, reason=why)
            self._add([skipped], [])
            self.page.step(skipped)
        return not why

    def buy(self) -> None:
        from hailuo_mcp.cli.running import run_with_studio
        from hailuo_mcp.cli.set_up.verify.page import goes_on
        from hailuo_mcp.errors import HailuoError

        self.step = "the purchase"
        earlier = self.offer.repeats if self.offer else None
        if self.offer and goes_on(self.offer) and earlier:
            bought = "earlier" if earlier.task.remote_id else "maybe"
            self.report.announce(
                self.verdict, "About to go on with an earlier clip.", bought=bought
            )
        else:
            self.report.announce(self.verdict, "About to buy one clip.", bought="maybe")
        try:
            run_with_studio(self.args, self.terminal, self._buy, observe=self.observed)
        except HailuoError as exc:
            if self.purchase is not None and self.purchase.was_sent:
                self._stopped(self.purchase, exc)
            self.end(quiet=True)
            raise
        except KeyboardInterrupt:
            if self.purchase is not None:  # it may just be on its way
                self._stopped(self.purchase)
            raise

    def _stopped(self, purchase: Purchase, error: HailuoError | None = None) -> None:
        """Keep what is known of a purchase that was not followed to its end."""
        steps = list(purchase.stopped({it.name for it in self.verdict.steps}, error))
        self.step = steps[-1].name
        self.bought = "maybe"
        if purchase.is_bought:
            self.bought = "earlier" if purchase.is_earlier else "yes"
        self._add(steps, purchase.exchanges)
        if not error:
            for step in steps:
                self.page.step(step)

    async def _buy(self, session: Session) -> None:
        from hailuo_mcp.domain.task import Status
        from hailuo_mcp.verification.purchase import Purchase

        earlier = self.offer.repeats if self.offer else None
        self.purchase = bought = Purchase(
            studio=session.studio,
            observed=self.observed,
            request=self.request,
            earlier=earlier.task if earlier else None,
        )

        async def wait(task: Task) -> View:
            session.tasks = [task]
            with self.terminal.progress() as progress:
                began = time.monotonic()
                while True:
                    bought.view = view = await session.wait(task.task_id, _LOOK_SECONDS, progress)
                    useless = session.needs_person(view.task) or bought.is_stuck()
                    left = _LONGEST_SECONDS - (time.monotonic() - began)
                    if view.settled or useless or left <= 0:
                        break
                if view.task.status is Status.SUCCEEDED and not view.auto_download:
                    saved = await session.studio.download(task.task_id, wait_seconds=max(left, 0))
                    view = saved.view
            return view

        session.buying = True
        terms = _terms(self.take, approved=True)
        async with aclosing(bought.run(terms, wait)) as steps:
            async for step in steps:
                self._add([step], [])
                self.page.step(step)
        self.verdict = replace(self.verdict, exchanges=(*self.verdict.exchanges, *bought.exchanges))
        self.bought, self.code = self.page.outcome(session, bought)

    def _add(self, steps: Iterable[Step], exchanges: Iterable[tuple[str, Exchange]]) -> None:
        self.verdict = replace(
            self.verdict,
            steps=(*self.verdict.steps, *steps),
            exchanges=(*self.verdict.exchanges, *exchanges),
        )
        self.report.write(self.verdict, bought=self.bought)

    def end(self, *, interrupted: bool = False, quiet: bool = False) -> int:
        """Write the report and the recording, and say what was found; returns the exit code."""
        from hailuo_mcp.verification.facts import Outcome

        at = f" at: {self.step}" if self.step else ""
        about = f"It was interrupted{at}." if interrupted else ""
        if interrupted and self.asks_to_make:
            self.bought = "maybe"
        self.report.write(self.verdict, about=about, bought=self.bought)
        recording = self._record()
        if not quiet:
            self.page.summary(
                self.verdict,
                self.report,
                bought=self.bought,
                recording=recording,
                interrupted=about,
            )
        wrong = (Outcome.DIFFERS, Outcome.FAILED)
        found = any(step.outcome in wrong for step in self.verdict.steps)
        return self.code or (exits.FAILED if found or self.report.fault else exits.DONE)

    def _need_recording_folder(self) -> None:
        if not self.args.record:
            return
        from tempfile import TemporaryFile

        from hailuo_mcp.errors import Do, InvalidRequestError, Step
        from hailuo_mcp.text import system_reason

        try:
            self._records.mkdir(parents=True, exist_ok=True)
            with TemporaryFile(dir=self._records):
                pass
        except OSError as exc:
            raise InvalidRequestError(
                f"No recording can be written to {self._records} ({system_reason(exc)}).",
                Step(Do.TRY, "name another folder with --record"),
            ) from None

    @property
    def _records(self) -> Path:
        from pathlib import Path

        return Path(arguments.output_path(self.args.record)).expanduser()

    def _record(self) -> str:
        if not self.args.record or not self.verdict.exchanges:
            return ""
        from hailuo_mcp.text import system_reason
        from hailuo_mcp.verification import recording

        try:
            return str(recording.write(self._records, self.verdict))
        except OSError as exc:
            self.page.problem(f"The recording could not be written ({system_reason(exc)}).")
            self.code = self.code or exits.FAILED
            return ""


async def region_of_key(settings: Settings, connect: Connect) -> str:
    """The same company's other provider, if that one takes the key."""
    from hailuo_mcp.cli.set_up.key_check import other_region, try_key
    from hailuo_mcp.errors import HailuoError

    other = other_region(settings)
    if other is None:
        return ""
    with suppress(HailuoError):
        await try_key(other, connect)
        return other.provider
    return ""


def _is_own(settings: Settings) -> bool:
    """Whether the provider's own address is asked, and not another one that speaks its dialect."""
    from urllib.parse import urlsplit

    from hailuo_mcp.dialects.providers import PROVIDERS

    provider = PROVIDERS[settings.provider]
    if provider.is_sandbox:
        return not settings.base_url
    host = urlsplit(settings.base_url or provider.base_url).hostname
    return host in provider.hosts or host == urlsplit(provider.base_url).hostname
