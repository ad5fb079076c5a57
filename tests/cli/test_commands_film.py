"""film: from a text file to one film, and every other way it can end."""

from __future__ import annotations

import signal
import sys
from pathlib import Path

import pytest

from hailuo_mcp.sandbox.report import read_book

BOAT = "# a boat\nA paper boat is folded [Push in]\n\n  The boat drifts away\n"


def bought(books: Path) -> int:
    accounts = read_book(books)["accounts"]
    return sum(len(account["tasks"]) for account in accounts.values())


@pytest.fixture
def script(program) -> str:
    (program.cwd / "boat.txt").write_text(BOAT)
    return "boat.txt"


def test_a_script_becomes_one_film_and_a_shot_is_made_again(program, script):
    made = program("film", script, "--continuity", "last_frame", "--yes", "-o", "boat.mp4")

    assert made.code == 0, made.err
    assert (program.cwd / "boat.mp4").read_bytes()[4:8] == b"ftyp"
    assert "Film     1366×768, 12 s" in made.out
    assert "Cost     nothing: real ones would cost 4 CNY\n" in made.out
    assert "1 of 2 shots saved" in made.err, "progress over all shots"
    film_id = next(line.split()[-1] for line in made.out.splitlines() if line.startswith("Film id"))
    assert f"film --film {film_id} --redo 2" in made.out
    assert bought(program.books) == 2

    again = program("film", script, "--continuity", "last_frame", "--yes", "--json")
    assert (again.answer["film_id"], again.answer["reused"]) == (film_id, True)
    assert bought(program.books) == 2

    redo = ("film", "--film", film_id, "--redo", "2", "--yes", "--json")
    redone = program(*redo)
    assert redone.code == 0, redone.err
    assert redone.answer["file"].endswith(f"{film_id}-2.mp4")
    assert redone.answer["cost"]["amount"] == "6"
    assert bought(program.books) == 3

    code, seen = program.at_a_terminal("film", "--film", film_id, "--redo", "1", types=b"n\n")
    assert (code, b"The film stays as it was made." in seen) == (2, True)
    assert "is planned" not in program("query", film_id).out, "the no withdraws the new plan"

    told = program(*redo[:-1])
    assert told.out.startswith("Not a new take: shot 2 was made again before")
    repeated = program(*redo)
    assert repeated.answer["reused"] is True
    assert bought(program.books) == 3, "a command that is repeated buys nothing"


def test_without_a_yes_the_plan_is_shown_and_nothing_is_bought(program, script):
    shown = program("film", script, "--dry-run")
    refused = program("film", "-", typed=BOAT)
    told = program("film", script, "--json")

    dear = program("film", script, "--dry-run", "--max-cost", "3")
    assert dear.code == 2
    assert "Would be refused. This film would cost 4 CNY, more than the ceiling" in dear.out
    assert "Make it" not in dear.out
    assert shown.code == 0
    assert "1\ttext\t6 s\t2 CNY\tA paper boat is folded [Push in]\n" in shown.out
    assert "Planned: 2 shots of 12 s in all, free here (real ones would cost 4 CNY)" in shown.out
    film_id = shown.out.split()[-1]
    assert shown.out.rstrip().endswith(f"film --film {film_id}")
    assert refused.code == told.code == 2
    assert f"film --film {film_id} --yes" in refused.err, "the same script is the same plan"
    assert (told.answer["status"], told.answer["film_id"]) == ("planned", film_id)
    assert bought(program.books) == 0


def test_a_failed_shot_says_what_was_stopped_and_how_to_make_it_again(program):
    lines = "A cat sits [sandbox:1026]\nA cat jumps\n"

    ran = program("film", "-", "--continuity", "last_frame", "--yes", typed=lines)

    assert ran.code == 1
    said = ran.out[ran.out.index("Failed.") :]
    assert "0 of 2 shots saved. Shot 1 failed." in said
    assert "Shot 2 was not sent, and is free." in said
    assert "--redo 1` shows what it costs to make shots 1 and 2 again" in said


@pytest.mark.parametrize(
    ("argv", "told"),
    [
        (("film",), "There is no script."),
        (("film", "gone.txt"), "cannot be read: no such file"),
        (("film", "empty.txt"), "There is no shot in the script."),
        (("film", "picture.txt"), "is not text in UTF-8"),
        (("film", "boat.txt", "--durations", "6,6,6"), "2 shots and 3 lengths"),
        (("film", "boat.txt", "--redo", "2"), "named by its id"),
        (("film", "boat.txt", "--redo", "x"), "is not a number, or several with commas"),
        (
            ("film", "boat.txt", "--transition", "wipe"),
            "'wipe' for --transition; choose from cut, fade",
        ),
        (("film", "boat.txt", "--no-wait", "-o", "x.mp4"), "cannot be combined"),
    ],
)
def test_what_cannot_be_made_is_refused_before_anything_is_planned(program, script, argv, told):
    (program.cwd / "empty.txt").write_text("# nothing\n\n")
    (program.cwd / "picture.txt").write_bytes(b"\x89PNG\xff")

    ran = program(*argv)

    assert ran.code == 2
    assert told in ran.err
    assert script == "boat.txt"


@pytest.mark.skipif(sys.platform == "win32", reason="no SIGINT for another process")
def test_ctrl_c_says_how_to_go_on(program, script):
    process = program.start("film", script, "--continuity", "last_frame", "--yes")
    lines = []
    while not any("0 of 2 shots saved" in line for line in lines):
        lines.append(process.stderr.readline())
        assert lines[-1], lines
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=20)

    assert process.returncode == 130
    assert "goes on at sandbox; the rest is sent, and the film joined" in " ".join(err.split())
    assert err.rstrip().rpartition("hailuo_mcp ")[2].startswith("query f")
