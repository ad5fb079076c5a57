"""What an account spent in other units than its plan's, of a journal that nobody opens for it."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from hailuo_mcp.domain import Unit
from hailuo_mcp.journal.sqlite.purchases import other_units
from hailuo_mcp.journal.store import UnitSpending


def walls_beside(path: Path, account: str, unit: Unit, *, since: float) -> tuple[UnitSpending, ...]:
    """Nothing where the journal cannot be read: who examines it says why."""
    try:
        with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)) as db:
            return other_units(db, account, unit, since)
    except sqlite3.Error:
        return ()
