"""An older program meets the journal of a newer one: it says so, and leaves every byte alone."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import psycopg
import pytest
from postgres import database_url

from hailuo_mcp.bootstrap import open_studio
from hailuo_mcp.errors import JournalError
from hailuo_mcp.journal.postgres import examine as postgres
from hailuo_mcp.journal.postgres.schema import VERSION as OF_POSTGRES
from hailuo_mcp.journal.sqlite.schema import VERSION
from hailuo_mcp.settings import Settings
from hailuo_mcp.wording.person import error_text

from .conftest import fill_database, keep_file
from .make import settings_in

pytestmark = pytest.mark.anyio


@pytest.fixture(params=["closed", "killed"])
def folder(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """The state folder as a newer version left it; a killed one leaves its last steps in a log."""
    path = keep_file(tmp_path / "newer", "0.1.0")
    folder = tmp_path / "state"
    folder.mkdir()
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        db.execute("PRAGMA journal_mode = WAL")
        db.execute(f"PRAGMA user_version = {VERSION + 1}")
        db.execute(f"UPDATE shape SET readable_since = {VERSION + 1}")
        if request.param == "closed":
            db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        for file in (path, path.with_name(f"{path.name}-wal"), path.with_name("mark")):
            if content := file.read_bytes():
                (folder / file.name).write_bytes(content)
    return folder


@pytest.fixture
def url(tmp_path: Path) -> str:
    """The database that a newer version has written."""
    url = database_url(tmp_path)
    fill_database(url, "0.1.0")
    with psycopg.connect(url, autocommit=True) as db:
        db.execute(f"UPDATE shape SET version = {OF_POSTGRES + 1}, readable_since = version + 1")
    return url


def _content(folder: Path) -> dict[str, bytes]:
    """What is in a journal: its file, its log and its mark."""
    names = ("journal.sqlite3", "journal.sqlite3-wal", "mark")
    files = {name: folder / name for name in names}
    return {name: file.read_bytes() for name, file in files.items() if file.exists()}


def _is_as_it_was(folder: Path, before: dict[str, bytes]) -> bool:
    after = _content(folder)
    if not before.get("journal.sqlite3-wal"):  # looking at it makes an empty one
        assert not after.pop("journal.sqlite3-wal", b"")
    return after == before and not [*folder.glob("*unreadable*")]


async def _refusal(settings: Settings) -> str:
    with pytest.raises(JournalError) as caught:
        async with open_studio(settings):
            pass
    return error_text(caught.value)


def _is_clear(said: str) -> bool:
    facts = ("newer hailuo-mcp", "Nothing in it was changed", "Nothing was sent or charged")
    return all(fact in " ".join(said.split()) for fact in (*facts, "Update this installation"))


async def test_a_server_and_a_program_are_told_and_the_file_stays(folder: Path) -> None:
    before = _content(folder)
    assert _is_clear(await _refusal(settings_in(folder.parent)))
    assert _is_as_it_was(folder, before)


async def test_a_server_and_a_program_are_told_and_the_database_stays(
    url: str, tmp_path: Path
) -> None:
    def rows() -> list[Any]:
        with psycopg.connect(url) as db:
            tables = ("shape", "tasks", "films", "owners", "accounts", "totals", "secrets")
            return [db.execute(f"SELECT * FROM {name}".encode()).fetchall() for name in tables]

    before = rows()
    assert _is_clear(await _refusal(settings_in(tmp_path, HAILUO_DATABASE_URL=url)))
    for look in (postgres.examine, postgres.check):
        with pytest.raises(JournalError, match="newer hailuo-mcp"):
            look(url)
    assert rows() == before
