"""Tasks and films as JSON for scripts: one shape each, wherever a command prints one.

docs/cli-schema.json describes them. What has no value is left out. Times are ISO 8601 in UTC,
amounts are decimal text, `message` is for a person at a shell.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from hailuo_mcp.cli import words

if TYPE_CHECKING:
    from hailuo_mcp.domain.task import Task
    from hailuo_mcp.errors import HailuoError
    from hailuo_mcp.journal.facts import ProviderSums
    from hailuo_mcp.views import FilmView, Listing, Saved, SavedFilm, ShotView, View

Record = dict[str, object]


def moment(seconds: float | None) -> str:
    """ISO 8601 in UTC, to the second; empty for None."""
    if seconds is None:
        return ""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds")


def task_record(view: View, *, copy: str = "") -> Record:
    """A task, with the whole prompt; `copy` is where its clip was copied to."""
    from hailuo_mcp.studio.request_record import upgrade_of
    from hailuo_mcp.wording import person
    from hailuo_mcp.wording.shapes import only_given
    from hailuo_mcp.wording.tasks import video_task

    task, told = view.task, video_task(view)
    expires_at = view.link.expires_at if view.link else task.url_expires_at
    return only_given(
        message=person.task_message(view, program=words.program()),
        kind="clip",
        task_id=task.task_id,
        status=task.status.value,
        state=task.state,
        reused=view.reused,
        saved=task.saved,
        prompt=task.prompt,
        provider=task.provider,
        model=task.model,
        mode=told.get("mode"),
        duration=task.duration,
        resolution=task.resolution,
        take=task.take,
        film_id=task.film_id,
        shot=task.shot,
        upgrade_of=upgrade_of(task.request),
        continues=task.after,
        request_key=task.request_key,
        caller=task.caller,
        cost=_cost(task),
        file=copy or told.get("file"),
        bytes=task.bytes,
        sha256=task.sha256,
        width=task.width,
        height=task.height,
        seconds=task.seconds,
        url=told.get("url"),
        url_expires_at=moment(expires_at) if told.get("url") else "",
        save_error=task.save_error,
        error=task.error,
        error_code=task.error_code,
        error_kind=task.error_kind,
        warnings=list(task.warnings),
        notes=list(view.notes),
        remote_id=task.remote_id,
        remote_status=task.remote_status,
        candidates=list(task.candidates),
        created_at=moment(task.created_at),
        sent_at=moment(task.sent_at),
        submitted_at=moment(task.submitted_at),
        finished_at=moment(task.finished_at),
        saved_at=moment(task.saved_at),
        settled_at=moment(task.settled_at),
        updated_at=moment(task.updated_at),
        elapsed_seconds=told.get("elapsed_seconds"),
        eta_seconds=view.eta_seconds,
        next_check_seconds=view.next_check_seconds,
    )


def _cost(task: Task) -> Record:
    from hailuo_mcp.text import number
    from hailuo_mcp.wording.phrases import charged
    from hailuo_mcp.wording.shapes import only_given

    moved = charged(task)
    if moved is None:  # bought elsewhere
        return {}
    return only_given(
        amount=None if task.amount is None else number(task.amount),
        unit=task.unit.value,
        charged=moved,
        quoted=None if task.quoted is None else number(task.quoted),
    )


def film_record(view: FilmView, *, copy: str = "") -> Record:
    """A film with its shots; `copy` is where it was copied to."""
    from hailuo_mcp.wording import film_rows, person
    from hailuo_mcp.wording.films import storyboard
    from hailuo_mcp.wording.shapes import only_given

    film, told = view.film, storyboard(view)
    whole = film if view.whole else None
    return only_given(
        message=person.film_message(view, program=words.program()),
        kind="film",
        task_id=film.film_id,
        film_id=film.film_id,
        status=told.get("status"),
        state="planned" if view.planned else view.state,
        reused=view.reused,
        saved=view.joined,
        prompt=film_rows.name_of(view),
        provider=film.provider,
        transition=film.transition.value,
        revision=film.revision,
        request_key=film.request_key,
        caller=film.caller,
        cost=dict(told.get("cost", {})),
        file=copy or told.get("file"),
        url=told.get("url"),
        url_expires_at=moment(view.link.expires_at) if view.link else "",
        bytes=whole and whole.bytes,
        sha256=whole and whole.sha256,
        width=told.get("width"),
        height=told.get("height"),
        seconds=told.get("seconds"),
        save_error=film.save_error,
        notes=list(view.notes),
        created_at=moment(film.created_at),
        made_at=moment(film.made_at),
        updated_at=moment(film.updated_at),
        eta_seconds=view.eta_seconds,
        next_check_seconds=view.next_check_seconds,
        shots=[_shot(view, shot) for shot in view.shots],
    )


def _shot(film: FilmView, shot: ShotView) -> Record:
    """A shot that was made is its task; one that was not is what will be bought."""
    from hailuo_mcp.text import number
    from hailuo_mcp.wording.shapes import only_given

    if shot.view is not None and not shot.planned:
        return task_record(shot.view)
    plan = shot.plan
    amount = None if plan.amount is None else number(plan.amount)
    return only_given(
        kind="clip",
        task_id=shot.view.task.task_id if shot.view else "",
        status="planned" if shot.planned else "cancelled",
        prompt=plan.prompt,
        provider=film.film.provider,
        model=plan.model,
        mode=plan.mode.value,
        duration=plan.duration,
        resolution=plan.resolution,
        film_id=film.film.film_id,
        shot=shot.number,
        cost=only_given(amount=amount, unit=film.film.unit.value, charged="no"),
        warnings=list(plan.warnings),
        eta_seconds=shot.eta_seconds,
    )


def record_of(entry: View | FilmView) -> Record:
    from hailuo_mcp.views import FilmView

    return film_record(entry) if isinstance(entry, FilmView) else task_record(entry)


def saved_record(saved: Saved | SavedFilm) -> Record:
    """A task or film, and in `status` what became of its file: saved, saving or not_ready.

    The task's own status is in `task_status`.
    """
    from hailuo_mcp.views import SavedFilm

    if isinstance(saved, SavedFilm):
        told = film_record(saved.view, copy=saved.file)
    else:
        told = task_record(saved.view, copy=saved.file)
        if saved.url and "url" not in told and not saved.file:
            told["url"] = saved.url
    return {**told, "status": saved.status, "task_status": told["status"]}


def list_record(
    listing: Listing,
    entries: Sequence[View | FilmView],
    sums: Sequence[ProviderSums],
    *,
    limit: int,
) -> Record:
    """The listed tasks and films, the account's spending, and what all such tasks cost."""
    from hailuo_mcp.wording import person
    from hailuo_mcp.wording.costs import spending

    return {
        "message": person.list_message(listing, limit=limit, program=words.program()),
        "tasks": [record_of(entry) for entry in entries],
        "spending": {"provider": listing.spending.provider, **spending(listing.spending)},
        "sums": [_sums(one) for one in sums],
    }


def _sums(sums: ProviderSums) -> Record:
    from hailuo_mcp.dialects.providers import provider_notice
    from hailuo_mcp.text import number

    return {
        "provider": sums.provider,
        "unit": sums.unit.value,
        "tasks": sums.tasks,
        "spent": number(sums.spent),
        "reserved": number(sums.reserved),
        "uncertain": number(sums.uncertain),
        "free": bool(provider_notice(sums.provider)),
    }


def error_record(error: HailuoError, *, buys: bool = True) -> Record:
    """Why a command failed: `message`, and `error` with its code and whether money moved.

    `buys`: whether the message says that no money moved.
    """
    from hailuo_mcp.wording import person
    from hailuo_mcp.wording.tasks import error_answer

    message = person.error_text(error, program=words.program(), buys=buys)
    return {"message": message, **error_answer(error)}


def failure_record(message: str) -> Record:
    """The same for a fault of this program, which may have happened at any moment."""
    return {"message": message, "error": {"code": "unexpected", "charged": "maybe", "retry": False}}
