"""A journal's file as one end of a copy."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from hailuo_mcp.errors import Do, InvalidRequestError, JournalError, Step
from hailuo_mcp.files.private import write_once
from hailuo_mcp.journal.facts import SECRET_BYTES
from hailuo_mcp.journal.sql.connection import Connection
from hailuo_mcp.journal.sqlite import check, schema
from hailuo_mcp.journal.sqlite.connection import SqliteConnection
from hailuo_mcp.journal.sqlite.examine import FaultyJournalError, examine
from hailuo_mcp.journal.sqlite.processes import ProcessLocks
from hailuo_mcp.journal.sqlite.store import SqliteStore
from hailuo_mcp.journal.sqlite.unfinished import FILE_NAME

_PATIENCE = 10.0


class FileReader(SqliteConnection):
    def rows(self, query: str) -> Iterator[Sequence[Any]]:
        return iter(self.execute(query))


class FileBook:
    """`path` is the file, or the state folder that contains it."""

    seconds = check.SECONDS

    def __init__(self, path: Path) -> None:
        self.path = path if path.suffix == Path(FILE_NAME).suffix else path / FILE_NAME

    @contextmanager
    def reading(self) -> Generator[FileReader]:
        try:
            found = examine(self.path)
        except FaultyJournalError as flawed:
            raise JournalError(
                f"{self.path} cannot be copied: {flawed.found or flawed.fault.value}.",
                Step(Do.DOCTOR),
            ) from flawed
        if found.version != schema.VERSION:
            raise InvalidRequestError(
                f"There is no journal at {self.path}, or it is of another version.",
                Step(Do.TRY, "list its tasks once with this version"),
            )
        if found.losses:
            raise InvalidRequestError(
                f"{self.path} was damaged and {found.losses.many} may be lost.",
                Step(Do.ACCEPT_LOSSES),
            )
        name = f"{self.path.absolute().as_uri()}?mode=ro"
        with closing(sqlite3.connect(name, uri=True, timeout=_PATIENCE, factory=FileReader)) as db:
            db.execute("BEGIN")
            yield db

    def alive(self) -> list[str]:
        if not self.path.exists():
            return []
        name = f"{self.path.absolute().as_uri()}?mode=ro"
        try:
            with closing(sqlite3.connect(name, uri=True, timeout=_PATIENCE)) as db:
                owners = [owner for (owner,) in db.execute("SELECT owner FROM owners")]
        except sqlite3.Error:
            return []  # reading it says what is wrong
        dead = ProcessLocks(self.path.parent / "processes").dead(owners)
        return [owner for owner in owners if owner not in dead]

    async def fill(self, fill: Callable[[Connection], None]) -> None:
        store = SqliteStore(self.path)
        await store.open()
        try:
            await store.write(fill)
        finally:
            await store.close()

    def secrets(self) -> dict[str, bytes]:
        found = {key.stem: key.read_bytes() for key in self.path.parent.glob("*.key")}
        return {name: value for name, value in found.items() if len(value) == SECRET_BYTES}

    async def keep(self, secrets: Mapping[str, bytes]) -> None:
        for name, value in secrets.items():
            path = self.path.with_name(f"{name}.key")
            path.unlink(missing_ok=True)
            write_once(path, value)
