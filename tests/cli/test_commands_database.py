"""The shell's commands over a journal in PostgreSQL."""

from pathlib import Path
from typing import Any

import pytest
from postgres import database_url

FOX = "A red fox"


@pytest.fixture
def far(program: Any, tmp_path: Path) -> Any:
    """The program, whose journal is in a database."""
    program.environ["HAILUO_DATABASE_URL"] = database_url(tmp_path)
    return program


def test_a_clip_is_bought_saved_and_listed_and_no_file_is_made(far: Any) -> None:
    assert far("generate", FOX).code == 0
    (task,) = far("tasks", "--json").answer["tasks"]
    assert task["status"] == "succeeded"
    assert list(Path(far.environ["HAILUO_OUTPUT_DIR"]).glob("*.mp4"))
    assert not (Path(far.environ["HAILUO_STATE_DIR"]) / "journal.sqlite3").exists()


def test_the_doctor_describes_the_database_and_hides_its_password(far: Any) -> None:
    assert far("generate", FOX).code == 0
    said = far("doctor", "--json")
    (found,) = [one for one in said.answer["findings"] if one["check"] == "journal"]
    assert found["level"] == "ok"
    assert found["message"].startswith("PostgreSQL 1")
    for fact in ("ms away", "its clock is", "1 task"):
        assert fact in found["message"]
    assert "no other hailuo-mcp is running" in said.out
    password = far.environ["HAILUO_DATABASE_URL"].split(":")[2].split("@")[0]
    assert password not in said.out + said.err


def test_a_database_that_is_away_is_a_refusal_that_names_its_setting(program: Any) -> None:
    program.environ["HAILUO_DATABASE_URL"] = "postgresql://me:hidden@127.0.0.1:1/x"
    refused = program("generate", FOX)
    assert refused.code == 1
    assert "cannot be reached" in refused.err
    assert "Nothing was sent or charged" in refused.err
    assert "HAILUO_DATABASE_URL" in refused.err
    said = program("doctor")
    assert "cannot be reached" in said.out
    assert "hidden" not in refused.err + said.out + said.err


def test_check_works_and_what_the_database_does_itself_is_said(far: Any) -> None:
    assert far("generate", FOX).code == 0
    assert far("journal", "check", "--json").answer == {"status": "sound", "tasks": 1}
    for action in ("backup", "accept"):
        refused = far("journal", action)
        assert refused.code == 2
        assert "pg_dump" in refused.err


def test_an_account_book_is_copied_there_and_compared(program: Any, tmp_path: Path) -> None:
    assert program("generate", FOX).code == 0
    state, url = program.environ["HAILUO_STATE_DIR"], database_url(tmp_path)
    copied = program("journal", "copy", state, url, "--json").answer
    assert (copied["status"], copied["rows"]["tasks"]) == ("copied", 1)
    assert [(one["money"], one["tasks"]) for one in copied["sums"]] == [("spent", 1)]
    assert len(program("tasks", "--json", HAILUO_DATABASE_URL=url).answer["tasks"]) == 1
    again = program("journal", "copy", state, url)
    assert (again.code, "not empty" in again.err) == (2, True)
    back = program("journal", "copy", url, str(tmp_path / "back"))
    assert (back.code, "Copied: 1 task" in back.out) == (0, True)
    assert program("journal", "copy", state).code == 2
