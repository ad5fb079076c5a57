"""The store in one SQLite file: each operation is a function that gets the open transaction."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Coroutine, Sequence
from contextlib import suppress
from typing import Any, Concatenate, ParamSpec, TypeVar

from hailuo_mcp.errors import JournalError
from hailuo_mcp.journal.sqlite import consent, leases, losses, purchases, reads, tasks
from hailuo_mcp.journal.sqlite.database import Database
from hailuo_mcp.journal.store import Capacity, Claimed

P = ParamSpec("P")
T = TypeVar("T")


def _writes(
    step: Callable[Concatenate[sqlite3.Connection, P], T],
) -> Callable[Concatenate[Database, P], Coroutine[Any, Any, T]]:
    async def method(self: Database, /, *args: P.args, **kwargs: P.kwargs) -> T:
        return await self.write(step, *args, **kwargs)

    return method


def _reads(
    question: Callable[Concatenate[sqlite3.Connection, P], T],
) -> Callable[Concatenate[Database, P], Coroutine[Any, Any, T]]:
    async def method(self: Database, /, *args: P.args, **kwargs: P.kwargs) -> T:
        return await self.read(question, *args, **kwargs)

    return method


class SqliteStore(Database):
    """See journal.store.Store for what each method promises."""

    record = _writes(purchases.record)
    find_existing = _reads(purchases.find_existing)
    sums = _reads(purchases.sums)
    pause = _writes(purchases.pause)
    reset_backoff = _writes(purchases.reset_backoff)

    owners = _reads(leases.owners)
    submitting = _reads(leases.submitting)
    renew = _writes(leases.renew)
    recover = _writes(leases.recover)
    unattended_accounts = _reads(leases.unattended_accounts)

    change = _writes(tasks.change)
    settle = _writes(tasks.settle)
    adopt = _writes(tasks.adopt)
    others_await_ids = _reads(tasks.others_await_ids)
    other_with_remote_id = _reads(tasks.other_with_remote_id)
    find = _reads(reads.find)
    by_callback = _reads(reads.by_callback)
    newest = _reads(reads.newest)
    counts = _reads(reads.counts)
    in_flight = _reads(reads.in_flight)
    render_times = _reads(reads.render_times)
    pictures_in_use = _reads(reads.pictures_in_use)

    issue_code = _writes(consent.issue_code)
    use_code = _writes(consent.use_code)
    use_approval = _writes(consent.use_approval)

    accept_losses = _writes(losses.accept)

    async def register(
        self, owner: str, *, account: str, provider: str, base_url: str, pid: int, now: float
    ) -> None:
        def step(db: sqlite3.Connection) -> None:
            db.execute(
                "INSERT INTO accounts (account, provider, base_url) VALUES (?, ?, ?)"
                " ON CONFLICT DO NOTHING",
                (account, provider, base_url),
            )
            db.execute(
                "INSERT OR REPLACE INTO owners VALUES (?, ?, ?, ?)", (owner, account, pid, now)
            )

        self._on_reopen = step
        await self.write(step)

    async def claim(
        self, accounts: Sequence[str], owner: str, capacity: Capacity, *, now: float
    ) -> Claimed:
        """Asks without a write lock first: usually there is nothing."""
        due = await self.read(leases.next_due, accounts, capacity.rpm, now=now)
        if due is None or due > now:
            return Claimed(next_at=due)
        return await self.write(leases.claim, accounts, owner, capacity, now=now)

    async def close(self, owner: str = "") -> None:
        if owner and self.is_open:
            with suppress(JournalError):
                await self.write(leases.release, [owner])
        await super().close()

    async def data_version(self) -> int:
        def question(db: sqlite3.Connection) -> int:
            return int(db.execute("PRAGMA data_version").fetchone()[0])

        return await self.read(question)
