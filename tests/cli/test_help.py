"""The help: it fits a screen, its examples can be typed, and other words are understood."""

from __future__ import annotations

import json
import shlex
import subprocess
import sys

import pytest

from hailuo_mcp.cli import exits, main
from hailuo_mcp.cli.command import COMMANDS
from hailuo_mcp.cli.parsing import is_readable
from hailuo_mcp.cli.program import parser
from hailuo_mcp.cli.suggestions import (
    MEANT,
    unknown_command,
    with_command_first,
)

EXAMPLES = [(it.name, example) for it in COMMANDS for example in it.examples]
HEAVY = ("pydantic", "rich", "anyio", "httpx", "hailuo_mcp.domain", "hailuo_mcp.settings")


@pytest.mark.parametrize("command", ["", *(it.name for it in COMMANDS)])
@pytest.mark.parametrize("columns", ["80", "140"])
def test_help_fits_a_screen(monkeypatch, capsys, command, columns):
    monkeypatch.setenv("COLUMNS", columns)
    assert main([command, "--help"] if command else ["--help"]) == exits.DONE
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) <= 60
    assert max(map(len, lines)) <= int(columns)
    assert sum(line.startswith("usage:") for line in lines) == 1
    assert not any("\x1b" in line for line in lines)


@pytest.mark.parametrize(("name", "example"), EXAMPLES)
def test_an_example_can_be_typed(name, example):
    argv = [name, *shlex.split(example.partition(" > ")[0])]  # the shell takes the rest
    parser(argv).parse_args(argv)


def test_no_command_has_more_than_three_examples():
    assert max(len(it.examples) for it in COMMANDS) == 3


@pytest.mark.parametrize(
    ("typed", "read"),
    [
        (["--provider", "sandbox", "generate", "x"], ["generate", "x", "--provider", "sandbox"]),
        (["--json", "ls"], ["tasks", "--json"]),
        (["--duration", "6", "generate", "x"], ["generate", "x", "--duration", "6"]),
        (["--provider=sandbox", "get", "v1"], ["download", "v1", "--provider=sandbox"]),
        (["help", "view"], ["show", "--help"]),
        (["help"], ["--help"]),
        (["version"], ["--version"]),
        (["generate", "help"], ["generate", "--help"]),
        (["-h"], ["-h"]),
    ],
)
def test_words_in_another_order_are_understood(typed, read):
    assert with_command_first(typed) == read


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        (["rm", "v1"], "hailuo-mcp cancel v1"),
        (["create", "a fox"], 'hailuo-mcp generate "a fox"'),
        (["a fox in snow", "--json"], 'hailuo-mcp generate "a fox in snow" --json'),
        (["a", "fox", "runs"], 'hailuo-mcp generate "a fox runs"'),
        (["狐狸"], "hailuo-mcp generate"),
        (["price"], "hailuo-mcp estimate"),
        (["watch"], "hailuo-mcp tasks --watch"),
        (["taks"], "hailuo-mcp tasks"),
        (["generate", "x", "--durration", "6"], "--duration"),
        (["genrate", "a fox"], 'hailuo-mcp generate "a fox"'),
        (["auth", "login", "--provider", "sandbox"], "mean: hailuo-mcp login --provider sandbox"),
        (["auth", "logout"], "mean: hailuo-mcp logout"),
        (["whoami"], "hailuo-mcp config list"),
        (["history"], "mean: hailuo-mcp tasks"),
        (["open", "@last"], "hailuo-mcp download @last --open"),
        (["rm"], "hailuo-mcp cancel ID"),
        (["account", "2026-11"], "did you mean --since 2026-11?"),
        (["update"], "uv tool upgrade hailuo-mcp"),
    ],
)
def test_what_was_probably_meant_is_said_in_one_line(capsys, typed, meant):
    assert main(typed) == exits.REFUSED
    said = capsys.readouterr().err
    assert meant in said
    assert said.count("\n") == 1


@pytest.mark.parametrize("more", [["v1"], ["a", "b", "--json"]])
def test_what_is_suggested_can_be_typed(more):
    for other in (word for words in MEANT.values() for word in words):
        said = unknown_command([*other.split(), *more], is_readable)
        _, _, typed = said.partition("did you mean: hailuo-mcp ")
        assert is_readable(shlex.split(typed)), said


@pytest.mark.parametrize(
    ("typed", "told"),
    [
        (["show", "v1", "v2"], "show takes one task"),
        (["generate", "a", "fox"], "put text of several words in quotes"),
        (["moves", "pan"], "moves takes options only"),
        (["download", "v1", "a.mp4", "b.mp4"], "download takes ID [OUTPUT]"),
    ],
)
def test_a_word_too_many_is_answered_with_what_the_command_takes(capsys, typed, told):
    assert main(typed) == exits.REFUSED
    assert told in capsys.readouterr().err


def test_profiles_are_in_the_help_of_what_reads_the_settings(capsys):
    for name in ("config", "account", "tasks", "journal"):
        main([name, "--help"])
        assert "--profile NAME" in capsys.readouterr().out, name


def test_nothing_is_suggested_for_a_word_like_no_other(capsys):
    assert main(["bogus"]) == exits.REFUSED
    said = capsys.readouterr().err
    assert said == "hailuo-mcp: unknown command 'bogus'\nSee: hailuo-mcp --help\n"
    assert main(["update"]) == exits.REFUSED
    assert "did you mean" not in capsys.readouterr().err


def test_a_wrong_command_line_is_json_where_json_is_asked_for(capsys):
    assert main(["generate", "x", "--take", "no", "--json"]) == exits.REFUSED
    answer = json.loads(capsys.readouterr().out)
    assert answer["error"]["code"] == "invalid_request"
    assert "--take" in answer["message"]


def test_help_loads_nothing_heavy():
    """Each of these would be most of the tenth of a second that a help may take."""
    code = (
        "import sys; from hailuo_mcp.cli import main; main(['generate', '--help']); "
        "sys.stderr.write(' '.join(sys.modules))"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not set(HEAVY) & set(ran.stderr.split())
