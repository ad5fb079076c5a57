"""account: the account book, as a table, as CSV for a spreadsheet, or as JSON."""

from __future__ import annotations

import unicodedata
from argparse import ArgumentParser, ArgumentTypeError, Namespace
from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

from hailuo_mcp.cli import arguments, dates, exits, setting_sources, words
from hailuo_mcp.cli.output import styles
from hailuo_mcp.cli.output.terminal import Terminal
from hailuo_mcp.text import number, shown

if TYPE_CHECKING:
    from hailuo_mcp.cli.session import Session
    from hailuo_mcp.journal.facts import Charge, Filter
    from hailuo_mcp.studio.account_book import Line
    from hailuo_mcp.views import View

BY = ("day", "month", "provider", "model")
_USUAL = ("day", "provider", "model")
_COLUMNS = (
    *("date", "provider", "task_id", "remote_id", "model", "mode", "duration", "resolution"),
    *("status", "charged", "amount", "unit", "prompt"),
)
"""Of the CSV; scripts rely on them."""
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
"""What a spreadsheet may take for the beginning of a formula (OWASP, CSV injection)."""
_MOST_NAMED = 20
_PROMPT = 60


def account_options(parser: ArgumentParser) -> None:
    add = parser.add_argument_group("which").add_argument
    since = f"requested since then: {dates.EXAMPLES}, today, yesterday"
    add("--since", type=dates.since, metavar="WHEN", help=since)
    add("--until", type=dates.until, metavar="WHEN", help="requested before, or on that day")
    arguments.add_flag(add, "--sandbox", "with the sandbox's clips, which were free")
    add = parser.add_argument_group("how").add_argument
    add(
        "--by",
        type=_by,
        default=_USUAL,
        metavar="day|month|provider|model",
        help=f"sums by these, with commas between them (default: {','.join(_USUAL)})",
    )
    arguments.add_flag(add, "--items", "each clip, with its ids and its prompt")
    arguments.add_flag(add, "--csv", "each clip as a line of CSV, for a spreadsheet")


def _by(text: str) -> tuple[str, ...]:
    wanted = tuple(dict.fromkeys(part.strip().lower() for part in text.split(",") if part.strip()))
    if not wanted or not set(wanted) <= set(BY):
        raise ArgumentTypeError(f"{shown(text)!r} is not one or several of {', '.join(BY)}")
    return wanted


def account(args: Namespace, terminal: Terminal) -> int:
    from hailuo_mcp.dialects.providers import provider_named, provider_notice
    from hailuo_mcp.errors import ConfigError, InvalidRequestError
    from hailuo_mcp.journal.facts import Filter

    if args.csv and terminal.json:
        raise InvalidRequestError("--csv and --json cannot be combined.")
    # It chooses what is shown, not whose key is used: the book has the clips of all of them.
    try:
        provider = provider_named(args.provider).name if args.provider else ""
    except ConfigError as exc:
        raise setting_sources.by_option(exc, setting_sources.given_settings(args)) from None
    args = Namespace(**{**vars(args), "provider": None, "base_url": None})
    only = Filter(since=args.since, until=args.until, provider=provider)
    if args.since is not None and args.until is not None and args.since >= args.until:
        raise InvalidRequestError("--since is not before --until, so there is nothing between.")

    found, lost = _read(args, only)
    paid = [it for it in found if args.sandbox or provider or not provider_notice(it.provider)]
    if args.csv:
        terminal.write_bytes(csv_of(paid))
    elif terminal.json:
        from hailuo_mcp.cli.running import run_with_reader

        views = run_with_reader(args, terminal, partial(_views, only=only))
        terminal.data(_record(args, paid, views))
    else:
        _print(args, terminal, paid, hidden=len(found) - len(paid))
    if lost:
        terminal.paragraph("Problem:", lost, style=styles.BAD)
    return exits.DONE


def _read(args: Namespace, only: Filter) -> tuple[list[Charge], str]:
    """The charges, and what a damaged journal may have lost, as sentences.

    Only the journal is opened: a studio takes longer to load, and there may be no key.
    """
    import anyio

    from hailuo_mcp.journal import make_store
    from hailuo_mcp.wording.person import losses_text

    async def read() -> tuple[list[Charge], str]:
        store = make_store(setting_sources.settings(args))
        await store.open()
        try:
            found = await store.charges(only)
        finally:
            await store.close()
        lost = store.losses
        return found, losses_text(lost, program=words.program()) if lost else ""

    return anyio.run(read)


async def _views(session: Session, *, only: Filter) -> list[View]:
    from hailuo_mcp.studio.account_book import charged_tasks

    return await charged_tasks(session.reader, only)


