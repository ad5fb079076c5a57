"""The journal's file: checked before use, and accessed from one thread."""

from __future__ import annotations

import asyncio
import logging
import sqlite3
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from pathlib import Path
from typing import TypeVar

from anyio import CancelScope
from anyio.to_thread import run_sync

from hailuo_mcp.errors import Do, JournalError, Step
from hailuo_mcp.files.private import private_folder
from hailuo_mcp.journal.facts import Losses, Rescued
from hailuo_mcp.journal.sql import leases
from hailuo_mcp.journal.sqlite import backup, check, mark, rescue, schema
from hailuo_mcp.journal.sqlite.background import Background, StoppedError
from hailuo_mcp.journal.sqlite.connection import SqliteConnection
from hailuo_mcp.journal.sqlite.faults import (
    UNUSABLE,
    DamagedJournalError,
    Unusable,
    described,
    journal_error,
    means_damage,
)
from hailuo_mcp.journal.sqlite.losses import losses
from hailuo_mcp.journal.sqlite.unfinished import stamp_of

T = TypeVar("T")

BUSY_SECONDS = 10.0
ALWAYS_BYTES = 8 * 1024 * 1024
"""A journal up to this size (some 5,000 tasks) is checked whenever it is opened: bit rot
does not change the file's time. A larger one is checked after it was opened, once a day, and if it
differs from what was last left."""
DAY = 86_400.0
CHECK_AFTER = 1.0
"""Seconds: not while the first calls are answered, nor for a command that ends at once."""
COMPACT_AFTER = 250
"""Steps of this process after which the mark's file is shortened, because it is read at starts."""
_log = logging.getLogger(__name__)


