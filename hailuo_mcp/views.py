"""What a use case returns: facts about tasks and money, without sentences."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Literal

from hailuo_mcp.catalog.prices import price_words
from hailuo_mcp.dialects.providers import provider_notice
from hailuo_mcp.domain.film import Film, Shot
from hailuo_mcp.domain.remote import Link
from hailuo_mcp.domain.task import UNFINISHED, Quote, Status, Task, Unit

if TYPE_CHECKING:
    from hailuo_mcp.errors import HailuoError
    from hailuo_mcp.journal.facts import Losses, UnitSpending
    from hailuo_mcp.media.examine import Expected, Findings


def cost_words(task: Task) -> str:
    """What a task costs, or would cost in the sandbox; "" if unknown."""
    return amount_words(task.amount, task.unit, task.provider)


def amount_words(amount: Decimal | None, unit: Unit, provider: str) -> str:
    if amount is None:
        return ""
    price = price_words(Quote(amount=amount, unit=unit))
    return f"would cost {price}" if provider_notice(provider) else price


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """The terms of a purchase: everything but the request itself."""

    take: int = 1
    request_key: str = ""
    place: int = 0
    """Of a clip in a file of requests: its place among those of the same content and take, from 1.
    Its request key is then made of all three."""
    same_files: tuple[str, ...] | None = None
    """Of another take: what the files of the request must be, by their sha256."""
    max_cost: Decimal | None = None
    confirm: str = ""
    """The one-use code of an earlier refusal."""
    approved: bool = False
    """The person said yes to consent_question's question just now."""
    at_hand: bool = False
    """They said it to this process directly: no message that could arrive twice carried it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """A task at the time `now`."""

    task: Task
    now: float
    losses: Losses | None = None
    """What a damaged journal may have lost: nothing is bought until a person accepts it."""
    searching: bool = False
    """An unconfirmed task that is being looked for in the provider's list of tasks."""
    reused: bool = False
    notes: tuple[str, ...] = ()
    """Remarks on the request or on this answer: complete sentences for every reader."""
    eta_seconds: int | None = None
    next_check_seconds: int | None = None
    auto_download: bool = True
    link: Link | None = None
    """This server's link to the clip, for a caller who cannot reach its disk."""
    of_tenant: bool = False
    """The reader is a tenant: what the person cannot do, the server's operator can."""

    @property
    def made(self) -> Task:
        return self.task

    @property
    def known_as(self) -> str:
        """The id that it is asked for by."""
        return self.task.task_id

    @property
    def tasks(self) -> tuple[Task, ...]:
        return (self.task,)

    @property
    def state(self) -> str:
        return self.task.state

    @property
    def notice(self) -> str:
        """What its provider's messages open with: the sandbox says what it is."""
        return provider_notice(self.task.provider)

    @property
    def settled(self) -> bool:
        """Waiting longer changes nothing."""
        if self.task.status is Status.SUCCEEDED and self.auto_download:
            return self.saved_or_given_up
        return self.task.status.is_final or (
            self.task.status is Status.UNCONFIRMED and not self.searching
        )

    @property
    def saved_or_given_up(self) -> bool:
        """It is on disk, or nobody is about to save it."""
        return self.task.saved or not self.task.due_at


