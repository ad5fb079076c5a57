"""Whether the journal has unfinished work, without a store."""

from __future__ import annotations

import psycopg

from hailuo_mcp.journal.postgres import schema
from hailuo_mcp.journal.postgres.connection import connect


def has_unfinished_work(url: str) -> bool:
    """Whether a process must send, poll or save something. Keeps no connection."""
    try:
        with connect(url) as db:
            version = schema.version(db)
            tables = ("tasks",) * (version > 0) + ("films",) * (version >= schema.KEEPS_FILMS)
            return any(
                db.execute(f"SELECT 1 FROM {table} WHERE due_at > 0 LIMIT 1".encode()).fetchone()
                for table in tables
            )
    except psycopg.Error:
        return False  # whoever calls next hears why; until then nothing could be done
