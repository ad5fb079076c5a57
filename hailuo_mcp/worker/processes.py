"""Which processes are alive: each holds a lock of the operating system for as long as it runs."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from hailuo_mcp.errors import JournalError
from hailuo_mcp.files.private import private_folder

if TYPE_CHECKING:
    from filelock import BaseFileLock


class ProcessLocks:
    """The lock goes with the process, however it ends; no clock and no pid is trusted."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.owner = f"{os.getpid()}-{secrets.token_hex(4)}"
        self._mine: BaseFileLock | None = None

    def sign_in(self) -> None:
        try:
            private_folder(self._folder)
            self._mine = self._lock(self.owner)
            self._mine.acquire(blocking=False)
        except OSError as exc:
            raise JournalError(
                f"The state folder {self._folder.parent} cannot be written, and nothing is bought "
                "that cannot be recorded. Nothing was sent or charged. Set HAILUO_STATE_DIR to a "
                "folder that can.",
                detail=str(exc),
            ) from exc

    def sign_out(self) -> None:
        if self._mine is not None:
            with suppress(OSError):  # a name that stays behind is held by nobody
                self._mine.release()
                self._path(self.owner).unlink(missing_ok=True)
            self._mine = None

    def dead(self, owners: Iterable[str]) -> list[str]:
        """Those of them whose lock nobody holds any more."""
        return [owner for owner in owners if owner != self.owner and not self._alive(owner)]

    def _alive(self, owner: str) -> bool:
        from filelock import Timeout

        path = self._path(owner)
        if not path.exists():
            return False
        lock = self._lock(owner)
        try:
            lock.acquire(blocking=False)
        except Timeout:
            return True
        except OSError:
            return True  # nobody can tell: leave its work alone, the leases run out
        with suppress(OSError):
            lock.release()
            path.unlink(missing_ok=True)
        return False

    def _path(self, owner: str) -> Path:
        return self._folder / f"{owner}.lock"

    def _lock(self, owner: str) -> BaseFileLock:
        from filelock import FileLock

        return FileLock(self._path(owner), thread_local=False, mode=0o600)
