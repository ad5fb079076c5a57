"""Look at clips: a contact sheet, the facts of each, and what is wrong with it."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import anyio.to_thread
from anyio.lowlevel import RunVar

from hailuo_mcp.catalog.video_models import find_model
from hailuo_mcp.domain.film import Film
from hailuo_mcp.domain.remote import Api
from hailuo_mcp.domain.task import UNFINISHED, Status, Task
from hailuo_mcp.errors import Do, HailuoError, InvalidRequestError, Step
from hailuo_mcp.files.storage import on_this_disk
from hailuo_mcp.media import frames as media_frames
from hailuo_mcp.media.examine import Expected, examine, expected_size
from hailuo_mcp.media.opening import UnreadableClipError
from hailuo_mcp.media.sheet import MOST_FRAMES, SheetRow, contact_sheet
from hailuo_mcp.studio.context import Context
from hailuo_mcp.studio.film_views import film_view, find_film
from hailuo_mcp.studio.lookup import find_task
from hailuo_mcp.text import shown
from hailuo_mcp.views import Preview, PreviewedClip

if TYPE_CHECKING:
    from hailuo_mcp.media.examine import Findings
    from hailuo_mcp.media.frames import Frame

FRAMES = 6
WHOLE_CLIP = -1.0
"""In place of a moment."""
_AT_ONCE = 2
"""Clips decoded at once: each takes a processor and some hundred megabytes."""
_EDGE = 0.1
"""Seconds by which frames of a film's shot keep away from its joins, whose times are not exact."""
_NEAR_A_JOIN = 0.3
"""Seconds: a cut so near to where two shots meet is the join."""
_WIDE = "16:9"
_SHORT_ID = 6
"""The last characters of an id, which differ where the first tell the time."""

_workers = RunVar[anyio.CapacityLimiter]("hailuo_preview_workers")
Result = TypeVar("Result")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Subject:
    """A clip or a film to look at."""

    id: str
    film: bool = False
    provider: str
    caller: str
    file: str
    request: str
    """The request of the clip, or of the film's first shot, which names the given pictures."""
    model: str = ""
    size: str = ""
    """The resolution that was asked for."""
    seconds: int | None = None
    """The length that was asked for."""
    starts: tuple[float, ...] = ()
    """When a film's shots begin."""
    ends: float = 0.0
    """When its last one ends."""
    fade: float = 0.0
    """Seconds for which a shot and the next one are both seen."""
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Looked:
    findings: Findings
    expected: Expected
    rows: tuple[SheetRow, ...]
    past_end: bool = False


