"""Plans of films, and what joins their tasks.

A trigger makes a film due when one of its shots has moved.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any

from hailuo_mcp.domain.film import Film
from hailuo_mcp.domain.task import UNFINISHED, Status, Task
from hailuo_mcp.journal.facts import (
    EVERYTHING,
    LONGEST_DELAY,
    PLAN_SECONDS,
    REUSE_SECONDS,
    REUSE_UNCONFIRMED_SECONDS,
    FilmKeyTaken,
    FilmRecorded,
    Filter,
    Limits,
    Losses,
    OverBudget,
)
from hailuo_mcp.journal.sql import film_rows
from hailuo_mcp.journal.sql.connection import Connection
from hailuo_mcp.journal.sql.film_rows import FILMS
from hailuo_mcp.journal.sql.purchases import over_budget
from hailuo_mcp.journal.sql.rows import INSERT, find_tasks, micro, row_of, seal_of, text_of
from hailuo_mcp.journal.sql.tasks import beginning, containing, matching

_KEPT = 7 * PLAN_SECONDS
"""Until then, whoever wants to make a plan hears that it is too old."""
_APART = 1e-6
"""Seconds between the dates of a film's tasks: they are sent and listed in their order."""
_ALL = 1_000_000_000
_CAN_BE_MADE = "made_at IS NULL AND cancelled = 0 AND created_at > ?"
_STANDS = (
    f"(({_CAN_BE_MADE}) OR EXISTS (SELECT 1 FROM tasks WHERE tasks.film_id = films.film_id"
    " AND tasks.film_id != '' AND tasks.status NOT IN ('failed', 'cancelled')))"
)
"""It can be made, or something of it was bought or may be."""


def plan_film(db: Connection, draft: Film, *, now: float) -> FilmRecorded | FilmKeyTaken:
    db.lock_account(draft.account)
    if before := find_existing_film(db, draft, now=now):
        return before
    db.execute("DELETE FROM films WHERE made_at IS NULL AND created_at <= ?", (now - _KEPT,))
    film = replace(draft, created_at=now, updated_at=now)
    db.execute(film_rows.INSERT, tuple(film_rows.row_of(film).values()))
    return FilmRecorded(film=film)


def find_existing_film(
    db: Connection, draft: Film, *, now: float
) -> FilmRecorded | FilmKeyTaken | None:
    newest, oldest = f"AND {_STANDS} ORDER BY created_at DESC", now - PLAN_SECONDS
    if draft.request_key:
        named = FILMS.first(
            db,
            f"WHERE account = ? AND caller = ? AND request_key = ? AND request_key != '' {newest}",
            *(draft.account, draft.caller, draft.request_key, oldest),
        )
        if named:
            same = named.identity == draft.identity
            return FilmRecorded(film=named, reused=True) if same else FilmKeyTaken(film=named)
    found = FILMS.first(
        db, f"WHERE account = ? AND identity = ? {newest}", draft.account, draft.identity, oldest
    )
    if found is None or not _is_recent(db, found, now):
        return None
    return FilmRecorded(film=found, reused=True)


def _is_recent(db: Connection, film: Film, now: float) -> bool:
    """Whether the same request is this film: a plan, unfinished, or made lately."""
    if film.made_at is None or film.due_at:
        return True
    query = "SELECT DISTINCT status FROM tasks WHERE film_id = ? AND film_id != ''"
    found = {Status(status) for (status,) in db.execute(query, (film.film_id,)).fetchall()}
    if not UNFINISHED.isdisjoint(found):
        return True
    kept = REUSE_UNCONFIRMED_SECONDS if Status.UNCONFIRMED in found else REUSE_SECONDS
    return now - film.made_at < kept


def find_film(db: Connection, film_id: str, *, caller: str = "") -> Film | None:
    return FILMS.first(db, "WHERE film_id = ? AND ? IN ('', caller)", film_id, caller)


