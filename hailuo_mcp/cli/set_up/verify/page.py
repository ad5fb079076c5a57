"""The page of a verification: what is sent, a line for each step, and what it amounts to."""

from __future__ import annotations

from argparse import Namespace
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from hailuo_mcp.cli import exits, words
from hailuo_mcp.cli.output import styles
from hailuo_mcp.cli.output.terminal import Terminal
from hailuo_mcp.cli.set_up.verify.report import Report, data
from hailuo_mcp.cli.set_up.verify.sentences import HIDES, difference_texts
from hailuo_mcp.dialects.providers import PROVIDERS
from hailuo_mcp.verification.facts import Outcome
from hailuo_mcp.verification.redaction import HIDDEN

if TYPE_CHECKING:
    from hailuo_mcp.cli.session import Session
    from hailuo_mcp.dialects.dialect import Provider
    from hailuo_mcp.domain.requests import VideoRequest
    from hailuo_mcp.errors import AuthenticationError, HailuoError
    from hailuo_mcp.settings import Settings
    from hailuo_mcp.verification.facts import Step, Verdict
    from hailuo_mcp.verification.free import Tried
    from hailuo_mcp.verification.plan import Planned
    from hailuo_mcp.verification.purchase import Purchase
    from hailuo_mcp.views import Offer

ISSUE = "https://github.com/hailuo-mcp/hailuo-mcp/issues/new?template=provider-report.yml"
_SIGNS: Mapping[Outcome, tuple[str, str]] = {
    Outcome.AS_DOCUMENTED: ("✓", styles.GOOD),
    Outcome.DIFFERS: ("≠", styles.DOUBT),
    Outcome.FAILED: ("✗", styles.BAD),
    Outcome.SKIPPED: ("–", styles.QUIET),
    Outcome.INTERRUPTED: ("–", styles.QUIET),
    Outcome.NOTED: ("·", styles.QUIET),
}
_BELOW = 4
"""Columns by which what belongs to a step is indented."""


def goes_on(offer: Offer) -> bool:
    """Whether the clip of an earlier verification was sent, so that nothing is bought any more."""
    from hailuo_mcp.domain.task import Status

    return offer.repeats is not None and offer.repeats.task.status is not Status.PENDING


