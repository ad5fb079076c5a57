"""Plans of films, and what joins their tasks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal

from hailuo_mcp.domain import Film, Task
from hailuo_mcp.journal.sql.connection import Connection
from hailuo_mcp.journal.store import FilmKeyTaken, FilmRecorded, Limits, Losses, OverBudget


def plan_film(db: Connection, draft: Film, *, now: float) -> FilmRecorded | FilmKeyTaken:
    raise NotImplementedError


def find_existing_film(
    db: Connection, draft: Film, *, now: float
) -> FilmRecorded | FilmKeyTaken | None:
    raise NotImplementedError


def find_film(db: Connection, film_id: str, *, caller: str = "") -> Film | None:
    raise NotImplementedError


def make_film(
    db: Connection,
    film: Film,
    drafts: Sequence[tuple[Task, Decimal]],
    limits: Limits,
    *,
    now: float,
) -> FilmRecorded | OverBudget | Losses | None:
    raise NotImplementedError


def change_film(
    db: Connection,
    film_id: str,
    values: Mapping[str, object],
    *,
    now: float,
    revision: int | None = None,
    held_by: str | None = None,
) -> Film | None:
    raise NotImplementedError


def film_tasks(db: Connection, film_id: str) -> list[Task]:
    raise NotImplementedError


def newest_films(db: Connection, *, caller: str | None = None, limit: int = 20) -> list[Film]:
    raise NotImplementedError
