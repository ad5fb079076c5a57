"""A task for a person: where the clip is, what it cost, what to do next."""

from __future__ import annotations

from argparse import Namespace
from typing import TYPE_CHECKING

from hailuo_mcp.catalog.video_templates import model_title
from hailuo_mcp.cli import styles, words
from hailuo_mcp.domain import Mode, Status, Task

if TYPE_CHECKING:
    from hailuo_mcp.cli.session import Session
    from hailuo_mcp.cli.terminal import Terminal
    from hailuo_mcp.views import Offer, View


def show(session: Session, view: View, *, copy: str = "") -> None:
    """Show the task; `copy` is where its clip was copied to."""
    from hailuo_mcp.wording import person

    task, terminal = view.task, session.terminal
    if terminal.json:
        from hailuo_mcp.cli.record import task_record

        terminal.data(task_record(view, copy=copy))
        return
    if view.reused:
        terminal.paragraph(*person.REUSED, result=True)
    label, sentence = person.task_text(view, program=words.program())
    if sentence:
        terminal.paragraph(label, sentence, style=styles.of_label(label), result=True)
    saved = task.saved and task.status is Status.SUCCEEDED
    rows: list[tuple[str, styles.Cell]] = []
    if saved:
        rows.append(("Saved", styles.file(copy or task.file)))
    price = person.cost(view)
    if price.startswith("would"):
        price = f"nothing: a real one {price}"
    rows += [
        ("Clip", clip_words(task)),
        ("Cost", styles.Styled(price, styles.MONEY if price else "")),
    ]
    terminal.facts([row for row in (*rows, ("Task", task.task_id)) if styles.text_of(row[1])])
    for note in view.notes:
        terminal.paragraph("Note:", note, result=True)
    if view.notice:
        terminal.say(view.notice, style="dim")


def show_offer(args: Namespace, terminal: Terminal, offer: Offer) -> None:
    """The price before a purchase; with --dry-run, the whole result."""
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
    """The next thing to do, as a command to paste."""
    if not session.terminal.json:
        session.terminal.say()
        session.terminal.say(f"{what}:", style="dim")
        session.terminal.say(f"  {command}")


def clip_words(task: Task) -> str:
    """Its size, length and model."""
    size = f"{task.width}×{task.height}" if task.width and task.height else task.resolution
    length = task.seconds or task.duration
    parts = (
        size,
        f"{length:g} s" if length else "",
        megabytes(task.bytes) if task.bytes else "",
        model_title(task.model),
    )
    return ", ".join(part for part in parts if part)


def named(task: Task) -> str:
    """A clip's name for a person: its template and the texts in it, or its prompt."""
    if task.mode is not Mode.TEMPLATE:
        return task.prompt
    template = model_title(task.model).removeprefix("template ")
    return ": ".join(part for part in (template, task.prompt) if part)


def megabytes(size: int) -> str:
    return f"{size / 1_000_000:.1f} MB" if size >= 100_000 else f"{size / 1000:.0f} kB"  # noqa: PLR2004
