"""A film as one row of a list of tasks; its shots are rows of their own."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from hailuo_mcp.catalog.prices import price_words
from hailuo_mcp.domain.task import Quote
from hailuo_mcp.wording import film_cases, phrases
from hailuo_mcp.wording.shapes import TaskRow, only_given

if TYPE_CHECKING:
    from hailuo_mcp.views import FilmView

_NAME = 24
"""Characters of the first shot's prompt that tell a film from others."""


def film_row(view: FilmView) -> TaskRow:
    """With the film's own status, whether or not a redo is planned."""
    film = view.film
    return cast(
        "TaskRow",
        only_given(
            task_id=film.film_id,
            status=view.status.value if view.status else "planned",
            prompt=name_of(view, _NAME),
            cost=cost_words(view),
            charged=film_cases.charged(view),
            saved=view.joined,
            eta_seconds=view.eta_seconds,
            created_at=phrases.moment(film.created_at),
        ),
    )


def name_of(view: FilmView, characters: int | None = None) -> str:
    """How a reader recognises it: by its length and its first shot."""
    shots = view.film.shots
    first = shots[0].prompt[:characters] if shots else ""
    return f"film of {len(shots)} shot{'' if len(shots) == 1 else 's'}: {first}"


def cost_words(view: FilmView) -> str:
    """What a film costs, or would cost in the sandbox; "" if unknown."""
    if view.amount is None:
        return ""
    price = price_words(Quote(amount=view.amount, unit=view.film.unit))
    return f"would cost {price}" if view.notice else price


def short_cost(view: FilmView) -> str:
    """The same for a table that a person reads."""
    nothing = film_cases.charged(view) == "no" and not view.planned
    return "nothing" if nothing else cost_words(view) or "unpriced"
