"""The journal's database: one function is one transaction, on a connection of the pool."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any, TypeVar

import psycopg
from anyio import CancelScope
from psycopg_pool import ConnectionPool, PoolTimeout

from hailuo_mcp.errors import Do, JournalError, Step
from hailuo_mcp.journal.postgres import faults, schema
from hailuo_mcp.journal.postgres.connection import (
    PostgresConnection,
    ServerConnection,
    connect,
    connection_parameters,
    set_up,
)
from hailuo_mcp.journal.postgres.session import GRACE_SECONDS, Session
from hailuo_mcp.journal.sql.rows import DamagedRowError

T = TypeVar("T")

OLDEST_SERVER = 14
CONNECTIONS = 8
"""The pool's. With the session and the listener, a process has two more."""
PATIENCE = 4.0
"""Seconds for a connection, and for repeating what had no effect."""
QUEUE_SECONDS = 6.0
"""How long an operation waits for its turn while the server does not answer others."""
_log = logging.getLogger(__name__)
logging.getLogger("psycopg.pool").setLevel(logging.ERROR)  # one line for each attempt is too much


class _NoEffectError(Exception):
    """The transaction has certainly not changed anything, and can be repeated."""

    def __init__(self, cause: psycopg.Error) -> None:
        super().__init__()
        self.cause = cause


class Database:
    """Cancelling the caller does not interrupt a transaction."""

    def __init__(self, url: str, *, grace: float = GRACE_SECONDS) -> None:
        self._url = url
        self._threads = ThreadPoolExecutor(CONNECTIONS, thread_name_prefix="journal")
        self._pool: ConnectionPool[ServerConnection] = ConnectionPool(
            url,
            connection_class=ServerConnection,
            kwargs={"autocommit": True, **connection_parameters()},
            configure=self._configure,
            min_size=1,
            max_size=CONNECTIONS,
            timeout=PATIENCE,
            reconnect_timeout=PATIENCE,
            num_workers=2,
            name="journal",
            open=False,
        )
        self._session = Session(url, grace)
        self._backends: set[int] = set()
        """The server's processes for this pool: what they announce, we know."""
        self._closed = False

    def clock(self) -> float:
        return self._session.clock()

    async def open(self) -> None:
        await self._in_thread(self._open)

    def _open(self) -> None:
        try:
            db = connect(self._url)
            try:
                check_server(db)
                check_sessions(db, self._url)
                schema.migrate(db)
                self._session.start(db)
            except BaseException:
                db.close()
                raise
            self._pool.open()
        except psycopg.Error as exc:
            raise faults.journal_error(exc, self._url) from exc

    def _configure(self, db: ServerConnection) -> None:
        set_up(db)
        self._backends.add(db.backend)

    async def close(self, owner: str = "") -> None:
        if self._closed:
            return
        if owner and self._session.is_connected:  # else the others see that it has gone
            with suppress(JournalError):
                await self.unregister(owner)

        def shut() -> None:
            self._session.close()
            self._pool.close(timeout=1.0)

        await self._in_thread(shut)
        self._closed = True
        self._threads.shutdown(wait=False)

    async def unregister(self, owner: str) -> None:
        """What the owner still holds is free for others."""

    async def read(self, question: Callable[[PostgresConnection], T]) -> T:
        """Each statement sees what is committed when it begins."""
        return await self._run(lambda db: question(PostgresConnection(db)))

    async def write(
        self,
        step: Callable[[PostgresConnection], T],
        *,
        done: Callable[[PostgresConnection, T], bool] | None = None,
    ) -> T:
        """Run a step as one transaction, durable when this returns.

        `done`: whether a result of the step is really there; asked only after the connection
        ended during COMMIT.
        """
        return await self._run(lambda db: self._transact(db, step, done))

    async def ping(self) -> None:
        """Whoever asks whether we are ready does not wait long for a server that is away."""
        await self._run(lambda db: db.execute("SELECT 1").fetchone(), shield=False)

    async def _run(self, work: Callable[[ServerConnection], T], *, shield: bool = True) -> T:
        """On a connection of the pool; again on another one if the work had no effect."""
        asked_at = time.monotonic()

        def run() -> T:
            if time.monotonic() - asked_at > QUEUE_SECONDS:
                raise faults.journal_error(PoolTimeout("too many wait"), self._url)
            deadline = time.monotonic() + PATIENCE
            while True:
                db = self._connection(deadline)
                try:
                    return work(db)
                except _NoEffectError as exc:
                    if time.monotonic() >= deadline:
                        raise faults.journal_error(exc.cause, self._url) from exc.cause
                except (psycopg.Error, DamagedRowError) as exc:
                    if not db.closed or time.monotonic() >= deadline:
                        raise faults.journal_error(exc, self._url) from exc
                finally:
                    if db.closed:
                        self._backends.discard(db.backend)
                    self._pool.putconn(db)

        return await self._in_thread(run, shield=shield)

    def _connection(self, deadline: float) -> ServerConnection:
        try:
            return self._pool.getconn(timeout=max(0.1, deadline - time.monotonic()))
        except PoolTimeout as exc:
            raise faults.journal_error(exc, self._url) from exc

    def _transact(
        self,
        db: ServerConnection,
        step: Callable[[PostgresConnection], T],
        done: Callable[[PostgresConnection, T], bool] | None,
    ) -> T:
        """Raises _NoEffectError if it can be repeated."""
        try:
            number = _begin(db)
            result = step(PostgresConnection(db))
        except psycopg.Error as exc:
            _roll_back(db)
            if isinstance(exc, faults.ReadOnly):
                db.close()  # this server is a replica now: find the other one
            if db.closed or isinstance(exc, faults.REPEATABLE):
                raise _NoEffectError(exc) from exc
            raise
        except BaseException:
            _roll_back(db)
            raise
        try:
            db.execute("COMMIT", prepare=False)
        except psycopg.Error as exc:
            if not db.closed:  # the server's answer: it was rolled back
                _roll_back(db)
                raise _NoEffectError(exc) from exc
            if self._was_committed(number, exc) and (done is None or self._is(done, result, exc)):
                return result
            raise _NoEffectError(exc) from exc
        return result

    def _was_committed(self, number: str, lost: psycopg.Error) -> bool:
        """Ask the server on another connection. While it still works on it, wait.

        Raises:
            JournalError: it cannot be asked, so nobody knows.
        """
        deadline = time.monotonic() + PATIENCE
        while True:
            try:
                db = self._connection(deadline)
                try:
                    row = db.execute("SELECT pg_xact_status(%s::xid8)", (number,)).fetchone()
                finally:
                    self._pool.putconn(db)
            except (psycopg.Error, JournalError):
                row = None
            if row is not None and row[0] in ("committed", "aborted"):
                return bool(row[0] == "committed")
            if time.monotonic() >= deadline:
                raise faults.unknown_outcome(lost, self._url) from lost
            time.sleep(0.1)

    def _is(
        self, done: Callable[[PostgresConnection, T], bool], result: T, lost: psycopg.Error
    ) -> bool:
        """The number may be another transaction's after a failover that lost ours."""
        try:
            db = self._connection(time.monotonic() + PATIENCE)
            try:
                return done(PostgresConnection(db), result)
            finally:
                self._pool.putconn(db)
        except (psycopg.Error, JournalError) as exc:
            raise faults.unknown_outcome(lost, self._url) from exc

    async def _in_thread(self, work: Callable[[], T], *, shield: bool = True) -> T:
        if self._closed:
            raise JournalError(
                "The journal is closed: hailuo-mcp is shutting down.",
                Step(Do.TRY, "repeat the call when hailuo-mcp runs again"),
            )
        done = asyncio.get_running_loop().run_in_executor(self._threads, work)
        with CancelScope(shield=shield):
            await asyncio.wait((done,))
        return done.result()


