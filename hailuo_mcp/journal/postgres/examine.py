"""Reads the journal's database for the doctor and `journal check`, without changing anything."""

from __future__ import annotations

import time
from dataclasses import dataclass
from math import inf

import psycopg

from hailuo_mcp.domain.task import Unit
from hailuo_mcp.journal.facts import UnitSpending
from hailuo_mcp.journal.postgres import faults, schema
from hailuo_mcp.journal.postgres.connection import PostgresConnection, ServerConnection, connect
from hailuo_mcp.journal.postgres.database import check_server, check_sessions
from hailuo_mcp.journal.postgres.session import dead_owners
from hailuo_mcp.journal.sql import film_rows, recount
from hailuo_mcp.journal.sql.contents import Contents, contents_of
from hailuo_mcp.journal.sql.rows import CHECKED, HELD, SEALED, is_sound
from hailuo_mcp.journal.sql.spending import sums


@dataclass(frozen=True, slots=True, kw_only=True)
class Examined:
    server: str
    """Its version."""
    latency: float
    """Seconds that one question takes."""
    clock_offset: float
    """How many seconds its clock is ahead of this computer's."""
    contents: Contents
    dead: frozenset[str]
    """The owners that no longer run."""


def examine(url: str, *, old_before: float = 0.0) -> Examined:
    """What the doctor reports.

    Raises:
        JournalError: the database does not answer, or its format is too new.
        ConfigError: it cannot be used at all.
    """
    try:
        with connect(url) as db:
            check_server(db)
            check_sessions(db, url)
            before, wall = time.monotonic(), time.time()
            (now,) = _row(db, "SELECT extract(epoch FROM clock_timestamp())::float8")
            latency = time.monotonic() - before
            version = schema.version(db)
            schema.refuse_newer(db)
            contents = Contents(version=0, counts={})
            if version:
                contents = contents_of(
                    PostgresConnection(db),
                    version,
                    old_before,
                    keeps_films=version >= schema.KEEPS_FILMS,
                )
            return Examined(
                server=str(db.info.parameter_status("server_version")).split(" ")[0],
                latency=latency,
                clock_offset=now - wall - latency / 2,
                contents=contents,
                dead=frozenset(dead_owners(db, [owner.name for owner in contents.owners])),
            )
    except psycopg.Error as exc:
        raise faults.journal_error(exc, url) from exc


def spent_in_other_units(
    url: str, account: str, unit: Unit, *, since: float
) -> tuple[UnitSpending, ...]:
    """What an account spent under plans of other units; nothing if that cannot be read."""
    try:
        with connect(url) as db:
            return sums(PostgresConnection(db), account, unit, since).others
    except psycopg.Error:
        return ()


def check(url: str) -> tuple[int, str]:
    """Compare each row with its checksum and the totals with the rows.

    Returns how many tasks there are and what is wrong, empty for nothing.

    Raises:
        JournalError: the database cannot be read, or its format is too new.
    """
    try:
        with connect(url) as db:
            check_server(db)
            if not schema.version(db):
                return 0, ""
            schema.refuse_newer(db)
            db.answers_within = inf
            with db.transaction():
                db.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
                db.execute("SET LOCAL statement_timeout = 0")
                return _check(db)
    except psycopg.Error as exc:
        raise faults.journal_error(exc, url) from exc


def _check(db: ServerConnection) -> tuple[int, str]:
    account, unit, counted = (SEALED.index(name) for name in ("account", "unit", "counted"))
    found = dict[tuple[str, str], tuple[int, int]]()
    tasks = 0
    with db.cursor(name="rows") as rows:  # a few at a time
        for *sealed, status, money, warnings, seal in rows.execute(CHECKED.encode()):
            if not is_sound(sealed, status, money, warnings, seal):
                return tasks, "a row of the tasks table is damaged"
            tasks += 1
            count, sum_ = found.get((sealed[account], sealed[unit]), (0, 0))
            held = sealed[counted] if money in HELD else 0
            found[sealed[account], sealed[unit]] = count + 1, sum_ + held
    query = "SELECT account, unit, tasks, counted FROM totals WHERE tasks > 0"
    totals = {(of, unit): (count, sum_) for of, unit, count, sum_ in db.execute(query)}
    if totals != found:
        return tasks, "rows of the tasks table are missing"
    if recount.differs(PostgresConnection(db), seconds="floor(created_at)::bigint"):
        return tasks, "the running totals differ from the rows"
    if schema.version(db) >= schema.KEEPS_FILMS:
        with db.cursor(name="films") as rows:
            if not all(map(film_rows.is_sound, rows.execute(film_rows.CHECKED.encode()))):
                return tasks, "a row of the films table is damaged"
    return tasks, ""


def _row(db: ServerConnection, query: str) -> tuple[float, ...]:
    found = db.execute(query.encode()).fetchone()
    return tuple(found or ())
