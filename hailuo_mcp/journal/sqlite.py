"""The journal in one SQLite file, driven from one thread; several processes share the file."""

from __future__ import annotations

import asyncio
import logging
import sqlite3
from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from decimal import Decimal
from pathlib import Path
from typing import Concatenate, ParamSpec, TypeVar

from anyio import CancelScope

from hailuo_mcp.domain import Status, Task, Unit
from hailuo_mcp.errors import JournalError
from hailuo_mcp.journal import change, consent, leases, purchase, reads, rescue, schema
from hailuo_mcp.journal.trouble import trouble

P = ParamSpec("P")
T = TypeVar("T")

NAME = "journal.sqlite3"
BUSY_SECONDS = 10.0
_log = logging.getLogger(__name__)


class SqliteJournal:
    """One function is one transaction; a caller that is cancelled does not cut it in half."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="journal")
        self._db: sqlite3.Connection | None = None
        self.set_aside: Path | None = None
        """Where a journal that could not be read was kept, if that happened on opening."""

    async def open(self) -> None:
        await self._in_thread(self._open)

    def _open(self) -> None:
        from filelock import FileLock, Timeout

        # One process at a time: SQLite changes to WAL without waiting for its busy timeout, and
        # of two that find the file broken, the second must not put the first one's new one aside.
        door = FileLock(self.path.with_name(self.path.name + ".opening"), timeout=BUSY_SECONDS)
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with door:
                self._db = self._connect_anew()
        except Timeout as exc:
            raise trouble(self.path, sqlite3.OperationalError("database is locked")) from exc
        except (sqlite3.Error, OSError) as exc:
            raise trouble(self.path, exc) from exc

    def _connect_anew(self) -> sqlite3.Connection:
        try:
            return self._connect()
        except sqlite3.OperationalError:
            raise
        except sqlite3.DatabaseError as exc:
            self.set_aside = rescue.keep_aside(self.path)
            db = self._connect()
            saved = rescue.carry_over(self.set_aside, db)
            _log.warning(
                "%s was damaged (%s): kept as %s, %d tasks carried over",
                self.path,
                exc,
                self.set_aside.name,
                saved,
            )
            return db

    def _connect(self) -> sqlite3.Connection:
        if rescue.no_database(self.path):
            # Not even opened: on closing, SQLite would throw away a -wal that does not fit.
            raise sqlite3.DatabaseError("file is not a database")
        db = sqlite3.connect(
            self.path, isolation_level=None, check_same_thread=False, timeout=BUSY_SECONDS
        )
        try:
            db.execute("PRAGMA journal_mode = WAL")
            db.execute("PRAGMA synchronous = FULL")
            schema.migrate(db)
            if rescue.unsound(db):
                raise sqlite3.DatabaseError("a check of its pages failed")
            db.execute("SELECT 1 FROM tasks LIMIT 1").fetchone()
        except BaseException:
            db.close()
            raise
        return db

    async def close(self) -> None:
        def shut() -> None:
            if self._db is not None:
                self._db.close()
                self._db = None

        await self._in_thread(shut)
        self._thread.shutdown(wait=False)

    async def _in_thread(self, work: Callable[[], T]) -> T:
        done = asyncio.get_running_loop().run_in_executor(self._thread, work)
        with CancelScope(shield=True):
            await asyncio.wait((done,))
        return done.result()

    async def _write(
        self,
        step: Callable[Concatenate[sqlite3.Connection, P], T],
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> T:
        def work() -> T:
            db = self._opened()
            try:
                db.execute("BEGIN IMMEDIATE")
                result = step(db, *args, **kwargs)
                db.execute("COMMIT")
            except BaseException as exc:
                if db.in_transaction:
                    db.execute("ROLLBACK")
                if isinstance(exc, sqlite3.Error):
                    raise trouble(self.path, exc) from exc
                raise
            return result

        return await self._in_thread(work)

    async def _read(
        self,
        question: Callable[Concatenate[sqlite3.Connection, P], T],
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> T:
        def work() -> T:
            try:
                return question(self._opened(), *args, **kwargs)
            except sqlite3.Error as exc:
                raise trouble(self.path, exc) from exc

        return await self._in_thread(work)

    def _opened(self) -> sqlite3.Connection:
        if self._db is None:
            raise JournalError("The journal is closed. Nothing was sent or charged.")
        return self._db

    # ── the Protocol ──────────────────────────────────────────────────────────────────────────

    async def sign_in(
        self, owner: str, *, account: str, provider: str, base_url: str, pid: int, now: float
    ) -> None:
        def step(db: sqlite3.Connection) -> None:
            db.execute(
                "INSERT INTO accounts (account, provider, base_url) VALUES (?, ?, ?)"
                " ON CONFLICT DO NOTHING",
                (account, provider, base_url),
            )
            db.execute(
                "INSERT OR REPLACE INTO owners VALUES (?, ?, ?, ?)", (owner, account, pid, now)
            )

        await self._write(step)

    async def leave(self, owner: str) -> None:
        """Give back what this process held, as far as the journal still answers, and close."""
        if self._db is not None:
            with suppress(JournalError):
                await self.sign_out(owner)
        await self.close()

    async def sign_out(self, owner: str) -> None:
        def step(db: sqlite3.Connection) -> None:
            db.execute(
                "UPDATE tasks SET owner = '', lease_until = 0 WHERE owner = ?"
                " AND status NOT IN ('pending', 'submitting')",
                (owner,),
            )
            db.execute(
                "DELETE FROM owners WHERE owner = ? AND NOT EXISTS"
                " (SELECT 1 FROM tasks WHERE tasks.owner = owners.owner)",
                (owner,),
            )

        await self._write(step)

    async def write_down(
        self, draft: Task, counted: Decimal, limits: purchase.Limits, *, now: float
    ) -> purchase.Written | purchase.OverBudget | purchase.KeyTaken:
        return await self._write(purchase.write_down, draft, counted, limits, now=now)

    async def standing(
        self, draft: Task, *, now: float
    ) -> purchase.Written | purchase.KeyTaken | None:
        return await self._read(purchase.standing, draft, now=now)

    async def claim(
        self,
        accounts: Sequence[str],
        owner: str,
        *,
        rpm: int | None,
        sends: int,
        steps: int,
        submit_lease: float,
        lease: float,
        now: float,
    ) -> leases.Claimed:
        """Take what is due. Asks without a write lock first: usually there is nothing."""
        due = await self._read(leases.next_due, accounts, rpm=rpm, now=now)
        if due is None or due > now:
            return leases.Claimed(sends=(), steps=(), next_at=due)
        return await self._write(
            leases.claim,
            accounts,
            owner,
            rpm=rpm,
            sends=sends,
            steps=steps,
            submit_lease=submit_lease,
            lease=lease,
            now=now,
        )

    async def change(
        self,
        task_id: str,
        values: Mapping[str, object],
        *,
        now: float,
        status_in: Collection[Status] = (),
        attempt: int | None = None,
        held_by: str | None = None,
    ) -> Task | None:
        """Set `values` if the task still has such a status, attempt and holder; else None."""
        return await self._write(
            change.change,
            task_id,
            values,
            now=now,
            status_in=status_in,
            attempt=attempt,
            held_by=held_by,
        )

    async def change_many(
        self, steps: Sequence[tuple[str, str, Mapping[str, object]]], *, now: float
    ) -> None:
        """Many (task_id, holder, values) in one transaction: one wait for the disk."""

        def step(db: sqlite3.Connection) -> None:
            for task_id, held_by, values in steps:
                change.change(db, task_id, values, now=now, held_by=held_by)

        await self._write(step)

    async def adopt(self, task: Task) -> Task:
        return await self._write(change.adopt, task)

    async def pause(self, account: str, seconds: float | None, *, now: float) -> float:
        return await self._write(purchase.pause, account, seconds, now=now)

    async def calm(self, account: str) -> None:
        """A submit was accepted: the next refusal starts with a short pause again."""

        def step(db: sqlite3.Connection) -> None:
            db.execute("UPDATE accounts SET refusals = 0 WHERE account = ?", (account,))

        await self._write(step)

    async def renew(self, owner: str, task_ids: Collection[str], *, until: float) -> None:
        await self._write(leases.renew, owner, task_ids, until=until)

    async def recover(self, dead: Collection[str], *, now: float) -> tuple[str, ...]:
        return await self._write(leases.recover, dead, now=now)

    async def owners(self) -> list[str]:
        return await self._read(reads.owners)

    async def submitting(self, owner: str) -> list[Task]:
        return await self._read(reads.submitting, owner)

    async def neighbours(
        self, account: str, provider: str, base_url: str, alive: Collection[str]
    ) -> list[str]:
        return await self._read(reads.neighbours, account, provider, base_url, alive)

    async def find(self, some_id: str) -> Task | None:
        return await self._read(reads.find, some_id)

    async def by_callback(self, token: str) -> Task | None:
        return await self._read(reads.by_callback, token)

    async def counts(self) -> dict[Status, int]:
        return await self._read(reads.counts)

    async def newest(
        self, *, caller: str | None = None, statuses: Collection[Status] = (), limit: int = 20
    ) -> list[Task]:
        return await self._read(reads.newest, caller=caller, statuses=statuses, limit=limit)

    async def money(self, account: str, unit: Unit, since: float) -> reads.Sums:
        return await self._read(reads.money, account, unit, since)

    async def spans(
        self, provider: str, model: str, resolution: str | None, duration: int | None
    ) -> list[reads.Span]:
        return await self._read(reads.spans, provider, model, resolution, duration)

    async def pictures_in_use(self) -> str:
        return await self._read(reads.pictures_in_use)

    async def issue_code(
        self, code: str, *, caller: str, identity: str, amount: Decimal | None, now: float
    ) -> None:
        await self._write(
            consent.issue_code, code, caller=caller, identity=identity, amount=amount, now=now
        )

    async def use_code(
        self, code: str, *, caller: str, identity: str, amount: Decimal | None, now: float
    ) -> bool:
        return await self._write(
            consent.use_code, code, caller=caller, identity=identity, amount=amount, now=now
        )

    async def use_approval(self, *, caller: str, identity: str, now: float) -> bool:
        return await self._write(consent.use_approval, caller=caller, identity=identity, now=now)

    async def stamp(self) -> int:
        """A number that changes when another process has written."""

        def question(db: sqlite3.Connection) -> int:
            return int(db.execute("PRAGMA data_version").fetchone()[0])

        return await self._read(question)
