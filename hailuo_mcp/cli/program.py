"""The program: parse the command line, run the command, report errors, return the exit code."""

from __future__ import annotations

import difflib
import logging
import os
import signal
import sys
from argparse import Action, ArgumentParser, Namespace, RawDescriptionHelpFormatter
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any, NoReturn, cast

import hailuo_mcp
from hailuo_mcp.cli import arguments, exits, words
from hailuo_mcp.cli.command import COMMANDS, command_named
from hailuo_mcp.cli.terminal import Terminal
from hailuo_mcp.errors import HailuoError
from hailuo_mcp.text import shown

_ABOUT = """\
Make videos with Hailuo (MiniMax), from the shell or from an agent over MCP.
Alone, hailuo-mcp serves MCP over stdio. --provider sandbox tries everything free."""
_EXAMPLES = """\
examples:
  hailuo-mcp generate "A red fox runs through snow [Tracking shot]" --provider sandbox
  hailuo-mcp film script.txt --continuity last_frame --provider sandbox
  hailuo-mcp estimate --resolution 1080P --count 30 --plan compare
  hailuo-mcp tasks --wait
  hailuo-mcp models

Every argument of a tool is an option of that name: --prompt, --task-id, --output-path …

"""
_COMMON_WORDS = {"help": "--help", "version": "--version"}
"""Subcommands of other programs that are options here."""


class _Parser(ArgumentParser):
    """Says in one line what is wrong and where the help is, without the whole usage."""

    def refuse(self, left: Sequence[str]) -> NoReturn:
        """Name the arguments that were not understood, and the option that was probably meant."""
        options = [name for name in self._option_string_actions if name.startswith("--")]
        for word in left:
            if near := _meant(word.partition("=")[0], options):
                self.error(f"unknown argument {shown(word)!r}; did you mean {near[0]}?")
        self.error(f"unrecognized arguments: {shown(' '.join(left), 80)}")

    def error(self, message: str) -> NoReturn:
        hint = ""
        if "unrecognized arguments" in message and "--" not in message:
            hint = " (put text of several words in quotes)"
        self.exit(exits.REFUSED, f"{self.prog}: {message}{hint}\nSee: {self.prog} --help\n")

    def typed(self, values: Mapping[str, Any]) -> list[str]:
        """The command line that gives these values."""
        words = [self.prog.rpartition(" ")[2]]
        for action in self._actions:
            value = values.get(action.dest)
            if value is None or value == action.default:
                continue
            several = cast("list[object]", value if isinstance(value, list) else [value])
            words += [word for one in several for word in _words_for(action, one)]
        return words

    def _check_value(self, action: Action, value: object) -> None:
        names = [str(name) for name in action.choices or ()]
        if names and value not in names:
            near = difflib.get_close_matches(str(value), names, n=1)
            hint = f"did you mean {near[0]}?" if near else f"choose from {', '.join(names)}"
            option = next((f" for {it}" for it in action.option_strings if it[:2] == "--"), "")
            self.error(f"unknown value {shown(str(value))!r}{option}; {hint}")


def _words_for(action: Action, value: object) -> list[str]:
    if action.nargs == 0:  # the last of several strings is the one with --no-
        return [action.option_strings[0 if value else -1]]
    text = str(value)
    is_like_option = text.startswith("-") and text != arguments.STANDARD
    if not action.option_strings:
        return [f"--{action.dest.replace('_', '-')}={text}" if is_like_option else text]
    flag = next((it for it in action.option_strings if it.startswith("--")), "")
    if value == action.const:
        return [flag]
    return [f"{flag}={text}"] if is_like_option else [flag, text]


def _meant(name: str, options: Sequence[str]) -> list[str]:
    """The option that has this name elsewhere (the tools' table), or nearly this spelling."""
    if not name.startswith("--"):
        return []
    from hailuo_mcp.server.tools.argument_names import our_name

    begun = [option for option in options if option.startswith(name)]
    ends = [option.removeprefix("--") for option in options]
    ours = our_name(name.removeprefix("--"), [end.replace("-", "_") for end in ends])
    near = difflib.get_close_matches(name.removeprefix("--"), ends, n=1)
    return [f"--{ours.replace('_', '-')}"] if ours else begun or [f"--{it}" for it in near]


def parser(argv: Sequence[str] = ()) -> ArgumentParser:
    """All commands, and the options of the one that is given: reading the others takes time."""
    top = _Parser(
        prog="hailuo-mcp",
        description=_ABOUT,
        epilog=_EXAMPLES + exits.HELP,
        formatter_class=RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    top.add_argument("--version", action="version", version=f"hailuo-mcp {hailuo_mcp.__version__}")
    commands = top.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for command in COMMANDS:
        one = commands.add_parser(
            command.name,
            help=command.summary,
            description=command.summary[0].upper() + command.summary[1:] + ".",
            allow_abbrev=False,
        )
        one.set_defaults(argv=list(argv), run=command.run, parser=one)
        if command.name in argv:
            command.options(one)
            arguments.add_settings(one, shown=command.settings)
    return top


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit code and never raises."""
    given = list(sys.argv[1:] if argv is None else argv)
    if given and given[0] in _COMMON_WORDS:
        given = [*given[1:], _COMMON_WORDS[given[0]]]
    if given and (meant := command_named(given[0])):
        given[0] = meant.name
    terminal = Terminal()
    try:
        args, left = parser(given).parse_known_args(given)
        if left:
            args.parser.refuse(left)
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


def _run(args: Namespace, terminal: Terminal) -> int:
    try:
        code: int = args.run(args, terminal)
    except HailuoError as exc:
        return _report(exc, terminal)
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


def _report(error: HailuoError, terminal: Terminal) -> int:
    from hailuo_mcp.wording import agent, person
    from hailuo_mcp.wording.tasks import error_answer

    code = exits.of_error(error)
    label = {exits.REFUSED: "Refused:", exits.UNCONFIRMED: "Unconfirmed:"}.get(code, "Failed:")
    if terminal.json:
        terminal.data({"message": agent.error_text(error), **error_answer(error)})
    message = person.error_text(error, program=words.program())
    terminal.paragraph("" if message.startswith(label[:-1]) else label, message, style="bold red")
    return code


def _report_unexpected(exc: BaseException, terminal: Terminal) -> None:
    while isinstance(exc, BaseExceptionGroup):  # from the studio's task group
        exc = cast("BaseExceptionGroup[BaseException]", exc).exceptions[0]
    terminal.paragraph(
        "Failed:",
        f"an unexpected error ({type(exc).__name__}). Purchases are recorded; see them with "
        f"{words.program()} tasks. Repeat the command with --debug for the details to report.",
        style="bold red",
    )


class _Notes(logging.Handler):
    """Shows background errors as one line; the rest is for --debug."""

    def __init__(self, terminal: Terminal) -> None:
        super().__init__(logging.ERROR)
        self._terminal = terminal

    def emit(self, record: logging.LogRecord) -> None:
        with suppress(OSError, ValueError):  # a terminal that is gone must not end the work
            self._terminal.note(f"Note: {record.getMessage()}")


def _log_to(terminal: Terminal, *, debug: bool) -> None:
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
    logging.getLogger("hailuo_mcp").addHandler(_Notes(terminal))
