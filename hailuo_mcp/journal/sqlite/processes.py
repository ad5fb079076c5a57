"""Which processes are alive: each holds an operating-system lock while it runs."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
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
        self._held: dict[str, BaseFileLock] = {}

    def hold(self, owner: str) -> None:
        """Hold this name's lock, until it is released or the process ends.

        Raises:
            JournalError: the state folder cannot be written.
        """
        try:
            private_folder(self._folder)
            lock = self._held.setdefault(owner, self._lock(owner))
            lock.acquire(blocking=False)
        except OSError as exc:
            raise JournalError(
                f"The state folder {self._folder.parent} is not writable, so no purchase can be "
                "recorded.",
                Step(Do.SET, "HAILUO_STATE_DIR"),
                detail=str(exc),
            ) from exc

    def release(self, owner: str) -> None:
        if lock := self._held.pop(owner, None):
            with suppress(OSError):  # a file that stays behind is locked by nobody
                lock.release(force=True)
                self._path(owner).unlink(missing_ok=True)

    def dead(self, owners: Iterable[str]) -> list[str]:
        """Return those whose lock is no longer held."""
        return [owner for owner in owners if owner not in self._held and not self._alive(owner)]

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
