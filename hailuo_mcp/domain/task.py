"""A purchase as the journal keeps it, its status, its money and whose it is."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum

from hailuo_mcp.domain.requests import Mode

TENANT = "tenant:"
"""What the name of a caller with settings of its own begins with; no token's name has a colon."""


def tenant_of(caller: str) -> str:
    """The caller's name if it is a tenant's; empty for all others, who are the operator's."""
    return caller if caller.startswith(TENANT) else ""


BUCKET = "s3://"
"""What the address of a bucket begins with, and the `file` of a clip in one."""


class Status(StrEnum):
    """A task's status; docs/money.md says what each means for the bill."""

    PENDING = "pending"
    """Recorded, not sent: waiting for its turn."""
    SUBMITTING = "submitting"
    QUEUED = "queued"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"
    UNCONFIRMED = "unconfirmed"
    """Sent, but not answered: may have been bought; polling cannot resolve it."""

    @property
    def is_final(self) -> bool:
        return self in FINAL


FINAL = frozenset({Status.SUCCEEDED, Status.FAILED, Status.CANCELLED})


POLLED = frozenset({Status.QUEUED, Status.RUNNING})


UNFINISHED = frozenset({Status.PENDING, Status.SUBMITTING, *POLLED})


STATUS_WORDS = (*Status, "saved", "unsaved", "unfinished")
"""How tasks can be filtered: by status, by whether the clip is on disk, or all of UNFINISHED."""


class Unit(StrEnum):
    """What a cost is counted in: the currency of a pay-as-you-go plan, or a pack's credits."""

    CNY = "CNY"
    USD = "USD"
    CREDITS = "credits"


class Money(StrEnum):
    """Whether a task's cost is reserved, spent or neither."""

    RESERVED = "reserved"
    SPENT = "spent"
    RELEASED = "released"
    UNKNOWN = "unknown"
    """Bought elsewhere and adopted by its remote id."""


NOT_BOUGHT = "not_bought"
"""The `error_kind` of a task that got no answer and is not in the provider's list of tasks."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Quote:
    """The price of one clip, before it is bought."""

    amount: Decimal | None
    """None if no price is published."""
    unit: Unit
    lower_bound: bool = False
    """It costs at least this: for a part of it no price is published."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """Our durable record of one paid request, as the journal keeps it. Times are Unix seconds."""

    task_id: str
    account: str
    provider: str
    caller: str
    status: Status
    created_at: float
    updated_at: float
    mode: Mode
    model: str
    duration: int | None = None
    resolution: str | None = None
    prompt: str = ""
    request: str = "{}"
    """The normalised request as JSON; pictures as their sha256."""
    identity: str = ""
    take: int = 1
    request_key: str = ""
    attempt: int = 0
    """Counts submits; a late answer is compared with it."""
    remote_id: str = ""
    remote_alias: str = ""
    remote_status: str = ""
    file_id: str = ""
    url: str = ""
    url_expires_at: float | None = None
    error_code: str = ""
    error: str = ""
    """Our own sentences about a failure."""
    error_kind: str = ""
    """The `code` of the HailuoError, such as content_rejected."""
    trace_id: str = ""
    amount: Decimal | None = None
    unit: Unit = Unit.CNY
    money: Money = Money.RESERVED
    owner: str = ""
    lease_until: float = 0
    due_at: float = 0
    """When the next step (send, poll, save) is due."""
    polls: int = 0
    tries: int = 0
    """Consecutive failures of the current step."""
    refused_at: float | None = None
    """When the provider first said "too fast"; retries end ten minutes later."""
    submitted_at: float | None = None
    polled_at: float | None = None
    unfinished_at: float | None = None
    """The last poll that found it unfinished: with finished_at it brackets the real time."""
    finished_at: float | None = None
    """When a poll first found it finished."""
    file: str = ""
    bytes: int | None = None
    sha256: str = ""
    width: int | None = None
    height: int | None = None
    seconds: float | None = None
    save_error: str = ""
    """Why a finished clip is not on disk; our own sentences."""
    warnings: tuple[str, ...] = field(default=())
    callback_token: str = ""
    settled_at: float | None = None
    """When a person last settled it."""
    traceparent: str = ""
    """The step of a trace in which it was bought (W3C), for the steps that follow; often empty."""
    film_id: str = ""
    """The film that it is a shot of; empty for a clip of its own."""
    shot: int = 0
    """Its place in the film, from 1."""
    quoted: Decimal | None = None
    """What it was quoted at, where the provider counted something else; `amount` is then the
    provider's count."""
    sent_at: float | None = None
    """When the request was last sent, or about to be."""
    saved_at: float | None = None
    """When its clip was first on disk; None for one that an earlier version saved."""
    candidates: tuple[str, ...] = ()
    """Ids of tasks at the provider, one of which may be this unconfirmed one."""
    after: str = ""
    """The task whose last frame it starts from. Until that clip is saved it waits, pending with a
    due_at of 0, and its request has no first frame."""

    @property
    def waits(self) -> bool:
        """Whether it is a shot that cannot be sent before another one is saved."""
        return self.status is Status.PENDING and bool(self.after) and not self.due_at

    @property
    def saved(self) -> bool:
        return bool(self.file)

    @property
    def in_bucket(self) -> bool:
        """Whether the saved clip is not a file of this computer."""
        return self.file.startswith(BUCKET)

    @property
    def not_bought(self) -> bool:
        """Whether it was not in the provider's list; its late answer or a person knows better."""
        return self.status is Status.FAILED and self.error_kind == NOT_BOUGHT

    @property
    def can_be_settled(self) -> bool:
        """Whether a person may settle it; until it has a clip, they may change that."""
        settled = self.settled_at is not None and self.status is not Status.SUCCEEDED
        return settled or self.status is Status.UNCONFIRMED or self.not_bought

    @property
    def state(self) -> str:
        """The most precise of STATUS_WORDS: for a succeeded task, whether the clip is on disk."""
        if self.status is Status.SUCCEEDED:
            return "saved" if self.saved else "unsaved"
        return self.status.value

    @property
    def known_mode(self) -> Mode | None:
        """None if it was bought elsewhere: providers do not say what a clip was made from.

        They do say that it was made from a template, or is an upgrade.
        """
        if self.mode in (Mode.TEMPLATE, Mode.UPGRADE):
            return self.mode
        return self.mode if self.model and self.money is not Money.UNKNOWN else None
