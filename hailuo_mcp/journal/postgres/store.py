"""The store in PostgreSQL, for processes of many computers."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable, Sequence
from decimal import Decimal
from typing import Any, TypeVar

import psycopg

from hailuo_mcp.domain.film import Film
from hailuo_mcp.domain.task import Task
from hailuo_mcp.journal.facts import (
    SECRET_BYTES,
    FilmRecorded,
    KeyTaken,
    Limits,
    Losses,
    OverBudget,
    Recorded,
)
from hailuo_mcp.journal.postgres import changes, faults
from hailuo_mcp.journal.postgres.connection import PostgresConnection
from hailuo_mcp.journal.postgres.database import Database
from hailuo_mcp.journal.sql import films, leases, purchases
from hailuo_mcp.journal.sql.rows import exists
from hailuo_mcp.journal.sql.store import SqlStore

T = TypeVar("T")


class PostgresStore(Database, SqlStore):
    """See journal.store.Store for what each method promises."""

    losses = None
    """The server answers for its data; damage there is its operator's to repair."""
    rescued = None

    async def record(
        self, draft: Task, reserved_amount: Decimal, limits: Limits, *, now: float
    ) -> Recorded | OverBudget | KeyTaken | Losses:
        def is_there(db: PostgresConnection, found: object) -> bool:
            if not isinstance(found, Recorded) or found.reused:
                return True
            return exists(db, "SELECT 1 FROM tasks WHERE task_id = ?", found.task.task_id)

        return await self.write(
            lambda db: purchases.record(db, draft, reserved_amount, limits, now=now), done=is_there
        )

    async def make_film(
        self, film: Film, drafts: Sequence[tuple[Task, Decimal]], limits: Limits, *, now: float
    ) -> FilmRecorded | OverBudget | Losses | None:
        def is_there(db: PostgresConnection, found: object) -> bool:
            if not isinstance(found, FilmRecorded):
                return True
            last = found.tasks[-1].task_id if found.tasks else ""
            return exists(db, "SELECT 1 FROM tasks WHERE task_id = ?", last)

        return await self.write(
            lambda db: films.make_film(db, film, drafts, limits, now=now), done=is_there
        )

    async def register(
        self, owner: str, *, account: str, provider: str, base_url: str, pid: int, now: float
    ) -> None:
        facts: dict[str, Any] = {"account": account, "provider": provider, "base_url": base_url}

        def write(db: PostgresConnection) -> None:
            leases.register(db, owner, **facts, pid=pid, now=now)

        await self._in_session(lambda: self._session.hold(owner, write))

    async def dead(self, owners: Iterable[str]) -> list[str]:
        asked = list(owners)
        return await self._in_session(lambda: self._session.dead(asked))

    async def unregister(self, owner: str) -> None:
        try:
            await self.write(lambda db: leases.release(db, [owner]))
        finally:
            await self._in_session(lambda: self._session.release(owner))

    async def watch(self, announce: Callable[[str], None], wanted: Callable[[], bool]) -> None:
        del wanted  # nothing has to be looked for
        await changes.watch(self._url, announce, self._backends)

    async def secret(self, name: str) -> bytes:
        def once(db: PostgresConnection) -> bytes:
            db.execute(
                "INSERT INTO secrets VALUES (?, ?) ON CONFLICT DO NOTHING",
                (name, secrets.token_bytes(SECRET_BYTES)),
            )
            query = "SELECT value FROM secrets WHERE name = ?"
            return bytes(db.execute(query, (name,)).fetchall()[0][0])

        return await self.write(once)

    async def back_up(self, now: float) -> None:
        """The server has backups of its own."""

    async def _in_session(self, work: Callable[[], T]) -> T:
        def run() -> T:
            try:
                return work()
            except psycopg.Error as exc:
                raise faults.journal_error(exc, self._url) from exc

        return await self._in_thread(run)
