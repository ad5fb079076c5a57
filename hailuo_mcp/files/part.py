"""The .part file: what has arrived so far and its running sha256. Everything here blocks."""

import hashlib
import os
import stat
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

from hailuo_mcp.files.disk import BLOCK, explained

OVERLAP = 4096
"""Bytes asked for again on a resume: that they are the same proves it is the same file."""
_STEP = 64 << 10
"""Bytes per write: for longer ones Linux 6 takes pages of a size that it seldom has at hand, which
costs up to thrice the CPU time."""
_FLUSH = 8 << 20
"""Bytes after which the system is told to begin with writing to the disk itself."""
_FLAGS: int = (
    os.O_RDWR
    | os.O_CREAT
    | getattr(os, "O_NOFOLLOW", 0)
    | getattr(os, "O_NONBLOCK", 0)
    | getattr(os, "O_CLOEXEC", 0)
    | getattr(os, "O_BINARY", 0)
)


class Part:
    """One open .part. Its lock is held by whoever made this."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.size = 0
        self._digest = hashlib.sha256()
        self._hasher = ThreadPoolExecutor(max_workers=1, thread_name_prefix="sha256")
        self._hashing: Future[None] | None = None
        self._flushed = 0
        with explained(path.parent):
            _clear_way(path)
            self._file = os.fdopen(os.open(path, _FLAGS, 0o644), "r+b", buffering=0)
            self._take_up()

    @property
    def sha256(self) -> str:
        self._hashed()
        return self._digest.hexdigest()

    def tail(self) -> bytes:
        with explained(self.path.parent):
            self._file.seek(max(0, self.size - OVERLAP))
            return self._file.read(OVERLAP)

    def append(self, block: memoryview) -> None:
        """Write now; what is written is hashed while the next block comes and is written.

        The block must stay as it is until the next one has been appended.
        """
        here = 0
        with explained(self.path.parent):
            self._file.seek(self.size)
            try:
                while here < len(block):
                    # One step at a time, so that size and digest are right when the disk is full.
                    here += self._file.write(block[here : here + _STEP])
            finally:
                self.size += here
                self._hashed()
                self._hashing = self._hasher.submit(self._digest.update, block[:here])
            self._flush()

    def _hashed(self) -> None:
        if self._hashing is not None:
            self._hashing.result()
            self._hashing = None

    def _flush(self) -> None:
        """Have the disk write along, so that the end has little to wait for."""
        if self.size - self._flushed >= _FLUSH and hasattr(os, "posix_fadvise"):
            with suppress(OSError):
                # On Linux "not needed" begins the writing of what is not on the disk yet.
                os.posix_fadvise(
                    self._file.fileno(),
                    self._flushed,
                    self.size - self._flushed,
                    os.POSIX_FADV_DONTNEED,
                )
            self._flushed = self.size

    def restart(self) -> None:
        with explained(self.path.parent):
            self._file.truncate(0)
        self._hashed()
        self.size = self._flushed = 0
        self._digest = hashlib.sha256()

    def finish(self) -> None:
        """Put everything on the disk itself and let go of the file."""
        with explained(self.path.parent), self._file:
            os.fsync(self._file.fileno())

    def close(self) -> None:
        """Keep what has arrived for a resume; an empty file helps nobody."""
        self._hasher.shutdown()
        if not self._file.closed:
            self._file.close()
            if not self.size:
                self.path.unlink(missing_ok=True)

    def discard(self) -> None:
        self._file.close()
        self.path.unlink(missing_ok=True)

    def _take_up(self) -> None:
        while block := self._file.read(BLOCK):
            self._digest.update(block)
            self.size += len(block)


def _clear_way(path: Path) -> None:
    """Remove what only pretends to be our .part: a link, a pipe, a second name of another file."""
    try:
        facts = path.lstat()
    except FileNotFoundError:
        return
    if not stat.S_ISDIR(facts.st_mode) and (not stat.S_ISREG(facts.st_mode) or facts.st_nlink > 1):
        path.unlink()
