"""A film: its plan, its shots, and the file that they are joined to."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from hailuo_mcp.domain.requests import Mode
from hailuo_mcp.domain.task import Unit


class Continuity(StrEnum):
    """What a film's shot without a picture starts from."""

    NONE = "none"
    LAST_FRAME = "last_frame"


class Transition(StrEnum):
    """How a film's shots are joined."""

    CUT = "cut"
    FADE = "fade"


FADE_SECONDS = 0.5
"""How long two shots overlap where one fades into the other."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FilmRequest:
    """What a caller wants: shots, or a film's id, with which the rest is empty or as planned."""

    film_id: str = ""
    """A film that was planned before: it is made as planned."""
    redo: tuple[int, ...] = ()
    """Shots of that film to make again."""
    shots: tuple[str, ...] = ()
    """Prompts."""
    durations: tuple[int, ...] = ()
    """Seconds: none for the default, one for all, or one each."""
    images: tuple[str, ...] = ()
    """None, or a first frame for each shot; empty text for none."""
    continuity: Continuity = Continuity.NONE
    model: str = ""
    resolution: str | None = None
    transition: Transition = Transition.CUT


@dataclass(frozen=True, slots=True, kw_only=True)
class Shot:
    """One shot of a film's plan: a checked and priced request."""

    mode: Mode
    model: str
    prompt: str
    request: str
    """As Task.request; without a first frame if it continues another shot."""
    duration: int | None = None
    resolution: str | None = None
    amount: Decimal | None = None
    continues: bool = False
    """It starts from the last frame of the shot before."""
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Film:
    """A film, as the journal keeps it: a plan, its tasks' common facts, and the joined file.

    Its shots are ordinary tasks with its film_id; a shot's newest task is the one that counts.
    Times are Unix seconds.
    """

    film_id: str
    account: str
    provider: str
    caller: str
    created_at: float
    updated_at: float
    identity: str
    """What makes two calls the same film."""
    request_key: str = ""
    shots: tuple[Shot, ...] = ()
    transition: Transition = Transition.CUT
    unit: Unit = Unit.CNY
    made_at: float | None = None
    """When its shots were recorded; None while it is only planned."""
    revision: int = 0
    """Counts what was made: 1 with the film itself, one more with each redo."""
    redo: tuple[int, ...] = ()
    """The shots of a planned redo, with all that depend on them; empty if none is planned."""
    redone: tuple[int, ...] = ()
    """The shots that were last made again."""
    owner: str = ""
    lease_until: float = 0
    due_at: float = 0
    """When the next step (start a shot, join) is due; 0 while only the shots themselves move."""
    tries: int = 0
    """Consecutive failures to join it."""
    file: str = ""
    """The joined film of the newest revision that is whole."""
    bytes: int | None = None
    sha256: str = ""
    width: int | None = None
    height: int | None = None
    seconds: float | None = None
    save_error: str = ""
    """Why it is not joined although all shots are saved; our own sentences."""
    cancelled: bool = False
    """Its plan was withdrawn, or what was not sent of it."""
    traceparent: str = ""

    @property
    def saved(self) -> bool:
        return bool(self.file)

    @property
    def planned_seconds(self) -> float | None:
        """How long its shots are when joined; None if the length of one is unknown."""
        known = [shot.duration for shot in self.shots if shot.duration]
        joins = len(known) - 1 if self.transition is Transition.FADE else 0
        whole = len(known) == len(self.shots)
        return sum(known) - joins * FADE_SECONDS if whole else None

    @property
    def redoes(self) -> bool:
        """Whether a redo is planned and not made."""
        return bool(self.redo)

    def with_dependants(self, numbers: Iterable[int]) -> tuple[int, ...]:
        """These shots, and all later ones that continue from them without a break."""
        found, wanted = list[int](), frozenset(numbers)
        for number, shot in enumerate(self.shots, start=1):
            if number in wanted or (shot.continues and number - 1 in found):
                found.append(number)
        return tuple(found)