def _begin(db: ServerConnection) -> str:
    """Returns the transaction's number, by which the server knows what became of it."""
    cursor = db.execute("BEGIN; SELECT pg_current_xact_id()::text", prepare=False)
    cursor.nextset()
    row: Any = cursor.fetchone()
    return str(row[0])


def _roll_back(db: ServerConnection) -> None:
    try:
        if not db.closed:
            db.execute("ROLLBACK", prepare=False)
    except psycopg.Error:
        db.close()


def check_server(db: ServerConnection) -> None:
    version = db.info.server_version // 10_000
    if version < OLDEST_SERVER:
        raise faults.too_old(version, OLDEST_SERVER)
    encoding: Any = db.execute("SHOW server_encoding").fetchone()
    if encoding[0] != "UTF8":
        raise faults.wrong_encoding(str(encoding[0]))


def check_sessions(db: ServerConnection, url: str) -> None:
    """A pooler in transaction mode lends its sessions to whoever begins a transaction next."""
    with connect(url) as other:
        backends = {_backend(db), _backend(db)}
        other.execute("BEGIN")
        taken = _backend(other)
        backends |= {_backend(db), _backend(db)}
        other.execute("ROLLBACK")
    if backends != {db.backend} or taken == db.backend:
        raise faults.pooled()


def _backend(db: ServerConnection) -> int:
    row: Any = db.execute("SELECT pg_backend_pid()").fetchone()
    return int(row[0])
