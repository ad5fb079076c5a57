"""A task for a person: where the clip is, what it cost, what to do next."""

from __future__ import annotations

from argparse import Namespace
from typing import TYPE_CHECKING

from hailuo_mcp.catalog.video_templates import model_title
from hailuo_mcp.cli import words
from hailuo_mcp.cli.output import styles
from hailuo_mcp.domain.task import Status, Task

if TYPE_CHECKING:
    from hailuo_mcp.cli.output.terminal import Terminal
    from hailuo_mcp.cli.session import Session
    from hailuo_mcp.domain.requests import AnyRequest
    from hailuo_mcp.views import Offer, View


def show(session: Session, view: View, *, copy: str = "") -> None:
    """Show the task; `copy` is where its clip was copied to."""
    from hailuo_mcp.wording import person

    task, terminal = view.task, session.terminal
    if terminal.json:
        from hailuo_mcp.cli.record import task_record

        terminal.data(task_record(view, copy=copy))
        return
    if terminal.quiet:
        show_path(session, view, copy=copy)
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
        terminal.paragraph("", view.notice, style="dim", result=True)


def show_path(session: Session, view: View, *, copy: str = "") -> None:
    """With --quiet: where the clip is, and nothing else; what went wrong is told on stderr.

    A task that nobody waits for has no path yet: its id is the result.
    """
    from hailuo_mcp.wording import person

    task, terminal = view.task, session.terminal
    if task.saved and task.status is Status.SUCCEEDED:
        terminal.say(copy or task.file)
        return
    if getattr(session.args, "no_wait", False) and not view.settled:
        terminal.say(task.task_id)
        return
    label, sentence = person.task_text(view, program=words.program())
    terminal.paragraph(label, f"{sentence} Task {task.task_id}.", style=styles.of_label(label))


def show_offer(
    args: Namespace, terminal: Terminal, offer: Offer, request: AnyRequest | None = None
) -> None:
    """What will be made, its price and the budget after it; with --dry-run, the whole result."""
    from hailuo_mcp.wording.costs import purchase_quote

    if args.dry_run and terminal.json:
        terminal.data(dict(purchase_quote(offer)))
        return
    if offer.repeats:
        if args.dry_run or not (offer.repeats.settled or terminal.quiet):
            _show_repeated(terminal, offer, result=args.dry_run)
    elif args.dry_run or not terminal.quiet or (offer.asks and terminal.can_ask and not args.yes):
        asked = offer.asks and args.dry_run and not args.yes
        _show_new(terminal, offer, request, result=args.dry_run, asked=asked)
    if args.dry_run:
        terminal.say("Nothing was sent or charged.", style="dim")
        if not offer.repeats:
            terminal.say()
            terminal.say("Buy it:", style="dim")
            terminal.say(f"  {words.retyped(args, dry_run=False)}")


def _show_repeated(terminal: Terminal, offer: Offer, *, result: bool) -> None:
    from hailuo_mcp.wording.costs import offer_words

    terminal.paragraph("Not a new clip:", offer_words(offer), style="bold", result=result)


def _show_new(
    terminal: Terminal, offer: Offer, request: AnyRequest | None, *, result: bool, asked: bool
) -> None:
    """Two lines that are read at a glance, and what the request gave rise to."""
    from hailuo_mcp.wording.offers import offered_clip, offered_price

    label = "Would cost:" if offer.notice else "Price:"
    indent = len(label) + 1
    clip = offered_clip(offer, request, width=terminal.note_width - indent)
    terminal.paragraph("Clip:", clip, style="bold", result=result, indent=indent)
    price = f"{offered_price(offer)}."
    if asked:
        price += " You are asked before it is bought (HAILUO_CONFIRM_ABOVE)."
    terminal.paragraph(label, price, style="bold", result=result, indent=indent)
    for warning in offer.draft.warnings:
        terminal.paragraph("Note:", warning, result=result)


def note_kept_name(session: Session, clips: int = 1) -> None:
    """A pattern that was given does not rename what was saved before."""
    if not clips or not getattr(session.args, "filename", "") or session.terminal.quiet:
        return
    many = "it was" if clips == 1 else f"{clips} clips were"
    keeps = "keeps its name" if clips == 1 else "keep their names"
    session.terminal.paragraph(
        "Note:", f"{many} saved before, and {keeps}; --name is for new ones."
    )


def follow_up(session: Session, what: str, command: str) -> None:
    """The next thing to do, as a command to paste."""
    if not (session.terminal.json or session.terminal.quiet):
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


def megabytes(size: int) -> str:
    return f"{size / 1_000_000:.1f} MB" if size >= 100_000 else f"{size / 1000:.0f} kB"  # noqa: PLR2004
