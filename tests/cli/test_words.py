"""Commands to paste, and sentences for a person."""

from __future__ import annotations

import shlex
from argparse import Namespace

import pytest

from hailuo_mcp.cli import words
from hailuo_mcp.cli.program import parser


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        (
            'Then call query_task with task_id "v1m7x" in 5 s.',
            "Then run hailuo-mcp query v1m7x in 5 s.",
        ),
        ("list_tasks shows the ids.", "hailuo-mcp tasks shows the ids."),
        ("Call download_video again to go on.", "Run hailuo-mcp download again to go on."),
        (
            "Ask the person; if they say yes, repeat this call unchanged with confirm='a1b2c3'. The",
            "If you agree, repeat the command with --confirm a1b2c3, or --yes. The",
        ),
        ("max_cost is 1 CNY.", "--max-cost is 1 CNY."),
        ("first_frame_image: too small", "--first-frame-image: too small"),
        ("Nothing was charged.", "Nothing was charged."),
    ],
)
def test_a_sentence_for_an_agent_becomes_one_for_a_person(said, meant):
    assert words.spoken(said) == meant


@pytest.mark.parametrize(
    "argv",
    [
        ["generate", "A fox [Push in]", "--take", "2", "--confirm", "abc"],
        ["generate", 'It costs $5, "they" said `now`!', "--take=2", "-ofox.mp4"],
        ["generate", "雪 it's", "--request-key=k", "--output", "fox.mp4"],
    ],
)
def test_another_take_is_the_same_request_once_more(argv):
    command = words.once_more(Namespace(argv=argv), take=3)
    name, *again = shlex.split(command)
    read = parser().parse_args(again)

    assert name == "hailuo-mcp"
    assert read.prompt == argv[1]
    assert read.take == 3
    assert (read.confirm, read.request_key, read.output) == ("", "", "")


def test_a_follow_up_keeps_the_settings_that_were_options():
    args = Namespace(provider="sandbox", state_dir="/a b", plan=None)

    assert words.command(args, "query", "v1", "--wait") == (
        'hailuo-mcp query v1 --wait --provider sandbox --state-dir "/a b"'
    )
