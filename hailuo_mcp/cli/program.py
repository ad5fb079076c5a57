"""The program: read the command line, run the command, report errors, return the exit code."""

from __future__ import annotations

import os
import signal
import sys
from argparse import Namespace
from collections.abc import Sequence
from typing import TYPE_CHECKING, cast

import hailuo_mcp
from hailuo_mcp.cli import exits, words
from hailuo_mcp.cli.command import COMMANDS, FREE, command_named
from hailuo_mcp.cli.output.terminal import Terminal
from hailuo_mcp.cli.parsing import UsageRefusedError, is_readable, parser
from hailuo_mcp.cli.suggestions import (
    PROGRAM,
    place_of_command,
    unknown_command,
    with_command_first,
)

if TYPE_CHECKING:
    from hailuo_mcp.errors import HailuoError

__all__ = ["COMMANDS", "main", "parser"]


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit code and never raises."""
    given = with_command_first(sys.argv[1:] if argv is None else argv)
    terminal = Terminal()
    if {"--version", "-V"} & set(given) and "--json" in given and place_of_command(given) is None:
        version = hailuo_mcp.__version__
        terminal.data({"message": f"{PROGRAM} {version}", "version": version})
        return exits.DONE
    try:
        _refuse_unknown_command(given)
        args, left = parser(given).parse_known_args(given)
        if left:
            args.parser.refuse(left)
    except UsageRefusedError as refused:
        return _report_usage(refused, terminal, as_json="--json" in given)
    except SystemExit as ended:
        return int(ended.code or 0)
    terminal.json = args.json
    terminal.follows = getattr(args, "follow", False)
    terminal.quiet = getattr(args, "quiet", False)
    _log_to(terminal, debug=args.debug)
    try:
        return _run(args, terminal)
    except BrokenPipeError:
        # The reader has closed the pipe (`| head`). Python would complain again when it flushes.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return exits.FAILED


def _refuse_unknown_command(given: Sequence[str]) -> None:
    first = given[0] if given else ""
    if not first.startswith("-") and command_named(first) is None:
        told = unknown_command(given, is_readable) if first.strip() else "there is no command"
        see = "" if "; " in told else PROGRAM
        raise UsageRefusedError(f"{PROGRAM}: {told}", see)


def _report_usage(refused: UsageRefusedError, terminal: Terminal, *, as_json: bool) -> int:
    if as_json:
        from hailuo_mcp.errors import InvalidRequestError
        from hailuo_mcp.wording.tasks import error_answer

        told = error_answer(InvalidRequestError(refused.message))
        terminal.data({"message": refused.message, **told})
    terminal.note(refused.message)
    if refused.see:
        terminal.note(f"See: {refused.see} --help")
    return exits.REFUSED


def _run(args: Namespace, terminal: Terminal) -> int:
    from hailuo_mcp.errors import HailuoError

    try:
        code: int = args.run(args, terminal)
    except HailuoError as exc:
        from hailuo_mcp.cli.setting_sources import by_place

        buys = command_named(args.argv[0]) not in FREE
        return _report(by_place(exc, args), terminal, buys=buys)
    except KeyboardInterrupt:
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # what is left is Python's own end
        terminal.show_cursor()
        return exits.INTERRUPTED
    except BrokenPipeError:
        raise
    except Exception as exc:
        if args.debug:
            raise
        _report_unexpected(exc, terminal)
        return exits.FAILED
    return code


def _report(error: HailuoError, terminal: Terminal, *, buys: bool) -> int:
    from hailuo_mcp.wording import person

    code = exits.of_error(error)
    label = {exits.REFUSED: "Refused:", exits.UNCONFIRMED: "Unconfirmed:"}.get(code, "Failed:")
    if terminal.json:
        from hailuo_mcp.cli.record import error_record

        terminal.data(error_record(error, buys=buys))
    message = person.error_text(error, program=words.program(), buys=buys)
    terminal.paragraph("" if message.startswith(label[:-1]) else label, message, style="bold red")
    return code


def _report_unexpected(exc: BaseException, terminal: Terminal) -> None:
    while isinstance(exc, BaseExceptionGroup):  # from the studio's task group
        exc = cast("BaseExceptionGroup[BaseException]", exc).exceptions[0]
    message = (
        f"an unexpected error ({type(exc).__name__}). Purchases are recorded; see them with "
        f"{words.program()} tasks. Repeat the command with --debug for the details to report."
    )
    if terminal.json:
        from hailuo_mcp.cli.record import failure_record

        terminal.data(failure_record(f"Failed: {message}"))
    terminal.paragraph("Failed:", message, style="bold red")


def _log_to(terminal: Terminal, *, debug: bool) -> None:
    import logging

    from hailuo_mcp.cli.log_notes import LogNotes

    if debug:
        logging.basicConfig(
            stream=sys.stderr,
            level=logging.INFO,
            format="%(asctime)s %(levelname)s %(name)s: %(message)s",
        )
        logging.getLogger("hailuo_mcp").setLevel(logging.DEBUG)
        return
    root = logging.getLogger()
    root.addHandler(logging.NullHandler())  # otherwise Python prints warnings, tracebacks included
    logging.getLogger("hailuo_mcp").addHandler(LogNotes(terminal))
