"""The interface of a store of tasks, money, rate limit and leases.

Each method is one transaction: complete and durable when it returns, or without any effect.
Times are Unix seconds. Every method raises JournalError if the store cannot be used.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Protocol

from hailuo_mcp.domain.film import Film
from hailuo_mcp.domain.task import Status, Task, Unit
from hailuo_mcp.journal.facts import (
    EVERYTHING,
    Capacity,
    Charge,
    Claimed,
    FilmKeyTaken,
    FilmRecorded,
    Filter,
    IdTaken,
    KeyTaken,
    Limits,
    Losses,
    OverBudget,
    ProviderSums,
    Recorded,
    RenderTime,
    Rescued,
    Sums,
)

# The methods return Awaitable, so that `async def` and plain methods both fit.


class Purchases(Protocol):
    """Deduplication, budget and rate limit."""

    def record(
        self, draft: Task, reserved_amount: Decimal, limits: Limits, *, now: float
    ) -> Awaitable[Recorded | OverBudget | KeyTaken | Losses]:
        """Record a purchase and reserve its cost, or find the purchase that it repeats.

        The task is `submitting` and owned by this process if a slot was free, else `pending`.
        """
        ...

    def find_existing(self, draft: Task, *, now: float) -> Awaitable[Recorded | KeyTaken | None]:
        """The purchase that this one would repeat, if there is one."""
        ...

    def sums(
        self, account: str, unit: Unit, since: float, *, caller: str | None = None
    ) -> Awaitable[Sums]:
        """What the account, or one of its callers, has spent and reserved since then."""
        ...

    def pause(self, account: str, seconds: float | None, *, now: float) -> Awaitable[float]:
        """The provider said "too fast": no process submits before the returned time.

        Whatever `seconds` it asked for, the shortest pause doubles with each refusal in a row, to a
        minute.
        """
        ...

    def reset_backoff(self, account: str) -> Awaitable[None]:
        """A submit was accepted: the next refusal starts with a short pause again."""
        ...


class Leases(Protocol):
    """Which process works on what."""

    def register(
        self, owner: str, *, account: str, provider: str, base_url: str, pid: int, now: float
    ) -> Awaitable[None]:
        """Register this process, which works for that account and is alive until it closes.

        A process that works for several accounts registers once for each, by different names.
        """
        ...

    def unregister(self, owner: str) -> Awaitable[None]:
        """It works for that account no longer: release its leases."""
        ...

    def owners(self) -> Awaitable[list[str]]:
        """Every process that is registered or still holds a lease."""
        ...

    def dead(self, owners: Iterable[str]) -> Awaitable[list[str]]:
        """Those that no longer run; a process that only hangs is alive."""
        ...

    def claim(
        self, accounts: Sequence[str], owner: str, capacity: Capacity, *, now: float
    ) -> Awaitable[Claimed]:
        """Claim what is due: the first account's submits as slots allow, polls and saves of all.

        Unconfirmed tasks are claimed, to look for them at the provider, of the first account only:
        no other key's list shows them.

        Tenants that wait take turns: whoever has sent least in the last minute is next, and all
        other callers together count as one tenant. Each one's tasks are sent in their order.
        """
        ...

    def submitting(self, owner: str) -> Awaitable[list[Task]]:
        """The tasks that this process has claimed for submitting, sent or not."""
        ...

    def renew(self, owner: str, ids: Collection[str], *, until: float) -> Awaitable[None]:
        """Of tasks and films."""
        ...

    def recover(self, dead: Collection[str], *, now: float) -> Awaitable[tuple[str, ...]]:
        """Take over from dead processes. Returns the ids of the changed tasks.

        A submit whose owner died or whose lease expired may have been bought: `unconfirmed`, and
        due, to be looked for.
        Polls, saves and films can be claimed again. What was not sent stays for ORPHAN_SECONDS, a
        film's shots for PLAN_SECONDS; later it is cancelled, free.
        """
        ...

    def unattended_accounts(
        self, account: str, provider: str, base_url: str, alive: Collection[str]
    ) -> Awaitable[list[str]]:
        """Accounts of other keys at the same provider with work left but no process."""
        ...


class Tasks(Protocol):
    """Steps in a task's life, and queries."""

    def change(  # the conditions of one compare-and-set
        self,
        task_id: str,
        values: Mapping[str, object],
        *,
        now: float,
        status_in: Collection[Status] = (),
        attempt: int | None = None,
        held_by: str | None = None,
        remote_id: str | None = None,
    ) -> Awaitable[Task | None]:
        """Set `values` if the task still has such a status, attempt, holder and id; else None.

        A status that ends the task settles its money, unless the money is not the account's own
        (adopted) or `values` says otherwise. A new `amount` is also what the task counts as in the
        sums. If a film's shot ends, becomes unconfirmed, is saved
        or will not be saved any more, its film becomes due.
        """
        ...

    def settle(
        self, task_id: str, values: Mapping[str, object], *, now: float
    ) -> Awaitable[Task | IdTaken | None]:
        """Record a person's settlement; None if the task cannot be settled."""
        ...

    def bring_home(
        self, task_id: str, values: Mapping[str, object], *, attempt: int, now: float
    ) -> Awaitable[Task | None]:
        """Give an unconfirmed task the `remote_id` among these values, which was found for it.

        None if it has been settled, answered or sent again, or another purchase has that id.
        """
        ...

    def known_ids(self, ids: Collection[str]) -> Awaitable[frozenset[str]]:
        """Those of these remote ids that belong to purchases in the journal."""
        ...

    def keys_elsewhere(
        self, keys: Collection[str], *, provider: str, account: str
    ) -> Awaitable[frozenset[str]]:
        """Those of these request keys that a purchase of another account of the provider has.

        What failed or was cancelled does not count, nor what has a caller.
        """
        ...

    def awaiting_ids(self, account: str) -> Awaitable[list[Task]]:
        """The account's purchases whose remote id is unknown, so that any id may be theirs."""
        ...

    def adopt(self, task: Task) -> Awaitable[Task | None]:
        """Adopt a task that was bought elsewhere; an earlier adoption wins.

        None if it is, or may be, another caller's.
        """
        ...

    def others_await_ids(self, account: str, caller: str) -> Awaitable[bool]:
        """Whether another caller has a purchase whose remote id is unknown (so far).

        An unknown id may then belong to it. The local person (no caller) sees all tasks.
        """
        ...

    def other_with_remote_id(self, task_id: str, account: str, remote_id: str) -> Awaitable[str]:
        """Another task of the account with the same remote id; empty if there is none."""
        ...

    def find(self, some_id: str, *, caller: str = "") -> Awaitable[Task | None]:
        """Find by our id or either of the provider's; only this caller's tasks, if one is given."""
        ...

    def by_callback(self, token: str) -> Awaitable[Task | None]: ...

    def newest(
        self,
        *,
        caller: str | None = None,
        statuses: Collection[Status] = (),
        saved: bool | None = None,
        only: Filter = EVERYTHING,
        limit: int = 20,
    ) -> Awaitable[list[Task]]: ...

    def counts(self, *, caller: str | None = None) -> Awaitable[dict[Status, int]]:
        """How many tasks, or of one caller, have each status."""
        ...

    def charges(self, only: Filter = EVERYTHING) -> Awaitable[list[Charge]]:
        """What each task costs, from the oldest to the newest."""
        ...

    def sums_of(
        self,
        *,
        caller: str | None = None,
        statuses: Collection[Status] = (),
        saved: bool | None = None,
        only: Filter = EVERYTHING,
    ) -> Awaitable[list[ProviderSums]]:
        """What the tasks cost that a list of these would show, by provider and unit."""
        ...

    def in_flight(self, account: str) -> Awaitable[int]:
        """How many of the account's tasks are in flight."""
        ...

    def render_times(
        self, provider: str, model: str, resolution: str | None, duration: int | None
    ) -> Awaitable[list[RenderTime]]:
        """How long the newest tasks of this kind took, newest first."""
        ...

    def pictures_in_use(self, *, now: float) -> Awaitable[str]:
        """The requests of all tasks and plans that may still be sent, joined: pictures by sha256.

        An unconfirmed task may, for ORPHAN_SECONDS: its sender may hear that it was refused. The
        shots of a film count for PLAN_SECONDS after it was planned, made or changed.
        """
        ...


