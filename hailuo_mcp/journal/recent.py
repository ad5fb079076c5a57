"""The newest tasks and films for a shell's Tab key: read without opening the journal, and at once.

Whatever is wrong with the journal, a key that is pressed in a shell is not the place to say so.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import closing, suppress
from pathlib import Path
from typing import Any, NamedTuple

MOST = 200
_PATIENCE = 0.05
"""Seconds to wait for another process's lock."""
_TASKS = (
    "SELECT task_id, status, file, prompt, model, resolution, created_at FROM tasks "
    f"ORDER BY created_at DESC, task_id DESC LIMIT {MOST}"
)
_FILMS = (
    "SELECT film_id, CASE WHEN file = '' THEN 'film' ELSE 'saved film' END, file, shots, '', '', "
    f"created_at FROM films ORDER BY created_at DESC, film_id DESC LIMIT {MOST}"
)
_LONGEST_PROMPT = 60


class Recent(NamedTuple):
    known_as: str
    """The id of a task, or of a film."""
    state: str
    prompt: str
    model: str
    resolution: str
    created_at: float
    is_film: bool


def recent_in_file(journal: Path) -> list[Recent]:
    """Newest first; nothing where the journal is missing, locked, damaged or of another version."""
    import sqlite3

    if not journal.is_file():
        return []
    address = f"{journal.absolute().as_uri()}?mode=ro"
    with (
        suppress(sqlite3.Error),
        closing(sqlite3.connect(address, uri=True, timeout=_PATIENCE)) as db,
    ):
        return _read(db.execute, sqlite3.Error)
    return []


def recent_in_database(url: str) -> list[Recent]:
    """The same of a PostgreSQL database; the caller sees to it that this ends in time."""
    with suppress(ImportError):
        import psycopg

        with suppress(psycopg.Error), psycopg.connect(url, autocommit=True) as db:
            return _read(lambda query: db.execute(query.encode()), psycopg.Error)
    return []


def _read(execute: Callable[[str], Iterable[Any]], failure: type[Exception]) -> list[Recent]:
    found = [_recent(row, is_film=False) for row in execute(_TASKS)]
    with suppress(failure):  # a journal of an early version has no films
        found += [_recent(row, is_film=True) for row in execute(_FILMS)]
    return sorted(found, key=lambda it: it.created_at, reverse=True)


def _recent(row: tuple[Any, ...], *, is_film: bool) -> Recent:
    known_as, state, file, prompt, model, resolution, created_at = row
    if state == "succeeded":
        state = "saved" if file else "unsaved"
    if is_film:
        prompt = ""
    words = " ".join(str(prompt)[: 2 * _LONGEST_PROMPT].split())
    plain = "".join(c if c.isprintable() else " " for c in words)[:_LONGEST_PROMPT]
    return Recent(known_as, state, plain, model, resolution or "", created_at, is_film)
