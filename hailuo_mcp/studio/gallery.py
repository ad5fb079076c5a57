"""What a page shows of clips and films: takes side by side, and what a click would buy."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from anyio.to_thread import run_sync

from hailuo_mcp.domain.film import Film
from hailuo_mcp.domain.requests import Mode
from hailuo_mcp.domain.task import Status, Task
from hailuo_mcp.errors import Do, HailuoError, InvalidRequestError, Step
from hailuo_mcp.studio.clip_bytes import find_made, makes_posters
from hailuo_mcp.studio.context import Context
from hailuo_mcp.studio.film_views import film_view
from hailuo_mcp.studio.listing import listing
from hailuo_mcp.studio.request_record import content_of_record, digest, upgrade_of
from hailuo_mcp.studio.retaking import (
    MOST_KNOWN,
    Again,
    Upgraded,
    another_take,
    possible_upgrade,
)
from hailuo_mcp.studio.waiting import expedite_overdue_poll
from hailuo_mcp.views import FilmView, View, newest_first

if TYPE_CHECKING:
    from hailuo_mcp.views import Spending

MOST = 100
"""Ids in one question."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownClip:
    view: View
    shot: str
    """The same for all takes of one request."""
    upgrade_of: str = ""
    on_disk: bool = False
    """Its file is where it was saved, as far as can be seen at a glance."""
    poster: bool = False
    again: Again
    upgrade: Upgraded | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownFilm:
    view: FilmView
    on_disk: bool = False
    poster: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Gallery:
    now: float
    clips: tuple[ShownClip, ...]
    """Newest first."""
    films: tuple[ShownFilm, ...] = ()
    unknown: int = 0
    """How many of the ids are nobody's, or another caller's."""
    spending: Spending
    buys: bool
    """Whether anything could be bought now at all: there is a key, and the journal is whole."""


async def gallery(
    context: Context,
    ids: Sequence[str] = (),
    *,
    caller: str = "",
    takes: bool = False,
    limit: int = 24,
) -> Gallery:
    """The caller's clips and films of these ids, or the newest; free, and nobody waits.

    The provider is not asked. With `takes`, also the other takes of the same requests among the
    newest tasks.

    Raises:
        InvalidRequestError: there are too many ids.
    """
    wanted = list(dict.fromkeys(text.strip() for text in ids if text.strip()))
    if len(wanted) > MOST:
        raise InvalidRequestError(
            f"{len(wanted)} ids are too many for one question: at most {MOST}.",
            Step(Do.TRY, "ask for fewer at a time"),
        )
    unknown = 0
    tasks, films = dict[str, Task](), dict[str, FilmView]()
    if wanted:
        for text in wanted:
            made = await find_made(context, text, caller)
            if made is None:
                unknown += 1
            elif isinstance(made, Film):
                films[made.film_id] = await film_view(context, made)
            else:
                tasks[made.task_id] = made
        for task in tasks.values():
            await expedite_overdue_poll(context, task)
    else:
        listed = await listing(context, caller=caller, limit=limit)
        tasks = {view.task.task_id: view.task for view in listed.rows}
        films = {view.film.film_id: view for view in listed.films}
    for film in films.values():  # so that its strip is whole
        tasks |= {task.task_id: task for task in film.tasks}
    newest = await context.store.newest(caller=caller or None, limit=MOST_KNOWN)
    groups = await _groups(context, {**{it.task_id: it for it in newest}, **tasks}, caller)
    if takes:
        words = {groups[task_id] for task_id in tasks}
        tasks |= {it.task_id: it for it in newest if groups[it.task_id] in words}
    return Gallery(
        now=context.clock(),
        clips=await _clips(context, tasks.values(), groups, [*newest, *tasks.values()], caller),
        films=await _films(context, films.values()),
        unknown=unknown,
        spending=await context.spending(),
        buys=_can_buy(context),
    )


async def _groups(context: Context, tasks: Mapping[str, Task], caller: str) -> dict[str, str]:
    """By task: a word that all takes of its request have, and the upgrades of those takes."""
    words = dict[str, str]()
    for task in tasks.values():
        source = upgrade_of(task.request)
        draft = tasks.get(source)
        if source and draft is None:
            draft = await context.store.find(source, caller=caller)
        words[task.task_id] = _word(draft or task)
    return words


def _word(task: Task) -> str:
    if task.film_id:
        return f"{task.film_id}-{task.shot}"
    content = content_of_record(task.request)
    return digest(task.provider, content)[:16] if content else task.task_id


async def _clips(
    context: Context,
    tasks: Iterable[Task],
    groups: Mapping[str, str],
    known: Iterable[Task],
    caller: str,
) -> tuple[ShownClip, ...]:
    views = [await context.view(task) for task in tasks]
    here = await _on_disk(context, [view.task for view in views])
    last, upgraded = dict[str, int](), set[str]()
    for task in known:
        if task.mode is not Mode.UPGRADE:
            word = groups[task.task_id]
            last[word] = max(last.get(word, 1), task.take)
        elif task.status not in (Status.FAILED, Status.CANCELLED):
            upgraded.add(upgrade_of(task.request))
    shown = list[ShownClip]()
    for view in newest_first(views):
        if not isinstance(view, View):
            continue
        task, word = view.task, groups[view.task.task_id]
        done = task.task_id in upgraded
        shown.append(
            ShownClip(
                view=replace(view, link=context.remote.play(view.task)),
                shot=word,
                upgrade_of=upgrade_of(task.request),
                on_disk=task.task_id in here,
                poster=task.task_id in here and makes_posters(),
                again=await another_take(context, task, last.get(word, 1) + 1),
                upgrade=None if done else await possible_upgrade(context, task, caller),
            )
        )
    return tuple(shown)


async def _films(context: Context, views: Iterable[FilmView]) -> tuple[ShownFilm, ...]:
    ordered = [view for view in newest_first(views) if isinstance(view, FilmView)]
    here = await _on_disk(context, [view.film for view in ordered])
    return tuple(
        ShownFilm(
            view=replace(view, link=context.remote.play(view.film)),
            on_disk=view.film.film_id in here,
            poster=view.film.film_id in here and makes_posters(),
        )
        for view in ordered
    )


async def _on_disk(context: Context, made: Iterable[Task | Film]) -> frozenset[str]:
    """The ids of those whose file is there; a bucket is not asked, and counts as having it."""
    paths = dict[str, Path | None]()
    for it in made:
        if it.file:
            known = it.film_id if isinstance(it, Film) else it.task_id
            paths[known] = context.storage.local_path(it.file)
    return await run_sync(
        lambda: frozenset(it for it, path in paths.items() if path is None or path.is_file())
    )


def _can_buy(context: Context) -> bool:
    try:
        context.client.need_key()
    except HailuoError:
        return False
    return context.losses is None
