"""What the journal has: one task, the newest ones with the spending so far, ids, sums."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hailuo_mcp.domain.task import STATUS_WORDS, UNFINISHED, Status
from hailuo_mcp.errors import Do, InvalidRequestError, Step
from hailuo_mcp.journal.facts import EVERYTHING, Filter, ProviderSums
from hailuo_mcp.studio.film_views import film_view
from hailuo_mcp.text import shown
from hailuo_mcp.views import FilmView, Listing, View, newest_first

if TYPE_CHECKING:
    from hailuo_mcp.studio.reader import Reader

PLANNED = "planned"
"""The status of a film whose shots are not bought."""
MOST_FILMS = 100
"""Looked at beside those whose shots are listed: each needs a look at its shots."""


async def known_task(reader: Reader, task_id: str, *, caller: str = "") -> View:
    """The caller's task by our own id, as the journal has it; the provider is not asked.

    Raises:
        TaskNotFoundError: it is unknown, or another caller's.
    """
    task = await reader.store.find(task_id, caller=caller)
    if task is None or task.task_id != task_id:
        raise reader.unknown_task(task_id)
    return await reader.view(task)


async def listing(
    reader: Reader,
    *,
    caller: str = "",
    status: str = "",
    only: Filter = EVERYTHING,
    limit: int = 20,
) -> Listing:
    """The newest tasks and films, and the spending."""
    rows, films = await _newest(reader, caller, status, limit, only)
    return Listing(
        rows=rows,
        films=films,
        spending=await reader.spending(),
        losses=reader.losses,
        of_tenant=bool(reader.tenant),
    )


async def sums_of(
    reader: Reader, *, caller: str = "", status: str = "", only: Filter = EVERYTHING
) -> list[ProviderSums]:
    """What all of the caller's tasks cost that such a list shows, by provider and unit."""
    wanted, saved = _statuses(status)
    if wanted is None:
        return []
    return await reader.store.sums_of(
        caller=caller or None, statuses=wanted, saved=saved, only=only
    )


async def ids_that_begin(
    reader: Reader, text: str, *, caller: str = "", limit: int = 20
) -> list[View | FilmView]:
    """The caller's tasks and films whose ids begin like this, newest first."""
    only = Filter(begins=text)
    tasks = await reader.store.newest(caller=caller or None, only=only, limit=limit)
    films = await reader.store.newest_films(
        caller=caller or None, only=only, limit=limit, now=reader.clock()
    )
    found = [await reader.view(task) for task in tasks]
    return newest_first([*found, *[await film_view(reader, film) for film in films]])[:limit]


async def _newest(
    reader: Reader, caller: str, status: str, limit: int, only: Filter
) -> tuple[tuple[View, ...], tuple[FilmView, ...]]:
    """The newest tasks and films of this status, together at most `limit`."""
    wanted, saved = _statuses(status)
    tasks = (
        await reader.store.newest(
            caller=caller or None, statuses=wanted or (), saved=saved, only=only, limit=limit
        )
        if wanted is not None
        else []
    )
    found = await reader.store.newest_films(
        caller=caller or None, only=only, limit=min(limit, MOST_FILMS), now=reader.clock()
    )
    films = {film.film_id: film for film in found}
    # A film has the status of one of its shots: where these are listed, it may be, too.
    for film_id in {task.film_id for task in tasks} - {"", *films}:
        if film := await reader.store.find_film(film_id):
            films[film_id] = film
    seen = [await film_view(reader, film) for film in films.values()]
    kept = [view for view in seen if _has_status(view, wanted, saved=saved)]
    newest = newest_first([*[await reader.view(task) for task in tasks], *kept])[:limit]
    return (
        tuple(one for one in newest if isinstance(one, View)),
        tuple(one for one in newest if isinstance(one, FilmView)),
    )


def _has_status(view: FilmView, wanted: tuple[Status, ...] | None, *, saved: bool | None) -> bool:
    if wanted is None:
        return view.status is None
    if view.status is Status.SUCCEEDED and wanted == tuple(UNFINISHED):
        return not view.settled  # all shots are ready, and it is still to be joined
    if wanted and view.status not in wanted:
        return False
    return saved is None or saved is view.joined


async def recent_ids_of(reader: Reader, prefix: str, *, caller: str = "") -> list[str]:
    """The ids of the caller's newest tasks and films that start with this, newest first."""
    films = await recent_film_ids_of(reader, prefix, caller=caller)
    only = Filter(begins=prefix)
    found = await reader.store.newest(caller=caller or None, only=only, limit=100)
    tasks = [task.task_id for task in found]
    # By their ids, which are sortable apart from the letter that tells a film.
    return sorted([*films, *tasks], key=lambda known: known[1:], reverse=True)[:100]


async def recent_film_ids_of(reader: Reader, prefix: str, *, caller: str = "") -> list[str]:
    """The ids of the caller's newest films that start with this, newest first."""
    found = await reader.store.newest_films(
        caller=caller or None, only=Filter(begins=prefix), limit=MOST_FILMS, now=reader.clock()
    )
    return [film.film_id for film in found]


def _statuses(text: str) -> tuple[tuple[Status, ...] | None, bool | None]:
    """The statuses that a word means, none for all, and whether the clip must be on disk.

    None instead of statuses: what is only planned, which no task is.
    """
    word = text.strip().lower()
    if not word:
        return (), None
    if word == PLANNED:
        return None, None
    if word == "unfinished":
        return tuple(UNFINISHED), None
    if word in ("saved", "unsaved"):
        return (Status.SUCCEEDED,), word == "saved"
    try:
        return (Status(word),), None
    except ValueError:
        raise InvalidRequestError(
            f"Unknown status {shown(text)!r}.",
            Step(Do.TRY, f"use one of: {', '.join((*STATUS_WORDS, PLANNED))}"),
        ) from None
