"""generate --count and --file: all checked first, nothing bought twice, every end told."""

from __future__ import annotations

import os
import signal
import sqlite3
from collections import Counter
from contextlib import closing
from pathlib import Path

import pytest
from until import until_now

from hailuo_mcp.sandbox.report import read_book

FIVE = (
    "A fox",
    '{"prompt": "An owl", "duration": 10}',
    "A fox",
    '{"prompt": "An elk", "count": 2}',
)


def bought(books: Path) -> int:
    accounts = read_book(books)["accounts"]
    return sum(len(account["tasks"]) for account in accounts.values())


@pytest.fixture
def file(program):
    def write(*lines: str) -> str:
        (program.cwd / "prompts.txt").write_text("\n".join(lines), encoding="utf-8")
        return "prompts.txt"

    return write


def ids(ran) -> list[str]:
    return [task["task_id"] for task in ran.answer["tasks"]]


def test_a_file_is_bought_once_however_often_it_is_given(program, file):
    first = program("generate", "--file", file(*FIVE), "-o", "clips/", "--json")
    again = program("generate", "--file", file(*FIVE), "-o", "clips/", "--json")
    moved = program("generate", "--file", file("A hen", FIVE[2], *FIVE[:2], FIVE[3]), "--json")

    assert first.code == again.code == moved.code == 0, first.err
    assert len(set(ids(first))) == 5, "two equal lines are two clips"
    assert ids(again) == ids(first)
    assert len({*ids(moved)} - {*ids(first)}) == 1, "only the new line"
    assert bought(program.books) == 6
    assert first.answer["cost"] == {"amount": "12", "unit": "CNY"}
    assert [it.get("line") for it in first.answer["lines"]] == [1, 2, 3, 4, 4]
    assert len(list((program.cwd / "clips").glob("*.mp4"))) == 5
    assert (again.answer["saved"], again.answer["before"]) == (5, 5)


def test_each_clip_that_was_bought_before_is_copied_to_the_new_place(program):
    program("generate", "A fox", "-n", "3", "-o", "a/", "-q")
    again = program("generate", "A fox", "-n", "3", "-o", "b/", "-q")

    copies = again.out.splitlines()
    assert again.code == 0, again.err
    assert len(copies) == 3
    assert {Path(one) for one in copies} == set((program.cwd / "b").glob("*.mp4"))
    assert bought(program.books) == 3


def test_another_key_buys_the_same_file_again_only_with_consent(program, file):
    lines = file("A fox", "A hen")
    program.environ |= {"HAILUO_PROVIDER": "minimax-cn", "HAILUO_API_KEY": "first-key-0001"}
    first = program("generate", "--file", lines, "--json")
    program.environ["HAILUO_API_KEY"] = "second-key-0002"

    told = program("generate", "--file", lines, "--dry-run", "--json").answer
    refused = program("generate", "--file", lines)
    other = program("generate", "--file", file("An elk"), "--json")
    agreed = program("generate", "--file", file("A fox", "A hen"), "--yes", "--json")

    assert told["needs_consent"]
    assert (
        "2 of these were bought before with another key (or at another address)" in told["message"]
    )
    assert refused.code == 2
    assert "2 of these were bought before with another key" in refused.err
    assert "--yes" in refused.err
    assert first.code == other.code == agreed.code == 0, first.err + other.err + agreed.err
    assert bought(program.books) == 5


def test_takes_are_counted_from_the_first(program):
    two = program("generate", "A fox", "-n", "2", "--take", "2", "--no-wait", "--json")
    more = program("generate", "A fox", "-n", "3", "--take", "2", "--no-wait", "--json")

    assert ids(more)[:2] == ids(two)
    assert [it["take"] for it in more.answer["lines"]] == [2, 3, 4]
    assert bought(program.books) == 3


def test_every_refusal_is_listed_before_anything_is_bought(program, file):
    lines = ("A fox", '{"prompt": "b", "duration": 7}', '{"promt": "c"}', '{"image": "no.png"}')

    told = program("generate", "--file", file(*lines), "--json")
    kept = program("generate", "--file", file(*lines[:2], lines[3]))
    went_on = program("generate", "--file", file(lines[0], lines[1]), "--skip-refused", "--json")

    assert told.code == kept.code == 2
    for number in (2, 3, 4):
        assert f"prompts.txt:{number}: " in told.err
    assert [it["line"] for it in told.answer["refused"]] == [2, 3, 4]
    assert "--skip-refused" not in told.err
    assert "--skip-refused" in kept.err
    none = program("generate", "--file", file(lines[1]), "--skip-refused", "--dry-run")
    assert "Nothing to buy: none can be made." in none.out
    assert went_on.code == 1
    assert went_on.answer["saved"] == len(went_on.answer["refused"]) == 1
    assert bought(program.books) == 1


