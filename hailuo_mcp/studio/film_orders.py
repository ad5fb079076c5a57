"""What a call about a film means: a new one, a plan, a redo, or what it did before."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from hailuo_mcp.domain.film import Film, FilmRequest
from hailuo_mcp.domain.task import UNFINISHED, Status, Task
from hailuo_mcp.errors import Do, InvalidRequestError, JournalError, Step, TaskNotFoundError
from hailuo_mcp.journal.facts import FilmKeyTaken
from hailuo_mcp.studio.conditions import key_taken
from hailuo_mcp.studio.context import Context
from hailuo_mcp.studio.film_checking import checked_film, shots_named
from hailuo_mcp.studio.film_matching import need_as_planned
from hailuo_mcp.studio.film_views import find_film, newest_takes, planned_shots
from hailuo_mcp.studio.request_record import digest, pictures_of
from hailuo_mcp.text import shown
from hailuo_mcp.views import Terms


@dataclass(frozen=True, slots=True, kw_only=True)
class FilmOrder:
    """What a call is about: a film, and whether it is recorded."""

    film: Film
    """With a redo that is wanted and not recorded yet."""
    recorded: Film | None
    """As the journal has it; None for a new plan."""
    wanted: bool
    """Whether its planned shots are what this call asks for."""
    notes: tuple[str, ...] = ()

    @property
    def numbers(self) -> tuple[int, ...]:
        """The shots to buy; empty if the call repeats an earlier one."""
        return planned_shots(self.film) if self.wanted else ()

    def identity(self) -> str:
        """What the person agrees to."""
        redo = ",".join(map(str, self.film.redo))
        return digest("film", self.film.identity, str(self.film.revision), redo)


async def order_of(
    context: Context,
    wanted: FilmRequest,
    terms: Terms,
    caller: str,
    *,
    local: bool,
    plans: bool = False,
) -> FilmOrder:
    """Find or check the film that a call means. Nothing is recorded but its pictures.

    `plans`: the call only plans, so that the last redo once more is a new one.
    """
    context.client.need_key()
    if not wanted.film_id:
        return await _order_by_shots(context, wanted, terms, caller, local=local)
    film = await find_film(context, wanted.film_id, caller)
    if film is None:
        raise TaskNotFoundError(f"There is no film {shown(wanted.film_id)!r}.", Step(Do.LIST_TASKS))
    if terms.request_key and terms.request_key != film.request_key:
        raise InvalidRequestError(
            f"Film {film.film_id} was not planned with the request key "
            f"{shown(terms.request_key)!r}, and a film keeps the one of its plan.",
            Step(Do.TRY, "leave the request key out: the film's id already names it"),
            task_id=film.film_id,
        )
    await need_as_planned(context, film, wanted, film.caller, local=local)
    if wanted.redo:
        return await _order_redo(context, film, wanted, plans=plans)
    # Repeated with its shots, a call is about the film itself, whatever was planned meanwhile.
    asks = film.made_at is None or not wanted.shots
    return FilmOrder(film=film, recorded=film, wanted=asks)


async def _order_by_shots(
    context: Context, wanted: FilmRequest, terms: Terms, caller: str, *, local: bool
) -> FilmOrder:
    if wanted.redo:
        raise InvalidRequestError(
            "Shots can only be made again in a film that is named by its id.",
            Step(Do.TRY, "give the film's id with the numbers of the shots"),
            Step(Do.LIST_TASKS),
        )
    draft, notes = await checked_film(context, wanted, terms, caller, local=local)
    found = await context.store.find_existing_film(draft, now=context.clock())
    if isinstance(found, FilmKeyTaken):
        raise film_key_taken(found, terms)
    if found is None:
        return FilmOrder(film=draft, recorded=None, wanted=True, notes=notes)
    film = found.film
    return FilmOrder(film=film, recorded=film, wanted=film.made_at is None, notes=notes)


async def _order_redo(
    context: Context, film: Film, wanted: FilmRequest, *, plans: bool
) -> FilmOrder:
    if film.made_at is None:
        raise InvalidRequestError(
            f"Film {film.film_id} is only planned, so none of its shots can be made again.",
            Step(Do.TRY, "make the film first, or plan a new one with other shots"),
            task_id=film.film_id,
        )
    if wrong := sorted({at for at in wanted.redo if not 1 <= at <= len(film.shots)}):
        raise InvalidRequestError(
            f"Film {film.film_id} has {len(film.shots)} shots, numbered from 1, and no shot "
            f"{', '.join(map(str, wrong))}.",
            task_id=film.film_id,
        )
    redo = film.with_dependants(wanted.redo)
    added = [at for at in redo if at not in wanted.redo]
    notes = tuple[str, ...]()
    if added and (plans or redo != film.redo):  # otherwise the plan said it
        which = f"{shots_named(added).lower()}, which {_start(added)}"
        notes = (f"The redo includes {which} from the last frame of the shot before.",)
    if redo == film.redone and redo != film.redo and not plans:
        # It may be the same call once more, so it does not buy again; a new plan is no repetition.
        return FilmOrder(film=film, recorded=film, wanted=False, notes=notes)
    await _need_ended(context, film, redo)
    planned = replace(film, redo=redo)
    await need_pictures(context, planned)
    return FilmOrder(film=planned, recorded=film, wanted=True, notes=notes)


async def _need_ended(context: Context, film: Film, redo: Sequence[int]) -> None:
    """Refuse while a shot of a redo may still come, or could not start from the one before."""
    newest = newest_takes(await context.store.film_tasks(film.film_id))
    for number in redo:
        task = newest[number]
        if task.status is Status.UNCONFIRMED:
            raise InvalidRequestError(
                f"Shot {number} may have been bought: it is unknown whether the provider accepted "
                "it. A person must find that out before it is made again.",
                Step(Do.SETTLE, task.task_id),
                task_id=task.task_id,
            )
        if task.status in UNFINISHED:
            raise InvalidRequestError(
                f"Shot {number} is not finished ({task.status}), so it is not made again now.",
                Step(Do.QUERY, film.film_id),
                task_id=task.task_id,
            )
        before = newest.get(number - 1)
        if not film.shots[number - 1].continues or number - 1 in redo or before is None:
            continue
        if before.status in (Status.FAILED, Status.CANCELLED):
            raise InvalidRequestError(
                f"Shot {number} starts from the last frame of shot {number - 1}, which does not "
                f"exist: shot {number - 1} {_ended(before)}.",
                Step(Do.TRY, f"make shot {number - 1} again; those that follow from it come too"),
                task_id=film.film_id,
            )


async def need_pictures(context: Context, film: Film) -> None:
    """Refuse if a shot could not be sent: pictures are not kept for ever."""
    missing = list[int]()
    try:
        for number in planned_shots(film):
            for sha256 in pictures_of(film.shots[number - 1].request):
                if not await context.pictures.kept(sha256):
                    missing.append(number)
    except OSError as exc:
        raise JournalError(
            "The pictures of this film cannot be read now, so nothing was bought.", detail=str(exc)
        ) from exc
    if missing:
        raise InvalidRequestError(
            f"The picture of {shots_named(missing).lower()} is no longer kept.",
            Step(Do.TRY, "repeat the call with the film's shots and pictures"),
            task_id=film.film_id,
        )


def film_key_taken(found: FilmKeyTaken, terms: Terms) -> InvalidRequestError:
    return key_taken(terms, "film,", found.film.film_id, noun="film")


def _ended(task: Task) -> str:
    return "failed" if task.status is Status.FAILED else "was cancelled"


def _start(numbers: Sequence[int]) -> str:
    return "starts" if len(numbers) == 1 else "start"