def csv_of(charges: Sequence[Charge]) -> bytes:
    """RFC 4180 in UTF-8. A text that a spreadsheet would run as a formula gets a ' before it."""
    import csv
    from io import StringIO

    out = StringIO(newline="")
    rows = csv.writer(out)  # lines end in CR LF, quotes are doubled
    rows.writerow(_COLUMNS)
    for charge in charges:
        rows.writerow([_harmless(cell) for cell in _cells(charge)])
    return out.getvalue().encode("utf-8", "replace")


def _cells(charge: Charge) -> tuple[str, ...]:
    from hailuo_mcp.domain.requests import Mode
    from hailuo_mcp.domain.task import Money
    from hailuo_mcp.studio.account_book import day_of

    bought_here = charge.money is not Money.UNKNOWN
    known = bought_here or charge.mode in (Mode.TEMPLATE, Mode.UPGRADE)
    return (
        day_of(charge),
        charge.provider,
        charge.task_id,
        charge.remote_id,
        charge.model,
        charge.mode.value if known else "",
        "" if charge.duration is None else str(charge.duration),
        charge.resolution or "",
        charge.status.value,
        _charged(charge),
        _amount(charge),
        charge.unit.value if bought_here else "",
        charge.prompt,
    )


def _charged(charge: Charge) -> str:
    from hailuo_mcp.wording.phrases import charged

    return charged(charge) or "unknown"


def _amount(charge: Charge) -> str:
    """What it adds to the sums: nothing if it was not charged; empty if nobody knows."""
    from hailuo_mcp.domain.task import Money

    if charge.money is Money.RELEASED:
        return "0"
    if charge.money is Money.UNKNOWN or (charge.amount is None and not charge.counted):
        return ""
    return number(charge.counted)


def _harmless(cell: str) -> str:
    # A terminal that shows the file would obey control characters; a line's end is none of those.
    cell = "".join(
        " " if unicodedata.category(c) == "Cc" and c not in "\t\r\n" else c for c in cell
    )
    return f"'{cell}" if cell.startswith(_FORMULA) else cell


def _record(args: Namespace, charges: Sequence[Charge], views: Sequence[View]) -> dict[str, object]:
    from hailuo_mcp.cli.record import task_record
    from hailuo_mcp.studio.account_book import lines

    wanted = {charge.task_id for charge in charges}
    sums = [_sums(line, ("provider",)) for line in lines(charges, ("provider",))]
    return {
        "message": " ".join(_total(line) for line in lines(charges, ("provider",)))
        or "No purchase in that time.",
        "sums": sums,
        "by": list(args.by),
        "groups": [_sums(line, args.by) for line in lines(charges, args.by)],
        "tasks": [task_record(view) for view in views if view.task.task_id in wanted],
    }


def _sums(line: Line, by: Sequence[str]) -> dict[str, object]:
    from hailuo_mcp.dialects.providers import provider_notice

    provider = dict(zip(by, line.of, strict=True)).get("provider", "")
    return {
        **dict(zip(by, line.of, strict=True)),
        "unit": line.unit.value,
        "tasks": line.tasks,
        "charged_tasks": line.charged,
        "spent": number(line.spent),
        "reserved": number(line.reserved),
        "uncertain": number(line.uncertain),
        **({"free": bool(provider_notice(provider))} if provider else {}),
    }


def _print(args: Namespace, terminal: Terminal, charges: Sequence[Charge], *, hidden: int) -> None:
    from hailuo_mcp.studio.account_book import lines

    if charges and args.items:
        _print_items(terminal, charges)
    elif charges:
        _print_sums(terminal, lines(charges, args.by), args.by)
    else:
        terminal.say("No purchase in that time." if _is_narrowed(args) else "No purchase.")
    if charges:
        terminal.say()
    _report_unconfirmed(args, terminal, charges)
    for line in lines(charges, ("provider",)):
        terminal.paragraph("", _total(line), style=styles.MONEY, result=True)
    if hidden:
        clips = words.count(hidden, "clip")
        told = f"{clips} of the sandbox, free, not shown: --sandbox adds them."
        terminal.paragraph("", told, style=styles.QUIET, result=True)


def _is_narrowed(args: Namespace) -> bool:
    return args.since is not None or args.until is not None


