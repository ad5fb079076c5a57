"""What happened to a task or a film, in the order of time, as far as the journal knows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hailuo_mcp.domain.task import Money, Status

if TYPE_CHECKING:
    from hailuo_mcp.domain.film import Film
    from hailuo_mcp.domain.task import Task

ADOPTED = "adopted "
"""What the identity of a task begins with that was found by its id at the provider."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One thing that happened."""

    event: str
    at: float | None = None
    """Unix seconds; None if an earlier version did not write it down."""
    detail: str = ""


def of_task(task: Task) -> list[Event]:
    """From when it was written down; what has no known time stands at the end."""
    found = [*_before_the_end(task), *_end(task)]
    order = sorted(enumerate(found), key=lambda it: (it[1].at is None, it[1].at or 0, it[0]))
    return [event for _, event in order]


def _before_the_end(task: Task) -> Iterator[Event]:
    if task.identity.startswith(ADOPTED):
        detail = f"found at {task.provider} as {task.remote_id or 'another task'}"
        yield Event(event="adopted", at=task.created_at, detail=detail)
    else:
        yield Event(event="written", at=task.created_at, detail=_written(task))
    if task.refused_at is not None:
        yield Event(event="turned away", at=task.refused_at, detail="too fast for the provider")
    if task.sent_at is not None:
        again = f"submit {task.attempt}" if task.attempt > 1 else ""
        yield Event(event="sent", at=task.sent_at, detail=again)
    if task.submitted_at is not None:
        detail = f"at {task.provider}" + (f" as {task.remote_id}" if task.remote_id else "")
        yield Event(event="queued", at=task.submitted_at, detail=detail)
    if task.unfinished_at is not None and task.finished_at is None:
        word = f'the provider says "{task.remote_status}"' if task.remote_status else ""
        yield Event(event="still under way", at=task.unfinished_at, detail=word)


def _written(task: Task) -> str:
    from hailuo_mcp.views import cost_words

    parts = (
        f"take {task.take}" if task.take > 1 and not task.film_id else "",
        f"shot {task.shot} of film {task.film_id}" if task.film_id else "",
        f"after {task.after}" if task.after else "",
        cost_words(task) if task.money is not Money.UNKNOWN and task.quoted is None else "",
    )
    return ", ".join(part for part in parts if part)


def _end(task: Task) -> Iterator[Event]:
    ended = task.finished_at or task.updated_at
    if task.settled_at is not None:
        bought = task.money is Money.SPENT or task.status is not Status.FAILED
        detail = "by a person, as bought" if bought else "by a person, as not bought"
        yield Event(event="settled", at=task.settled_at, detail=detail)
    elif task.status is Status.FAILED:
        yield Event(event="failed", at=ended, detail=task.error or task.error_code)
    elif task.status is Status.CANCELLED:
        yield Event(event="cancelled", at=ended, detail=task.error)
    elif task.status is Status.UNCONFIRMED:
        detail = task.error or "the request was sent, and no usable answer came"
        yield Event(event="unconfirmed", at=task.updated_at, detail=detail)
    if task.status is not Status.SUCCEEDED:
        return
    if task.finished_at is not None:
        yield Event(event="ready", at=task.finished_at, detail=f"at {task.provider}")
    if task.saved:
        yield Event(event="saved", at=task.saved_at, detail=task.file)
    elif task.save_error:
        yield Event(event="not saved", at=task.updated_at, detail=task.save_error)


def of_film(film: Film, tasks: Sequence[Task]) -> list[Event]:
    """When it was planned and made, when its shots were saved, and its file."""
    found = [Event(event="planned", at=film.created_at, detail=_planned(film))]
    if film.made_at is not None:
        detail = f"for the {film.revision}. time" if film.revision > 1 else ""
        found.append(Event(event="made", at=film.made_at, detail=detail))
    for task in tasks:
        last = of_task(task)[-1]
        detail = f"shot {task.shot}, {task.task_id}"
        found.append(Event(event=f"shot {last.event}", at=last.at, detail=detail))
    if film.cancelled:
        found.append(Event(event="cancelled", at=film.updated_at))
    elif film.save_error:
        found.append(Event(event="not joined", at=film.updated_at, detail=film.save_error))
    elif film.saved:
        found.append(Event(event="joined", at=film.updated_at, detail=film.file))
    order = sorted(enumerate(found), key=lambda it: (it[1].at is None, it[1].at or 0, it[0]))
    return [event for _, event in order]


def _planned(film: Film) -> str:
    shots = len(film.shots)
    return f"{shots} shot{'' if shots == 1 else 's'}"
