"""What the sidecar of a clip or a film tells: what it was made from, when, and what it cost."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from hailuo_mcp.domain.film import Continuity, Film
from hailuo_mcp.domain.task import Task, Unit
from hailuo_mcp.files.clip_file import SavedFile
from hailuo_mcp.files.name_pattern import NameFacts
from hailuo_mcp.studio.request_record import upgrade_of
from hailuo_mcp.text import iso_time, number

_OF_CLIP = (
    *("task_id", "remote_id", "provider", "model", "prompt", "take", "duration", "resolution"),
    *("width", "height", "seconds", "sha256", "film_id", "shot"),
)
_OF_SHOT = (
    *("shot", "task_id", "take", "remote_id", "prompt", "model", "mode", "duration"),
    *("resolution", "width", "height", "seconds", "file", "sha256"),
)
_NOTHING = (None, "", 0)


def clip_facts(task: Task) -> dict[str, object]:
    """Times are ISO 8601 in UTC, amounts decimal text; a sandbox's amount was not charged."""
    facts: dict[str, object] = {name: getattr(task, name) for name in _OF_CLIP}
    facts |= {
        "mode": task.known_mode,
        "created_at": iso_time(task.created_at),
        "sent_at": _moment(task.submitted_at or task.sent_at),
        "ready_at": _moment(task.finished_at),
        "saved_at": _moment(task.saved_at),
        "cost": _cost(task.amount, task.unit),
        "upgrade_of": upgrade_of(task.request),
        "continues": task.after,
        "request": json.loads(task.request) or None,
    }
    return {name: value for name, value in facts.items() if value not in _NOTHING}


def clip_name_facts(task: Task) -> NameFacts:
    return NameFacts(
        created_at=task.created_at,
        prompt=task.prompt,
        task_id=task.task_id,
        take=task.take,
        model=task.model,
        mode=task.known_mode or "",
        provider=task.provider,
        resolution=task.resolution or "",
        duration=task.duration,
        remote_id=task.remote_id,
    )


def film_name_facts(film: Film) -> NameFacts:
    first, seconds = film.shots[0], film.planned_seconds
    return NameFacts(
        created_at=film.created_at,
        prompt=first.prompt,
        task_id=film.film_id,
        take=film.revision,
        model=first.model,
        mode="film",
        provider=film.provider,
        resolution=first.resolution or "",
        duration=None if seconds is None else round(seconds),
    )


def film_claim(film: Film) -> dict[str, object]:
    """What tells whose a name is, before there is a film."""
    return {
        "film_id": film.film_id,
        "provider": film.provider,
        "created_at": iso_time(film.created_at),
        "revision": film.revision,
    }


def film_facts(
    film: Film,
    shots: Sequence[Task],
    saved: SavedFile,
    *,
    amount: Decimal | None,
    saved_at: float,
) -> dict[str, object]:
    """What the film was made of; `amount` is what all takes of all shots cost."""
    continued = any(shot.continues for shot in film.shots)
    return {
        **film_claim(film),
        "saved_at": iso_time(saved_at),
        "transition": film.transition,
        "continuity": Continuity.LAST_FRAME if continued else Continuity.NONE,
        "width": saved.width,
        "height": saved.height,
        "seconds": saved.seconds,
        "bytes": saved.bytes,
        "sha256": saved.sha256,
        "cost": _cost(amount, film.unit),
        "shots": [_shot_facts(shot) for shot in shots],
    }


def _shot_facts(shot: Task) -> dict[str, object]:
    facts: dict[str, object] = {name: getattr(shot, name) for name in _OF_SHOT}
    facts |= {
        "created_at": iso_time(shot.created_at),
        "cost": _cost(shot.amount, shot.unit),
        "started_from": _first_frame(shot),
    }
    return {name: value for name, value in facts.items() if value not in _NOTHING}


def _first_frame(shot: Task) -> Mapping[str, str] | None:
    """Which picture the shot started from: its sha256, and the shot or the address it came from."""
    picture: Any = json.loads(shot.request).get("first_frame_image")
    if not picture:
        return None
    wanted = {name: picture.get(name, "") for name in ("sha256", "from", "url")}
    return {name: value for name, value in wanted.items() if value}


def _cost(amount: Decimal | None, unit: Unit) -> dict[str, str] | None:
    return None if amount is None else {"amount": number(amount), "unit": unit.value}


def _moment(seconds: float | None) -> str | None:
    return None if seconds is None else iso_time(seconds)
