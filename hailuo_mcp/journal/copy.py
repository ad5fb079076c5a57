"""Copies an account book from a file to a database and back: every task, sum, slot and secret."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Protocol

from hailuo_mcp.errors import Do, InvalidRequestError, JournalError, Step
from hailuo_mcp.journal import require_postgres
from hailuo_mcp.journal.sql import recount
from hailuo_mcp.journal.sql.connection import Connection, Statements
from hailuo_mcp.journal.sql.rows import from_micro, marks
from hailuo_mcp.text import expanded

TABLES = ("accounts", "tasks", "films", "slots", "tenant_slots", "codes", "approvals")
"""What is copied. Processes stay where they are, and triggers sum up the tasks again."""
BATCH = 500
"""Rows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sum:
    """The tasks of an account whose money has one state."""

    account: str
    unit: str
    money: str
    tasks: int
    amount: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Copied:
    """What was copied, compared in the target before it was committed."""

    rows: Mapping[str, int]
    """By table."""
    sums: Sequence[Sum]
    secrets: int


class Reader(Statements, Protocol):
    def rows(self, query: str) -> Iterator[Sequence[Any]]:
        """All rows of a table, without having them all in memory."""
        ...


class Book(Protocol):
    """One end: a journal's file or a database."""

    @property
    def seconds(self) -> str:
        """How it cuts `created_at` to whole seconds."""
        ...

    def reading(self) -> AbstractContextManager[Reader]:
        """A snapshot, in the format of this version."""
        ...

    def alive(self) -> list[str]:
        """The processes that work with it."""
        ...

    async def fill(self, fill: Callable[[Connection], None]) -> None:
        """One transaction, in which nobody else writes."""
        ...

    def secrets(self) -> dict[str, bytes]: ...

    async def keep(self, secrets: Mapping[str, bytes]) -> None: ...


def book(end: str) -> Book:
    """The journal that a person named: a database's URL, a state folder or a journal's file."""
    if end.startswith(("postgresql://", "postgres://")):
        require_postgres()
        from hailuo_mcp.journal.postgres.book import DatabaseBook

        return DatabaseBook(end)
    from hailuo_mcp.journal.sqlite.book import FileBook

    return FileBook(expanded(end))


async def copy(source: Book, target: Book) -> Copied:
    """Fill an empty journal with what another one contains.

    Raises:
        InvalidRequestError: one of them is in use, or the target is not empty.
        JournalError: one of them cannot be used, or the sums differ; the target is as before.
    """
    refuse_if_in_use(source, "source")
    refuse_if_in_use(target, "target")
    with source.reading():
        pass  # a source that cannot be read leaves no empty target behind
    copied: list[Copied] = []

    def fill(db: Connection) -> None:
        with source.reading() as reader:
            if _one(reader, "SELECT COUNT(*) FROM tasks WHERE status = 'submitting'"):
                raise InvalidRequestError(
                    "The source has tasks whose request may be on its way to the provider.",
                    Step(Do.TRY, "list its tasks once, which settles what became of them"),
                )
            if _count(db, "tasks") or _count(db, "films"):
                raise InvalidRequestError(
                    "The target is not empty.",
                    Step(Do.TRY, "choose an empty database, or another folder"),
                )
            rows = {table: _copy_table(reader, db, table) for table in TABLES}
            sums = sums_of(reader)
            if (
                _seals(reader) != _seals(db)
                or sums != sums_of(db)
                or rows != {table: _count(db, table) for table in TABLES}
            ):
                raise _differs()
        if recount.differs(db, seconds=target.seconds):
            raise _differs()
        refuse_if_in_use(source, "source")
        copied.append(Copied(rows=rows, sums=sums, secrets=0))

    await target.fill(fill)
    secrets = source.secrets()
    await target.keep(secrets)
    found = copied[-1]
    return Copied(rows=found.rows, sums=found.sums, secrets=len(secrets))


def refuse_if_in_use(one: Book, which: str) -> None:
    if alive := one.alive():
        many = "a process works" if len(alive) == 1 else f"{len(alive)} processes work"
        raise InvalidRequestError(
            f"The {which} is in use: {many} with it, and what it buys meanwhile would be missing.",
            Step(Do.ARRANGE, "stop every hailuo-mcp that uses it"),
        )


def sums_of(db: Statements) -> list[Sum]:
    rows = db.execute(
        "SELECT account, unit, money, COUNT(*), SUM(counted) FROM tasks"
        " GROUP BY account, unit, money"
    ).fetchall()
    return [
        Sum(account=account, unit=unit, money=money, tasks=tasks, amount=from_micro(counted))
        for account, unit, money, tasks, counted in sorted(rows)
    ]


def _copy_table(reader: Reader, db: Connection, table: str) -> int:
    columns = [name for name, *_ in reader.execute(f"SELECT * FROM {table} LIMIT 0").description]
    names = ", ".join(columns)
    db.execute(f"DELETE FROM {table}")
    insert = f"INSERT INTO {table} ({names}) VALUES ({marks(columns)})"
    batch, copied = list[Sequence[Any]](), 0
    for row in reader.rows(f"SELECT {names} FROM {table}"):
        batch.append(row)
        copied += 1
        if len(batch) == BATCH:
            db.executemany(insert, batch)
            batch.clear()
    db.executemany(insert, batch)
    return copied


def _seals(db: Statements) -> list[Sequence[Any]]:
    """Of the films, whose content the sums do not cover."""
    return sorted(db.execute("SELECT film_id, seal FROM films").fetchall())


def _count(db: Statements, table: str) -> int:
    return _one(db, f"SELECT COUNT(*) FROM {table}")


def _one(db: Statements, query: str) -> int:
    return int(db.execute(query).fetchone()[0])


def _differs() -> JournalError:
    return JournalError(
        "The copy differs from the source, so nothing was kept of it: the source was written "
        "meanwhile, or is damaged.",
        Step(Do.ARRANGE, "check the source, stop what uses it, then copy again"),
    )
