"""A clip's file: lock, check, move into place without overwriting anything, copy."""

import errno
import hashlib
import logging
import os
import secrets
import stat
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import anyio
from anyio import CancelScope
from anyio.to_thread import run_sync

from hailuo_mcp.errors import Do, DownloadError, Step
from hailuo_mcp.files import mp4
from hailuo_mcp.files.naming import is_of
from hailuo_mcp.media.clip_facts import ClipFacts, probe
from hailuo_mcp.media.opening import UnreadableClipError
from hailuo_mcp.text import system_reason

_log = logging.getLogger(__name__)

_LOCK_SECONDS = 60
"""How long to wait for another process that saves the same clip."""

Sleep = Callable[[float], Awaitable[None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class SavedFile:
    """A clip on disk, checked."""

    path: Path
    bytes: int
    """Its size."""
    sha256: str
    """Of its bytes."""
    width: int | None = None
    """Pixels; None without the extra `media`."""
    height: int | None = None
    """Pixels."""
    seconds: float | None = None
    """Its length."""


class DiskError(DownloadError):
    """A disk error, not a connection error; `retry` says whether another attempt may help."""

    def __init__(self, what: str, *then: Step, retry: bool = False) -> None:
        super().__init__(what, *then)
        self.retry = retry


_OTHER_FOLDER = Step(Do.SET, "HAILUO_OUTPUT_DIR")
_OTHER_PATH = Step(Do.TRY, "give another path")
_PERMISSIONS = Step(Do.ARRANGE, "change the permissions of the folder")
_REASONS: dict[int, tuple[str, *tuple[Step, ...]]] = {
    errno.EROFS: ("is on a read-only disk", _OTHER_FOLDER),
    errno.EACCES: ("is not writable", _PERMISSIONS, _OTHER_FOLDER),
    errno.EPERM: ("is not writable", _PERMISSIONS, _OTHER_FOLDER),
    errno.ENAMETOOLONG: ("does not support a file name of this length", _OTHER_PATH),
    errno.ENOTDIR: ("cannot be created, because a file is in its place", _OTHER_PATH),
    errno.EEXIST: ("cannot be created, because a file is in its place", _OTHER_PATH),
    errno.EISDIR: ("already has a folder with that name", _OTHER_PATH),
    errno.EFBIG: ("does not support files of this size", _OTHER_FOLDER),
    errno.ELOOP: ("is behind a broken symbolic link", _OTHER_PATH),
}
_FULL = frozenset({errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC)})


def explain(trouble: OSError, folder: Path) -> DiskError:
    """Turn the system's error into a sentence with the name of the folder."""
    if trouble.errno in _FULL:
        return DiskError(
            f"The disk of {folder} is full, so the clip could not be saved. The partial download "
            "is kept.",
            Step(Do.ARRANGE, "free some space on that disk"),
            Step(Do.REPEAT),
            retry=True,
        )
    if known := _REASONS.get(trouble.errno or 0):
        what, *then = known
        return DiskError(f"The clip could not be saved: the folder {folder} {what}.", *then)
    reason = system_reason(trouble)
    return DiskError(f"The clip could not be written to {folder} ({reason}).", retry=True)


@contextmanager
def explained(folder: Path) -> Generator[None]:
    """Convert OSErrors of the disk: a broken connection is an OSError, too."""
    try:
        yield
    except OSError as trouble:
        raise explain(trouble, folder) from trouble


def already_exists(target: Path | str) -> DiskError:
    return DiskError(
        f"{target} already exists and was not changed.",
        Step(Do.ARRANGE, "move that file away"),
        Step(Do.TRY, "give another path, or ask for the file to be overwritten"),
    )


@asynccontextmanager
async def locked(target: Path, *, sleep: Sleep) -> AsyncGenerator[None]:
    """Hold the operating system's lock on the target's .part; wait for it if necessary."""
    from filelock import FileLock, Timeout

    path = target.with_name(target.name + ".part.lock")
    lock = FileLock(path, thread_local=False)

    def acquire() -> bool:
        with explained(target.parent):
            # FileLock takes any error of opening it for a lock that somebody else holds.
            os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o644))
            try:
                lock.acquire(blocking=False)
            except Timeout:
                return False
        return True

    def release() -> None:
        # Removed while held: a waiter that has it open notices that and opens a new one.
        with suppress(OSError):
            path.unlink()
        lock.release()
        if os.name == "nt":
            with suppress(OSError):
                path.unlink()

    try:
        for _ in range(_LOCK_SECONDS):
            if await run_sync(acquire):
                break
            await sleep(1)
        else:
            raise DiskError(
                f"Another process has been saving {target.name} for {_LOCK_SECONDS} seconds.",
                Step(Do.REPEAT),
                retry=True,
            )
        yield
    finally:
        if lock.is_locked:
            with CancelScope(shield=True):
                await run_sync(release)


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
            raise already_exists(target) from trouble
        _sync_folder(target.parent)


def _rename_to_free_name(part: Path, target: Path) -> None:
    try:
        target.hardlink_to(part)
    except FileExistsError:
        raise
    except OSError:
        # Some disks (exFAT, some network folders) have no hard links: create an empty file first.
        os.close(os.open(target, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o644))
        part.replace(target)
    else:
        part.unlink()


