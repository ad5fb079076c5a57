"""Looking after the journal in the shell: check, backup, accept, and what other commands say."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

from hailuo_mcp.journal.sqlite.schema import VERSION

FOX = "A red fox"


def test_check_and_backup_tell_what_they_did_and_change_nothing(program: Any) -> None:
    assert program("generate", FOX).code == 0
    checked = program("journal", "check")
    assert (checked.code, "is sound: 1 task" in checked.out) == (0, True)
    target = program.cwd / "book.sqlite3"
    assert "Saved and checked" in program("journal", "backup", "book.sqlite3").out
    assert target.stat().st_size > 0
    again = program("journal", "backup", "book.sqlite3")
    assert (again.code, "exists" in again.err) == (2, True)
    assert program("journal", "backup", "--json").answer["status"] == "saved"
    assert program("journal", "check", "--json").answer["tasks"] == 1
    assert program("journal", "accept").out.startswith("There is nothing to accept")


def _emptied(program: Any) -> Path:
    assert program("generate", FOX).code == 0
    journal = Path(program.environ["HAILUO_STATE_DIR"]) / "journal.sqlite3"
    journal.write_bytes(b"")
    return journal


def test_check_finds_a_damaged_journal_and_leaves_it_as_it_is(program: Any) -> None:
    journal = _emptied(program)
    checked = program("journal", "check")
    assert (checked.code, "was deleted or emptied" in checked.out) == (1, True)
    assert journal.read_bytes() == b""


def test_after_a_loss_every_command_says_so_and_none_buys_until_it_is_accepted(
    program: Any,
) -> None:
    _emptied(program)
    refused = program("generate", "Another fox")
    assert refused.code == 2
    assert "Nothing was sent or charged" in refused.err
    assert "journal accept" in refused.err.replace("\n", " ")
    assert "journal accept" in program("tasks").err
    assert "journal accept" in program("generate", FOX).err  # known from a backup, so answered
    assert program("tasks", "--json").answer["message"].count("journal accept") == 1
    assert program("journal", "check").code == 1
    told = program("journal", "accept").out
    assert "was deleted or emptied" in told
    assert "Accepted" in told
    bought = program("generate", "Another fox")
    assert (bought.code, "journal accept" in bought.out + bought.err) == (0, False)


def test_check_of_a_journal_that_is_not_there_calls_nothing_sound(program: Any) -> None:
    assert "There is no journal at" in program("journal", "check").out
    assert program("generate", FOX).code == 0
    assert program("journal", "backup").code == 0
    for path in Path(program.environ["HAILUO_STATE_DIR"]).glob("journal*"):
        path.unlink()
    assert (program("journal", "check").code, program("doctor").code) == (1, 1)


def test_a_journal_that_lost_nothing_is_mended_with_a_note(program: Any) -> None:
    assert program("generate", FOX).code == 0
    journal = Path(program.environ["HAILUO_STATE_DIR"]) / "journal.sqlite3"
    with closing(sqlite3.connect(journal)) as db:
        (root,) = db.execute(
            "SELECT rootpage FROM sqlite_master WHERE name = 'tasks_identity'"
        ).fetchone()
    with journal.open("rb+") as file:
        file.seek(root * 4096 - 40)
        file.write(bytes(8))
    told = program("tasks")
    assert (told.code, "Nothing is lost" in told.err) == (0, True)
    assert program("tasks").err == ""


def test_a_journal_of_a_newer_version_is_refused_everywhere_and_not_changed(program: Any) -> None:
    assert program("generate", FOX).code == 0
    journal = Path(program.environ["HAILUO_STATE_DIR"]) / "journal.sqlite3"
    with closing(sqlite3.connect(journal, isolation_level=None)) as db:
        db.execute(f"PRAGMA user_version = {VERSION + 1}")
        db.execute(f"UPDATE shape SET readable_since = {VERSION + 1}")
    before = journal.read_bytes()
    for command in (("generate", FOX), ("tasks",), ("journal", "check"), ("journal", "accept")):
        refused = program(*command)
        said = " ".join((refused.out + refused.err).split())
        assert refused.code == 1
        assert "newer hailuo-mcp" in said
        assert "Update this installation" in said
    assert program("journal", "check", "--json").answer["status"] == "newer"
    checked = program("doctor")
    assert (checked.code, "written by a newer hailuo-mcp" in checked.out) == (1, True)
    assert journal.read_bytes() == before
