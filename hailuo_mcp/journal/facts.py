"""What a store is asked for, what it answers, and the times that it keeps."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path

from hailuo_mcp.domain.film import Film
from hailuo_mcp.domain.requests import Mode
from hailuo_mcp.domain.task import Money, Status, Task, Unit
from hailuo_mcp.errors import JournalDamagedError

RATE_WINDOW = 60.0
"""Seconds: limits are per minute."""


REUSE_SECONDS = 3600.0
"""How long after its creation a finished task answers the same request."""


REUSE_UNCONFIRMED_SECONDS = 24 * 3600.0


LONGEST_LEASE = 120.0
"""Seconds. A lease that ends later was written by a wrong clock: it is void."""


LONGEST_DELAY = 7200.0
"""Seconds. No step is due later: such a time was planned by a clock that was ahead."""


ORPHAN_SECONDS = 600.0
"""Within this time, another process sends a task that was not sent; later it is cancelled."""


CONSENT_SECONDS = 600.0
"""How long a code is valid, and how long an approval could be replayed."""


PLAN_SECONDS = 24 * 3600.0
"""How long a film's plan can be made, and how long after that its shots are still sent by a
process that finds them unsent."""


CLOCK_SKEW = 60.0
"""Seconds. Consent or a slot with a later date was written by a wrong clock."""


SECRET_BYTES = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """The account's limits at this moment."""

    rpm: int | None
    """Submits per minute; None if there is no limit."""
    budget: Decimal | None
    since: float
    """The start of the budget's period."""
    caller_budget: Decimal | None = None
    """What the draft's caller may spend of it."""
    caller_since: float = 0.0
    """The start of that budget's period."""
    caller_rpm: int | None = None
    """Submits per minute of the draft's caller, within the account's."""
    lease: float
    """Seconds that a submit is owned; longer than its HTTP timeout."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    task: Task
    reused: bool
    """The request repeats an earlier purchase: nothing was written."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OverBudget:
    spent: Decimal
    reserved: Decimal
    callers: bool = False
    """Whether it is the caller's own budget, not the account's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyTaken:
    """The request key names this task, which was bought with another request."""

    task: Task


@dataclass(frozen=True, slots=True, kw_only=True)
class FilmRecorded:
    film: Film
    tasks: tuple[Task, ...] = ()
    """The tasks that were recorded now."""
    reused: bool = False
    """The call repeats an earlier one: nothing was written."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FilmKeyTaken:
    """The request key names this film, which was planned with other shots."""

    film: Film


@dataclass(frozen=True, slots=True, kw_only=True)
class IdTaken:
    """Another purchase has that remote id."""

    task: Task


@dataclass(frozen=True, slots=True, kw_only=True)
class Losses:
    """The newest damage that may have lost tasks and has not been accepted."""

    at: float
    kept: str
    """The name of the damaged file beside the journal; empty if there was none."""
    flaw: str
    expected: int | None
    """How many tasks the journal contained; None if unknown."""
    carried: int
    missing: Mapping[tuple[str, str], Decimal]
    """The spent or reserved sums of the missing tasks, by provider and unit."""

    @property
    def many(self) -> str:
        """How many tasks are missing, in words."""
        if self.expected is None:
            return "some tasks"
        lost = max(0, self.expected - self.carried)
        return f"{lost} of {self.expected} tasks" if lost else "the last changes of some tasks"

    def error(self) -> JournalDamagedError:
        return JournalDamagedError(
            f"The journal was damaged and {self.many} may be lost, so the budget cannot be "
            "enforced, and a clip that was bought before could be bought again. Everything that "
            "spends nothing still works."
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Rescued:
    """The outcome of a rescue, after a damaged journal was opened."""

    aside: Path | None
    """Where the damaged file is kept; None if there was none."""
    carried: int
    """How many tasks were recovered."""
    complete: bool
    """Whether certainly nothing is missing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitSpending:
    """The sums that one unit's budget counts."""

    unit: Unit
    spent: Decimal
    reserved: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Sums:
    spent: Decimal
    reserved: Decimal
    uncertain: Decimal
    """The part of `reserved` that belongs to `unconfirmed` tasks."""
    others: tuple[UnitSpending, ...] = ()
    """The sums in other units, under other plans."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Capacity:
    """What a process can take on now."""

    rpm: int | None
    """Submits per minute of its own account; None if there is no limit."""
    sends: int
    """How many more submits."""
    steps: int
    """How many more polls and saves."""
    submit_lease: float
    """Seconds that a submit is owned; longer than its HTTP timeout."""
    lease: float
    """Seconds that a poll or a save is owned."""
    caller_rpm: Mapping[str, int] = field(default_factory=dict[str, int])
    """Submits per minute of callers that have a limit of their own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Claimed:
    sends: tuple[Task, ...] = ()
    steps: tuple[Task, ...] = ()
    films: tuple[Film, ...] = ()
    next_at: float | None = None
    """When there is something to do next; None when nothing is unfinished."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RenderTime:
    """How long one finished task took: more than `least`, at most `most` seconds."""

    least: float
    most: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """Which tasks and films are listed; what is not given does not matter."""

    since: float | None = None
    """Unix seconds: written down then or later; of a film that was made: made."""
    until: float | None = None
    """Unix seconds: the same, before."""
    provider: str = ""
    search: str = ""
    """In the prompt, or that of a film's shot, in any case."""
    begins: str = ""
    """The first characters of its id."""


EVERYTHING = Filter()


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderSums:
    """What tasks of one provider cost, in one unit."""

    provider: str
    unit: Unit
    tasks: int
    """How many of them cost something, or may."""
    spent: Decimal
    reserved: Decimal
    uncertain: Decimal
    """The part of `reserved` that belongs to `unconfirmed` tasks."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Charge:
    """One line of the account book: a task, and what it costs."""

    task_id: str
    remote_id: str
    provider: str
    created_at: float
    status: Status
    money: Money
    counted: Decimal
    """What it counts as in the sums, if its money is spent or reserved."""
    amount: Decimal | None
    """None if no price is published; `counted` may then be what was reserved for it."""
    quoted: Decimal | None
    """What it was quoted at, where the provider counted something else."""
    unit: Unit
    mode: Mode
    model: str
    duration: int | None
    """Seconds."""
    resolution: str | None
    prompt: str
