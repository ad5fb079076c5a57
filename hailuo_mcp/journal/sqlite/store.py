"""The store in one SQLite file: each operation is a function that gets the open transaction."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Coroutine, Sequence
from typing import Any, Concatenate, ParamSpec, TypeVar

from hailuo_mcp.journal.sqlite import consent, leases, losses, purchases, tasks
from hailuo_mcp.journal.sqlite.database import Database
from hailuo_mcp.journal.store import Capacity, Claimed

P = ParamSpec("P")
T = TypeVar("T")


def _writes(
    step: Callable[Concatenate[sqlite3.Connection, P], T], *, on_reopen: bool = False
) -> Callable[Concatenate[Database, P], Coroutine[Any, Any, T]]:
    """`on_reopen`: repeated in a file that is opened in the place of this one."""

    async def method(self: Database, /, *args: P.args, **kwargs: P.kwargs) -> T:
        if on_reopen:
            self.on_reopen = lambda db: step(db, *args, **kwargs)
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

    register = _writes(leases.register, on_reopen=True)
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
    find = _reads(tasks.find)
    by_callback = _reads(tasks.by_callback)
    newest = _reads(tasks.newest)
    counts = _reads(tasks.counts)
    in_flight = _reads(tasks.in_flight)
    render_times = _reads(tasks.render_times)
    pictures_in_use = _reads(tasks.pictures_in_use)

    issue_code = _writes(consent.issue_code)
    use_code = _writes(consent.use_code)
    use_approval = _writes(consent.use_approval)

    accept_losses = _writes(losses.accept)

    async def claim(
        self, accounts: Sequence[str], owner: str, capacity: Capacity, *, now: float
    ) -> Claimed:
        """Asks without a write lock first: usually there is nothing."""
        due = await self.read(leases.next_due, accounts, capacity.rpm, now=now)
        if due is None or due > now:
            return Claimed(next_at=due)
        return await self.write(leases.claim, accounts, owner, capacity, now=now)

    async def data_version(self) -> int:
        def question(db: sqlite3.Connection) -> int:
            return int(db.execute("PRAGMA data_version").fetchone()[0])

        return await self.read(question)
