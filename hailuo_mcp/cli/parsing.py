"""Reading the command line: one parser for a command, and one sentence about what is wrong."""

from __future__ import annotations

from argparse import Action, ArgumentParser
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NoReturn, cast

import hailuo_mcp
from hailuo_mcp.cli import arguments, exits, suggestions
from hailuo_mcp.cli.command import COMMANDS, Command
from hailuo_mcp.cli.suggestions import PROGRAM
from hailuo_mcp.text import shown

if TYPE_CHECKING:
    from _typeshed import SupportsWrite

    from hailuo_mcp.cli.help import Page


class UsageRefusedError(SystemExit):
    """The command line cannot be read; argparse ends a program in this way as well."""

    def __init__(self, message: str, see: str) -> None:
        super().__init__(exits.REFUSED)
        self.message = message
        self.see = see
        """The command whose help says more; empty where the message has the answer."""


class Parser(ArgumentParser):
    """Has a help that fits a screen, and says in one line what is wrong."""

    command: Command | None = None
    """None for the program itself."""

    def refuse(self, left: Sequence[str]) -> NoReturn:
        """Name the arguments that were not understood, and the option that was probably meant."""
        options = [name for name in self._option_string_actions if name.startswith("--")]
        for word in left:
            if near := suggestions.unknown_option(word, options):
                self.error(f"unknown argument {shown(word)!r}; did you mean {near}?")
        extra = f"unrecognized arguments: {shown(' '.join(left), 80)}"
        if any(word.startswith("-") for word in left):
            self.error(extra)
        if "--since" in options and suggestions.is_moment(left[0]):
            self.error(f"{extra}; did you mean --since {shown(left[0])}?")
        self.error(f"{extra}; {self._taken()}")

    def _taken(self) -> str:
        """What it takes besides options, as the end of a sentence."""
        from hailuo_mcp.cli import help  # noqa: A004  what it is called everywhere

        subjects = [action for action in self._actions if not action.option_strings]
        names = " ".join(map(help.subject, subjects))
        name = self.prog.rpartition(" ")[2]
        if any(action.dest == "prompt" for action in self._actions):
            return "put text of several words in quotes"
        if not names:
            return f"{name} takes options only"
        one = {"ID": "task"}.get(names, names.strip("[]"))
        return f"{name} takes {f'one {one}' if len(subjects) == 1 else names}"

    def error(self, message: str) -> NoReturn:
        told = "did you mean" in message
        raise UsageRefusedError(f"{self.prog}: {message}", "" if told else self.prog)

    def format_help(self) -> str:
        return self._help(colours=False)

    def print_help(self, file: SupportsWrite[str] | None = None) -> None:
        import sys

        from hailuo_mcp.cli.output.terminal import colours_wanted

        colours = file is None and sys.stdout.isatty() and colours_wanted()
        (file or sys.stdout).write(self._help(colours=colours))

    def _help(self, *, colours: bool) -> str:
        from hailuo_mcp.cli import help  # noqa: A004  what it is called everywhere

        page: Page = help.Page(help.width(), colours=colours)
        if self.command is None:
            return help.all_commands(page, COMMANDS)
        return help.one_command(page, self.command, self.prog, self._actions)

    def actions(self) -> Sequence[Action]:
        """All that it understands."""
        return self._actions

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
            from difflib import get_close_matches

            near = get_close_matches(str(value), names, n=1)
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


def parser(argv: Sequence[str] = ()) -> Parser:
    """The parser of the command that is named, or of all: each has its options to import."""
    top = Parser(prog=PROGRAM, allow_abbrev=False)
    top.add_argument(
        "-V",
        "--version",
        action="version",
        version=f"{PROGRAM} {hailuo_mcp.__version__}",
        help="show the version",
    )
    commands = top.add_subparsers(metavar="COMMAND", required=True, parser_class=Parser)
    for command in COMMANDS:
        if argv and command.name not in argv:
            continue
        one = commands.add_parser(command.name, allow_abbrev=False)
        one.command = command
        one.set_defaults(argv=list(argv), run=command.run, parser=one)
        command.options(one)
        arguments.add_settings(one, shown=command.settings)
        help_action = next(it for it in one.actions() if "-h" in it.option_strings)
        help_action.help = "show this help"  # argparse says more, in a voice of its own
    return top


def is_readable(argv: Sequence[str]) -> bool:
    """Whether the program would understand this command line."""
    words = [word for word in argv if word not in ("-h", "--help")]
    try:
        return not parser(words).parse_known_args(words)[1]
    except UsageRefusedError:
        return len(words) < len(argv)  # the help needs no more
