"""Which processes are alive: each holds an operating-system lock while it runs."""

from __future__ import annotations

import os
import secrets
from collections.abc import Generator, Iterable
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from hailuo_mcp.errors import Do, JournalError, Step
from hailuo_mcp.files.private import private_folder

if TYPE_CHECKING:
    from filelock import BaseFileLock


class ProcessLocks:
    """The lock ends with the process, however it ends; clocks and pids are not trusted."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.owner = f"{os.getpid()}-{secrets.token_hex(4)}"

    @contextmanager
    def held(self) -> Generator[None]:
        """Hold this process's own lock.

        Raises:
            JournalError: the state folder cannot be written.
        """
        try:
            private_folder(self._folder)
            mine = self._lock(self.owner)
            mine.acquire(blocking=False)
        except OSError as exc:
            raise JournalError(
                f"The state folder {self._folder.parent} is not writable, so no purchase can be "
                "recorded.",
                Step(Do.SET, "HAILUO_STATE_DIR"),
                detail=str(exc),
            ) from exc
        try:
            yield
        finally:
            with suppress(OSError):  # a file that stays behind is locked by nobody
                mine.release()
                self._path(self.owner).unlink(missing_ok=True)

    def dead(self, owners: Iterable[str]) -> list[str]:
        """Return those whose lock is no longer held."""
        return [owner for owner in owners if owner != self.owner and not self._alive(owner)]

    def _alive(self, owner: str) -> bool:
        from filelock import Timeout

        path = self._path(owner)
        if not path.exists():
            return False
        lock = self._lock(owner)
        try:
            lock.acquire(blocking=False)
        except (Timeout, OSError):
            return True  # an OSError tells nothing: leave its work alone, the leases run out
        with suppress(OSError):
            lock.release()
            path.unlink(missing_ok=True)
        return False

    def _path(self, owner: str) -> Path:
        return self._folder / f"{owner}.lock"

    def _lock(self, owner: str) -> BaseFileLock:
        from filelock import FileLock

        return FileLock(self._path(owner), thread_local=False, mode=0o600)
