"""New SQLite journals, copied from one that the migrations made: 1 ms each, and not 8.

Only in the process of the tests, which opens one for most of them. Programs that tests start make
theirs as always, and so does a test that patches the migrations.
"""

import sqlite3
import threading
from collections.abc import Callable

from hailuo_mcp.journal.sqlite import schema

_MIGRATE: Callable[..., None] = schema.migrate
_STATEMENTS = schema._statements
_one_at_a_time = threading.Lock()
_made: list[sqlite3.Connection] = []


def copy_from_one() -> None:
    """From now on."""
    schema.migrate = _migrate


def _migrate(db: sqlite3.Connection, *, to: int = schema.VERSION) -> None:
    if (
        to == schema.VERSION
        and schema._statements is _STATEMENTS
        and not db.in_transaction
        and not schema.version(db)
        and not db.execute("SELECT 1 FROM sqlite_master").fetchall()
    ):
        with _one_at_a_time:
            _pattern().backup(db)
    _MIGRATE(db, to=to)


def _pattern() -> sqlite3.Connection:
    if not _made:
        db = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
        _MIGRATE(db)
        _made.append(db)
    return _made[0]
