"""The operations as methods: what every SQL store does in the same way."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Sequence
from functools import wraps
from typing import Any, Concatenate, ParamSpec, Protocol, TypeVar

from hailuo_mcp.journal.facts import Capacity, Claimed
from hailuo_mcp.journal.sql import charges, consent, films, leases, purchases, spending, tasks
from hailuo_mcp.journal.sql.connection import Connection

P = ParamSpec("P")
T = TypeVar("T")


class Engine(Protocol):
    """Runs a function as one transaction; cancelling the caller does not interrupt it."""

    async def read(self, question: Callable[[Connection], T]) -> T: ...

    async def write(self, step: Callable[[Connection], T]) -> T: ...


def writes(
    step: Callable[Concatenate[Connection, P], T],
) -> Callable[Concatenate[Engine, P], Coroutine[Any, Any, T]]:
    @wraps(step)
    async def method(self: Engine, /, *args: P.args, **kwargs: P.kwargs) -> T:
        return await self.write(lambda db: step(db, *args, **kwargs))

    return method


def reads(
    question: Callable[Concatenate[Connection, P], T],
) -> Callable[Concatenate[Engine, P], Coroutine[Any, Any, T]]:
    @wraps(question)
    async def method(self: Engine, /, *args: P.args, **kwargs: P.kwargs) -> T:
        return await self.read(lambda db: question(db, *args, **kwargs))

    return method


class SqlStore:
    """See journal.store.Store for what each method promises."""

    record = writes(purchases.record)
    find_existing = reads(purchases.find_existing)
    sums = reads(spending.sums)
    pause = writes(purchases.pause)
    reset_backoff = writes(purchases.reset_backoff)

    owners = reads(leases.owners)
    submitting = reads(leases.submitting)
    renew = writes(leases.renew)
    recover = writes(leases.recover)
    unattended_accounts = reads(leases.unattended_accounts)

    change = writes(tasks.change)
    settle = writes(tasks.settle)
    adopt = writes(tasks.adopt)
    bring_home = writes(tasks.bring_home)
    known_ids = reads(tasks.known_ids)
    keys_elsewhere = reads(tasks.keys_elsewhere)
    awaiting_ids = reads(tasks.awaiting_ids)
    others_await_ids = reads(tasks.others_await_ids)
    other_with_remote_id = reads(tasks.other_with_remote_id)
    find = reads(tasks.find)
    by_callback = reads(tasks.by_callback)
    newest = reads(tasks.newest)
    counts = reads(tasks.counts)
    sums_of = reads(tasks.sums_of)
    charges = reads(charges.charges)
    in_flight = reads(tasks.in_flight)
    render_times = reads(tasks.render_times)
    pictures_in_use = reads(tasks.pictures_in_use)

    plan_film = writes(films.plan_film)
    find_existing_film = reads(films.find_existing_film)
    find_film = reads(films.find_film)
    make_film = writes(films.make_film)
    change_film = writes(films.change_film)
    film_tasks = reads(films.film_tasks)
    newest_films = reads(films.newest_films)

    issue_code = writes(consent.issue_code)
    use_code = writes(consent.use_code)
    use_approval = writes(consent.use_approval)

    async def claim(
        self: Engine, accounts: Sequence[str], owner: str, capacity: Capacity, *, now: float
    ) -> Claimed:
        """Checks without a lock first: usually there is nothing."""
        due = await self.read(lambda db: leases.next_due(db, accounts, capacity, now=now))
        if due is None or due > now:
            return Claimed(next_at=due)
        return await self.write(lambda db: leases.claim(db, accounts, owner, capacity, now=now))