def _print_sums(terminal: Terminal, sums: Sequence[Line], by: Sequence[str]) -> None:
    from hailuo_mcp.wording.phrases import amount

    rows: list[list[styles.Cell]] = []
    for line in sums:
        open_sum = line.reserved - line.uncertain
        rows.append(
            [
                *line.of,
                str(line.charged),
                styles.Styled(amount(line.spent, line.unit), styles.MONEY),
                amount(open_sum, line.unit) if line.reserved_tasks > line.uncertain_tasks else "",
                styles.Styled(amount(line.uncertain, line.unit), styles.DOUBT)
                if line.uncertain_tasks
                else "",
                str(line.free or ""),
            ]
        )
    columns = (*(name.capitalize() for name in by), "Clips", "Charged")
    columns += ("In progress", "Unconfirmed", "Not charged")
    used = [
        index
        for index in range(len(columns))
        if index < len(by) + 2 or any(styles.text_of(row[index]) for row in rows)
    ]
    terminal.table(
        [columns[index] for index in used],
        [[row[index] for index in used] for row in rows],
        wide=by.index("model") if "model" in by else None,
    )


def _print_items(terminal: Terminal, charges: Sequence[Charge]) -> None:
    from hailuo_mcp.wording.phrases import amount

    rows: list[list[styles.Cell]] = []
    for charge in charges:
        cost = _amount(charge)
        size = (f"{charge.duration} s" if charge.duration else "", charge.resolution)
        rows.append(
            [
                _when(charge),
                charge.provider,
                charge.task_id,
                charge.remote_id,
                ", ".join(part for part in (charge.model, *size) if part),
                styles.state(charge.status.value),
                _charged(charge),
                amount(charge.counted, charge.unit) if cost not in ("", "0") else cost,
                charge.prompt,
            ]
        )
    columns = ("Requested", "Provider", "Task", "Remote id", "Clip", "Status", "Charged", "Amount")
    terminal.table((*columns, "Prompt"), rows, wide=len(columns))


def _when(charge: Charge) -> str:
    from datetime import datetime

    return datetime.fromtimestamp(charge.created_at).strftime("%Y-%m-%d %H:%M")  # noqa: DTZ006


def _report_unconfirmed(args: Namespace, terminal: Terminal, charges: Sequence[Charge]) -> None:
    """Before the sums: what a person must look up before the bill can be settled."""
    from hailuo_mcp.dialects.providers import provider_notice
    from hailuo_mcp.domain.task import Status
    from hailuo_mcp.wording.phrases import amount

    doubtful = [charge for charge in charges if charge.status is Status.UNCONFIRMED]
    doubtful = [charge for charge in doubtful if not provider_notice(charge.provider)]
    if not doubtful:
        return
    many = words.count(len(doubtful), "clip")
    settle = words.command(args, "settle", "ID", "bought")
    terminal.paragraph(
        "Unconfirmed:",
        f"{many} may have been charged. Look for each in the provider's bill, then run: {settle} "
        "(or not-bought)",
        style=styles.DOUBT,
        result=True,
    )
    for charge in doubtful[:_MOST_NAMED]:
        cost = amount(charge.counted, charge.unit) if _amount(charge) else "unpriced"
        prompt = shown(" ".join(charge.prompt.split()), _PROMPT)
        terminal.say(f"  {charge.task_id}  {_when(charge)}  {charge.provider}  {cost}  {prompt}")
    if len(doubtful) > _MOST_NAMED:
        terminal.say(f"  and {len(doubtful) - _MOST_NAMED} more: --items shows all")
    terminal.say()


def _total(line: Line) -> str:
    """The sums of one provider in one unit, as sentences."""
    from hailuo_mcp.dialects.providers import provider_notice
    from hailuo_mcp.wording.phrases import amount

    provider, unit = line.of[0], line.unit
    clips = words.count(line.charged, "clip")
    if provider_notice(provider):
        return f"{provider}, free: {clips} that would cost {amount(line.spent, unit)}."
    said = [f"{provider}: {amount(line.spent, unit)} charged for {clips}."]
    if going := line.reserved_tasks - line.uncertain_tasks:
        left = amount(line.reserved - line.uncertain, unit)
        said.append(f"{left} reserved for {going} in progress.")
    if line.uncertain_tasks:
        doubt = amount(line.uncertain, unit)
        said.append(f"{doubt} for {line.uncertain_tasks} unconfirmed, which may be on the bill.")
    if line.free:
        said.append(f"{line.free} failed or cancelled, not charged.")
    if line.counted:
        more = "more" if line.over_quote >= 0 else "less"
        said.append(
            f"{line.counted} by the provider's count: {amount(abs(line.over_quote), unit)} {more} "
            "than quoted."
        )
    if line.unpriced:
        said.append(f"{line.unpriced} without a published price, not in the sum.")
    if line.elsewhere:
        said.append(f"{line.elsewhere} bought elsewhere, at an unknown cost.")
    return " ".join(said)
