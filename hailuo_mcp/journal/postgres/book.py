"""The journal's database as one end of a copy."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from math import inf
from typing import Any

import psycopg

from hailuo_mcp.errors import Do, InvalidRequestError, Step
from hailuo_mcp.journal.postgres import faults, schema
from hailuo_mcp.journal.postgres.connection import PostgresConnection, ServerConnection, connect
from hailuo_mcp.journal.postgres.session import dead_owners
from hailuo_mcp.journal.postgres.store import PostgresStore
from hailuo_mcp.journal.sql.connection import Connection


class DatabaseReader(PostgresConnection):
    def __init__(self, db: ServerConnection) -> None:
        super().__init__(db)
        self._server = db

    def rows(self, query: str) -> Iterator[Sequence[Any]]:
        with self._server.cursor(name="copied") as cursor:
            yield from cursor.execute(query.encode())


class DatabaseBook:
    seconds = "floor(created_at)::bigint"

    def __init__(self, url: str) -> None:
        self._url = url

    @contextmanager
    def reading(self) -> Generator[DatabaseReader]:
        with self._connected() as db:
            if schema.version(db) != schema.VERSION:
                raise InvalidRequestError(
                    "There is no journal in the database, or it is of another version.",
                    Step(Do.TRY, "list its tasks once with this version"),
                )
            db.answers_within = inf
            with db.transaction():
                db.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
                db.execute("SET LOCAL statement_timeout = 0")
                db.execute("SET LOCAL idle_in_transaction_session_timeout = 0")
                yield DatabaseReader(db)

    def alive(self) -> list[str]:
        with self._connected() as db:
            if not schema.version(db):
                return []
            owners = [owner for (owner,) in db.execute("SELECT owner FROM owners")]
            dead = dead_owners(db, owners)
            return [owner for owner in owners if owner not in dead]

    async def fill(self, fill: Callable[[Connection], None]) -> None:
        store = PostgresStore(self._url)

        def alone(db: PostgresConnection) -> None:
            db.execute("LOCK TABLE tasks, films, accounts IN EXCLUSIVE MODE")
            db.be_patient()
            db.execute("SET LOCAL idle_in_transaction_session_timeout = 0")
            fill(db)

        await store.open()
        try:
            await store.write(alone)
        finally:
            await store.close()

    def secrets(self) -> dict[str, bytes]:
        with self._connected() as db:
            return {name: bytes(value) for name, value in db.execute("SELECT * FROM secrets")}

    async def keep(self, secrets: Mapping[str, bytes]) -> None:
        with self._connected() as db:
            for name, value in secrets.items():
                db.execute(
                    "INSERT INTO secrets VALUES (%s, %s)"
                    " ON CONFLICT (name) DO UPDATE SET value = excluded.value",
                    (name, value),
                )

    @contextmanager
    def _connected(self) -> Generator[ServerConnection]:
        try:
            with connect(self._url) as db:
                yield db
        except psycopg.Error as exc:
            raise faults.journal_error(exc, self._url) from exc