def test_a_dry_run_shows_the_sum_and_buys_nothing(program, file):
    ran = program("generate", "--file", file(*FIVE), "--dry-run")
    told = program(
        "generate", "--file", file(*FIVE), "--dry-run", "--json", "--budget", "20"
    ).answer

    assert ran.code == 0
    assert "12 CNY for 5 new clips" in ran.out
    assert "generate --file prompts.txt\n" in ran.out
    assert (told["new"], told["cost"]["amount"]) == (5, "12")
    assert told["spending"]["left"] == "20"
    assert [it["line"] for it in told["clips"]] == [1, 2, 3, 4, 4]
    assert bought(program.books) == 0


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--budget", "7"], "The first 2 of its 5 new clips would fit"),
        (["-o", "one.mp4"], "one.mp4 is one file, and there are 5 clips"),
        (["--prompt", "A hen"], "a prompt and a file of prompts"),
        ([], "Agree to the sum with --yes"),
    ],
)
def test_what_holds_for_all_is_held_before_the_first(program, file, options, said):
    ran = program("generate", "--file", file(*FIVE), *options, HAILUO_CONFIRM_ABOVE="11")

    assert ran.code == 2
    assert said in ran.err
    assert bought(program.books) == 0


def test_a_person_is_asked_once_for_the_sum(program):
    ended, seen = program.at_a_terminal(
        "generate", "A fox", "-n", "2", types=b"n\n", HAILUO_CONFIRM_ABOVE="3"
    )

    assert ended == 2, seen
    assert seen.count(b"[y/N]") == 1
    assert b"Buy 2 clips for 4 CNY" in seen
    assert bought(program.books) == 0


def test_each_end_is_told_with_what_to_do(program, file):
    lines = file("A fox", "b [sandbox:1026]", "c [sandbox:lost]")

    ran = program("generate", "--file", lines)
    again = program("generate", "--file", lines, "--json")

    assert ran.code == again.code == 3
    assert "Saved 1 of 3 clips" in ran.out
    assert "1 failed, 1 unconfirmed" in ran.out
    assert "line 2 (b [sandbox:1026])" in ran.err
    assert "settle v" in ran.err
    assert "generate --file prompts.txt\n" in ran.out
    assert again.answer["unconfirmed"] == 1
    assert bought(program.books) == 2, "an unconfirmed line is never bought again"


def test_an_account_without_balance_stops_the_rest(program, file):
    ran = program("generate", "--file", file("a [sandbox:1008]", "A fox"), "--json")

    assert ran.code == 1
    assert (ran.answer["failed"], ran.answer["not_bought"]) == (1, 1)
    assert bought(program.books) == 0


def test_no_wait_leaves_and_standard_input_can_be_the_file(program):
    lines = 'A fox\n#\n{"prompt": "An owl"}\n'
    left = program("generate", "--file", "-", "--no-wait", "--json", typed=lines)
    again = program("generate", "--file", "-", "--json", typed=lines)

    assert left.code == again.code == 0, left.err
    assert all(task["status"] != "pending" for task in left.answer["tasks"])
    assert ids(left) == ids(again)
    assert bought(program.books) == 2


def recorded(program) -> Counter[str]:
    """The statuses of all tasks, read beside the running program."""
    journal = program.cwd.parent / "state" / "journal.sqlite3"
    if not journal.exists():
        return Counter()
    with closing(sqlite3.connect(journal)) as db:
        try:
            return Counter(status for (status,) in db.execute("SELECT status FROM tasks"))
        except sqlite3.OperationalError:
            return Counter()


def test_what_was_killed_in_the_middle_goes_on_with_the_same_command(program, file):
    """One is sent, and two wait for their turn."""
    given = ("generate", "--file", file("A fox", "A fox", "An owl"))
    process = program.start(*given, HAILUO_RPM="1")
    until_now(lambda: recorded(program) == {"pending": 2, "queued": 1}, seconds=60)
    process.kill()
    process.wait()

    ran = program(*given, "--json")

    assert ran.code == 0, ran.err
    assert ran.answer["saved"] == ran.answer["before"] == 3
    assert bought(program.books) == sum(recorded(program).values()) == 3


@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGINT for one process")
def test_ctrl_c_names_the_same_command(idle, serve):
    idle.environ |= {
        "HAILUO_PROVIDER": "sandbox",
        "HAILUO_BASE_URL": serve(seconds_to_ready=2.0).base_url,
    }
    process = idle.start("generate", "A fox", "--count", "2")
    until_now(lambda: recorded(idle)["queued"] == 2, seconds=60)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=60)

    assert process.returncode == 130
    assert "Traceback" not in said
    assert 'generate "A fox" --count 2\n' in said
    again = idle("generate", "A fox", "--count", "2", "--json")
    assert again.answer["saved"] == again.answer["before"] == 2
    assert bought(idle.books) == 2


def test_a_template_can_be_taken_several_times(program):
    from PIL import Image

    Image.new("RGB", (400, 400)).save(program.cwd / "pet.png")

    ran = program("template", "Diving", "--media", "pet.png", "--count", "2", "--no-wait", "--json")

    assert ran.code == 0, ran.err
    assert [task["mode"] for task in ran.answer["tasks"]] == ["template", "template"]


def test_pictures_are_told_by_their_bytes(program, file):
    from PIL import Image

    lines = file('{"prompt": "it moves", "image": "first.png"}')
    takes = []
    for colour in ("red", "blue"):
        Image.new("RGB", (400, 400), colour).save(program.cwd / "first.png")
        takes += ids(program("generate", "--file", lines, "--no-wait", "--json"))

    assert takes[0] != takes[1]