class Films(Protocol):
    """Plans of films, and what joins their tasks."""

    def plan_film(self, draft: Film, *, now: float) -> Awaitable[FilmRecorded | FilmKeyTaken]:
        """Record a plan, or find the film that it repeats."""
        ...

    def find_existing_film(
        self, draft: Film, *, now: float
    ) -> Awaitable[FilmRecorded | FilmKeyTaken | None]:
        """The film that this one would repeat, if there is one.

        It has the same key; or the same identity, and is a plan that can still be made, is
        unfinished, or was made within REUSE_SECONDS. One of which nothing was bought or can be any
        more does not count: a withdrawn or old plan, a film whose shots all failed or were
        cancelled.
        """
        ...

    def find_film(self, film_id: str, *, caller: str = "") -> Awaitable[Film | None]:
        """Find by its id; only this caller's, if one is given."""
        ...

    def make_film(
        self, film: Film, drafts: Sequence[tuple[Task, Decimal]], limits: Limits, *, now: float
    ) -> Awaitable[FilmRecorded | OverBudget | Losses | None]:
        """Record the tasks of these shots, each with its reserved amount: all of them or none.

        The budget is checked for their sum. All are `pending`; one with `after` waits. The film
        gets `made_at`, the next revision, and its `redo`, if any, becomes `redone`. None if the
        film no longer has the revision and the `redo` of `film`: someone else has made it, or
        withdrawn its plan.
        """
        ...

    def change_film(
        self,
        film_id: str,
        values: Mapping[str, object],
        *,
        now: float,
        revision: int | None = None,
        held_by: str | None = None,
    ) -> Awaitable[Film | None]:
        """Set `values` if the film still has such a revision and holder; else None.

        Used for a planned redo too: {"redo": (3, 4, 5)}. If the holder says when it is due next,
        but a shot has moved or somebody else has made it due since it was claimed, it stays due.
        """
        ...

    def film_tasks(self, film_id: str) -> Awaitable[list[Task]]:
        """All its tasks, by shot and then from the oldest take to the newest."""
        ...

    def newest_films(
        self,
        *,
        caller: str | None = None,
        only: Filter = EVERYTHING,
        limit: int = 20,
        now: float = 0.0,
    ) -> Awaitable[list[Film]]:
        """Those that were made, and plans that can still be made at `now`; newest first."""
        ...