@dataclass(frozen=True, slots=True, kw_only=True)
class ShotView:
    """One shot of a film: its plan and, once it is recorded, its newest task."""

    number: int
    """From 1."""
    plan: Shot
    view: View | None = None
    """None while it is only planned."""
    planned: bool = False
    """It is part of what this answer plans: the film, or a redo."""
    eta_seconds: int | None = None
    """Until it is ready, with the shots that it waits for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FilmView:
    """A film at the time `now`."""

    film: Film
    now: float
    shots: tuple[ShotView, ...]
    losses: Losses | None = None
    reused: bool = False
    notes: tuple[str, ...] = ()
    """Remarks on this answer: complete sentences for every reader."""
    amount: Decimal | None = None
    """What is planned costs, or all takes of all shots cost that were not released; None if no
    price is published."""
    spent: Decimal | None = Decimal(0)
    """What was charged for all takes so far; None if no price is published for one of them."""
    refused: HailuoError | None = None
    """A plan that would be refused if it were made now: why."""
    repeats_redo: bool = False
    """Nothing was bought because the redo that was asked for is the one that was made last."""
    eta_seconds: int | None = None
    next_check_seconds: int | None = None
    link: Link | None = None
    of_tenant: bool = False
    spending: Spending | None = None
    """With a plan: the budget in which it would be made."""
    asks: bool = False
    """A plan that the person must be asked about first."""

    @property
    def made(self) -> Film:
        return self.film

    @property
    def known_as(self) -> str:
        """The id that it is asked for by, wherever a task's is."""
        return self.film.film_id

    @property
    def tasks(self) -> tuple[Task, ...]:
        """The newest of each shot, as far as they are recorded."""
        return tuple(shot.view.task for shot in self.shots if shot.view)

    @property
    def state(self) -> str:
        """As Task.state: once all shots are ready, whether the film is on disk. Or: planned."""
        if self.status is Status.SUCCEEDED:
            return "saved" if self.joined else "unsaved"
        return self.status.value if self.status else "planned"

    @property
    def notice(self) -> str:
        return provider_notice(self.film.provider)

    @property
    def planned(self) -> bool:
        """Whether this answer plans it, or a redo of it, which waits for the word to be made."""
        return any(shot.planned for shot in self.shots)

    @property
    def open_redo(self) -> tuple[int, ...]:
        """The shots of a redo that was planned before, where this is about the film as it is."""
        return () if self.planned else self.film.redo

    @property
    def status(self) -> Status | None:
        """The least finished of its shots decides; None for a plan.

        While nothing moves until an unconfirmed shot is settled, it is unconfirmed.
        """
        if self.film.made_at is None:
            return Status.CANCELLED if self.film.cancelled else None
        found = {task.status for task in self.tasks}
        moving = {
            task.status for task in self.tasks if task.status is not Status.PENDING or task.due_at
        }
        if Status.UNCONFIRMED in found and not moving & UNFINISHED:
            return Status.UNCONFIRMED
        return next((status for status in _LEAST_FINISHED if status in found), None)

    @property
    def settled(self) -> bool:
        """Waiting longer changes nothing."""
        if self.film.made_at is None:
            return True
        if self.status in (Status.FAILED, Status.CANCELLED):
            return True  # all have ended, and there is nothing to join
        if self.film.due_at or self.status in UNFINISHED or self.searching:
            return False
        ready = (it.view for it in self.shots if it.view)
        return all(it.settled for it in ready if it.task.status is Status.SUCCEEDED)

    @property
    def searching(self) -> bool:
        """Whether a shot is being looked for in the provider's list of tasks."""
        return any(it.view.searching for it in self.shots if it.view)

    @property
    def joined(self) -> bool:
        """Its file has the newest take of every shot: none is missing, or still to be joined."""
        ready = self.status is Status.SUCCEEDED and self.film.saved
        return ready and not self.film.due_at and not self.film.save_error

    @property
    def whole(self) -> bool:
        """It has a file that nothing is about to replace: the film of before, if a redo failed."""
        return self.film.saved and self.settled


