"""A connection to the journal's file, as the shared operations use it."""

from __future__ import annotations

import sqlite3

from hailuo_mcp.journal.facts import Losses
from hailuo_mcp.journal.sqlite import losses


class SqliteConnection(sqlite3.Connection):
    """A writer has the whole file: nothing in it needs a lock of its own."""

    for_update = skip_locked = ""

    def lock_account(self, account: str) -> None:
        """BEGIN IMMEDIATE has locked everything."""

    def losses(self) -> Losses | None:
        return losses.losses(self)