class Page:
    """What a person sees; with --json the same facts at the end."""

    def __init__(self, terminal: Terminal, args: Namespace) -> None:
        self._terminal, self._args = terminal, args
        self._problems = list[str]()

    def head(self, settings: Settings, planned: Sequence[Planned], offer: Offer | None) -> None:
        """Who is asked, and what will be sent; `offer`: the clip that would be bought."""
        host = urlsplit(settings.address).netloc
        refused = [it for it in planned if it.must_be_refused]
        asked = words.count(len(planned) - len(refused), "free question")
        then = ""
        if refused:
            names = ", ".join(it.name for it in refused)
            many = words.count(len(refused), "request")
            then = f", then {many} that it must refuse ({names})"
        if self._terminal.json:
            return
        asked_of = f"{settings.provider} at {host}" if host else "the sandbox, in this process"
        self._say("Verifying", f"{asked_of}.")
        self._say("Will send:", f"{asked}{then}. {self._last(offer)}")
        self._terminal.say()

    def _last(self, offer: Offer | None) -> str:
        if offer is None:
            return "Nothing is bought."
        if goes_on(offer):
            return "Then it goes on with the unfinished clip of an earlier verification."
        if self._args.yes:
            return "Then one clip is bought, at the price that is shown first."
        return "Then one clip is bought, if you agree to its price."

    def about_to(self, planned: Planned) -> None:
        """Name a request that must be refused, before it is sent."""
        self._terminal.paragraph(
            "→",
            f"Sending {planned.name} ({planned.sent}). The provider must refuse it: "
            f"{planned.documented}.",
            style=styles.QUIET,
            indent=2,
        )

    def step(self, step: Step) -> None:
        """How a step ended."""
        if self._terminal.json:
            return
        sign, style = _SIGNS[step.outcome]
        is_told = step.what or step.outcome is Outcome.FAILED  # below, in more words
        why = "" if is_told else step.reason
        told = "; ".join(filter(None, (*step.answers, why)))
        name = f"{step.name[:1].upper()}{step.name[1:]}"
        text = f"{name}: {told}" if told else name
        self._terminal.paragraph(sign, text, style=style, result=True, indent=2)
        for known, style in ((False, ""), (True, styles.QUIET)):
            for it in difference_texts(it for it in step.differences if bool(it.known) is known):
                self._below(it, style)
        if step.what:
            self._below(step.what)

    def failed(self, error: HailuoError) -> None:
        """Why a step failed, and what to do."""
        if not self._terminal.json:
            self._below(_told(error))

    def key_refused(self, error: AuthenticationError, other: str) -> None:
        """The key is no good here; `other` is the region where it is."""
        if not other:
            self.failed(error)
            return
        twin = PROVIDERS[other]
        text = f"The key belongs to {twin.host}. Set HAILUO_PROVIDER={twin.name}."
        if self._terminal.json:
            self._terminal.note(text)
        else:
            self._below(text)

    def accepted(self, tried: Tried, provider: Provider) -> None:
        """What must be refused was not: the task is the person's, and only theirs to know."""
        console = f" Look at {provider.console}." if provider.console else ""
        label = "Not refused."
        if not tried.remote_id:
            why = "may have been bought"
            said = f"{provider.name} did not clearly refuse this request, so a clip {why}.{console}"
            self._terminal.paragraph(label, said, style=styles.BAD)
            return
        follow = words.command(self._args, "query", tried.remote_id, "--wait")
        self._terminal.paragraph(
            label,
            f"{provider.name} made a task of this request, and may have charged for it.{console} "
            "This follows the task and saves its clip:",
            style=styles.BAD,
        )
        self._terminal.note(f"  {follow}")

    def agrees(self, offer: Offer, request: VideoRequest) -> bool:
        """Show the price, and ask; --yes is the answer where it was given."""
        from hailuo_mcp.wording.offers import offered_clip, offered_price

        if goes_on(offer):
            self._terminal.note()
            self._terminal.paragraph(
                "",
                "The clip of an earlier verification is unfinished; going on with that one. "
                "Nothing new is bought.",
            )
            return True
        label = "Would cost:" if offer.notice else "Price:"
        indent = len(label) + 1
        clip = offered_clip(offer, request, width=self._terminal.note_width - indent)
        self._terminal.note()
        self._terminal.paragraph("Clip:", clip, style=styles.HEADING, indent=indent)
        price = f"{offered_price(offer, price=_price_words(offer))}."
        self._terminal.paragraph(label, price, style=styles.HEADING, indent=indent)
        if self._args.yes:
            return True
        known = offer.draft.amount is not None
        at = f"for {_price_words(offer)}" if known else "at an unknown price"
        refused = "Not bought, nothing was charged."
        if offer.repeats:  # recorded, and not sent yet
            withdraw = words.command(self._args, "cancel", offer.repeats.task.task_id)
            refused = f"Not sent now. This withdraws the purchase: {withdraw}"
        return self._terminal.ask(f"Buy this clip {at}?", refused=refused)

    def outcome(self, session: Session, bought: Purchase) -> tuple[str, int]:
        """Whether money moved, and the exit code of the purchase itself."""
        from hailuo_mcp.domain.task import Status
        from hailuo_mcp.wording import person
        from hailuo_mcp.wording.phrases import charged

        view = bought.view
        if view is None:
            return "no", exits.FAILED
        task = view.task
        label, sentence = person.task_text(view, program=words.program())
        if sentence:
            self._terminal.paragraph(label, sentence, style=styles.of_label(label))
        elif task.saved:
            self._terminal.note(f"Saved  {task.file}")
        if not view.settled:
            self._terminal.note(f"  {session.resume_command(task)}")
        if task.status is Status.UNCONFIRMED:
            return "maybe", exits.UNCONFIRMED
        code = exits.DONE if task.saved else exits.FAILED
        if charged(task) == "no":
            return "no", code
        if not bought.is_bought:
            return "maybe", code
        return "earlier" if bought.is_earlier else "yes", code

    def summary(
        self,
        verdict: Verdict,
        report: Report,
        *,
        bought: str,
        recording: str,
        interrupted: str,
    ) -> None:
        """The counts, where the report is, and what to do with it."""
        message = summary_text(verdict, bought=bought, interrupted=bool(interrupted))
        if report.fault:
            self.problem(f"The report could not be written to its end ({report.fault}).")
        if self._terminal.json:
            status = _status(verdict, interrupted=bool(interrupted))
            answer = {"message": message, "status": status}
            if self._problems:
                answer |= {"status": "failed", "problem": " ".join(self._problems)}
            told = data(verdict, about=interrupted, bought=bought)
            where = {"report": str(report.path), **({"recording": recording} if recording else {})}
            self._terminal.data({**answer, **told, **where})
            return
        self._terminal.say()
        self._terminal.paragraph("", message, result=True)
        self._terminal.facts([("Report", styles.file(str(report.path)))])
        if recording:
            self._terminal.facts([("Recording", styles.file(recording))])
        new = [it for it in verdict.differences if not it.known]
        if any(HIDDEN in text for text in difference_texts(new)):
            self._terminal.paragraph("", HIDES, result=True)
        if new and verdict.exchanges:  # of one that was not reached there is nothing to report
            self._terminal.paragraph("", "Please attach the report to an issue:", result=True)
            self._terminal.say(f"  {ISSUE}")

    def problem(self, said: str) -> None:
        """What went wrong here, and not at the provider."""
        self._problems.append(said)
        self._terminal.paragraph("Problem:", said, style=styles.BAD)

    def _say(self, label: str, text: str) -> None:
        self._terminal.paragraph(label, text, style=styles.HEADING, result=True)

    def _below(self, text: str, style: str = "") -> None:
        if style:
            self._terminal.paragraph(" " * _BELOW, text, style=style, result=True, indent=_BELOW)
        else:
            self._terminal.paragraph("", text, result=True, indent=_BELOW)


