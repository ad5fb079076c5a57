"""What a damaged journal may have lost. Nothing is bought until a person accepts it."""

from __future__ import annotations

import json
import sqlite3

from hailuo_mcp.journal.facts import Losses
from hailuo_mcp.journal.sql.rows import from_micro
from hailuo_mcp.journal.sqlite import schema

UNACCEPTED = "NOT complete AND accepted_at IS NULL"


def losses(db: sqlite3.Connection) -> Losses | None:
    row = db.execute(
        "SELECT at, kept, flaw, expected, carried, missing FROM rescues"
        f" WHERE {UNACCEPTED} ORDER BY at DESC LIMIT 1"
    ).fetchone()
    if row is None:
        return None
    at, kept, flaw, expected, carried, missing = row
    sums = dict[tuple[str, str], int]()
    for name, amount in json.loads(missing).items():
        provider, _, rest = name.partition(" ")
        key = provider, rest.rpartition(" ")[2]
        sums[key] = sums.get(key, 0) + amount
    return Losses(
        at=at,
        kept=kept,
        flaw=flaw,
        expected=expected,
        carried=carried,
        missing={key: from_micro(amount) for key, amount in sums.items()},
    )


def accept(db: sqlite3.Connection, *, now: float) -> None:
    """A person accepts the losses and continues with what was recovered."""
    db.execute(f"UPDATE rescues SET accepted_at = ? WHERE {UNACCEPTED}", (now,))
    db.execute("UPDATE shape SET readable_since = ?", (schema.READABLE_SINCE,))
