"""Several clips before they are bought: what they would cost, and which would be refused."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

from hailuo_mcp.catalog.video_templates import model_title
from hailuo_mcp.cli import setting_sources, task_rows, words
from hailuo_mcp.cli.arguments import STANDARD
from hailuo_mcp.domain.task import Status, Unit
from hailuo_mcp.errors import HailuoError, InvalidRequestError
from hailuo_mcp.text import number

if TYPE_CHECKING:
    from hailuo_mcp.cli.make.prompt_file import Clip, Refused
    from hailuo_mcp.cli.output.terminal import Terminal
    from hailuo_mcp.views import Offer, Spending, Terms

_MOST_ROWS = 20
"""Rows of a plan that a person is shown before the question; a dry run shows all."""
_NAMED = 40


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What a batch would buy; all of it is checked and priced."""

    offers: tuple[tuple[Clip, Terms, Offer], ...]
    refused: tuple[Refused, ...]
    total: Decimal | None
    """The price of what is new; None if a price is not published."""
    asks: bool
    """The sum needs consent."""
    spending: Spending
    over: HailuoError | None = None
    """Why the sum is refused."""
    elsewhere: int = 0
    """How many of the new clips were bought by another account of the provider."""

    @property
    def needs_consent(self) -> bool:
        return self.asks or bool(self.elsewhere)

    @property
    def new(self) -> int:
        return sum(offer.repeats is None for _, _, offer in self.offers)


def again(args: Namespace) -> str:
    """The command that continues this one, and waits to its end."""
    command = words.retyped(args, no_wait=False, wait_seconds=None)
    fed = getattr(args, "file", "") == STANDARD
    return f"{command}   (with the same lines on standard input)" if fed else command


def is_sandbox(plan: Plan) -> bool:
    return any(offer.notice for _, _, offer in plan.offers)


def question(plan: Plan) -> str:
    play = " of play money" if is_sandbox(plan) else ""
    return f"Buy {words.count(plan.new, 'clip')} for {_total(plan)}{play}?"


def costs(plan: Plan) -> str:
    """The sum as a clause."""
    verb = "would cost" if is_sandbox(plan) else "cost"
    if plan.new == 1 and verb == "cost":
        verb = "costs"
    return f"{words.count(plan.new, 'new clip')} {verb} {_total(plan)}"


def _total(plan: Plan) -> str:
    from hailuo_mcp.wording.phrases import amount

    new = [offer for _, _, offer in plan.offers if offer.repeats is None]
    known = [offer.reserved_amount for offer in new if offer.reserved_amount is not None]
    total = amount(sum(known, Decimal(0)), Unit(plan.spending.unit))
    missing = len(new) - len(known)
    return f"at least {total} ({missing} without a published price)" if missing else total


def show_plan(args: Namespace, terminal: Terminal, plan: Plan, refused: Sequence[Refused]) -> None:
    """The price before the purchase; with --dry-run, the whole result."""
    if args.dry_run and terminal.json:
        terminal.data(_plan_answer(args, plan, refused))
        return
    if args.dry_run or (terminal.can_ask and not terminal.quiet):
        rows = [_plan_row(clip, offer) for clip, _, offer in plan.offers]
        few = rows if args.dry_run else rows[:_MOST_ROWS]
        columns = ("Line" if file_of(args) else "Take", "Clip", "Price", "Prompt")
        if few:
            terminal.table(columns, few, wide=3)
            if len(few) < len(rows):
                terminal.say(f"and {len(rows) - len(few)} more", style="dim")
            terminal.say()
    note_refused(args, terminal, refused)
    if terminal.quiet and not (args.dry_run or (plan.needs_consent and not args.yes)):
        return
    label = "Would cost:" if is_sandbox(plan) else "Price:"
    if not plan.new:
        label = "Nothing to buy:"
    terminal.paragraph(label, _plan_text(plan), style="bold", result=args.dry_run)
    if args.dry_run:
        _end_dry_run(args, terminal, plan, refused)


def _end_dry_run(
    args: Namespace, terminal: Terminal, plan: Plan, refused: Sequence[Refused]
) -> None:
    if plan.over:
        from hailuo_mcp.wording import person

        why = person.error_text(setting_sources.by_place(plan.over, args), program=words.program())
        terminal.paragraph("Would be refused:", why, style="bold red", result=True)
    if refused and file_of(args):
        lines = words.count(len({one.line for one in refused}), "line")
        terminal.paragraph("Would be refused:", f"{lines}, as said.", style="bold red", result=True)
    terminal.say("Nothing was sent or charged.", style="dim")
    if plan.new and not (plan.over or refused):
        terminal.say()
        terminal.say("Buy them:" if plan.new > 1 else "Buy it:", style="dim")
        terminal.say(f"  {words.retyped(args, dry_run=False)}")


def file_of(args: Namespace) -> str:
    return getattr(args, "file", "")


