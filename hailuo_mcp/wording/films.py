"""Answers about films."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from hailuo_mcp.text import number
from hailuo_mcp.views import cost_words
from hailuo_mcp.wording import agent, phrases
from hailuo_mcp.wording.film_cases import charged, is_moving, row_price
from hailuo_mcp.wording.shapes import Cost, SavedVideo, ShotRow, Storyboard, only_given

if TYPE_CHECKING:
    from hailuo_mcp.domain.task import Task
    from hailuo_mcp.views import FilmView, SavedFilm, ShotView

PROMPT_CHARACTERS = 60


def storyboard(view: FilmView, *, whole_prompts: bool = False) -> Storyboard:
    """The whole answer, for a plan and for a film that is being made."""
    film, status = view.film, view.status
    most = None if whole_prompts else PROMPT_CHARACTERS
    ready = view.whole
    link = view.link if ready else None
    return cast(
        "Storyboard",
        only_given(
            message=agent.film_text(view),
            film_id=film.film_id,
            status="planned" if view.planned or status is None else status.value,
            reused=view.reused,
            file=film.file if ready and not link else "",
            url=link.url if link else "",
            url_expires_at=phrases.moment(link.expires_at) if link and link.expires_at else "",
            cost=cost_of(view),
            eta_seconds=view.eta_seconds,
            next_check_seconds=view.next_check_seconds,
            seconds=film.seconds if ready else None,
            width=film.width if ready else None,
            height=film.height if ready else None,
            shots=[_row(view, shot, most) for shot in view.shots],
        ),
    )


_MOVES_ON = frozenset({"message", "eta_seconds", "next_check_seconds"})


def facts(view: FilmView) -> object:
    """The content of an answer about this film, without the time: if equal, nothing is new."""
    whole = {key: value for key, value in storyboard(view).items() if key not in _MOVES_ON}
    errors = [shot.view.task.error for shot in view.shots if shot.view]
    return whole, errors, view.notes, view.open_redo


def still(view: FilmView) -> Storyboard:
    """The answer to a poll that finds nothing new: unchanged facts are left out."""
    troubled = any(shot.view and shot.view.task.error for shot in view.shots)
    if view.planned or not is_moving(view) or troubled or view.losses or view.status is None:
        return storyboard(view)
    return cast(
        "Storyboard",
        only_given(
            message=agent.film_unchanged_text(view),
            film_id=view.film.film_id,
            status=view.status.value,
            eta_seconds=view.eta_seconds,
            next_check_seconds=view.next_check_seconds,
        ),
    )


def saved_film(saved: SavedFilm, *, told: bool = False) -> SavedVideo:
    """The answer of a download: the joined film, or how it stands.

    `told`: the reader already knows the film's status, unless it is saved now.
    """
    view, film = saved.view, saved.view.film
    done = saved.status == "saved"
    return cast(
        "SavedVideo",
        only_given(
            message=still(view)["message"] if told and not done else agent.film_text(view),
            film_id=film.film_id,
            status=saved.status,
            file="" if view.link else saved.file,
            url=view.link.url if view.link and done else "",
            bytes=film.bytes if done else None,
            sha256=film.sha256 if done else "",
            width=film.width if done else None,
            height=film.height if done else None,
            seconds=film.seconds if done else None,
        ),
    )


def cost_of(view: FilmView) -> Cost:
    amount = None if view.amount is None else number(view.amount)
    return cast("Cost", only_given(amount=amount, unit=view.film.unit.value, charged=charged(view)))


def _row(view: FilmView, shot: ShotView, most: int | None) -> ShotRow:
    """A shot that is planned with its checked request; one that was made with its task."""
    plan, task = shot.plan, shot.view.task if shot.view else None
    prompt = plan.prompt[:most]
    if shot.planned or task is None:
        return cast(
            "ShotRow",
            only_given(
                shot=shot.number,
                task_id=task.task_id if task else "",
                status="planned" if shot.planned else "cancelled",
                prompt=prompt,
                cost=row_price(view, shot) if shot.planned else "",
                mode=plan.mode.value,
                model=plan.model,
                duration=plan.duration,
                resolution=plan.resolution,
                eta_seconds=shot.eta_seconds,
            ),
        )
    return cast(
        "ShotRow",
        only_given(
            shot=shot.number,
            task_id=task.task_id,
            status=task.status.value,
            prompt=prompt,
            cost=_row_cost(task),
            file="" if shot.view and shot.view.link else task.file,
        ),
    )


def _row_cost(task: Task) -> str:
    return "" if phrases.charged(task) == "no" else cost_words(task)
