"""A journal as an earlier version left it."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from contextlib import closing
from decimal import Decimal
from pathlib import Path

from hailuo_mcp.domain.task import Task
from hailuo_mcp.journal.sql.rows import COLUMNS, marks, row_of
from hailuo_mcp.journal.sqlite import mark, schema


def write(path: Path, version: int, tasks: Iterable[Task]) -> None:
    """Each task costs 2."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        schema.migrate(db, to=version)
        there = {name for (name,) in db.execute("SELECT name FROM pragma_table_info('tasks')")}
        for task in tasks:
            row = zip((*COLUMNS, "counted", "seal"), row_of(task, Decimal(2)), strict=True)
            of_then = {name: value for name, value in row if name in there}
            db.execute(
                f"INSERT INTO tasks ({', '.join(of_then)}) VALUES ({marks(of_then)})",
                tuple(of_then.values()),
            )
        if version >= schema.KEEPS_TOTALS:
            mark.write(path, mark.of(db))
