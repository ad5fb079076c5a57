"""tasks: the clips and films, newest first, and the money; --wait and --watch follow them."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from collections.abc import Sequence
from typing import TYPE_CHECKING

from hailuo_mcp.cli import arguments, dates, exits, words
from hailuo_mcp.cli.arguments import FOREVER
from hailuo_mcp.cli.follow.list_limits import MOST, SORTS
from hailuo_mcp.cli.output import styles
from hailuo_mcp.cli.output.terminal import Terminal
from hailuo_mcp.text import shown

if TYPE_CHECKING:
    from hailuo_mcp.cli.session import Session
    from hailuo_mcp.journal.facts import ProviderSums
    from hailuo_mcp.views import FilmView, Listing, View

_NEWEST = 20
_WATCH_SECONDS = 2.0


def tasks_options(parser: ArgumentParser) -> None:
    from hailuo_mcp.domain.task import STATUS_WORDS

    add = parser.add_argument_group("which").add_argument
    statuses = "only these: " + ", ".join(STATUS_WORDS)
    arguments.add_text(add, "--status", what=statuses)
    since = f"written down since then: {dates.EXAMPLES}, today, yesterday"
    add("--since", type=dates.since, metavar="WHEN", help=since)
    add("--until", type=dates.until, metavar="WHEN", help="written down before, or on that day")
    arguments.add_text(add, "--search", metavar="TEXT", what="with this text in the prompt")
    add(
        "--limit",
        type=arguments.whole(1, MOST),
        default=_NEWEST,
        metavar="N",
        help=f"how many of them at most (default: {_NEWEST})",
    )
    add = parser.add_argument_group("how").add_argument
    add(
        "--sort",
        choices=SORTS,
        default=SORTS[0],
        metavar="ORDER",
        help=f"{', '.join(SORTS)}; cost: the dearest first",
    )
    arguments.add_flag(add, "--paths", "show where the files are, however narrow the terminal is")
    add(
        "--watch",
        nargs="?",
        type=arguments.seconds,
        const=_WATCH_SECONDS,
        metavar="SECONDS",
        help="draw the list again every so many seconds (2), and tell what changes, until ^C",
    )
    arguments.add_wait(
        add,
        "wait this many seconds at most for one to end; without a number, until all have ended and "
        "are saved (exit code 1: a clip that was paid for is not saved)",
    )
    arguments.add_follow(add)


def tasks(args: Namespace, terminal: Terminal) -> int:
    from hailuo_mcp.cli.running import run_with_reader, run_with_studio
    from hailuo_mcp.errors import Do, InvalidRequestError, Step

    if args.follow and args.wait is None:
        args.wait = FOREVER
    if args.watch is not None and args.wait is not None:
        raise InvalidRequestError(
            "--watch cannot be combined with --wait, which ends.",
            Step(Do.TRY, "leave one of them out"),
        )
    if args.watch is not None:
        from hailuo_mcp.cli.follow.task_watch import watch

        return watch(args, terminal)

    if args.wait is None:
        return run_with_reader(args, terminal, _list)
    return run_with_studio(args, terminal, _list_when_done if args.wait == FOREVER else _list)


async def _list(session: Session) -> int:
    from hailuo_mcp.cli.follow.task_find import find

    args, terminal = session.args, session.terminal
    wait = args.wait if args.wait not in (None, FOREVER) else 0
    listing, entries, sums = await find(session, wait_seconds=wait)
    if terminal.json:
        from hailuo_mcp.cli.record import list_record

        terminal.data(list_record(listing, entries, sums, limit=args.limit))
    else:
        _print(session, listing, entries, sums)
    return exits.DONE


async def _list_when_done(session: Session) -> int:
    from hailuo_mcp.cli.follow.finish import finish
    from hailuo_mcp.cli.follow.task_wait import exit_code, report_missing, wait_for_all

    watched = await wait_for_all(session)
    await _list(session)
    await finish(session, watched)
    for view in watched:
        report_missing(session, view)
    return max((exit_code(session, view) for view in watched), default=exits.DONE)


def _print(
    session: Session,
    listing: Listing,
    entries: Sequence[View | FilmView],
    sums: Sequence[ProviderSums],
) -> None:
    from hailuo_mcp.cli import task_rows
    from hailuo_mcp.wording import person

    args, terminal = session.args, session.terminal
    home = session.reader.provider.name
    if not entries:
        terminal.paragraph("", _nothing(session), result=True)
    elif terminal.is_terminal:
        laid = task_rows.layout(entries, home=home, width=terminal.width, paths=args.paths)
        terminal.table(laid.columns, laid.rows, wide=laid.wide)
    else:
        laid = task_rows.lines(entries, home=home, paths=args.paths)
        terminal.table(laid.columns, laid.rows, wide=laid.wide)
    if len(entries) == args.limit:
        said = f"The first {args.limit}; raise --limit to see more."
        terminal.paragraph("", said, style=styles.QUIET, result=True)
    terminal.say()
    if sums:
        terminal.facts([(one.provider, person.sums_text(one)) for one in sums])
    spent = person.spending_text(listing.spending)
    terminal.paragraph("", spent, style=styles.QUIET, result=True)


def _nothing(session: Session) -> str:
    """Why the list is empty, and what makes it longer."""
    args = session.args
    narrowed = [
        f"{option} {value}"
        for option, value in (
            ("--status", args.status),
            ("--search", shown(args.search)),
            ("--provider", args.provider),
        )
        if value
    ]
    narrowed += [f"--{name}" for name in ("since", "until") if getattr(args, name) is not None]
    if not narrowed:
        return f"No task. Make a clip with: {words.program()} generate"
    return f"No task that fits {' and '.join(narrowed)}."