def summary_text(verdict: Verdict, *, bought: str, interrupted: bool) -> str:
    """Such as "9 steps as documented, 2 differ. Nothing was bought."."""
    is_free = PROVIDERS[verdict.provider].is_sandbox
    many = Counter(step.outcome for step in verdict.steps)
    parts = [f"{words.count(many[Outcome.AS_DOCUMENTED], 'step')} as documented"]
    if differ := many[Outcome.DIFFERS]:
        parts.append(f"{differ} {'differs' if differ == 1 else 'differ'}")
    others = (Outcome.FAILED, Outcome.SKIPPED, Outcome.INTERRUPTED)
    parts += [f"{many[it]} {it.value}" for it in others if many[it]]
    money = {
        "no": "Nothing was bought.",
        "yes": "One clip was made, free." if is_free else "One clip was bought.",
        "earlier": "Nothing new was bought: it went on with an earlier clip.",
        "maybe": "Something may have been bought.",
    }[bought]
    stopped = "Stopped before the end. " if interrupted else ""
    return f"{stopped}{', '.join(parts)}. {money}"


def _price_words(offer: Offer) -> str:
    """With both digits after the point, as money is written."""
    from hailuo_mcp.catalog.prices import price_words
    from hailuo_mcp.domain.task import Unit

    draft = offer.draft
    if draft.amount is None or draft.unit is Unit.CREDITS or offer.lower_bound:
        return price_words(offer.quote)
    return f"{draft.amount:.2f} {draft.unit}"


def _status(verdict: Verdict, *, interrupted: bool) -> str:
    outcomes = {step.outcome for step in verdict.steps}
    if interrupted:
        return "interrupted"
    worst = (Outcome.FAILED, Outcome.DIFFERS)
    return next((it.value for it in worst if it in outcomes), Outcome.AS_DOCUMENTED.value)


def _told(error: HailuoError) -> str:
    from hailuo_mcp.wording.person import steps_text

    return f"{error.what} {steps_text(error, program=words.program())}".strip()