def is_placeholder(target: Path) -> bool:
    """Whether it is an empty file, left by a process that died between those two steps."""
    with suppress(OSError):
        facts = target.lstat()
        return stat.S_ISREG(facts.st_mode) and not facts.st_size
    return False


def is_our_placeholder(target: Path, task_id: str) -> bool:
    """Whether a process that died left only an empty file with the name of this task's clip."""
    return is_placeholder(target) and is_of(target, task_id)


def find_existing(target: Path, task_id: str, *, overwrite: bool = False) -> SavedFile | None:
    """Return the complete clip of this task that is already there; None if the name is free.

    Raises:
        DiskError: something else has the name.
    """
    with explained(target.parent):
        target.parent.mkdir(parents=True, exist_ok=True)
        if overwrite or not (target.exists() or target.is_symlink()):
            return None
        if is_our_placeholder(target, task_id):
            return None  # replaced when the clip has arrived
        if target.is_file() and is_of(target, task_id):
            problem, facts = inspect(target, length_known=False)
            if not problem:
                remove_linked_part(target)
                return saved_file(target, facts)
    raise already_exists(target)


def remove_linked_part(target: Path) -> None:
    """Remove a .part that is the finished clip: a process died between the two steps."""
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


def inspect(path: Path, *, length_known: bool) -> tuple[str, ClipFacts | None]:
    """Return why it is not a complete MP4 with a picture, if so, and the facts from its headers.

    One that the media extra cannot read is kept: it is paid for, it is what the provider
    serves, and a player may know more codecs.
    """
    with explained(path.parent):
        with path.open("rb") as file:
            if problem := mp4.flaw(file, length_known=length_known):
                return problem, None
        try:
            return "", probe(path)
        except UnreadableClipError as trouble:
            size = path.stat().st_size  # not its name, which starts with the prompt
            _log.warning("a clip of %d bytes is complete, but %s", size, trouble)
            return "", None


def saved_file(path: Path, facts: ClipFacts | None, *, sha256: str = "") -> SavedFile:
    """Describe a checked clip; `sha256` is computed if not given."""
    return SavedFile(
        path=path,
        bytes=path.stat().st_size,
        sha256=sha256 or _sha256_of(path),
        width=facts.width if facts else None,
        height=facts.height if facts else None,
        seconds=facts.seconds if facts else None,
    )


def _sha256_of(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


async def copy_clip(
    clip: Path, target: Path, *, overwrite: bool, sleep: Sleep = anyio.sleep
) -> SavedFile:
    """Copy a saved clip; a target with the same bytes is used as it is."""

    def find_existing() -> SavedFile | None:
        return _same_clip(clip, target, overwrite=overwrite)

    if found := await run_sync(find_existing):
        return found
    async with locked(target, sleep=sleep):
        # The call that held the lock before us may have made the same copy.
        return await run_sync(lambda: find_existing() or _copy(clip, target, overwrite=overwrite))


def copy_checked(clip: SavedFile, target: Path, *, overwrite: bool) -> SavedFile:
    """Copy a clip to a free name, whole or not at all, without a lock; DiskError if it is taken."""
    return _copy(clip.path, target, overwrite=overwrite, sha256=clip.sha256)


def _same_clip(clip: Path, target: Path, *, overwrite: bool) -> SavedFile | None:
    if not clip.is_file():
        raise DiskError(
            f"The saved clip {clip} no longer exists.",
            Step(Do.TRY, "download the clip again, without a path"),
        )
    with explained(target.parent):
        target.parent.mkdir(parents=True, exist_ok=True)
        if not (target.exists() or target.is_symlink()):
            return None
        if target.is_file() and target.stat().st_size == clip.stat().st_size:
            sha256 = _sha256_of(target)
            if target.samefile(clip) or sha256 == _sha256_of(clip):
                _, facts = inspect(target, length_known=True)
                return saved_file(target, facts, sha256=sha256)
    if overwrite:
        return None
    raise already_exists(target)


def _copy(clip: Path, target: Path, *, overwrite: bool, sha256: str = "") -> SavedFile:
    # A unique name: <target>.part may be a browser's unfinished download.
    draft = target.with_name(f"hailuo-{secrets.token_hex(8)}.part")
    with explained(target.parent):
        try:
            with clip.open("rb") as source, draft.open("xb") as copy:
                digest = hashlib.sha256()
                while block := source.read(1 << 20):
                    digest.update(block)
                    copy.write(block)
                copy.flush()
                os.fsync(copy.fileno())
            problem, facts = inspect(draft, length_known=True)
            if problem:
                raise DiskError(
                    f"The saved clip {clip} is damaged ({problem}) and was not copied.",
                    Step(Do.TRY, "delete it, then download the clip again"),
                )
            sha256 = sha256 or digest.hexdigest()
            if _sha256_of(draft) != sha256:
                raise DiskError(
                    f"The copy in {target.parent} differs from the clip and was removed.",
                    Step(Do.REPEAT),
                    retry=True,
                )
            put_in_place(draft, target, overwrite=overwrite)
        finally:
            draft.unlink(missing_ok=True)
        return saved_file(target, facts, sha256=sha256)
