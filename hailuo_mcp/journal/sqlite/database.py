"""The file under the journal: opened once, driven from one thread, a function a transaction."""

from __future__ import annotations

import asyncio
import logging
import sqlite3
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Concatenate, ParamSpec, TypeVar

from anyio import CancelScope
from anyio.to_thread import run_sync

from hailuo_mcp.errors import JournalError
from hailuo_mcp.files.private import private_folder
from hailuo_mcp.journal.sqlite import backup, check, mark, opening
from hailuo_mcp.journal.sqlite.losses import losses
from hailuo_mcp.journal.sqlite.trouble import trouble
from hailuo_mcp.journal.sqlite.unfinished import stamp_of
from hailuo_mcp.journal.store import Losses, Rescued

P = ParamSpec("P")
T = TypeVar("T")
_log = logging.getLogger(__name__)


class Database:
    """One function is one transaction; a caller that is cancelled does not cut it in half."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="journal")
        self._db: sqlite3.Connection | None = None
        self._file: tuple[int, int] | None = None
        """Which file is open, whatever its name is by now."""
        self._shut = False
        self._on_reopen: Callable[[sqlite3.Connection], None] | None = None
        """What a file that is opened in the place of another one must be told first."""
        self._steps = 0
        """How far the journal had come with the last commit of this process."""
        self._checked_at = 0.0
        """When all of the file was checked last, in Unix seconds."""
        self._suspect = False
        """A page or a row of it could not be read: it is opened again, with all checks."""
        self.rescued: Rescued | None = None
        """What became of a damaged journal, if the last opening found one."""
        self.losses: Losses | None = None
        """What an earlier rescue may have lost, until a person accepts it."""

    async def open(self) -> None:
        await self._in_thread(self._open)

    def _open(self) -> None:
        from filelock import FileLock, Timeout

        # One process at a time: SQLite changes to WAL without waiting for its busy timeout, and
        # of two that find the file broken, the second must not put the first one's new one aside.
        door = FileLock(
            self.path.with_name(self.path.name + ".opening"),
            timeout=opening.BUSY_SECONDS,
            mode=0o600,
        )
        try:
            private_folder(self.path.parent)
            with door:
                before = mark.read(self.path).checked_at
                self._db, self.rescued, checked = opening.connect(self.path, suspect=self._suspect)
                self._checked_at = time.time() if checked else before
                self._file = _which(self.path)
                self._suspect = False
                self._bring_mark_up_to_date(self._db)
        except Timeout as exc:
            raise trouble(self.path, sqlite3.OperationalError("database is locked")) from exc
        except (sqlite3.Error, OSError) as exc:
            raise trouble(self.path, exc) from exc

    def _bring_mark_up_to_date(self, db: sqlite3.Connection) -> None:
        known = mark.read(self.path)
        db.execute("BEGIN IMMEDIATE")  # nobody can come farther meanwhile
        try:
            now = mark.of(db)
            self._steps, self.losses = now.steps, losses(db)
            if known.long or known.mark != now:
                self._remember(now, begin=True)
        finally:
            db.execute("ROLLBACK")

    async def back_up(self, now: float) -> None:
        """Keep a copy, at most once a day; none of a journal whose losses nobody has accepted."""
        if self.losses or not await run_sync(backup.is_due, self.path, now):
            return
        try:
            await run_sync(backup.make, self.path, now)
        except check.DamagedJournalError as exc:
            _log.warning("%s is damaged: %s", self.path.name, exc)
            self._suspect = True
        except (sqlite3.Error, OSError) as exc:
            _log.warning("the journal could not be backed up: %s", exc)

    def _remember(self, now: mark.Mark, *, begin: bool = False) -> None:
        try:
            (mark.write if begin else mark.append)(self.path, now)
        except OSError as exc:  # the purchase is recorded, which is what counts
            _log.warning("the mark beside the journal could not be written: %s", exc)

    async def close(self) -> None:
        if self._shut:
            return

        def shut() -> None:
            if self._db is not None:
                self._db.close()
                self._db = self._file = None  # what comes after this is told that it is closed
                # The last process has left one file behind, as it was checked and written since.
                if not self._suspect and self._checked_at and (stamp := stamp_of(self.path)):
                    mark.note_checked(self.path, stamp, self._checked_at)

        await self._in_thread(shut)
        self._shut = True
        self._thread.shutdown(wait=False)

    @property
    def is_open(self) -> bool:
        return self._db is not None

    async def _in_thread(self, work: Callable[[], T]) -> T:
        if self._shut:
            raise _closed()
        done = asyncio.get_running_loop().run_in_executor(self._thread, work)
        with CancelScope(shield=True):
            await asyncio.wait((done,))
        return done.result()

    async def write(
        self,
        step: Callable[Concatenate[sqlite3.Connection, P], T],
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> T:
        """Run a step as one transaction, which is on the disk when this returns."""
        return await self._in_thread(lambda: self._transaction(step, *args, **kwargs))

    def _transaction(
        self,
        step: Callable[Concatenate[sqlite3.Connection, P], T],
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> T:
        db = self._begin()
        try:
            result = step(db, *args, **kwargs)
            now = mark.of(db)
            if now.steps < self._steps:
                raise check.DamagedJournalError(check.OLDER)
            if bool(self.losses) != now.locked:
                self.losses = losses(db)
            db.execute("COMMIT")
        except BaseException as exc:
            if db.in_transaction:
                db.execute("ROLLBACK")
            if isinstance(exc, sqlite3.Error | UnicodeDecodeError):
                raise self._trouble(exc) from exc
            raise
        if now.steps != self._steps:
            self._steps = now.steps
            self._remember(now)
        return result

    def _trouble(self, exc: sqlite3.Error | UnicodeDecodeError) -> JournalError:
        if check.means_damage(exc):
            self._suspect = True
        return trouble(self.path, exc)

    def _begin(self) -> sqlite3.Connection:
        """Lock the file, and only then look whether it still is the journal.

        Who puts a damaged one aside holds this lock meanwhile; what was written to that one later
        nobody else would see, and two processes would buy the same clip.
        """
        db = self._opened()
        try:
            db.execute("BEGIN IMMEDIATE")
            # The mark is ahead where others write what this process does not see: without the
            # -shm file that it has open, say, which somebody has deleted.
            farthest = mark.farthest(self.path)
            behind = farthest > self._steps and mark.of(db).steps < farthest
            if self._suspect or behind or _which(self.path) != self._file:
                db.execute("ROLLBACK")
                db = self._open_again()
        except (sqlite3.Error, UnicodeDecodeError) as exc:
            raise self._trouble(exc) from exc
        return db

    def _open_again(self) -> sqlite3.Connection:
        _log.warning("the journal was replaced, deleted or damaged while open: opening it again")
        if self._db is not None:
            # First: connections of one process share what they know of the file, and their locks.
            self._db.close()
            self._db = None
        db = self._opened()
        db.execute("BEGIN IMMEDIATE")
        if self._on_reopen is not None:
            self._on_reopen(db)
        return db

    async def read(
        self,
        question: Callable[Concatenate[sqlite3.Connection, P], T],
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> T:
        def work() -> T:
            try:
                db = self._opened()
                if self.losses:  # another process may have accepted them
                    self.losses = losses(db)
                return question(db, *args, **kwargs)
            except (sqlite3.Error, UnicodeDecodeError) as exc:
                raise self._trouble(exc) from exc

        return await self._in_thread(work)

    def _opened(self) -> sqlite3.Connection:
        if self._db is None and self._file is not None and not self._shut:
            self._open()  # it could not be opened again before
        if self._db is None:
            raise _closed()
        return self._db


def _which(path: Path) -> tuple[int, int] | None:
    try:
        facts = path.stat()
    except OSError:  # deleted, or out of reach: opening it again says what is wrong
        return None
    return facts.st_dev, facts.st_ino


def _closed() -> JournalError:
    return JournalError(
        "The journal is closed: hailuo-mcp is about to end. Nothing was sent or charged by this "
        "call; repeat it when hailuo-mcp runs again."
    )
