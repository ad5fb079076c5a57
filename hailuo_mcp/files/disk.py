"""The disk's side of saving: locks, troubles as sentences, and a rename that clobbers nothing."""

import errno
import hashlib
import logging
import os
import stat
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from anyio import CancelScope
from anyio.to_thread import run_sync

from hailuo_mcp.errors import DownloadError
from hailuo_mcp.files import mp4
from hailuo_mcp.files.probe import ClipFacts, UnreadableClipError, probe

_log = logging.getLogger(__name__)

BLOCK = 1 << 20
"""Bytes per hop to a thread: small enough for memory, large enough for speed."""
_PATIENCE = 60
"""Seconds to wait for another process that saves the same clip."""
SAFE = "The clip is paid for and stays at the provider"

Sleep = Callable[[float], Awaitable[None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class SavedFile:
    """A clip on disk, checked."""

    path: Path
    bytes: int
    sha256: str
    width: int | None = None
    height: int | None = None
    seconds: float | None = None


def final(message: str) -> DownloadError:
    """Make an error that the same call again would only meet again."""
    error = DownloadError(message)
    error.retry = False
    return error


_WHY: dict[int, tuple[str, str]] = {
    errno.EROFS: ("is on a read-only disk", "choose another HAILUO_OUTPUT_DIR"),
    errno.EACCES: ("may not be written to", "change its permissions or HAILUO_OUTPUT_DIR"),
    errno.EPERM: ("may not be written to", "change its permissions or HAILUO_OUTPUT_DIR"),
    errno.ENAMETOOLONG: ("takes no name as long as this", "give a shorter path"),
    errno.ENOTDIR: ("cannot be made, as a file is in its way", "give another path"),
    errno.EEXIST: ("cannot be made, as a file is in its way", "give another path"),
    errno.EISDIR: ("has a folder of that name", "give another path"),
    errno.EFBIG: ("takes no file of this size", "choose another HAILUO_OUTPUT_DIR"),
    errno.ELOOP: ("is reached by a link that leads nowhere", "give another path"),
}
_FULL = frozenset({errno.ENOSPC, errno.EDQUOT} if hasattr(errno, "EDQUOT") else {errno.ENOSPC})


def explain(trouble: OSError, folder: Path) -> DownloadError:
    """Turn the system's error into a sentence that names the folder."""
    if trouble.errno in _FULL:
        return DownloadError(
            f"The disk of {folder} is full, so the clip could not be saved. {SAFE}; what has"
            " arrived is kept. Free some space, then download it again."
        )
    if known := _WHY.get(trouble.errno or 0):
        what, action = known
        return final(f"The folder {folder} {what}. {SAFE}; {action}.")
    reason = os.strerror(trouble.errno).lower() if trouble.errno else "no reason given"
    return DownloadError(
        f"The clip could not be written to {folder} ({reason}). {SAFE}; download it again."
    )


@contextmanager
def explained(folder: Path) -> Generator[None]:
    """Let no bare OSError of the disk out: what cuts a connection is an OSError too."""
    try:
        yield
    except OSError as trouble:
        raise explain(trouble, folder) from trouble


def in_the_way(target: Path) -> DownloadError:
    return final(
        f"{target} exists already and was left as it is. {SAFE}; move that file away and call"
        " again. Where the path was given, overwrite=true or another path helps as well."
    )


@asynccontextmanager
async def held(target: Path, *, sleep: Sleep) -> AsyncGenerator[None]:
    """Hold the lock of the operating system on the target's .part; wait politely for it."""
    from filelock import FileLock, Timeout

    path = target.with_name(target.name + ".part.lock")
    lock = FileLock(path, thread_local=False)

    def take() -> bool:
        with explained(target.parent):
            try:
                lock.acquire(blocking=False)
            except Timeout:
                return False
        return True

    def give_back() -> None:
        # Removed while held: a waiter that had it open sees that it is gone and opens anew.
        with suppress(OSError):
            path.unlink()
        lock.release()
        if os.name == "nt":
            with suppress(OSError):
                path.unlink()

    try:
        for _ in range(_PATIENCE):
            if await run_sync(take):
                break
            await sleep(1)
        else:
            raise DownloadError(
                f"Another process is saving {target.name} since {_PATIENCE} seconds. Nothing is"
                " lost and nothing was charged again; look for the file, or call again later."
            )
        yield
    finally:
        if lock.is_locked:
            with CancelScope(shield=True):
                await run_sync(give_back)


def put_in_place(part: Path, target: Path, *, overwrite: bool) -> None:
    """Rename the finished .part; a file that appeared meanwhile is not touched unless asked."""
    with explained(target.parent):
        try:
            if overwrite:
                part.replace(target)
            elif os.name == "nt":
                part.rename(target)
            else:
                _rename_to_free_name(part, target)
        except FileExistsError as trouble:
            raise in_the_way(target) from trouble
        _sync_folder(target.parent)


def _rename_to_free_name(part: Path, target: Path) -> None:
    try:
        target.hardlink_to(part)
    except FileExistsError:
        raise
    except OSError:
        # Some disks (exFAT, some network folders) know no hard links: take the name first.
        os.close(os.open(target, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o644))
        part.replace(target)
    else:
        part.unlink()


def is_taken_name(target: Path) -> bool:
    """Tell whether it is an empty file, as a process leaves that dies between those two steps."""
    with suppress(OSError):
        facts = target.lstat()
        return stat.S_ISREG(facts.st_mode) and not facts.st_size
    return False


def drop_second_name(target: Path) -> None:
    """Remove a .part that is the finished clip itself: a process died between the two steps."""
    part = target.with_name(target.name + ".part")
    with suppress(OSError):
        if part.samefile(target):
            part.unlink()


def _sync_folder(folder: Path) -> None:
    """Make the new name survive a power cut, where the system can."""
    if os.name != "nt":
        with suppress(OSError):
            descriptor = os.open(folder, os.O_RDONLY)
            try:
                os.fsync(descriptor)
            finally:
                os.close(descriptor)


def clip_flaw(path: Path, *, length_known: bool) -> tuple[str, ClipFacts | None]:
    """Say what keeps it from being a whole MP4, if anything, and what its headers tell.

    A whole one that the media extra cannot read is kept: it is paid for, it is what the provider
    serves, and a player may know more codecs.
    """
    with explained(path.parent):
        with path.open("rb") as file:
            if problem := mp4.flaw(file, length_known=length_known):
                return problem, None
        try:
            return "", probe(path)
        except UnreadableClipError as trouble:
            size = path.stat().st_size  # not its name, which begins as the prompt does
            _log.warning("a clip of %d bytes is whole, but %s", size, trouble)
            return "", None


def saved_file(path: Path, *, size: int, sha256: str, facts: ClipFacts | None) -> SavedFile:
    if facts is None:
        return SavedFile(path=path, bytes=size, sha256=sha256)
    return SavedFile(
        path=path,
        bytes=size,
        sha256=sha256,
        width=facts.width,
        height=facts.height,
        seconds=facts.seconds,
    )


def sha256_of(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