def _plan_text(plan: Plan) -> str:
    """The sum, what was bought before, and the budget."""
    before = [offer.repeats.task for _, _, offer in plan.offers if offer.repeats]
    unsure = sum(task.status is Status.UNCONFIRMED for task in before)
    said = [f"{_total(plan)} for {words.count(plan.new, 'new clip')}." if plan.new else ""]
    if not plan.offers:
        said.append("none can be made.")
    if before:
        were = "was" if len(before) == 1 else "were"
        many = "all" if not plan.new and len(before) > 1 else str(len(before))
        said.append(f"{many} {were} bought before, and cost{_s(len(before))} nothing again.")
    if unsure:
        are = "1 of them is" if unsure == 1 else f"{unsure} of them are"
        said.append(f"{are} unconfirmed, and not bought again before you have settled that.")
    left = plan.spending.left
    if left is not None and plan.new:
        if plan.total is not None and plan.total <= left:
            after = f", {number(left - plan.total)} after these clips"
        else:
            after = ""
        said.append(f"Left of the budget: {number(left)} {plan.spending.unit}{after}.")
    if plan.elsewhere:
        said.append(bought_elsewhere(plan))
    if plan.asks:
        said.append("That needs consent (HAILUO_CONFIRM_ABOVE).")
    return " ".join(part for part in said if part)


def bought_elsewhere(plan: Plan) -> str:
    """What would be paid for a second time, as a sentence."""
    were = "was" if plan.elsewhere == 1 else "were"
    return (
        f"{plan.elsewhere} of these {were} bought before with another key (or at another address)."
    )


def _s(many: int) -> str:
    return "s" if many == 1 else ""


def _plan_row(clip: Clip, offer: Offer) -> tuple[str, ...]:
    from hailuo_mcp.catalog.prices import price_words

    draft = offer.draft
    price = price_words(offer.quote) if draft.amount is not None else "unpriced"
    if repeats := offer.repeats:
        price = {
            Status.UNCONFIRMED: "unconfirmed, not bought again",
            Status.SUCCEEDED: "bought before",
        }.get(repeats.task.status, "under way")
    length = f"{draft.duration} s" if draft.duration else ""
    what = ", ".join(part for part in (model_title(draft.model), draft.resolution, length) if part)
    return place_of(clip), what, price, task_rows.named(draft)


def place_of(clip: Clip) -> str:
    """Where a clip stands: its line, and its take if that is not the first."""
    if not clip.line:
        return str(clip.take)
    return f"{clip.line}" if clip.take == 1 else f"{clip.line}, take {clip.take}"


def _plan_answer(args: Namespace, plan: Plan, refused: Sequence[Refused]) -> Mapping[str, object]:
    from hailuo_mcp.wording.costs import purchase_quote, spending

    clips = list[dict[str, object]]()
    for clip, _, offer in plan.offers:
        quoted = dict(purchase_quote(offer))
        quoted.pop("spending", None)  # once, for all of them
        clips.append({**line_record(clip), **quoted})
    message = _plan_text(plan)
    if plan.over:
        message = f"{message} Would be refused: {plan.over.what}"
    return {
        "message": f"{message} Nothing was sent or charged.",
        "new": plan.new,
        "before": len(plan.offers) - plan.new,
        "cost": cost_record(plan.total, plan.spending.unit),
        "needs_consent": plan.needs_consent,
        "refused": [refused_record(one) for one in refused],
        "spending": spending(plan.spending),
        "clips": clips,
        **({"would_be_refused": plan.over.code} if plan.over else {}),
        **({"file": args.file} if file_of(args) else {}),
    }


def cost_record(total: Decimal | None, unit: str) -> dict[str, str]:
    return {"unit": unit} if total is None else {"amount": number(total), "unit": unit}


def line_record(clip: Clip) -> dict[str, object]:
    return {**({"line": clip.line} if clip.line else {}), "take": clip.take}


def refused_record(one: Refused) -> dict[str, object]:
    return {
        **({"line": one.line} if one.line else {}),
        "message": reason(one.error),
        "code": one.error.code,
    }


def reason(error: HailuoError) -> str:
    """What is wrong and what helps; that nothing was charged is said once, for all."""
    from hailuo_mcp.wording import person
    from hailuo_mcp.wording.phrases import join

    what = error.what.removeprefix("Refused: ")
    return join(what, person.steps_text(error, program=words.program()))


def note_refused(args: Namespace, terminal: Terminal, refused: Sequence[Refused]) -> None:
    """Each line that cannot be made, as compilers name theirs."""
    file = file_of(args)
    name = "standard input" if file == STANDARD else file
    for one in refused:
        place = f"{name}:{one.line}:" if one.line else "Refused:"
        terminal.paragraph(place, reason(one.error), style="bold red")


def show_refused(
    args: Namespace,
    terminal: Terminal,
    refused: Sequence[Refused],
    *,
    clips: int,
    unread: bool = False,
) -> None:
    """Why nothing was bought: every line that cannot be made."""
    from hailuo_mcp.wording.tasks import error_answer

    if not file_of(args):  # takes of one request, which are all refused for the same reason
        raise refused[0].error
    lines = words.count(len({one.line for one in refused}), "line")
    rest = "" if unread or len(refused) >= clips else ", or add --skip-refused to make the others"
    said = f"{lines} cannot be made, so nothing was bought or charged. Correct them{rest}."
    if terminal.json:
        error = InvalidRequestError(said)
        answers = [refused_record(one) for one in refused]
        terminal.data({"message": said, **error_answer(error), "refused": answers})
    note_refused(args, terminal, refused)
    terminal.paragraph("Refused:", said, style="bold red")
