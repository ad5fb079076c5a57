"""The shapes of the answers: keys without a value are left out, and money is a decimal string."""

from __future__ import annotations

from typing import Any, Literal, Required

# pydantic reads the standard library's TypedDict only from Python 3.12 on.
from typing_extensions import TypedDict

from hailuo_mcp.errors import Charged

StatusWord = Literal[
    "pending",
    "submitting",
    "queued",
    "running",
    "succeeded",
    "failed",
    "cancelled",
    "unconfirmed",
]


FilmStatusWord = Literal[
    "planned",
    "pending",
    "submitting",
    "queued",
    "running",
    "succeeded",
    "failed",
    "cancelled",
    "unconfirmed",
]


class Cost(TypedDict, total=False):
    amount: str
    unit: str
    charged: Charged


class VideoTask(TypedDict, total=False):
    message: Required[str]
    task_id: str
    status: StatusWord
    reused: bool
    file: str
    url: str
    url_expires_at: str
    cost: Cost
    eta_seconds: int
    next_check_seconds: int
    elapsed_seconds: int
    error_code: str
    prompt: str
    provider: str
    model: str
    mode: str
    duration: int
    resolution: str
    width: int
    height: int
    remote_id: str
    remote_status: str
    created_at: str


class ShotRow(TypedDict, total=False):
    """A shot; how it will be made is told only while it is planned."""

    shot: int
    task_id: str
    status: str
    """As a film's: schemas that list the words in each place are too long."""
    prompt: str
    cost: str
    file: str
    mode: str
    model: str
    duration: int
    resolution: str
    eta_seconds: int


class Storyboard(TypedDict, total=False):
    message: Required[str]
    film_id: str
    status: FilmStatusWord
    shots: list[ShotRow]
    reused: bool
    file: str
    url: str
    url_expires_at: str
    cost: Cost
    seconds: float
    width: int
    height: int
    eta_seconds: int
    next_check_seconds: int


class SavedVideo(TypedDict, total=False):
    message: Required[str]
    task_id: str
    film_id: str
    status: Literal["saved", "saving", "not_ready"]
    file: str
    url: str
    bytes: int
    sha256: str
    width: int
    height: int
    seconds: float


class QuotedCost(Cost, total=False):
    """A price before the purchase."""

    lower_bound: bool
    """It costs at least this."""


class PurchaseQuote(TypedDict, total=False):
    """A purchase's preview; with a task_id it would repeat that task and buy nothing."""

    message: Required[str]
    task_id: str
    status: StatusWord
    reused: bool
    cost: QuotedCost
    needs_consent: bool
    prompt: str
    provider: str
    model: str
    mode: str
    duration: int
    resolution: str
    spending: SpendingSoFar


class Prices(TypedDict, total=False):
    credits: str
    cny: str
    usd: str


class PackEstimate(TypedDict, total=False):
    """One way to pay for the whole month, in CNY; packs are bought whole."""

    plan: str
    packs: int
    cny: str
    per_video_cny: str
    per_video_cny_if_used_up: str
    credits_lapsing: str
    lapsing_cny: str
    list_cny: str
    saves_percent: int
    rpm: int
    dearer_than_payg: bool


class CostEstimate(TypedDict, total=False):
    message: Required[str]
    status: Literal["exact", "lower_bound", "unknown"]
    model: str
    mode: str
    duration: int
    resolution: str
    count: int
    per_video: Prices
    total: Prices
    plan: str
    plan_charges: Cost
    plan_total: Cost
    compared: list[PackEstimate]
    cheapest: str
    prices_as_of: str
    source: str


class TaskRow(TypedDict, total=False):
    """A clip; a film's shot, with its place; or a film, by its film_id."""

    task_id: str
    status: FilmStatusWord
    film_id: str
    shot: int
    prompt: str
    cost: str
    quoted: str
    charged: Charged
    saved: bool
    error_code: str
    eta_seconds: int
    created_at: str


class SpendingSoFar(TypedDict, total=False):
    unit: str
    period: str
    spent: str
    reserved: str
    uncertain: str
    budget: str
    left: str


class TaskList(TypedDict, total=False):
    message: Required[str]
    tasks: list[TaskRow]
    spending: SpendingSoFar


class ErrorFacts(TypedDict, total=False):
    code: str
    charged: Charged
    task_id: str
    retry: bool


class ErrorAnswer(TypedDict, total=False):
    error: ErrorFacts


def only_given(**values: object) -> dict[str, Any]:
    """Leave out what has no value; 0 and False are left out too, since no key here means them."""
    return {
        key: value for key, value in values.items() if value not in (None, "", (), [], {}, False)
    }