def make_film(
    db: Connection,
    film: Film,
    drafts: Sequence[tuple[Task, Decimal]],
    limits: Limits,
    *,
    now: float,
) -> FilmRecorded | OverBudget | Losses | None:
    db.lock_account(film.account)
    there = _locked(db, film.film_id)
    if there is None or (there.revision, there.redo) != (film.revision, film.redo):
        return None
    if there.made_at is None and there.cancelled:
        return None
    if lost := db.losses():
        return lost
    if over := over_budget(db, there, sum(micro(amount) for _, amount in drafts), limits):
        return over
    changes: dict[str, object] = {
        "updated_at": now,
        "made_at": now,
        "revision": there.revision + 1,
        "redo": (),
        "redone": there.redo,
        "due_at": now,  # a shot may follow one that was saved long ago
        "tries": 0,
        "save_error": "",
        "cancelled": False,
    }
    made = _write(db, there, changes, moved=bool(there.owner))
    tasks = [
        replace(
            draft,
            film_id=made.film_id,
            take=made.revision,
            status=Status.PENDING,
            # They count in the period in which they are recorded, not drafted.
            created_at=now + place * _APART,
            updated_at=now,
            due_at=0.0 if draft.after else now,
        )
        for place, (draft, _) in enumerate(drafts)
    ]
    rows = [row_of(task, amount) for task, (_, amount) in zip(tasks, drafts, strict=True)]
    db.executemany(INSERT, rows)
    return FilmRecorded(film=made, tasks=tuple(tasks))


def change_film(
    db: Connection,
    film_id: str,
    values: Mapping[str, object],
    *,
    now: float,
    revision: int | None = None,
    held_by: str | None = None,
) -> Film | None:
    film = _locked(db, film_id)
    if (
        film is None
        or (revision is not None and film.revision != revision)
        or (held_by is not None and film.owner != held_by)
    ):
        return None
    new: dict[str, Any] = {**values, "updated_at": now}
    if "due_at" not in new:
        return _write(db, film, new)
    new["due_at"] = min(float(new["due_at"]), now + LONGEST_DELAY)
    if held_by is None:
        return _write(db, film, new, moved=bool(film.owner))
    (moved,) = db.execute("SELECT moved FROM films WHERE film_id = ?", (film_id,)).fetchone()
    return _write(db, film, {**new, "due_at": now} if moved else new, moved=False)


def _locked(db: Connection, film_id: str) -> Film | None:
    found = FILMS.find(db, f"WHERE film_id = ?{db.for_update}", film_id)
    return found[0] if found else None


def _write(
    db: Connection, film: Film, values: Mapping[str, Any], *, moved: bool | None = None
) -> Film:
    """`moved`: whether it stays due even if the process that works on it has not seen why."""
    changed = replace(film, **values)
    new = {**values} if moved is None else {**values, "moved": moved}
    db.execute(
        f"UPDATE films SET {', '.join(f'{name} = ?' for name in new)} WHERE film_id = ?",
        (*map(text_of, new.values()), film.film_id),
    )
    sealed = db.execute(
        f"SELECT {', '.join(film_rows.SEALED)} FROM films WHERE film_id = ?", (film.film_id,)
    ).fetchone()
    seal = seal_of(sealed, film_rows.SEALED)
    db.execute("UPDATE films SET seal = ? WHERE film_id = ?", (seal, film.film_id))
    return changed


def film_tasks(db: Connection, film_id: str) -> list[Task]:
    return find_tasks(db, "WHERE film_id = ? AND film_id != '' ORDER BY shot, take", film_id)


def newest_films(
    db: Connection,
    *,
    caller: str | None = None,
    only: Filter = EVERYTHING,
    limit: int = 20,
    now: float = 0.0,
) -> list[Film]:
    more, given = matching(only, at="COALESCE(made_at, created_at)")
    for condition, values in (
        beginning("film_id", only.begins),
        containing("shots", json.dumps(only.search, ensure_ascii=False)[1:-1]),
        ("", []) if caller is None else (" AND caller = ?", [caller]),
    ):
        more += condition
        given += values
    # What is found in the record of the shots may be no prompt, so the first ones do not suffice.
    most = _ALL if only.search else limit
    order = "ORDER BY created_at DESC, film_id DESC"
    each = [  # by an index for each: one query for both reads all plans
        f"SELECT film_id FROM (SELECT film_id FROM films WHERE {which}{more} {order} LIMIT ?)"
        " AS found"
        for which in ("made_at IS NOT NULL", _CAN_BE_MADE)
    ]
    found = FILMS.find(
        db,
        f"WHERE film_id IN ({' UNION ALL '.join(each)}) {order} LIMIT ?",
        *(*given, most, now - PLAN_SECONDS, *given, most, most),
    )
    text = only.search.lower()
    named = [film for film in found if any(text in shot.prompt.lower() for shot in film.shots)]
    return (named if only.search else found)[:limit]
