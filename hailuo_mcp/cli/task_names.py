"""What a person calls a task or a film: its id, the id's first characters, @last, @-2."""

from __future__ import annotations

import re
from argparse import Namespace
from collections.abc import Sequence
from dataclasses import fields, replace
from typing import TYPE_CHECKING, Any, TypeVar, cast

from hailuo_mcp.domain.requests import IMAGE_FIELDS, REFERENCE_FIELDS
from hailuo_mcp.errors import Do, InvalidRequestError, Step
from hailuo_mcp.text import shown

if TYPE_CHECKING:
    from hailuo_mcp.domain.film import FilmRequest
    from hailuo_mcp.domain.requests import AnyRequest
    from hailuo_mcp.studio.reader import Reader
    from hailuo_mcp.views import FilmView, View

Named = TypeVar("Named", bound="AnyRequest | FilmRequest")

LEAST_CHARACTERS = 3
"""Of an id: fewer were the same for all ids of a year."""
_FARTHEST = 1000
"""How far back @-N reaches."""
_MOST_NAMED = 5
_PROMPT = 30
_OURS = re.compile(r"[vf][0-9a-z]{0,15}")
_PLACE = re.compile(r"@(?:(last)|-(\d{1,4}))")
_OF_TASK = re.compile(r"(task:)([^#]+)(.*)", re.IGNORECASE | re.DOTALL)
"""A frame of a clip, or the clip itself, as a picture or a reference."""
_IDS = ("task_id", "task_ids", "film_id", "others", "compare_with")
_PICTURES = (*IMAGE_FIELDS, *REFERENCE_FIELDS, "media_inputs", "images")
"""The options that name tasks, alone and within a picture."""


async def resolve_options(reader: Reader, args: Namespace) -> None:
    """Put ids in the place of all names of tasks among a command's options.

    Once, before the command begins: a minute later @last may be another task.

    Raises:
        InvalidRequestError: as `task_id`.
    """
    for option in (*_IDS, *_PICTURES):
        given: str | Sequence[str] = getattr(args, option, "")
        if not given:
            continue
        resolve = _within_picture if option in _PICTURES else task_id
        if isinstance(given, str):
            setattr(args, option, await resolve(reader, given))
        else:
            setattr(args, option, [await resolve(reader, one) for one in given])


async def with_ids(reader: Reader, request: Named) -> Named:
    """The request with ids in the place of all names of tasks."""
    options = Namespace(**{each.name: getattr(request, each.name) for each in fields(request)})
    await resolve_options(reader, options)
    found = dict[str, Any](vars(options))
    for name, value in found.items():
        if isinstance(value, list):
            found[name] = tuple(cast("list[str]", value))
    return replace(request, **found)


async def task_id(reader: Reader, text: str) -> str:
    """The id that a person means.

    What is no name of a task here is returned as it is: it may be the provider's id of a clip
    that was bought elsewhere.

    Raises:
        InvalidRequestError: several tasks begin like this, it is too short, or there is none at
            that place.
    """
    from hailuo_mcp.studio.listing import ids_that_begin

    name = text.strip()
    if name.startswith("@"):
        return await _at_place(reader, name)
    if not _OURS.fullmatch(name.lower()) or await reader.store.find(name):
        return text
    if len(name) < LEAST_CHARACTERS:
        raise InvalidRequestError(
            f"{name!r} is too short to tell a task.",
            Step(Do.TRY, f"give at least {LEAST_CHARACTERS} characters of its id, or @last"),
            Step(Do.LIST_TASKS),
        )
    found = await ids_that_begin(reader, name.lower())
    if len(found) > 1:
        raise _ambiguous(name, found)
    return found[0].known_as if found else text


async def is_task(reader: Reader, text: str) -> bool:
    """Whether a text names at least one task or film here, by its id or the beginning of one."""
    from hailuo_mcp.studio.listing import ids_that_begin

    name = text.lower()
    if _PLACE.fullmatch(name) or await reader.store.find(text):
        return True
    return bool(_OURS.fullmatch(name) and await ids_that_begin(reader, name))


async def _within_picture(reader: Reader, text: str) -> str:
    """A picture's name, with the id of the task that it is a frame of."""
    found = _OF_TASK.fullmatch(text.strip())
    if found is None:
        return text
    prefix, name, place = cast("tuple[str, str, str]", found.groups())
    return prefix + await task_id(reader, name) + place


async def _at_place(reader: Reader, name: str) -> str:
    from hailuo_mcp.studio.listing import listing

    place = _PLACE.fullmatch(name.lower())
    back = 1 if place is None or place[1] else int(place[2])
    if place is None or not 1 <= back <= _FARTHEST:
        raise InvalidRequestError(
            f"{shown(name)!r} names no task.",
            Step(Do.TRY, "write @last (or @-1) for the newest one, @-2 for the one before it, …"),
            Step(Do.LIST_TASKS),
        )
    listed = (await listing(reader, limit=back)).entries
    if len(listed) < back:
        there = f"there are only {len(listed)}" if len(listed) > 1 else "there is only one"
        raise InvalidRequestError(
            f"There is no task {name}: {there if listed else 'none was recorded so far'}.",
            Step(Do.LIST_TASKS),
        )
    return listed[back - 1].known_as


def _ambiguous(name: str, found: list[View | FilmView]) -> InvalidRequestError:
    """All that begin like this, as far as they can be told in a sentence."""
    told = [_told(entry) for entry in found[:_MOST_NAMED]]
    if len(found) > _MOST_NAMED:
        told.append("…")
    return InvalidRequestError(
        f"Several tasks begin with {name!r}: {'; '.join(told)}.",
        Step(Do.TRY, "write more characters of the one that is meant"),
    )


def _told(entry: View | FilmView) -> str:
    from hailuo_mcp.cli.task_rows import name_of, when

    prompt = shown(" ".join(name_of(entry).split()), _PROMPT)
    return f"{entry.known_as} ({when(entry)}, {entry.state}{': ' if prompt else ''}{prompt})"
