"""The journal's file, and the store on it."""

from collections.abc import Callable
from pathlib import Path

import pytest

from hailuo_mcp.journal.sqlite.store import SqliteStore


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "journal.sqlite3"


@pytest.fixture
def make_store(path: Path) -> Callable[[], SqliteStore]:
    return lambda: SqliteStore(path)
