"""Films in every state."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any

from hailuo_mcp.domain.film import Film, Shot
from hailuo_mcp.domain.requests import Mode
from hailuo_mcp.domain.task import Money, Status, Unit
from hailuo_mcp.views import FilmView, ShotView, View

from .fakes import NOW, a_view, saved_view

FILM_ID = "f1m7xvxxygfnrk2e"
PROMPTS = (
    "A paper boat is folded by small hands [Push in]",
    "The boat drifts down a rainy street",
    "It slides under a bridge and into the dark",
    "A cat watches it pass",
    "The boat reaches the sea at dawn [Pull out]",
)


def a_film(**values: Any) -> Film:
    facts: dict[str, Any] = {
        "film_id": FILM_ID,
        "account": "a",
        "provider": "minimax-cn",
        "caller": "",
        "created_at": NOW - 60,
        "updated_at": NOW,
        "identity": "i",
        "shots": tuple(_plan(number) for number in range(1, 6)),
        "made_at": NOW - 50,
        "revision": 1,
    }
    return Film(**(facts | values))


def _plan(number: int, **values: Any) -> Shot:
    facts: dict[str, Any] = {
        "mode": Mode.T2V if number == 1 else Mode.I2V,
        "model": "MiniMax-Hailuo-2.3",
        "prompt": PROMPTS[number - 1],
        "request": "{}",
        "duration": 6,
        "resolution": "768P",
        "amount": Decimal(2),
        "continues": number > 1,
    }
    return Shot(**(facts | values))


def shot_id(number: int) -> str:
    return f"v1m7xvxxygfnrk2{number}"


def a_planned_film(*, redo: tuple[int, ...] = (), **values: Any) -> FilmView:
    """A plan of five shots; with `redo`, a whole film of which some are to be made again."""
    if redo:
        facts = {"redo": redo, "amount": Decimal(2 * len(redo)), **_joined()}
    else:
        facts = {"made_at": None, "revision": 0, "amount": Decimal(10)}
    return a_film_view({}, **(facts | values))


def a_joined_film(**values: Any) -> FilmView:
    return a_film_view(**(_joined() | values))


def _joined() -> dict[str, Any]:
    return {
        "file": f"/home/kim/Videos/Hailuo/2026-11-21_A-paper-boat_{FILM_ID}.mp4",
        "bytes": 5_000_000,
        "sha256": "fa" * 32,
        "width": 1366,
        "height": 768,
        "seconds": 30.0,
    }


def a_film_view(shots: Mapping[int, View] | None = None, **values: Any) -> FilmView:
    """A film of five chained shots: all saved, but for those given; none recorded if `shots` is {}.

    `values` are fields of the film or of its view; `plans`: whether a redo is what it is about.
    """
    plans = values.pop("plans", True)
    of_view = {
        name: values.pop(name)
        for name in list(values)
        if name in FilmView.__dataclass_fields__ and name != "film"
    }
    film = a_film(**values)
    recorded = film.made_at is not None
    plan = (film.redo if plans else ()) if recorded else range(1, len(film.shots) + 1)
    rows = tuple(
        ShotView(
            number=number,
            plan=shot,
            view=_of_film(film, number, (shots or {}).get(number) or saved_view())
            if recorded
            else None,
            planned=number in plan and not film.cancelled,
        )
        for number, shot in enumerate(film.shots, 1)
    )
    spent = sum(
        (
            row.view.task.amount
            for row in rows
            if row.view and row.view.task.amount and row.view.task.money is not Money.RELEASED
        ),
        Decimal(0),
    )
    charged = sum(
        (
            row.view.task.amount or Decimal(0)
            for row in rows
            if row.view and row.view.task.money is Money.SPENT
        ),
        Decimal(0),
    )
    moving = any(row.view and not row.view.settled for row in rows)
    facts: dict[str, Any] = {
        "amount": spent,
        "spent": charged,
        "eta_seconds": 400 if moving else None,
        "next_check_seconds": 60 if moving else None,
    }
    return FilmView(film=film, now=NOW, shots=rows, **(facts | of_view))


def _of_film(film: Film, number: int, view: View) -> View:
    """A view of a task, as that of the film's shot."""
    file = view.task.file.replace("v1m7xvxxygfnrk2e", shot_id(number))
    task = replace(
        view.task,
        task_id=shot_id(number),
        provider=film.provider,
        film_id=film.film_id,
        shot=number,
        after=shot_id(number - 1) if film.shots[number - 1].continues else "",
        prompt=film.shots[number - 1].prompt,
        unit=film.unit,
        file=file,
    )
    return replace(view, task=task)


def waiting_view() -> View:
    """A shot that waits for the one before."""
    return a_view(status=Status.PENDING, due_at=0, remote_id="")


def cancelled_view(why: str = "") -> View:
    return a_view(status=Status.CANCELLED, money=Money.RELEASED, error=why, remote_id="")


def in_credits(view: FilmView) -> FilmView:
    return replace(view, film=replace(view.film, unit=Unit.CREDITS))
