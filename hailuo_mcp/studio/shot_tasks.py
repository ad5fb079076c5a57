"""The task of a film's shot, as it is recorded."""

from __future__ import annotations

import secrets

from hailuo_mcp.domain.film import Film
from hailuo_mcp.domain.task import Status, Task
from hailuo_mcp.studio.reader import Reader
from hailuo_mcp.studio.request_record import digest, new_task_id
from hailuo_mcp.telemetry import tracing


def shot_task(reader: Reader, film: Film, number: int, *, after: str = "") -> Task:
    """The next take of a shot, not recorded yet; `after`: the task from whose end it starts.

    Its identity is of the film: no clip of its own repeats a shot, nor a film a clip.
    """
    shot, now, take = film.shots[number - 1], reader.clock(), film.revision + 1
    return Task(
        task_id=new_task_id(now + number / 1000),  # shots keep their order where ids are sorted
        account=film.account,
        provider=film.provider,
        caller=film.caller,
        status=Status.PENDING,
        created_at=now,
        updated_at=now,
        mode=shot.mode,
        model=shot.model,
        duration=shot.duration,
        resolution=shot.resolution,
        prompt=shot.prompt,
        request=shot.request,
        identity=digest("shot", film.film_id, str(number), str(take)),
        take=take,
        amount=shot.amount,
        unit=film.unit,
        owner=reader.owner,
        due_at=0.0 if after else now,
        warnings=shot.warnings,
        callback_token=secrets.token_urlsafe(24) if reader.remote.callback_url else "",
        traceparent=tracing.traceparent(),
        film_id=film.film_id,
        shot=number,
        after=after,
    )