async def preview_clips(
    context: Context,
    task_id: str,
    *,
    caller: str = "",
    frames: int = 0,
    at_seconds: float = WHOLE_CLIP,
    compare_with: Sequence[str] = (),
) -> Preview:
    """Look at saved clips and films; costs nothing. `frames` of 0 are as many as usual.

    Raises:
        InvalidRequestError: one has no file yet or cannot be read; one is named twice; there are
            more than a sheet has room for; the moment is before the start.
        TaskNotFoundError: one is unknown, or another caller's.
        ConfigError: PyAV is not installed.
    """
    if at_seconds < 0 and at_seconds != WHOLE_CLIP:
        raise InvalidRequestError(
            f"{at_seconds:g} s is before the start of a clip.",
            Step(Do.TRY, "name a moment from 0 s on, or none for frames of the whole clip"),
        )
    ids = [text.strip() for text in (task_id, *compare_with)]
    if len(ids) > MOST_FRAMES:
        raise InvalidRequestError(
            f"{len(ids)} clips are too many for one sheet: it has room for {MOST_FRAMES}.",
            Step(Do.TRY, "compare fewer at a time"),
        )
    subjects = list[_Subject]()
    for text in ids:
        found = await _find(context, text, caller)
        if any(found.id == other.id for other in subjects):
            raise InvalidRequestError(
                f"{shown(text)!r} is named twice: it would be compared with itself.",
                Step(Do.TRY, "name each clip once"),
            )
        subjects.append(found)
    moment = at_seconds if at_seconds >= 0 else None
    alone = len(subjects) == 1
    rows = len(subjects)
    if alone and moment is None and 1 < len(subjects[0].starts) <= MOST_FRAMES:
        rows = len(subjects[0].starts)
    many = 1 if moment is not None else max(1, min(frames or FRAMES, MOST_FRAMES // rows))
    looked = await _look_at_all(context, subjects, moment, many, by_shot=rows > 1 and alone)
    sheet = [
        row if alone else replace(row, label=f"{letter} …{subject.id[-_SHORT_ID:]}")
        for letter, subject, one in zip("ABCDEFGHIJKLMNOP", subjects, looked, strict=False)
        for row in one.rows
    ]
    return Preview(
        jpeg=await _in_thread(partial(contact_sheet, sheet)),
        clips=tuple(
            PreviewedClip(
                id=subject.id,
                film=subject.film,
                provider=subject.provider,
                expected=one.expected,
                findings=_without_joins(one.findings, subject),
                not_compared=_lacks_pictures(subject.request, one.expected),
                past_end=one.past_end,
            )
            for subject, one in zip(subjects, looked, strict=True)
        ),
        files=tuple(subject.file for subject in subjects),
        at_seconds=moment,
        frames=many,
        asked_frames=frames,
        notes=tuple(subject.note for subject in subjects if subject.note),
        losses=context.losses,
        of_tenant=bool(context.tenant),
    )


async def _find(context: Context, text: str, caller: str) -> _Subject:
    if film := await find_film(context, text, caller):
        return await _of_film(context, film)
    task = await find_task(context, text, caller)
    if not task.saved:
        raise _not_saved(task)
    return _Subject(
        id=task.task_id,
        provider=task.provider,
        caller=task.caller,
        file=task.file,
        request=task.request,
        model=task.model,
        size=task.resolution or "",
        seconds=task.duration,
    )


def _not_saved(task: Task) -> InvalidRequestError:
    """Why there is no file, and what to do."""
    name, step = f"Clip {task.task_id}", Step(Do.QUERY, task.task_id)
    match task.status:
        case Status.SUCCEEDED if task.due_at and not task.save_error:
            what = f"{name} is ready and just being saved."
        case Status.SUCCEEDED:
            what, step = f"{name} is ready and not saved.", Step(Do.DOWNLOAD, task.task_id)
        case Status.FAILED | Status.CANCELLED:
            what = f"There is no clip {task.task_id} to look at: it {_ENDED[task.status]}."
        case Status.UNCONFIRMED:
            what = f"There is no clip {task.task_id} to look at: it may not have been bought."
            step = Step(Do.SETTLE, task.task_id)
        case _:
            what = f"{name} is not ready yet: it is {task.status}."
    refusal = InvalidRequestError(what, step, task_id=task.task_id)
    refusal.retry = task.status in UNFINISHED or task.status is Status.SUCCEEDED
    return refusal


_ENDED = {Status.FAILED: "failed", Status.CANCELLED: "was cancelled"}


async def _of_film(context: Context, film: Film) -> _Subject:
    view = await film_view(context, film)
    shots = [shot.view.task for shot in view.shots if shot.view]
    if not film.saved:
        saved = sum(task.saved for task in shots)
        what = f"{saved} of its {len(film.shots)} shots are saved"
        if film.made_at is None:
            what = "it is only planned"
        elif saved == len(film.shots):
            what = film.save_error.removesuffix(".") or "its shots are being joined"
        refusal = InvalidRequestError(
            f"Film {film.film_id} has no file yet: {what}.",
            Step(Do.QUERY, film.film_id),
            task_id=film.film_id,
        )
        refusal.retry = not view.settled
        raise refusal
    note = ""
    if not view.joined and not view.planned:
        note = f"This is film {film.film_id} as it was before its shots were made again."
    starts, ends, fade = _joins(film, await context.store.film_tasks(film.film_id))
    return _Subject(
        id=film.film_id,
        film=True,
        provider=film.provider,
        caller=film.caller,
        file=film.file,
        request=film.shots[0].request if film.shots else "{}",
        starts=starts,
        ends=ends,
        fade=fade,
        note=note,
    )


def _joins(film: Film, tasks: Sequence[Task]) -> tuple[tuple[float, ...], float, float]:
    """When each shot begins in the joined film, when the last one ends, and how long a fade is.

    Nothing if that is unknown.
    """
    lengths = {task.shot: task.seconds for task in tasks if task.saved and task.seconds}
    if not film.seconds or sorted(lengths) != list(range(1, len(film.shots) + 1)):
        return (), 0.0, 0.0
    # Shots that fade into each other overlap.
    whole = sum(lengths.values())
    overlap = (whole - film.seconds) / (len(lengths) - 1) if len(lengths) > 1 else 0.0
    starts, at = list[float](), 0.0
    for number in sorted(lengths):
        starts.append(at)
        at += lengths[number] - overlap
    return tuple(starts), film.seconds, max(0.0, overlap)


async def _look_at_all(
    context: Context,
    subjects: Sequence[_Subject],
    moment: float | None,
    many: int,
    *,
    by_shot: bool,
) -> list[_Looked]:
    looked: list[_Looked | None] = [None] * len(subjects)
    errors = list[HailuoError]()

    async def look(number: int, subject: _Subject) -> None:
        try:
            given = await _given_pictures(context, subject)
            async with on_this_disk(context.storage_of(subject.caller), subject.file) as path:
                work = partial(_look, subject, path, given, moment, many, by_shot=by_shot)
                looked[number] = await _in_thread(work)
        except HailuoError as error:  # one that left the task group would be wrapped
            errors.append(error)
        except FileNotFoundError:
            errors.append(_gone(subject))

    async with anyio.create_task_group() as jobs:
        for number, subject in enumerate(subjects):
            jobs.start_soon(look, number, subject)
    if errors:
        raise errors[0]
    return [one for one in looked if one]


def _gone(subject: _Subject) -> InvalidRequestError:
    return InvalidRequestError(
        f"The file of {subject.id} is gone: it was moved or deleted.",
        Step(Do.DOWNLOAD, subject.id),
        task_id=subject.id,
    )


async def _given_pictures(context: Context, subject: _Subject) -> dict[str, bytes]:
    """The pictures that it was to start from and end on, where their bytes are still kept."""
    found = dict[str, bytes]()
    for name, sha256 in _named_pictures(subject.request).items():
        try:
            data = await context.pictures.read(sha256)
        except OSError:
            data = None
        if data:
            found[name] = data
    return found


def _named_pictures(request: str) -> dict[str, str]:
    """By the sha256 of each."""
    body = _wish(request)
    names = ("first_frame_image", "last_frame_image")
    return {name: body[name]["sha256"] for name in names if body.get(name, {}).get("sha256")}


def _wish(request: str) -> dict[str, Any]:
    """What the clip is to show: for an upgrade, the request of the clip that it was made from."""
    body: dict[str, Any] = json.loads(request)
    return body.get("source") or body


def _lacks_pictures(request: str, expected: Expected) -> bool:
    named = _named_pictures(request)
    return ("first_frame_image" in named and expected.first_picture is None) or (
        "last_frame_image" in named and expected.last_picture is None
    )


async def _in_thread(work: Callable[[], Result]) -> Result:
    """Heavy work; a caller who gives up does not wait for its end."""
    try:
        limiter = _workers.get()
    except LookupError:
        limiter = anyio.CapacityLimiter(_AT_ONCE)
        _workers.set(limiter)
    return await anyio.to_thread.run_sync(work, limiter=limiter, abandon_on_cancel=True)


def _look(
    subject: _Subject,
    path: Path,
    given: dict[str, bytes],
    moment: float | None,
    many: int,
    *,
    by_shot: bool,
) -> _Looked:
    """In a thread: read the whole clip, and take its frames."""
    expected = _expected(subject, given)
    try:
        findings = examine(path, expected)
        rows = tuple(_rows(subject, path, moment, many, by_shot=by_shot))
    except UnreadableClipError as trouble:
        raise InvalidRequestError(
            f"Clip {subject.id} cannot be looked at, because {trouble}.",
            Step(Do.TRY, "play the file itself"),
            task_id=subject.id,
        ) from trouble
    except OSError as trouble:
        raise _gone(subject) from trouble
    past_end = any(frame.past_end for row in rows for frame in row.frames)
    return _Looked(findings=findings, expected=expected, rows=rows, past_end=past_end)


def _rows(
    subject: _Subject, path: Path, moment: float | None, many: int, *, by_shot: bool
) -> Sequence[SheetRow]:
    if moment is not None:
        return [_row_of_all(subject, [media_frames.frame_at(path, moment)])]
    if not by_shot:
        return [_row_of_all(subject, media_frames.spread_frames(path, many))]
    frames = media_frames.frames_at(path, _moments(subject, many))
    rows = list[SheetRow]()
    for number, (start, end) in enumerate(_spans(subject), start=1):
        own: list[Frame] = [frame for frame in frames if start <= frame.at < end]
        rows.append(SheetRow(label=f"Shot {number}", frames=own))
    return rows


def _row_of_all(subject: _Subject, frames: Sequence[Frame]) -> SheetRow:
    """Frames of all of it; those of a film say from which shot they are."""
    shots = [sum(start <= frame.at for start in subject.starts) for frame in frames]
    captions = tuple(f"shot {shot}" for shot in shots) if len(subject.starts) > 1 else ()
    return SheetRow(label="", frames=frames, captions=captions)


def _spans(subject: _Subject) -> list[tuple[float, float]]:
    return list(zip(subject.starts, (*subject.starts[1:], float("inf")), strict=True))


def _moments(subject: _Subject, many: int) -> list[float]:
    """Evenly spaced in each shot, away from the joins: where nothing of another shot is seen."""
    moments = list[float]()
    for begin, end in zip(subject.starts, (*subject.starts[1:], subject.ends), strict=True):
        start = min(begin + subject.fade, end) if begin else begin
        edge = min(_EDGE, (end - start) / 4)
        first = start + edge if start else start
        length = (end - edge if end < subject.ends else end) - first
        steps = [0.5] if many == 1 else [step / (many - 1) for step in range(many)]
        moments += [first + length * step for step in steps]
    return moments


def _expected(subject: _Subject, given: dict[str, bytes]) -> Expected:
    first, last = given.get("first_frame_image"), given.get("last_frame_image")
    width, height = _size(subject, first) or (None, None)
    known = find_model(subject.model)
    return Expected(
        width=width,
        height=height,
        seconds=subject.seconds,
        seconds_over=known.seconds_over if known else 0.0,
        first_picture=first,
        last_picture=last,
    )


def _size(subject: _Subject, first: bytes | None) -> tuple[int, int] | None:
    """Width and height that it should have; None if that is unknown."""
    known = find_model(subject.model)
    if known and known.api is Api.V2:
        wide = _wish(subject.request).get("aspect_ratio") == _WIDE
        return known.wide_sizes.get(subject.size) if wide else None
    if first is None and "first_frame_image" in _named_pictures(subject.request):
        return None  # it takes the shape of that picture, which is gone
    return expected_size(subject.size, first)


def _without_joins(findings: Findings, subject: _Subject) -> Findings:
    """The joins of a film's shots are no flaws."""
    joins = subject.starts[1:]
    cuts = (cut for cut in findings.cuts if all(abs(cut - it) > _NEAR_A_JOIN for it in joins))
    return replace(findings, cuts=tuple(cuts)) if joins else findings