_LEAST_FINISHED = (
    *(Status.PENDING, Status.SUBMITTING, Status.QUEUED, Status.RUNNING),
    *(Status.UNCONFIRMED, Status.FAILED, Status.CANCELLED, Status.SUCCEEDED),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Spending:
    provider: str
    """The provider whose sums these are; others are not included."""
    unit: str
    period: str
    spent: Decimal
    reserved: Decimal
    uncertain: Decimal
    """The part of `reserved` that belongs to unconfirmed tasks."""
    budget: Decimal | None = None
    left: Decimal | None = None
    others: tuple[UnitSpending, ...] = ()
    """What the same key bought in other units, under other plans."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """A purchase before it is made: checked and priced, with the remaining budget."""

    draft: Task
    """What would be recorded."""
    reserved_amount: Decimal | None
    """What it counts as; None if no price is published."""
    spending: Spending
    repeats: View | None = None
    """An earlier task of the same request: nothing would be bought."""
    asks: bool = False
    """The person must be asked first."""
    lower_bound: bool = False
    """It costs at least what the draft says: a part of it has no published price."""

    @property
    def quote(self) -> Quote:
        """Its published price."""
        draft = self.draft
        return Quote(amount=draft.amount, unit=draft.unit, lower_bound=self.lower_bound)

    @property
    def notice(self) -> str:
        """What its provider's messages open with: the sandbox says what it is."""
        return provider_notice(self.draft.provider)


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    rows: tuple[View, ...]
    """Tasks, the shots of films among them; newest first."""
    films: tuple[FilmView, ...] = ()
    """The films among the newest, newest first: rows of their own."""
    spending: Spending
    losses: Losses | None = None
    of_tenant: bool = False

    @property
    def entries(self) -> list[View | FilmView]:
        """Tasks and films together."""
        return newest_first([*self.rows, *self.films])

    @property
    def under_way(self) -> list[View | FilmView]:
        """What still changes on its own, each clip counted once.

        A film counts by its shots, or by itself while it is joined; a shot that waits for one that
        a person must settle does not count.
        """
        stuck = {it.film.film_id for it in self.films if it.settled}
        tasks = [it for it in self.rows if not it.settled and it.task.film_id not in stuck]
        counted = {it.task.film_id for it in tasks}
        films = (it for it in self.films if not it.settled)
        return [*tasks, *(it for it in films if it.film.film_id not in counted)]


def newest_first(entries: Iterable[View | FilmView]) -> list[View | FilmView]:
    """Ordered for a list: a film stands before its newest shots, and they in their order."""
    several = list(entries)
    made = {it.film.film_id: it.film.made_at for it in several if isinstance(it, FilmView)}

    def place(entry: View | FilmView) -> tuple[float, bool, int]:
        if isinstance(entry, FilmView):
            return entry.film.made_at or entry.film.created_at, True, 0
        task = entry.task
        began = made.get(task.film_id)
        together = began is not None and began <= task.created_at < began + _TOGETHER
        return (began if began and together else task.created_at), False, -task.shot

    return sorted(several, key=place, reverse=True)


_TOGETHER = 0.001
"""Seconds: the tasks of a film are recorded at once, with dates that differ by less."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Saved:
    """What download found or did."""

    view: View
    status: Literal["saved", "saving", "not_ready"]
    file: str = ""
    url: str = ""
    bytes: int | None = None
    sha256: str = ""
    width: int | None = None
    height: int | None = None
    seconds: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SavedFilm:
    """What download found or did for a film."""

    view: FilmView
    status: Literal["saved", "saving", "not_ready"]
    file: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PreviewedClip:
    """A clip or a film that was looked at."""

    id: str
    film: bool = False
    provider: str
    expected: Expected
    findings: Findings
    not_compared: bool = False
    """A picture was given for its start or end, and its bytes are no longer kept."""
    past_end: bool = False
    """The moment that was asked for is after its end: its last frame is shown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """A contact sheet and what is known of its clips."""

    jpeg: bytes
    clips: tuple[PreviewedClip, ...]
    """In the order of the sheet's rows."""
    files: tuple[str, ...]
    """Where they are kept."""
    at_seconds: float | None = None
    """The moment that was asked for; None for frames from the whole clip."""
    frames: int = 1
    """Of each clip, or each shot of a film, at most."""
    asked_frames: int = 0
    """0 if no number was asked for; more than `frames` where a sheet holds fewer."""
    notes: tuple[str, ...] = ()
    losses: Losses | None = None
    of_tenant: bool = False


Progress = Callable[[View], Awaitable[None]]
FilmProgress = Callable[[FilmView], Awaitable[None]]
AnyProgress = Callable[[View | FilmView], Awaitable[None]]
"""Fits both."""
