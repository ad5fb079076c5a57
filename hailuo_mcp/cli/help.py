"""The help: groups, one column, three examples, and only what concerns the command.

argparse's own prints every spelling of every option, and a usage of ten lines above them.
"""

from __future__ import annotations

import os
from argparse import SUPPRESS, Action, BooleanOptionalAction
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hailuo_mcp.cli.command import Command

_ABOUT = "Make videos with Hailuo (MiniMax), from the shell or from an agent over MCP."
_EXAMPLES = (
    'generate "A red fox runs in snow [Push in]" --provider sandbox',
    "film script.txt --continuity last_frame --provider sandbox",
    "tasks --wait",
)
_MORE = (
    "Alone it serves MCP over stdio; --provider sandbox tries everything free.",
    "Options may also be called as a tool's arguments, such as --first-frame-image.",
    "hailuo-mcp COMMAND --help says more; hailuo-mcp completion sets up the Tab key.",
    (
        "Exit codes: 0 saved, or done as asked; 1 failed; 2 refused, nothing bought; "
        "3 unconfirmed, may have been bought; 130 stopped waiting."
    ),
)
_SETTINGS = "Settings are options too, such as --output-dir: see hailuo-mcp config list"
_WIDEST, _NARROWEST = 100, 40
_LABEL = 30
"""Columns that the options take at most; a longer one has its meaning below it."""
_LAST = ("purchase", "result", "settings and output")
"""Groups that follow a command's own."""


class Page:
    """Lines of a help, in a width, with headings in bold where there are colours."""

    def __init__(self, width: int, *, colours: bool) -> None:
        self._width = max(_NARROWEST, min(_WIDEST, width))
        self._colours = colours
        self._lines: list[str] = []

    def text(self, text: str) -> None:
        from textwrap import wrap

        self._lines += wrap(text, self._width, break_long_words=False, break_on_hyphens=False)

    def gap(self) -> None:
        self._lines.append("")

    def heading(self, text: str, rest: str = "") -> None:
        self._lines.append((f"\x1b[1m{text}:\x1b[0m" if self._colours else f"{text}:") + rest)

    def rows(self, rows: Sequence[tuple[str, str]], *, indent: int, label: int) -> None:
        """Labels with their meanings in a column."""
        from textwrap import wrap

        begin = min(indent + label + 2, self._width // 2)
        for name, meaning in rows:
            lines = wrap(meaning, self._width - begin, break_on_hyphens=False) or [""]
            shown = f"\x1b[36m{name}\x1b[0m" if self._colours else name
            if indent + len(name) + 2 > begin:
                self._lines.append(" " * indent + shown)
            else:
                pad = " " * (begin - indent - len(name))
                self._lines.append((" " * indent + shown + pad + lines.pop(0)).rstrip())
            self._lines += [" " * begin + line for line in lines]

    def examples(self, commands: Iterable[str]) -> None:
        """Commands to paste, never wrapped."""
        self.gap()
        self.heading("examples")
        self._lines += [f"  hailuo-mcp {command}" for command in commands]

    def __str__(self) -> str:
        return "\n".join(self._lines) + "\n"


def width() -> int:
    """Columns of the terminal; 80 where there is none."""
    given = os.environ.get("COLUMNS", "")
    if given.isdecimal() and int(given):
        return int(given)
    try:
        return os.get_terminal_size(1).columns or 80
    except (OSError, ValueError):
        return 80


def all_commands(page: Page, commands: Sequence[Command]) -> str:
    """The help of the program."""
    page.text(_ABOUT)
    page.gap()
    page.heading("usage", " hailuo-mcp COMMAND [options]")
    label = max(len(command.name) for command in commands)
    for group in dict.fromkeys(command.group for command in commands):
        page.gap()
        page.heading(group)
        rows = [(it.name, it.summary) for it in commands if it.group == group]
        page.rows(rows, indent=4, label=label)
    page.examples(_EXAMPLES)
    page.gap()
    for line in _MORE:
        page.text(line)
    return str(page)


def one_command(page: Page, command: Command, prog: str, actions: Sequence[Action]) -> str:
    """The help of a command with these arguments."""
    page.text(f"{command.summary[0].upper()}{command.summary[1:]}.")
    page.gap()
    shown = [action for action in actions if action.help != SUPPRESS]
    subjects = "".join(f" {subject(it)}" for it in shown if not it.option_strings)
    page.heading("usage", f" {prog}{subjects} [options]")
    labels = [invocation(action) for action in shown]
    label = min(_LABEL, max(map(len, labels)))
    sections = dict[str, list[tuple[str, str]]]()
    for action, name in zip(shown, labels, strict=True):
        sections.setdefault(_group(action), []).append((name, _meaning(action)))
    for title in sorted(sections, key=lambda it: _LAST.index(it) if it in _LAST else -1):
        page.gap()
        page.heading(title)
        page.rows(sections[title], indent=2, label=label)
    if command.examples:
        page.examples(f"{command.name} {example}".rstrip() for example in command.examples)
    page.gap()
    page.text(_SETTINGS)
    return str(page)


def _group(action: Action) -> str:
    """What it stands under; --help, which all commands have, comes last."""
    if "-h" in action.option_strings:
        return "settings and output"
    title: str = getattr(action, "container").title  # noqa: B009  argparse does not declare it
    return "arguments" if not action.option_strings else title


def invocation(action: Action) -> str:
    """How it is typed, in its shortest and its clearest spelling."""
    value = _value(action)
    if not action.option_strings:
        return value
    short = next((it for it in action.option_strings if len(it) == 2), "")  # noqa: PLR2004  -x
    name = next((it for it in action.option_strings if it.startswith("--")), "")
    if isinstance(action, BooleanOptionalAction):
        name = f"--[no-]{name.removeprefix('--')}"
    begin = f"{short}, " if short and name else short or "    "
    return f"{begin}{name} {value}".rstrip()


def _value(action: Action) -> str:
    if action.nargs == 0 or isinstance(action, BooleanOptionalAction):
        return ""
    name = action.metavar if isinstance(action.metavar, str) else ""
    if not name:
        name = "|".join(map(str, action.choices)) if action.choices else action.dest.upper()
    return f"[{name}]" if action.option_strings and action.nargs == "?" else name


def subject(action: Action) -> str:
    """How an argument that is no option is shown: [ID], or ID …."""
    name = _value(action)
    name = f"{name} …" if action.nargs in ("*", "+") else name
    return f"[{name}]" if action.nargs in ("?", "*") else name


def _meaning(action: Action) -> str:
    return (action.help or "").replace("%%", "%")
