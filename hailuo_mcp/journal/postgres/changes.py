"""What other processes write, as the server announces it."""

from __future__ import annotations

from collections.abc import Callable, Collection
from contextlib import suppress
from typing import Any

import anyio
import psycopg
from anyio.to_thread import run_sync
from psycopg import sql

from hailuo_mcp.journal.postgres.connection import ServerConnection, connect

AGAIN_SECONDS = 1.0
CHECK_SECONDS = 20.0
"""A connection that was silent for so long is tried: its end may have gone unnoticed."""


async def watch(url: str, announce: Callable[[str], None], own: Collection[int]) -> None:
    """Announce the tasks that others change, until cancelled; `own`: our server processes.

    After each connection, "": nobody knows what was missed.
    """
    while True:
        with suppress(psycopg.Error, OSError):
            await _listen(url, announce, own)
        await anyio.sleep(AGAIN_SECONDS)


async def _listen(url: str, announce: Callable[[str], None], own: Collection[int]) -> None:
    db = await run_sync(_listener, url)
    try:
        announce("")
        while True:
            with anyio.move_on_after(CHECK_SECONDS) as silent:
                await anyio.wait_readable(db.fileno())
            if silent.cancelled_caught:
                await run_sync(lambda: db.execute("SELECT 1"))
            told = await run_sync(lambda: list(db.notifies(timeout=0)))
            for task_id in dict.fromkeys(one.payload for one in told if one.pid not in own):
                announce(task_id)
    finally:
        db.close()


def _listener(url: str) -> ServerConnection:
    db = connect(url)
    try:
        row: Any = db.execute("SELECT 'hailuo_' || md5(current_schema())").fetchone()
        db.execute(sql.SQL("LISTEN {}").format(sql.Identifier(row[0])))
    except BaseException:
        db.close()
        raise
    return db
