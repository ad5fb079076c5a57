"""Commands to paste."""

from __future__ import annotations

import shlex
from argparse import Namespace

import pytest

from hailuo_mcp.cli import words
from hailuo_mcp.cli.program import parser


@pytest.mark.parametrize(
    ("argv", "output"),
    [
        (["generate", "A fox [Push in]", "--take", "2", "--confirm", "abc"], ""),
        (["generate", 'It costs $5, "they" said `now`!', "--take=2", "-ofox.mp4"], "fox-3.mp4"),
        (["generate", "雪 it's", "--request-key=k", "--output", "a/fox.mp4"], "a/fox-3.mp4"),
        (["generate", "x", "-o", "fox", "--wait-seconds", "5", "--overwrite"], "fox-3"),
        (["generate", "x", "-o", "clips/", "--wait-seconds=5", "--yes"], "clips/"),
        (["generate", "x", "-o", "-"], "-"),
        (["generate", "x", "-o", "~no-such-user/a.mp4"], "~no-such-user/a-3.mp4"),
    ],
)
def test_another_take_is_the_same_request_once_more(argv, output):
    command = words.another_take(parser(argv).parse_args(argv), take=3)
    name, *again = shlex.split(command)
    read = parser().parse_args(again)

    assert name == "hailuo-mcp"
    assert read.prompt == argv[1]
    assert read.take == 3
    assert read.output == output
    assert (read.confirm, read.request_key, read.wait_seconds) == ("", "", None)
    assert (read.overwrite, read.yes) == (False, False), "agreed to once, for another clip"


@pytest.mark.parametrize(
    ("argv", "needs"),
    [
        (["generate", "A task: draw a fox", "--first-frame-image", "task.png"], False),
        (["generate", "A fox [sandbox:fail]"], True),
        (["generate", "A fox", "--first-frame-image", "task:v1#last"], True),
        (["generate", "A fox", "--reference-video", "task:v1"], True),
        (["template", "Dive", "--media", "a.png", "--media", "Task:v1#first"], True),
    ],
)
def test_what_only_the_sandbox_can_make_is_known(argv, needs):
    assert words.needs_sandbox(parser(argv).parse_args(argv)) is needs


def test_the_next_clip_is_not_suggested_over_one_that_is_there(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("fox.mp4", "fox-2.mp4"):
        (tmp_path / name).touch()
    argv = ["generate", "x", "-o", "fox"]

    command = words.another_take(parser(argv).parse_args(argv), take=2)

    assert command == "hailuo-mcp generate x --take 2 --output fox-2-2"


@pytest.mark.parametrize(
    "typed",
    [
        ["generate", "-", "-o", "-"],
        ["generate", "--output-path", "-", "-"],
        ["generate", "--prompt", "-", "--take", "2"],
        ["generate", "--prompt=-"],
    ],
)
@pytest.mark.parametrize("prompt", ["a fox", "-fox"])
def test_a_prompt_from_standard_input_is_in_the_commands_to_paste(typed, prompt):
    before = parser(typed).parse_args(typed)
    assert before.prompt == "-"
    before.prompt = prompt
    argv = shlex.split(words.retyped(before))[1:]
    read = parser(argv).parse_args(argv)

    assert read.prompt == prompt
    assert (read.output, read.take) == (before.output, before.take)


def test_a_follow_up_keeps_the_settings_that_were_options():
    args = Namespace(provider="sandbox", state_dir="/a b", plan=None)

    assert words.command(args, "query", "v1", "--wait") == (
        'hailuo-mcp query v1 --wait --provider sandbox --state-dir "/a b"'
    )
