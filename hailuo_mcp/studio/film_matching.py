"""Whether a call that names a film by its id describes the film as it was planned."""

from __future__ import annotations

import json
from collections.abc import Sequence

from hailuo_mcp.catalog.video_models import find_model
from hailuo_mcp.domain.film import Continuity, Film, FilmRequest, Shot, Transition
from hailuo_mcp.domain.requests import VideoRequest
from hailuo_mcp.errors import Do, InvalidRequestError, Step
from hailuo_mcp.rules.judge import size_name
from hailuo_mcp.rules.prompt import read_moves
from hailuo_mcp.studio.context import Context
from hailuo_mcp.studio.film_checking import shots_named
from hailuo_mcp.studio.preparing import prepare
from hailuo_mcp.text import shown

_FIRST_FRAME = "first_frame_image"


async def need_as_planned(
    context: Context, film: Film, wanted: FilmRequest, caller: str, *, local: bool
) -> None:
    """Refuse what differs from the film's plan; what has its default counts as not given.

    The pictures that are given are kept again: those of an old film may be gone.

    Raises:
        InvalidRequestError: names all that differs.
    """
    differs = [
        *_of_film(film, wanted),
        *_of_shots(film, wanted),
        *await _of_pictures(context, film, wanted.images, caller, local=local),
    ]
    if differs:
        leave = "it" if len(differs) == 1 else "them"
        raise InvalidRequestError(
            f"Film {film.film_id} was planned with {'; with '.join(differs)}.",
            Step(Do.TRY, f"leave {leave} out for the film as planned"),
            Step(Do.TRY, "plan a new film by its shots, without a film's id"),
            task_id=film.film_id,
        )


def _of_film(film: Film, wanted: FilmRequest) -> list[str]:
    differs = list[str]()
    if wanted.transition not in (Transition.CUT, film.transition):
        differs.append(f"the transition {film.transition}, not {wanted.transition}")
    alone = [shot for shot in film.shots[1:] if not (shot.continues or _first_frame(shot))]
    if wanted.continuity is Continuity.LAST_FRAME and alone:
        differs.append(f"the continuity {Continuity.NONE}, not {wanted.continuity}")
    return differs


def _of_shots(film: Film, wanted: FilmRequest) -> list[str]:
    shots, differs = film.shots, list[str]()
    prompts, lengths = wanted.shots, wanted.durations
    if prompts and len(prompts) != len(shots):
        differs.append(f"{len(shots)} shots, not {len(prompts)}")
    elif other := [
        number
        for number, (shot, prompt) in enumerate(zip(shots, prompts, strict=False), start=1)
        if read_moves(prompt, model=shot.model, obeyed=None).text.strip() != shot.prompt.strip()
    ]:
        differs.append(f"another prompt for {shots_named(other).lower()}")
    model = find_model(wanted.model)
    name = model.name if model else wanted.model.strip()
    if name:
        planned = [shot.model for shot in shots]
        differs += _differing("the model", planned, name)
    if size := size_name(wanted.resolution):
        differs += _differing("the resolution", [shot.resolution for shot in shots], size)
    if len(lengths) not in (0, 1, len(shots)):
        differs.append(f"{len(shots)} shots, not {len(lengths)} lengths")
    elif len(set(lengths)) == 1:
        given = f"{lengths[0]} s" if lengths[0] else ""
        differs += _differing("a length of", [_seconds(shot) for shot in shots], given)
    else:
        for number, (shot, length) in enumerate(zip(shots, lengths, strict=False), start=1):
            if length and length != shot.duration:
                differs.append(f"a length of {_seconds(shot)} for shot {number}, not {length} s")
    return differs


def _differing(what: str, planned: Sequence[str | None], given: str) -> list[str]:
    """That some shots have another value; nothing if none is given."""
    others = list(dict.fromkeys(it or "of the provider" for it in planned if it != given))
    return [f"{what} {' and '.join(others)}, not {shown(given)}"] if given and others else []


async def _of_pictures(
    context: Context, film: Film, images: Sequence[str], caller: str, *, local: bool
) -> list[str]:
    if not images:
        return []
    if len(images) != len(film.shots):
        return [f"{len(film.shots)} shots, not {len(images)} pictures"]
    other = list[int]()
    for number, (shot, image) in enumerate(zip(film.shots, images, strict=True), start=1):
        planned = _first_frame(shot)
        if bool(image.strip()) != bool(planned):
            other.append(number)
        elif planned:
            request = VideoRequest(
                prompt=shot.prompt,
                model=shot.model,
                first_frame_image=image.strip(),
                duration=shot.duration,
                resolution=shot.resolution,
            )
            prepared = await prepare(context, request, caller=caller, local=local)
            opened = prepared.images.get(_FIRST_FRAME)
            if opened:
                await context.pictures.keep(opened.facts.sha256, opened.data)
            if (opened.facts.sha256 if opened else image.strip()) != planned:
                other.append(number)
    return [f"another picture, or none, for {shots_named(other).lower()}"] if other else []


def _first_frame(shot: Shot) -> str:
    """The sha256 of its own first frame, or what the provider calls it; empty if it has none."""
    picture = json.loads(shot.request).get(_FIRST_FRAME)
    return str(picture.get("sha256") or picture["url"]) if picture else ""


def _seconds(shot: Shot) -> str:
    return f"{shot.duration} s" if shot.duration else "the provider's choice"
