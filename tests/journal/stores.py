"""Every store there is. A new one is one more line here, and passes the tests of this folder."""

from collections.abc import Callable, Mapping
from pathlib import Path

from postgres import database_url

from hailuo_mcp.journal.postgres.store import PostgresStore
from hailuo_mcp.journal.sqlite.store import SqliteStore
from hailuo_mcp.journal.store import Store

STORES: Mapping[str, Callable[[Path], Store]] = {
    "sqlite": lambda folder: SqliteStore(folder / "journal.sqlite3"),
    "postgres": lambda folder: PostgresStore(database_url(folder)),
}
"""By name, what makes one, not opened, of the journal that is in this folder."""
