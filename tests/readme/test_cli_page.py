"""docs/cli.md and the program agree; `python docs/demo/session.py` plays the page by hand."""

from __future__ import annotations

import re
import shlex
import sys
from pathlib import Path

import pytest

from hailuo_mcp.cli import exits
from hailuo_mcp.cli.command import COMMANDS
from hailuo_mcp.cli.parsing import parser

DOCS = Path(__file__).parents[2] / "docs"
sys.path.insert(0, str(DOCS / "demo"))

from typed import PAGE, Command, blocks  # noqa: E402

TEXT = PAGE.read_text(encoding="utf-8")
TYPED = [(shell, one) for shell, commands in blocks(TEXT) for one in commands]
_OURS = re.compile(r"hailuo-mcp (?:[^|&;>)\n'\"]|'[^']*'|\"[^\"]*\")+")


def _commands() -> list[str]:
    """Each command of ours that is played, as it is typed."""
    whole = [one.text for _, one in TYPED if one.what != "Tab"]
    return [found[0].rstrip("< ") for text in whole for found in _OURS.finditer(text)]


@pytest.mark.parametrize("typed", _commands())
def test_each_command_that_is_played_is_understood(typed):
    argv = shlex.split(typed)[1:]

    args, left = parser(argv).parse_known_args(argv)

    assert left == []
    assert args.run


def test_the_page_plays_what_it_promises():
    played = " ".join(_commands())
    for part in ("login", "--file", "show @last", "account", "tasks --json", "config list"):
        assert part in played
    assert {shell for shell, _ in TYPED} == {"bash", "zsh", "fish"}
    tabs = {shell for shell, one in TYPED if one.what == "Tab" and one.shows}
    assert tabs == {"bash", "zsh", "fish"}
    assert any("kill -9" in one.text for _, one in TYPED)


def test_what_a_person_does_meanwhile_is_read_from_the_comment():
    [(shell, found)] = blocks("```zsh\na 'b\nc' # type free\nx -m  # press Tab: one two\ny\n```")

    assert shell == "zsh"
    assert found == [
        Command("a 'b\nc'", "type", "free"),
        Command("x -m ", "press", "Tab", "one two"),
        Command("y"),
    ]


def test_the_tables_name_every_command_in_the_order_of_the_help():
    named = re.findall(r"^\| `([a-z]+)[^`]*` \| .*\|$", TEXT, re.MULTILINE)

    assert named == [command.name for command in COMMANDS]


def test_each_option_of_the_tables_exists():
    for row in re.findall(r"^\| `[a-z].*\|$", TEXT, re.MULTILINE):
        name = row.split("`")[1].split()[0]
        options = re.findall(r"`(-{1,2}[a-z-]+)", row)
        top = parser([name, *options])  # some are positional until they are given as options
        one = next(it.choices for it in top.actions() if it.choices)[name]
        known = {option for action in one.actions() for option in action.option_strings}
        assert set(options) <= known, name


def test_the_exit_codes_are_those_of_the_program():
    codes = [int(code) for code in re.findall(r"^\| (\d+) \|", TEXT, re.MULTILINE)]

    known = [exits.DONE, exits.FAILED, exits.REFUSED, exits.UNCONFIRMED, exits.INTERRUPTED]
    assert codes == known
