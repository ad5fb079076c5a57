"""What the page shows of clips and films: facts and codes; its own words are in page/words.js."""

from __future__ import annotations

from typing import Required

from typing_extensions import TypedDict

from hailuo_mcp.wording.shapes import Cost, FilmStatusWord, SpendingSoFar, StatusWord


class Price(TypedDict, total=False):
    """What a click would buy."""

    amount: Required[str]
    """Decimal text."""
    unit: Required[str]
    """CNY, USD or credits."""
    lower_bound: bool
    """It costs at least this."""


class Again(TypedDict, total=False):
    """Another take of the same request."""

    take: int
    """Its number: the same number again finds the same clip, and buys nothing."""
    price: Price
    """Left out if no price is published."""
    unavailable: str
    """Why it cannot be bought from here: a code such as "picture_gone"; then there is no take."""


class Upgrade(TypedDict, total=False):
    """The same clip at a higher resolution."""

    resolution: str
    price: Price


class Card(TypedDict, total=False):
    """A clip. Times are Unix seconds; keys without a value are left out."""

    id: Required[str]
    status: Required[StatusWord]
    saved: bool
    settled: bool
    """Nothing changes any more without somebody's doing."""
    shot: str
    """Takes of the same request have the same word here."""
    take: int
    film_id: str
    place: int
    """In its film, from 1."""
    upgrade_of: str
    """The id of the draft that it was made from."""
    prompt: str
    """Whole. Untrusted text."""
    title: str
    """Of a clip from a template: the template's name."""
    provider: str
    sandbox: bool
    """An imitation: nothing is charged."""
    model: str
    mode: str
    duration: int
    resolution: str
    width: int
    height: int
    seconds: float
    bytes: int
    created_at: float
    elapsed_seconds: int
    eta_seconds: int
    next_check_seconds: int
    cost: Cost
    error_code: str
    explanation: str
    """Why it failed, or what is unknown, in sentences for a person; English."""
    file: str
    """Its path, for a person at this computer."""
    url: str
    """Where the page can play it from: over HTTP only."""
    poster: bool
    """read_media has a picture of it."""
    again: Again
    upgrade: Upgrade
    frame: str
    """How another request names its last frame: task:ID#last."""
    fetch: bool
    """It is finished but not on disk (or its file is gone): download_video fetches it, free."""


class FilmCard(TypedDict, total=False):
    """A film: its shots are cards of their own, by film_id and place."""

    id: Required[str]
    status: Required[FilmStatusWord]
    settled: bool
    saved: bool
    shots: list[str]
    """The id of each shot's newest task, in order; "" where none is recorded yet."""
    prompts: list[str]
    """Of each shot, in order."""
    seconds: float
    width: int
    height: int
    created_at: float
    eta_seconds: int
    next_check_seconds: int
    cost: Cost
    sandbox: bool
    file: str
    url: str
    poster: bool
    fetch: bool


class Cards(TypedDict, total=False):
    """What show_cards answers."""

    message: Required[str]
    now: Required[float]
    cards: Required[list[Card]]
    """Newest first."""
    films: list[FilmCard]
    spending: SpendingSoFar
    may_buy: bool
