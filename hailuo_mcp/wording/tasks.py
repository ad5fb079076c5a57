"""Answers about tasks, lists of tasks, saved clips and errors."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from hailuo_mcp.catalog.video_templates import REGIONS, find_template
from hailuo_mcp.domain.requests import Mode
from hailuo_mcp.domain.task import UNFINISHED, Money, Task
from hailuo_mcp.errors import HailuoError
from hailuo_mcp.text import number
from hailuo_mcp.views import cost_words
from hailuo_mcp.wording import agent, phrases
from hailuo_mcp.wording.costs import spending
from hailuo_mcp.wording.shapes import (
    Cost,
    ErrorAnswer,
    ErrorFacts,
    SavedVideo,
    TaskList,
    TaskRow,
    VideoTask,
    only_given,
)

if TYPE_CHECKING:
    from hailuo_mcp.views import Listing, Saved, View

PROMPT_CHARACTERS = 60
_ROW_CHARACTERS = 24


def video_task(view: View) -> VideoTask:
    task = view.task
    url, expires_at = task.url, task.url_expires_at
    if task.saved or (expires_at and expires_at <= view.now):
        url = ""
    if view.link:
        url, expires_at = view.link.url, view.link.expires_at
    return cast(
        "VideoTask",
        only_given(
            message=agent.task_text(view),
            task_id=task.task_id,
            status=task.status.value,
            reused=view.reused,
            file="" if view.link else task.file,
            url=url,
            url_expires_at=phrases.moment(expires_at) if url and expires_at else "",
            cost=cost_of(task),
            eta_seconds=view.eta_seconds,
            next_check_seconds=view.next_check_seconds,
            elapsed_seconds=elapsed_seconds(view),
            error_code=task.error_code,
            prompt=task.prompt[:PROMPT_CHARACTERS],
            provider=task.provider,
            model=task.model,
            mode=task.known_mode or "",
            duration=task.duration,
            resolution=task.resolution,
            width=task.width,
            height=task.height,
            remote_id=task.remote_id,
            remote_status=task.remote_status,
            created_at=phrases.moment(task.created_at),
        ),
    )


def elapsed_seconds(view: View) -> int:
    """From its record to its end, or to now."""
    task = view.task
    ended = task.finished_at or (task.updated_at if task.status.is_final else view.now)
    return max(0, round(ended - task.created_at))


_MOVES_ON = frozenset(
    {"message", "eta_seconds", "next_check_seconds", "elapsed_seconds", "remote_status"}
)


def facts(view: View) -> object:
    """The content of an answer about this task, without the time: if equal, nothing is new."""
    whole = {key: value for key, value in video_task(view).items() if key not in _MOVES_ON}
    return whole, view.task.error, view.notes


def still(view: View) -> VideoTask:
    """The answer to a poll that finds nothing new: unchanged facts are left out."""
    if view.task.status not in UNFINISHED or view.task.error or view.losses:
        return video_task(view)
    return cast(
        "VideoTask",
        only_given(
            message=agent.unchanged_text(view),
            task_id=view.task.task_id,
            status=view.task.status.value,
            eta_seconds=view.eta_seconds,
            next_check_seconds=view.next_check_seconds,
        ),
    )


def cost_of(task: Task) -> Cost:
    if task.money is Money.UNKNOWN:
        return {}
    amount = None if task.amount is None else number(task.amount)
    return cast(
        "Cost", only_given(amount=amount, unit=task.unit.value, charged=phrases.charged(task))
    )


def task_list(listing: Listing, *, limit: int = 0) -> TaskList:
    """The rows and their summary; if there are `limit` rows, there may be more."""
    return {
        "message": agent.list_text(listing, limit=limit),
        "tasks": _rows(listing),
        "spending": spending(listing.spending),
    }


def list_facts(listing: Listing) -> object:
    """The content of a list, without the time."""
    return [{**row, "eta_seconds": 0} for row in _rows(listing)], listing.spending


def still_listed(listing: Listing) -> TaskList | None:
    """The answer to a wait in which nothing has ended; None if there is more to say."""
    unfinished = listing.under_way
    errors = [view.task.error for view in listing.rows if not view.settled]
    if not unfinished or listing.losses or any(errors):
        return None
    return {"message": agent.list_unchanged_text(listing)}


def _rows(listing: Listing) -> list[TaskRow]:
    if not listing.films:
        return [_row(view) for view in listing.rows]
    from hailuo_mcp.views import FilmView
    from hailuo_mcp.wording.film_rows import film_row

    return [film_row(it) if isinstance(it, FilmView) else _row(it) for it in listing.entries]


def _row(view: View) -> TaskRow:
    task = view.task
    return cast(
        "TaskRow",
        only_given(
            task_id=task.task_id,
            status=task.status.value,
            film_id=task.film_id,
            shot=task.shot,
            prompt=_named(task),
            cost=cost_words(task),
            quoted=phrases.amount(task.quoted, task.unit) if task.quoted is not None else "",
            charged=phrases.charged(task),
            saved=task.saved,
            error_code=task.error_code,
            eta_seconds=view.eta_seconds,
            created_at=phrases.moment(task.created_at),
        ),
    )


def _named(task: Task) -> str:
    """How a reader recognises the clip: its prompt or its template."""
    if task.mode is not Mode.TEMPLATE:
        return task.prompt[:_ROW_CHARACTERS]
    return template_title(task)


def template_title(task: Task) -> str:
    """The name of the template that a clip is made from."""
    template_id = task.model.removeprefix("template ")
    found = (find_template(template_id, region) for region in REGIONS)
    return next((template.title for template in found if template), task.model)


def saved_video(saved: Saved, *, told: bool = False) -> SavedVideo:
    """`told`: the reader already knows the task's status, unless it is saved now."""
    view, task, link = saved.view, saved.view.task, saved.view.link
    known = told and saved.status != "saved"
    return cast(
        "SavedVideo",
        only_given(
            message=still(view)["message"] if known else agent.task_text(view),
            task_id=task.task_id,
            status=saved.status,
            file="" if link else saved.file,
            url=link.url if link else ("" if saved.file else saved.url),
            bytes=saved.bytes,
            sha256=saved.sha256,
            width=saved.width,
            height=saved.height,
            seconds=saved.seconds,
        ),
    )


def error_answer(error: HailuoError) -> ErrorAnswer:
    facts: ErrorFacts = {"code": error.code, "charged": error.charged}
    if error.task_id:
        facts["task_id"] = error.task_id
    facts["retry"] = error.retry
    return {"error": facts}