class Consent(Protocol):
    """One-use codes and approvals: a person's consent, and whether it was used."""

    def issue_code(
        self, code: str, *, caller: str, identity: str, amount: Decimal | None, now: float
    ) -> Awaitable[None]:
        """`code` is a digest: the code itself is only ever in the refusal that carries it."""
        ...

    def use_code(
        self, code: str, *, caller: str, identity: str, amount: Decimal | None, now: float
    ) -> Awaitable[bool]:
        """True once, for this caller, request and price, within CONSENT_SECONDS."""
        ...

    def use_approval(self, *, caller: str, identity: str, now: float) -> Awaitable[bool]:
        """True once in CONSENT_SECONDS: the protocol's sealed answer could be replayed."""
        ...


class Store(Purchases, Leases, Tasks, Films, Consent, Protocol):
    """All groups together, and the store's own needs."""

    @property
    def losses(self) -> Losses | None:
        """What damage may have lost; nothing is bought until a person accepts it."""
        ...

    @property
    def rescued(self) -> Rescued | None:
        """The outcome of a rescue, if the last opening found a damaged journal."""
        ...

    def open(self) -> Awaitable[None]: ...

    def close(self, owner: str = "") -> Awaitable[None]:
        """Close it; first release this owner's leases, if the store still works."""
        ...

    def clock(self) -> float:
        """The time that all processes of this store share, in Unix seconds."""
        ...

    def ping(self) -> Awaitable[None]:
        """Return if the store answers."""
        ...

    def watch(self, announce: Callable[[str], None], wanted: Callable[[], bool]) -> Awaitable[None]:
        """Announce what other processes write, until cancelled: a task's id, or "" for unknown.

        A store that has to look for changes does that only while `wanted()`.
        """
        ...

    def secret(self, name: str) -> Awaitable[bytes]:
        """SECRET_BYTES that all processes of this store share; made at the first call."""
        ...

    def back_up(self, now: float) -> Awaitable[None]:
        """Make a backup, at most once a day, unless the store has backups of its own."""
        ...
