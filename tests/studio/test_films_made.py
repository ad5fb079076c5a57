"""A film from the plan to its file, whatever is called in between, and whoever dies."""

import random
from typing import Any

import pytest
from until import until

from hailuo_mcp.domain.film import Continuity, FilmRequest
from hailuo_mcp.domain.task import Status
from hailuo_mcp.views import FilmView, Terms

pytestmark = pytest.mark.anyio
FILM = FilmRequest(
    shots=("a paper boat is folded", "the boat drifts", "the boat reaches the sea"),
    continuity=Continuity.LAST_FRAME,
)


async def test_any_call_at_any_time_buys_each_shot_once(opened: Any, sandbox: Any) -> None:
    chance, film_id, calls = random.Random(14), "", 0

    async def call(studio: Any) -> FilmView:
        by_id = FilmRequest(film_id=film_id)
        wanted = chance.choice([FILM, by_id]) if film_id else FILM
        use = chance.choice([studio.plan_film, studio.make_film])
        view: FilmView = await use(wanted, Terms())
        return view

    view: FilmView | None = None
    while view is None or not view.joined:
        assert calls < 200
        async with opened(auto_download="false", budget="7") as studio:  # and all dies again
            for _ in range(chance.randrange(1, 6)):
                view, calls = await call(studio), calls + 1
                assert film_id in ("", view.film.film_id)
                film_id = view.film.film_id
                if view.film.made_at is not None:
                    view = await studio.query_film(view.film, wait_seconds=chance.random())
    assert sandbox.received == sandbox.accepted == 3
    tasks = [shot.view.task for shot in view.shots if shot.view]
    assert [(task.status, task.take, task.attempt) for task in tasks] == [
        (Status.SUCCEEDED, 1, 1)
    ] * 3
    assert 17 < (view.film.seconds or 0) < 19


async def test_a_failed_shot_stops_what_follows_and_a_redo_makes_only_that(
    opened: Any, sandbox: Any
) -> None:
    failing = FilmRequest(
        shots=("a boat", "[sandbox:1026] a boat", "the sea"), continuity=Continuity.LAST_FRAME
    )
    async with opened() as studio:
        view = await studio.make_film(failing, Terms(), wait_seconds=20)
        states = [shot.view.task.status for shot in view.shots if shot.view]
        assert states == [Status.SUCCEEDED, Status.FAILED, Status.CANCELLED]
        assert (view.status, view.amount, sandbox.accepted) == (Status.FAILED, 2, 1)
        spending = await studio.spending()
        assert (spending.spent, spending.reserved) == (2, 0)
        redo = FilmRequest(film_id=view.film.film_id, redo=(2,))
        again = await studio.make_film(redo, Terms())

        async def ended() -> FilmView | None:
            found: FilmView = await studio.query_film(again.film, wait_seconds=1)
            return found if found.settled else None

        view = await until(ended)
        assert view is not None
        assert view.status is Status.FAILED
        assert (await studio.spending()).spent == 2
