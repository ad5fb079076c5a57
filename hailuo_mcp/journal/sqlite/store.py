"""The store in one SQLite file: each operation is a function that gets the open transaction."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Coroutine, Sequence
from functools import wraps
from typing import Any, Concatenate, ParamSpec, TypeVar

from hailuo_mcp.journal.sqlite import consent, leases, losses, purchases, tasks
from hailuo_mcp.journal.sqlite.database import Database
from hailuo_mcp.journal.store import Capacity, Claimed

P = ParamSpec("P")
T = TypeVar("T")


def writes(
    step: Callable[Concatenate[sqlite3.Connection, P], T], *, on_reopen: bool = False
) -> Callable[Concatenate[Database, P], Coroutine[Any, Any, T]]:
    """A method of a step; `on_reopen`: repeated in a file that is opened in this one's place."""

    @wraps(step)
    async def method(self: Database, /, *args: P.args, **kwargs: P.kwargs) -> T:
        if on_reopen:
            self.on_reopen = lambda db: step(db, *args, **kwargs)
        return await self.write(lambda db: step(db, *args, **kwargs))

    return method


def reads(
    question: Callable[Concatenate[sqlite3.Connection, P], T],
) -> Callable[Concatenate[Database, P], Coroutine[Any, Any, T]]:
    @wraps(question)
    async def method(self: Database, /, *args: P.args, **kwargs: P.kwargs) -> T:
        return await self.read(lambda db: question(db, *args, **kwargs))

    return method


class SqliteStore(Database):
    """See journal.store.Store for what each method promises."""

    record = writes(purchases.record)
    find_existing = reads(purchases.find_existing)
    sums = reads(purchases.sums)
    pause = writes(purchases.pause)
    reset_backoff = writes(purchases.reset_backoff)

    register = writes(leases.register, on_reopen=True)
    owners = reads(leases.owners)
    submitting = reads(leases.submitting)
    renew = writes(leases.renew)
    recover = writes(leases.recover)
    unattended_accounts = reads(leases.unattended_accounts)

    change = writes(tasks.change)
    settle = writes(tasks.settle)
    adopt = writes(tasks.adopt)
    others_await_ids = reads(tasks.others_await_ids)
    other_with_remote_id = reads(tasks.other_with_remote_id)
    find = reads(tasks.find)
    by_callback = reads(tasks.by_callback)
    newest = reads(tasks.newest)
    counts = reads(tasks.counts)
    in_flight = reads(tasks.in_flight)
    render_times = reads(tasks.render_times)
    pictures_in_use = reads(tasks.pictures_in_use)
    data_version = reads(tasks.data_version)

    issue_code = writes(consent.issue_code)
    use_code = writes(consent.use_code)
    use_approval = writes(consent.use_approval)

    accept_losses = writes(losses.accept)

    async def claim(
        self, accounts: Sequence[str], owner: str, capacity: Capacity, *, now: float
    ) -> Claimed:
        """Checks without a write lock first: usually there is nothing."""
        due = await self.read(lambda db: leases.next_due(db, accounts, capacity.rpm, now=now))
        if due is None or due > now:
            return Claimed(next_at=due)
        return await self.write(lambda db: leases.claim(db, accounts, owner, capacity, now=now))
