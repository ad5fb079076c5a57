"""Check and price the shots of a film: each is a video request, and the one judge decides."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import anyio
from anyio import to_thread

from hailuo_mcp.domain.film import Continuity, Film, FilmRequest, Shot
from hailuo_mcp.domain.requests import Mode, VideoRequest
from hailuo_mcp.errors import Do, InvalidRequestError, Step
from hailuo_mcp.media.opening import need_av
from hailuo_mcp.rules.images import by_hand
from hailuo_mcp.studio.context import Context
from hailuo_mcp.studio.preparing import prepare
from hailuo_mcp.studio.request_record import content_of, digest, new_film_id, request_json
from hailuo_mcp.telemetry import tracing
from hailuo_mcp.views import Terms

MOST_SHOTS = 50
_AT_ONCE = 4
"""Shots that are checked at the same time: each may hold a picture of 20 MB."""
_MOST_REASONS = 20
"""More would not help."""
_SAME_SHAPE = 0.02
"""Widths and heights are rounded to even numbers: shapes closer than this count as equal."""
_USUAL_SHAPE = 16 / 9
"""Of a clip that is made from text (facts 4.3)."""
_REFUSED = "Refused"
_FIRST_FRAME = "first_frame_image"
_LAST_OF_BEFORE = "the last frame of the shot before"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Checked:
    shot: Shot
    content: str
    """What makes two shots the same."""
    shape: float | None
    """Width / height of its first frame; None if it has none of its own."""


async def checked_film(
    context: Context, wanted: FilmRequest, terms: Terms, caller: str, *, local: bool
) -> tuple[Film, tuple[str, ...]]:
    """The film that these shots are, not recorded yet, and remarks on them. Nothing is bought.

    Their pictures are kept: a plan is made later, and maybe by another process.

    Raises:
        InvalidRequestError: names every problem of every shot.
    """
    await to_thread.run_sync(need_av)  # a film that cannot be joined is not worth buying
    requests = _requests(wanted)
    checked = await _check_all(context, requests, caller, local=local)
    now, shots = context.clock(), tuple(each.shot for each in checked)
    content = [f"{each.shot.continues:d} {each.content}" for each in checked]
    # Under another plan it has another price, in another unit: that is another film.
    of_whom = (context.account, caller, context.unit, terms.request_key)
    film = Film(
        film_id=new_film_id(now),
        account=context.account,
        provider=context.provider.name,
        caller=caller,
        created_at=now,
        updated_at=now,
        identity=digest("film", *of_whom, wanted.transition, *content),
        request_key=terms.request_key,
        shots=shots,
        transition=wanted.transition,
        unit=context.unit,
        traceparent=tracing.traceparent(),
    )
    return film, _remarks(checked)


def _requests(wanted: FilmRequest) -> list[VideoRequest]:
    """A request for each shot; one that continues another has a picture that does not exist yet."""
    count, problems = len(wanted.shots), list[str]()
    shots = _many(count, "shot")
    if not 0 < count <= MOST_SHOTS:
        problems.append(f"a film has 1 to {MOST_SHOTS} shots, not {count}")
    if len(wanted.durations) not in (0, 1, count):
        problems.append(
            f"{shots} and {_many(len(wanted.durations), 'length')} are given; give none, one for "
            "all, or one for each shot"
        )
    if len(wanted.images) not in (0, count):
        problems.append(
            f"{shots} and {_many(len(wanted.images), 'picture')} are given; give none, or one for "
            "each shot, empty for a shot without one"
        )
    if problems:
        then = () if count else (Step(Do.TRY, "give a prompt for each shot"),)
        raise InvalidRequestError(f"{_REFUSED}: {'; '.join(problems)}.", *then)
    lengths = wanted.durations if len(wanted.durations) == count else wanted.durations * count
    pictures = wanted.images or ("",) * count
    chained = wanted.continuity is Continuity.LAST_FRAME
    return [
        VideoRequest(
            prompt=prompt,
            model=wanted.model,
            first_frame_image=picture.strip() or (_LAST_OF_BEFORE if chained and at else ""),
            duration=length or None,
            resolution=wanted.resolution,
        )
        for at, (prompt, length, picture) in enumerate(
            zip(wanted.shots, lengths or (0,) * count, pictures, strict=True)
        )
    ]


async def _check_all(
    context: Context, requests: Sequence[VideoRequest], caller: str, *, local: bool
) -> list[_Checked]:
    checked, refused = dict[int, _Checked](), dict[int, InvalidRequestError]()
    limit, broken = anyio.Semaphore(_AT_ONCE), list[Exception]()

    async def check(number: int, request: VideoRequest) -> None:
        async with limit:
            if broken:
                return
            try:
                checked[number] = await _check(context, request, caller, local=local)
            except InvalidRequestError as trouble:
                refused[number] = trouble
            except Exception as trouble:  # noqa: BLE001  # raised below: the group would wrap it
                broken.append(trouble)

    async with anyio.create_task_group() as checks:
        for number, request in enumerate(requests, start=1):
            checks.start_soon(check, number, request)
    if broken:
        raise broken[0]
    if refused:
        raise _refusal(refused, len(requests))
    return [checked[number] for number in sorted(checked)]


async def _check(context: Context, request: VideoRequest, caller: str, *, local: bool) -> _Checked:
    continues = request.first_frame_image == _LAST_OF_BEFORE
    if continues and not request.prompt.strip():
        raise InvalidRequestError(f"{_REFUSED}: it has neither a prompt nor a picture of its own.")
    promised = (_FIRST_FRAME,) if continues else ()
    prepared = await prepare(context, request, caller=caller, local=local, promised=promised)
    ready = prepared.request
    if not isinstance(ready, VideoRequest):
        raise TypeError(ready)
    mode = ready.mode
    if continues:
        ready = replace(ready, first_frame_image="")
    pictures = {opened.wire: opened for opened in prepared.images.values()}
    for opened in prepared.images.values():
        await context.pictures.keep(opened.facts.sha256, opened.data)
    first = prepared.images.get(_FIRST_FRAME)
    quote = prepared.quote
    shot = Shot(
        mode=mode,
        model=ready.model,
        prompt=ready.prompt,
        request=request_json(ready, pictures),
        duration=ready.duration,
        resolution=ready.resolution,
        amount=quote.amount if quote.unit is context.unit else None,
        continues=continues,
        warnings=prepared.warnings,
    )
    shape = first.facts.width / first.facts.height if first else None
    return _Checked(shot=shot, content=content_of(ready, pictures), shape=shape)


def _refusal(refused: Mapping[int, InvalidRequestError], count: int) -> InvalidRequestError:
    """One error for all shots; what is wrong with several is said once."""
    reasons, steps = dict[str, list[int]](), dict[Step, list[int]]()
    for number in sorted(refused):
        reasons.setdefault(refused[number].what, []).append(number)
        for step in by_hand(refused[number].then):  # a shot has no image_fit
            steps.setdefault(step, []).append(number)
    told = [_told(numbers, what) for what, numbers in reasons.items()]
    if len(told) > _MOST_REASONS:
        rest = sum(len(numbers) for numbers in list(reasons.values())[_MOST_REASONS:])
        told[_MOST_REASONS:] = [f"And {rest} more shots cannot be made."]
    then = [
        Step(step.do, f"for {shots_named(numbers).lower()}, {step.about}")
        if step.do is Do.NEAREST and len(numbers) < count
        else step
        for step, numbers in steps.items()
    ]
    error = InvalidRequestError(" ".join(told), *then)
    error.no_such_file = any(each.no_such_file for each in refused.values())
    return error


def _told(numbers: Sequence[int], what: str) -> str:
    if not what.startswith(_REFUSED):
        return f"{shots_named(numbers)}: {what}"
    return f"{shots_named(numbers)} cannot be made{what.removeprefix(_REFUSED)}"


def _many(count: int, what: str) -> str:
    return f"{count} {what}{'' if count == 1 else 's'}"


def shots_named(numbers: Iterable[int]) -> str:
    """Such as "Shot 3" or "Shots 3, 4 and 5"."""
    *most, last = map(str, numbers)
    return f"Shots {', '.join(most)} and {last}" if most else f"Shot {last}"


def _remarks(checked: Sequence[_Checked]) -> tuple[str, ...]:
    """What is unusual about the shots together."""
    sizes = dict.fromkeys(each.shot.resolution for each in checked)
    shape, shapes = _USUAL_SHAPE, list[float]()
    for each in checked:
        if each.shape is not None:
            shape = each.shape
        elif each.shot.mode is Mode.T2V:
            shape = _USUAL_SHAPE
        shapes.append(shape)  # one that continues another has its shape
    other = any(abs(shape / shapes[0] - 1) > _SAME_SHAPE for shape in shapes)
    if not other and len(sizes) == 1:
        return ()
    remark = (
        "The shots have different sizes, because of their first frames or models: the film is "
        "encoded anew in the size of its first shot, with bars around the others."
    )
    return (remark,)
