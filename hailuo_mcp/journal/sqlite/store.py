"""The store in one SQLite file, for the processes of one computer."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from pathlib import Path

import anyio
from anyio.to_thread import run_sync

from hailuo_mcp.errors import JournalError
from hailuo_mcp.journal.sql import leases
from hailuo_mcp.journal.sql.store import SqlStore
from hailuo_mcp.journal.sqlite import losses
from hailuo_mcp.journal.sqlite.connection import SqliteConnection
from hailuo_mcp.journal.sqlite.database import Database
from hailuo_mcp.journal.sqlite.processes import ProcessLocks
from hailuo_mcp.journal.sqlite.secret_file import secret_in

LOOK_SECONDS = 0.25
"""How often to look for other processes' writes while a call waits."""


class SqliteStore(Database, SqlStore):
    """See journal.store.Store for what each method promises."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self._processes = ProcessLocks(path.parent / "processes")

    def clock(self) -> float:
        return time.time()

    async def register(
        self, owner: str, *, account: str, provider: str, base_url: str, pid: int, now: float
    ) -> None:
        await run_sync(self._processes.hold, owner)
        facts = {"account": account, "provider": provider, "base_url": base_url}

        def step(db: SqliteConnection) -> None:
            leases.register(db, owner, **facts, pid=pid, now=now)

        self.on_reopen[owner] = step
        await self.write(step)

    async def unregister(self, owner: str) -> None:
        self.on_reopen.pop(owner, None)
        try:
            await self.write(lambda db: leases.release(db, [owner]))
        finally:
            self._processes.release(owner)

    async def dead(self, owners: Iterable[str]) -> list[str]:
        return self._processes.dead(owners)

    async def close(self, owner: str = "") -> None:
        await super().close(owner)
        self._processes.release(owner)

    async def ping(self) -> None:
        await self._data_version()

    async def watch(self, announce: Callable[[str], None], wanted: Callable[[], bool]) -> None:
        """The file says that another process has written, but not what."""
        last = -1
        while True:
            await anyio.sleep(LOOK_SECONDS)
            if not wanted():
                continue
            try:
                version = await self._data_version()
            except JournalError:
                continue  # a waiting call also reads the journal now and then
            if version != last:
                last = version
                announce("")

    async def secret(self, name: str) -> bytes:
        return await run_sync(secret_in, self.path.with_name(f"{name}.key"))

    async def accept_losses(self, *, now: float) -> None:
        """A person accepts what damage has lost, and purchases go on."""
        await self.write(lambda db: losses.accept(db, now=now))

    async def _data_version(self) -> int:
        return await self.read(lambda db: int(db.execute("PRAGMA data_version").fetchone()[0]))
