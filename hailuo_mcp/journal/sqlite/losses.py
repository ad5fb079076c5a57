"""What a damaged journal may have lost. Nothing new is bought until a person accepts that."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from hailuo_mcp.errors import JournalDamagedError
from hailuo_mcp.journal.sqlite import schema
from hailuo_mcp.journal.sqlite.rows import from_micro

UNACCEPTED = "NOT complete AND accepted_at IS NULL"


@dataclass(frozen=True, slots=True, kw_only=True)
class Losses:
    """The newest rescue that may have lost tasks, and that nobody has accepted."""

    at: float
    """Unix seconds."""
    kept: str
    """The name of the damaged file beside the journal; empty where there was none."""
    flaw: str
    expected: int | None
    """How many tasks the journal had held; None where nobody knows."""
    carried: int
    missing: Mapping[tuple[str, str], Decimal]
    """By provider and unit, what the missing tasks had cost or reserved."""

    @property
    def many(self) -> str:
        """How many tasks are missing, in words."""
        if self.expected is None:
            return "some tasks"
        lost = max(0, self.expected - self.carried)
        return f"{lost} of {self.expected} tasks" if lost else "the last changes of some tasks"

    def error(self) -> JournalDamagedError:
        return JournalDamagedError(
            f"The journal was damaged and {self.many} may be lost, so the budget cannot be held "
            "and a clip that was bought before could be bought again. Everything that spends "
            "nothing still works."
        )


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
    """A person goes on with what was carried over."""
    db.execute(f"UPDATE rescues SET accepted_at = ? WHERE {UNACCEPTED}", (now,))
    db.execute("UPDATE shape SET readable_since = ?", (schema.READABLE_SINCE,))
