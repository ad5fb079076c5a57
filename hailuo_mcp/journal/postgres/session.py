"""The session by which a process is alive for the others, and knows the server's time.

A process is alive while its session holds an advisory lock in its name. When the connection ends,
so does the lock, and the process connects again; the others therefore wait for GRACE_SECONDS.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Collection, Iterable
from contextlib import suppress
from math import inf
from typing import LiteralString

import psycopg

from hailuo_mcp.errors import HailuoError
from hailuo_mcp.journal.postgres import faults, schema
from hailuo_mcp.journal.postgres.connection import PostgresConnection, ServerConnection, connect

BEAT_SECONDS = 3.0
"""How often a process shows that it is there and measures the server's clock."""
AGAIN_SECONDS = 1.0
"""How often it tries to connect again."""
GRACE_SECONDS = 15.0
"""How long a process may be without a session before the others call it dead. Longer than a
connection that is cut for ten seconds, with one beat before and one attempt after it; and short
enough to be noticed within 20 s, long before the lease of a submit ends."""
_NOW: LiteralString = "extract(epoch FROM clock_timestamp())::float8"
_log = logging.getLogger(__name__)

Register = Callable[[PostgresConnection], object]


class Session:
    """Owned by the store. Its thread ends with the process, at the latest."""

    def __init__(self, url: str, grace: float) -> None:
        self._url = url
        self._grace = grace
        self._lock = threading.Lock()
        """Who uses the connection."""
        self._db: ServerConnection | None = None
        self._since = 0.0
        """When the connection was opened, by the monotonic clock."""
        self._owners: dict[str, Register] = {}
        self._locked: set[str] = set()
        """The owners whose locks this connection holds."""
        self._offset = time.time() - time.monotonic()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="journal-session", daemon=True)

    def clock(self) -> float:
        """The server's time, as last measured."""
        return time.monotonic() + self._offset

    def start(self, db: ServerConnection) -> None:
        """Use this connection from now on, and another one when it ends."""
        with self._lock:
            self._use(db)
        self._thread.start()

    @property
    def is_connected(self) -> bool:
        return self._db is not None

    def close(self) -> None:
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join(timeout=1.0)
        with self._lock:
            self._lose()

    def hold(self, owner: str, register: Register) -> None:
        """Be alive in this name; `register` writes it down, now and after each reconnection.

        Raises:
            psycopg.Error: there is no connection at present.
        """
        with self._lock:
            db = self._connected()
            self._owners[owner] = register
            try:
                self._hold(db, owner)
            except psycopg.Error:
                self._lose()
                raise

    def release(self, owner: str) -> None:
        """Be dead in this name, at once."""
        with self._lock:
            if self._owners.pop(owner, None) is None:
                return
            with suppress(psycopg.Error):
                db = self._connected()
                db.execute("UPDATE owners SET seen_at = 0 WHERE owner = %s", (owner,))
                if owner in self._locked:
                    key = schema.key_of(db, f"process {owner}")
                    db.execute("SELECT pg_advisory_unlock(%s)", (key,))
            self._locked.discard(owner)

    def dead(self, owners: Iterable[str]) -> list[str]:
        """Those whose lock is free and who have not been seen for the time of grace.

        Who leaves properly is dead at once. After a restart of the server all have lost their
        locks: then nobody else is called dead before this session is as old as the time of grace.
        """
        asked = [owner for owner in owners if owner not in self._owners]
        with self._lock:
            db = self._connected()
            fresh = time.monotonic() - self._since < self._grace
            try:
                return dead_owners(db, asked, inf if fresh else self._grace)
            except psycopg.Error:
                self._lose()
                raise

    def _run(self) -> None:
        pause = BEAT_SECONDS
        while not self._stop.wait(pause):
            try:
                if self._db is None:
                    self._connect_again()
                with self._lock:
                    self._beat()
                pause = BEAT_SECONDS
            except (psycopg.Error, HailuoError) as exc:
                with self._lock:
                    if self._db is not None:
                        told = faults.without_secret(str(exc), self._url)
                        _log.warning("the session with the journal's database ended: %s", told)
                    self._lose()
                pause = AGAIN_SECONDS

    def _connect_again(self) -> None:
        db = connect(self._url)
        with self._lock:
            if self._stop.is_set():
                db.close()
            else:
                self._use(db)
                _log.warning("connected to the journal's database again")

    def _beat(self) -> None:
        db = self._connected()
        self._measure(db)
        for owner in self._owners.keys() - self._locked:
            self._hold(db, owner)
        if self._owners:
            known = db.execute(
                f"UPDATE owners SET seen_at = {_NOW} WHERE owner = ANY(%s) RETURNING owner",
                (list(self._owners),),
            ).fetchall()
            for owner in self._owners.keys() - {owner for (owner,) in known}:
                self._hold(db, owner)  # another process called it dead

    def _use(self, db: ServerConnection) -> None:
        db.execute("SET synchronous_commit = off")  # only a beat is lost in a crash
        self._db, self._since = db, time.monotonic()
        self._locked.clear()
        self._measure(db)

    def _connected(self) -> ServerConnection:
        if self._db is None:
            raise psycopg.OperationalError("there is no session with the server at present")
        return self._db

    def _lose(self) -> None:
        if self._db is not None:
            self._db.close()
        self._db = None
        self._locked.clear()

    def _hold(self, db: ServerConnection, owner: str) -> None:
        key = schema.key_of(db, f"process {owner}")
        # It is not given while the server has not noticed that our last connection has ended.
        taken = db.execute("SELECT pg_try_advisory_lock(%s)", (key,)).fetchone()
        if taken == (True,) and owner not in self._locked:
            self._locked.add(owner)
        self._owners[owner](PostgresConnection(db))
        db.execute(f"UPDATE owners SET seen_at = {_NOW} WHERE owner = %s", (owner,))

    def _measure(self, db: ServerConnection) -> None:
        """Move our clock only by what the measurement is certain of."""
        before = time.monotonic()
        row = db.execute(f"SELECT {_NOW}, pg_backend_pid()").fetchone()
        after = time.monotonic()
        if row is None or row[1] != db.backend:
            self._lose()
            raise faults.pooled()
        offset, doubt = row[0] - (before + after) / 2, (after - before) / 2
        if abs(offset - self._offset) > doubt:
            self._offset = offset


def dead_owners(
    db: ServerConnection, owners: Collection[str], grace: float = GRACE_SECONDS
) -> list[str]:
    """Those whose lock nobody holds and who were not seen for `grace` seconds."""
    if not owners:
        return []
    keys = {owner: schema.key_of(db, f"process {owner}") for owner in owners}
    locks = db.execute(
        "SELECT (classid::bigint << 32) | objid::bigint FROM pg_locks"
        " WHERE locktype = 'advisory' AND objsubid = 1 AND granted AND database ="
        " (SELECT oid FROM pg_database WHERE datname = current_database())"
    ).fetchall()
    held = {key for (key,) in locks}
    seen = db.execute(
        f"SELECT owner, {_NOW} - seen_at FROM owners WHERE owner = ANY(%s) AND seen_at > 0",
        (list(owners),),
    ).fetchall()
    silent = dict[str, float](seen)
    return [
        owner
        for owner in owners
        if keys[owner] not in held and (owner not in silent or silent[owner] > grace)
    ]
