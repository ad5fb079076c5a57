"""What a person reads about a task: where the clip is, what it cost, what to try next."""

from __future__ import annotations

from argparse import Namespace
from dataclasses import replace
from typing import TYPE_CHECKING

from hailuo_mcp.catalog.video_templates import model_title
from hailuo_mcp.cli import words
from hailuo_mcp.domain import Mode, Money, Quote, Status, Task, Unit

if TYPE_CHECKING:
    from hailuo_mcp.cli.session import Session
    from hailuo_mcp.cli.terminal import Terminal
    from hailuo_mcp.views import Offer, Spending, View


def show(session: Session, view: View, *, copy: str = "") -> None:
    """The task as facts and one next step; `copy` is where the clip went as well."""
    from hailuo_mcp.wording import tasks

    task, terminal = view.task, session.terminal
    if terminal.json:
        answer = tasks.video_task(view)
        if copy:
            answer["file"] = copy
        terminal.data(dict(answer))
        return
    if view.reused:
        terminal.paragraph(
            "Not a new clip:", "you asked for it before. Nothing was charged now.", result=True
        )
    label, sentence = _headline(view)
    if sentence:
        terminal.paragraph(label, sentence, style=_STYLES.get(label, "bold"), result=True)
    saved = task.saved and task.status is Status.SUCCEEDED
    rows = [("Saved", copy or task.file)] if saved else []
    price = cost(view)
    if price.startswith("would"):
        price = f"nothing: a real one {price}"
    rows += [("Clip", _clip(task)), ("Cost", price), ("Task", task.task_id)]
    terminal.facts([row for row in rows if row[1]])
    for note in view.notes:
        terminal.paragraph("Note:", words.spoken(note), result=True)
    if view.notice:
        terminal.say(view.notice, style="dim")


def show_offer(args: Namespace, terminal: Terminal, offer: Offer) -> None:
    """What a purchase would come to, before it is made; with --dry-run it is all there is."""
    from hailuo_mcp.wording.costs import offer_words, purchase_quote

    if args.dry_run and terminal.json:
        terminal.data(dict(purchase_quote(offer)))
        return
    label = "Price:" if not offer.notice else "Would cost:"
    if offer.repeats:
        if offer.repeats.settled and not args.dry_run:
            return  # the result says so at once
        label = "Not a new clip:"
    told = offer_words(offer)
    if offer.asks and args.dry_run and not args.yes:
        told += " You are asked before it is bought (HAILUO_CONFIRM_ABOVE)."
    terminal.paragraph(label, told, style="bold", result=args.dry_run)
    if args.dry_run:
        terminal.say("Nothing was sent or charged.", style="dim")
        if not offer.repeats:
            terminal.say()
            terminal.say("Buy it:", style="dim")
            terminal.say(f"  {words.retyped(args, dry_run=False)}")


def follow_up(session: Session, what: str, command: str) -> None:
    """The next thing to try, on a line of its own to paste."""
    if not session.terminal.json:
        session.terminal.say()
        session.terminal.say(f"{what}:", style="dim")
        session.terminal.say(f"  {command}")


_LOST = "Bought, without a clip."
_STYLES = {
    "Failed.": "bold red",
    "Unconfirmed.": "bold yellow",
    "Not saved.": "bold red",
    _LOST: "bold red",
}


def _headline(view: View) -> tuple[str, str]:
    from hailuo_mcp.wording import sentences

    task = view.task
    left = f", {sentences.about(view.eta_seconds)} left" if view.eta_seconds else ""
    if task.status is Status.SUCCEEDED:
        if task.saved:
            return "", ""
        if task.save_error:
            return "Not saved.", words.spoken(task.save_error)
    if task.status in (Status.FAILED, Status.UNCONFIRMED):
        said = sentences.message(replace(view, notes=(), reused=False, trouble=""))
        said = said.removeprefix(view.notice).lstrip().removeprefix("The clip failed. ")
        label = f"{task.status.capitalize()}."
        return (_LOST if task.money is Money.SPENT else label), words.spoken(said)
    return {
        Status.PENDING: ("Waiting", "for its turn under the rate limit; it is written down."),
        Status.SUBMITTING: ("Sent", f"to {task.provider}, which has not answered yet."),
        Status.QUEUED: ("Queued", f"at {task.provider}{left}."),
        Status.RUNNING: ("Rendering", f"at {task.provider}{left}."),
        Status.SUCCEEDED: ("Ready", f"at {task.provider} and not saved yet."),
        Status.CANCELLED: ("Cancelled.", task.error or "It was withdrawn before it was sent."),
    }[task.status]


def _clip(task: Task) -> str:
    size = f"{task.width}×{task.height}" if task.width and task.height else task.resolution
    length = task.seconds or task.duration
    parts = (
        size,
        f"{length:g} s" if length else "",
        _megabytes(task.bytes) if task.bytes else "",
        model_title(task.model),
    )
    return ", ".join(part for part in parts if part)


def named(task: Task) -> str:
    """What a person knows a clip by: its template and the texts in it, or its prompt."""
    if task.mode is not Mode.TEMPLATE:
        return task.prompt
    template = model_title(task.model).removeprefix("template ")
    return ": ".join(part for part in (template, task.prompt) if part)


def _megabytes(size: int) -> str:
    return f"{size / 1_000_000:.1f} MB" if size >= 100_000 else f"{size / 1000:.0f} kB"  # noqa: PLR2004


def cost(view: View) -> str:
    """What it cost, and whether that has been charged."""
    from hailuo_mcp.views import cost_words
    from hailuo_mcp.wording.tasks import video_task

    known = video_task(view).get("cost", {})
    if view.task.money is Money.UNKNOWN:
        return "bought elsewhere"
    price = cost_words(view.task) or "no published price"
    match known.get("charged"):
        case "yes":
            return price
        case "no":
            return "nothing"
        case _ if view.notice:
            return price
        case "maybe":
            return f"{price}, perhaps charged"
        case _:
            return f"{price} when it succeeds"


def spending(so_far: Spending, provider: str) -> str:
    """The money so far, in a sentence."""
    from hailuo_mcp.catalog.prices import price_words
    from hailuo_mcp.dialects.providers import notice_of
    from hailuo_mcp.text import number
    from hailuo_mcp.wording.costs import other_walls

    when = {"day": "today", "month": "this month", "total": "in all"}.get(so_far.period, "")
    spent = price_words(Quote(amount=so_far.spent, unit=Unit(so_far.unit)))
    said = f"At {provider}: {spent} spent {when}"
    if notice_of(so_far.provider):
        said = f"In the sandbox, free: clips that would cost {spent} {when}"
    if so_far.reserved:
        said += f", {number(so_far.reserved)} reserved"
    if so_far.uncertain:
        said += f" ({number(so_far.uncertain)} of it for unconfirmed tasks)"
    if so_far.budget is not None and so_far.left is not None:
        said += f"; {number(so_far.left)} left of a budget of {number(so_far.budget)}"
    return " ".join(part for part in (f"{said}.", other_walls(so_far.others)) if part)
