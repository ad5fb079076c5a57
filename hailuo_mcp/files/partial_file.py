"""The .part file: a partial download with its running sha256. Everything here blocks."""

import hashlib
import os
import stat
from pathlib import Path

from hailuo_mcp.files.clip_file import explained

OVERLAP = 4096
"""Bytes requested again on a resume: if they are equal, it is the same file."""
_BLOCK = 1 << 20
_STEP = 64 << 10
"""Bytes per write: for longer ones Linux 6 takes large pages, which it seldom has at hand and which
cost up to three times the CPU time."""
_SYNC_EVERY = 32 << 20
"""Bytes; a longer file is synced along the way, not only at the end."""
_FLAGS: int = (
    os.O_RDWR
    | os.O_CREAT
    | getattr(os, "O_NOFOLLOW", 0)
    | getattr(os, "O_NONBLOCK", 0)
    | getattr(os, "O_CLOEXEC", 0)
    | getattr(os, "O_BINARY", 0)
)


class PartialFile:
    """One open .part. Its lock is held by the caller."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.size = 0
        self._digest = hashlib.sha256()
        self._synced = 0
        with explained(path.parent):
            _clear_way(path)
            self._file = os.fdopen(os.open(path, _FLAGS, 0o644), "r+b", buffering=0)
            while block := self._file.read(_BLOCK):
                self._digest.update(block)
                self.size += len(block)

    @property
    def sha256(self) -> str:
        return self._digest.hexdigest()

    def tail(self) -> bytes:
        """Return the last bytes of the file, at most OVERLAP."""
        with explained(self.path.parent):
            self._file.seek(max(0, self.size - OVERLAP))
            return self._file.read(OVERLAP)

    def append(self, block: bytes | memoryview) -> None:
        """Write and hash; on a full disk, size and hash match what was written."""
        rest = memoryview(block)
        with explained(self.path.parent):
            self._file.seek(self.size)
            while rest:
                written = self._file.write(rest[:_STEP])
                self._digest.update(rest[:written])
                self.size += written
                rest = rest[written:]
            if self.size - self._synced >= _SYNC_EVERY:
                os.fsync(self._file.fileno())
                self._synced = self.size

    def restart(self) -> None:
        """Discard what has arrived."""
        with explained(self.path.parent):
            self._file.truncate(0)
        self.size = self._synced = 0
        self._digest = hashlib.sha256()

    def finish(self) -> None:
        """Write everything out to the disk and close the file."""
        with explained(self.path.parent), self._file:
            os.fsync(self._file.fileno())

    def close(self) -> None:
        """Keep what has arrived for a resume; delete an empty file."""
        if not self._file.closed:
            self._file.close()
            if not self.size:
                self.path.unlink(missing_ok=True)

    def discard(self) -> None:
        self._file.close()
        self.path.unlink(missing_ok=True)


def _clear_way(path: Path) -> None:
    """Remove anything else in the .part's place: a link, a pipe, a hard link to another file."""
    try:
        facts = path.lstat()
    except FileNotFoundError:
        return
    if not stat.S_ISDIR(facts.st_mode) and (not stat.S_ISREG(facts.st_mode) or facts.st_nlink > 1):
        path.unlink()