class Database:
    """One function is one transaction; cancelling the caller does not interrupt it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.rescued: Rescued | None = None
        self.losses: Losses | None = None
        self.on_reopen: dict[str, Callable[[SqliteConnection], object]] = {}
        """What to repeat first in a file that replaces another one, for each owner."""
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="journal")
        self._db: SqliteConnection | None = None
        self._file: tuple[int, int] | None = None
        """Which file is open, even if it was renamed."""
        self._closed = False
        self._steps = 0
        """The journal's step count after this process's last commit."""
        self._marks = 0
        """How often this process has written the mark."""
        self._checked_at = 0.0
        """When the whole file was last checked, in Unix seconds."""
        self._suspect = False
        """A page or row could not be read: reopen the file, with all checks."""
        self._unchecked = False
        """It was opened without a check of everything, and needs one."""
        self.background = Background()
        """Where a large journal is checked, and backups are made; closing stops it."""

    async def open(self) -> None:
        await self._in_thread(self._open)

    def _open(self) -> None:
        from filelock import FileLock, Timeout

        # One process at a time: SQLite changes to WAL without waiting for its busy timeout, and
        # of two that find the file broken, the second must not put the first one's new one aside.
        lock = self.path.with_name(self.path.name + ".opening")
        try:
            private_folder(self.path.parent)
            with FileLock(lock, timeout=BUSY_SECONDS, mode=0o600):
                self._db = db = self._connect_or_rescue()
                self._file = _identity(self.path)
                self._suspect = False
                self._bring_mark_up_to_date(db)
            if self._unchecked:
                self.background.stop()
                self.background = Background()
                self.background.run(self._check_everything, after=CHECK_AFTER)
        except Timeout as exc:
            locked = sqlite3.OperationalError("database is locked")
            raise journal_error(self.path, locked) from exc
        except (sqlite3.Error, OSError) as exc:
            raise journal_error(self.path, exc) from exc

    def _connect_or_rescue(self) -> SqliteConnection:
        rescue.finish(self.path)
        self.rescued = None
        known, wal = mark.read(self.path), rescue.log_of(self.path)
        try:
            return self._connect(known)
        except UNUSABLE as exc:
            if not means_damage(exc):
                raise
            flaw = described(exc)
        _log.warning("%s is damaged: %s", self.path.name, flaw)
        found = rescue.rescue(self.path, flaw, known.mark, wal, timeout=BUSY_SECONDS)
        missing = "" if found.complete else "; some may be missing"
        _log.warning("%d of its tasks were recovered%s", found.carried, missing)
        self.rescued, self._suspect = found, True
        return self._connect(None)

    def _connect(self, known: mark.Remembered | None) -> SqliteConnection:
        """`known` is None for a journal that was just rescued: it is ahead of what was known."""
        path, rescued = self.path, known is None
        known = known or mark.Remembered()
        stamp = stamp_of(path)
        if not path.exists() or not path.stat().st_size:
            if (known.mark and known.mark.steps) or backup.newest_first(path):
                raise DamagedJournalError(check.GONE)
            backup.make_private(path)
        if rescue.no_database(path):
            # Not even opened: on closing, SQLite would throw away a -wal that does not fit.
            raise DamagedJournalError("the file is not a database")
        self._refuse_newer()
        db = sqlite3.connect(
            path,
            isolation_level=None,
            check_same_thread=False,
            timeout=BUSY_SECONDS,
            factory=SqliteConnection,
        )
        db.create_function("lower", 1, _lower, deterministic=True)  # its own knows ASCII only
        try:
            db.execute("PRAGMA journal_mode = WAL")
            db.execute("PRAGMA synchronous = FULL")
            recently = 0 <= time.time() - known.checked_at < DAY
            as_left = bool(recently and stamp and stamp == known.checked)
            checks = self._suspect or path.stat().st_size <= ALWAYS_BYTES
            self._unchecked = not checks and not as_left
            if checks:
                check.pages(db)
            marked = schema.version(db) >= schema.KEEPS_TOTALS
            if not marked:
                mark.write(path, mark.Mark())  # now: a kill must not leave it without a mark
            schema.migrate(db)
            if checks:
                check.rows(db)
            elif self._unchecked:
                check.newest_rows(db)
            check.against(db, known.mark, marked=marked and not rescued)
        except BaseException:
            db.close()
            raise
        self._checked_at = time.time() if checks else known.checked_at * as_left
        return db

    def _refuse_newer(self) -> None:
        """Before it is opened for writing: closing it would move the newer one's log into it."""
        if not self.path.stat().st_size:
            return
        name = f"{self.path.absolute().as_uri()}?mode=ro"
        try:
            with closing(sqlite3.connect(name, uri=True, timeout=BUSY_SECONDS)) as db:
                schema.refuse_newer(db)
        except UNUSABLE:
            pass  # opening it says what is wrong

    def _check_everything(self) -> None:
        """In the background. The next write opens a damaged file again, and rescues it."""
        begun = time.time()
        name = f"{self.path.absolute().as_uri()}?mode=ro"
        try:
            with (
                closing(sqlite3.connect(name, uri=True, timeout=BUSY_SECONDS)) as db,
                self.background.using(db),
            ):
                check.pages(db)
                check.rows(db, self.background.rest)
        except UNUSABLE as exc:
            _log.warning("%s: %s", self.path.name, described(exc))
            self._suspect = self._suspect or means_damage(exc)
        else:
            self._checked_at = begun

    def _bring_mark_up_to_date(self, db: sqlite3.Connection) -> None:
        known = mark.read(self.path)
        db.execute("BEGIN IMMEDIATE")  # nobody can write meanwhile
        try:
            now = mark.of(db)
            self._steps, self.losses = now.steps, losses(db)
            if known.long or known.mark != now:
                self._remember(mark.write, now)
        finally:
            db.execute("ROLLBACK")

    def _remember(self, write: Callable[[Path, mark.Mark], None], now: mark.Mark) -> None:
        try:
            write(self.path, now)
        except OSError as exc:  # the purchase itself is recorded
            _log.warning("the mark beside the journal could not be written: %s", exc)

    async def back_up(self, now: float) -> None:
        """Make a backup, at most once a day; none while losses are not accepted."""
        if self.losses or not await run_sync(backup.is_due, self.path, now):
            return
        try:
            await run_sync(
                backup.make, self.path, now, self.background, abandon_on_cancel=True
            )  # closing stops it
        except StoppedError:
            pass
        except DamagedJournalError as exc:
            _log.warning("%s is damaged: %s", self.path.name, exc)
            self._suspect = True
        except (sqlite3.Error, OSError) as exc:
            _log.warning("the journal could not be backed up: %s", exc)

    async def close(self, owner: str = "") -> None:
        if self._closed:
            return
        if owner and self._db is not None:
            with suppress(JournalError):
                await self.write(lambda db: leases.release(db, [owner]))

        def shut() -> None:
            self.background.stop()
            if self._db is not None:
                self._db.close()
                self._db = self._file = None  # any later call fails as closed
                # The last process has left one file behind, as it was checked and written since.
                if not self._suspect and self._checked_at and (stamp := stamp_of(self.path)):
                    mark.note_checked(self.path, stamp, self._checked_at)

        await self._in_thread(shut)
        self._closed = True
        self._thread.shutdown(wait=False)

    async def _in_thread(self, work: Callable[[], T]) -> T:
        if self._closed:
            raise _is_closed()
        done = asyncio.get_running_loop().run_in_executor(self._thread, work)
        with CancelScope(shield=True):
            await asyncio.wait((done,))
        return done.result()

    async def read(self, question: Callable[[SqliteConnection], T]) -> T:
        def work() -> T:
            try:
                db = self._opened()
                if self.losses:  # another process may have accepted the losses
                    self.losses = losses(db)
                return question(db)
            except UNUSABLE as exc:
                raise self._error(exc) from exc

        return await self._in_thread(work)

    async def write(self, step: Callable[[SqliteConnection], T]) -> T:
        """Run a step as one transaction, durable when this returns."""

        def work() -> T:
            try:
                db = self._begin()
                result = step(db)
                now = mark.of(db)
                if now.steps < self._steps:
                    raise DamagedJournalError(check.OLDER)
                if bool(self.losses) != now.locked:
                    self.losses = losses(db)
                db.execute("COMMIT")
            except BaseException as exc:
                if self._db is not None and self._db.in_transaction:
                    self._db.execute("ROLLBACK")
                if isinstance(exc, UNUSABLE):
                    raise self._error(exc) from exc
                raise
            if now.steps != self._steps:
                self._steps = now.steps
                self._remember(mark.append, now)
                self._marks += 1
                if not self._marks % COMPACT_AFTER:
                    with suppress(sqlite3.Error):  # later, then
                        self._bring_mark_up_to_date(db)
            return result

        return await self._in_thread(work)

    def _begin(self) -> SqliteConnection:
        """Lock the file, and only then look whether it still is the journal.

        A rescue holds this lock while it puts a damaged file aside; what was written to that one
        later nobody else would see, and two processes would buy the same clip.
        """
        db = self._opened()
        db.execute("BEGIN IMMEDIATE")
        # The mark is ahead where others write what this process does not see: without the
        # -shm file that it has open, say, which somebody has deleted.
        others = mark.read(self.path, tail=True).mark
        behind = others and others.steps > self._steps and mark.of(db).steps < others.steps
        if not self._suspect and not behind and _identity(self.path) == self._file:
            return db
        _log.warning("the journal was replaced, deleted or damaged while open: opening it again")
        # First: connections of one process share what they know of the file, and their locks.
        db.close()
        self._db = None
        db = self._opened()
        db.execute("BEGIN IMMEDIATE")
        for repeat in self.on_reopen.values():
            repeat(db)
        return db

    def _error(self, exc: Unusable) -> JournalError:
        self._suspect = self._suspect or means_damage(exc)
        return journal_error(self.path, exc)

    def _opened(self) -> SqliteConnection:
        if self._db is None and self._file is not None and not self._closed:
            self._open()  # it could not be reopened before
        if self._db is None:
            raise _is_closed()
        return self._db


def _identity(path: Path) -> tuple[int, int] | None:
    try:
        facts = path.stat()
    except OSError:  # deleted, or out of reach: opening it again says what is wrong
        return None
    return facts.st_dev, facts.st_ino


def _is_closed() -> JournalError:
    return JournalError(
        "The journal is closed: hailuo-mcp is shutting down.",
        Step(Do.TRY, "repeat the call when hailuo-mcp runs again"),
    )


def _lower(text: str | None) -> str | None:
    return None if text is None else text.lower()
