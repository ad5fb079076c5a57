"""Where clips, input pictures and uploads are kept: one interface over a folder and a bucket."""

from __future__ import annotations

import errno
import os
import tempfile
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from hailuo_mcp.files.clip_file import SavedFile

PRIVATE = ".hailuo"
"""Below the place that several machines share: what is not a clip."""
SPOOL_SECONDS = 7 * 86_400.0
"""How long a downloaded clip waits on this computer until its storage takes it."""
UPLOAD_KEPT_SECONDS = 86_400.0
"""How long an uploaded picture can be used."""

Download = Callable[[Path], Awaitable[SavedFile]]
"""Downloads a clip to this path, checked, and resumes what is already there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Blob:
    """A small private file."""

    name: str
    bytes: int
    modified: float
    """Unix seconds, by the storage's clock; a bucket gives whole ones."""


class Blobs(Protocol):
    """Small private files of one kind. A name may have folders in it, separated by "/".

    Every method raises OSError if the storage cannot be used.
    """

    place: str
    """The folder or the s3:// address, for a person."""
    variable: str
    """The setting that named it."""

    async def keep(self, name: str, data: bytes) -> None:
        """Write it, whole or not at all; if it is there, make it young again."""
        ...

    async def write_once(self, name: str, data: bytes) -> None:
        """Write it, whole or not at all; FileExistsError if the name is taken."""
        ...

    async def read(self, name: str) -> bytes | None:
        """Return the bytes; None if there are none."""
        ...

    async def exists(self, name: str) -> bool: ...

    async def all(self) -> list[Blob]: ...

    async def delete(self, name: str) -> None:
        """Delete it, if it is still there."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredClip:
    """A clip that is not a file of this computer."""

    file: str
    bytes: int
    modified: float
    """Unix seconds."""
    etag: str
    """In quotes, as in HTTP."""


class Storage(Protocol):
    """Keeps clips under their names. A clip's `file` is its full path, or s3://bucket/key.

    Whatever has a clip's name is whole and checked, and nothing replaces it. A `file` that this
    storage cannot reach raises ConfigError; a bucket that does not answer raises DiskError, unless
    another error is named.
    """

    @property
    def place(self) -> str:
        """The folder or the s3:// address, for a person."""
        ...

    @property
    def pictures(self) -> Blobs:
        """Input pictures by their sha256."""
        ...

    @property
    def uploads(self) -> Blobs:
        """Pictures that callers on other computers have sent."""
        ...

    async def need_writable(self) -> None:
        """Raise ConfigError if no clip can be written, before one is bought."""
        ...

    async def save(
        self, name: str, download: Download, *, task_id: str, claim: bytes = b""
    ) -> tuple[str, SavedFile]:
        """Download a clip and keep it. Return its `file` and its facts.

        A complete clip of the same task is used as it is. `name` may have folders before it,
        separated by "/". If the task's id is not in it, others may have the same name: `claim`, the
        sidecar's first text, is then written first, beside a name that gets a number if necessary.
        """
        ...

    async def put_beside(self, file: str, ending: str, data: bytes) -> None:
        """Write a small file beside the clip, with `ending` in its name instead of ".mp4".

        What this program wrote there before is replaced; a file of somebody else is not, and
        FileExistsError is raised if there is no other name. Raises OSError.
        """
        ...

    def local_path(self, file: str) -> Path | None:
        """Return the clip's path; None if it is not on this computer."""
        ...

    async def find(self, file: str) -> StoredClip | None:
        """Return the facts of a clip that is not on this computer; None if it is gone."""
        ...

    def read(self, clip: StoredClip, start: int, end: int) -> AsyncIterator[bytes]:
        """Yield these bytes of it, without `end`; DiskError if it changes meanwhile."""
        ...

    async def exists(self, file: str) -> bool: ...

    async def copy(self, file: str, target: Path, *, overwrite: bool) -> SavedFile:
        """Copy a saved clip to a file of this computer."""
        ...

    async def sweep(self, now: float) -> None:
        """Delete uploads that are too old, and what failed downloads have left on this computer."""
        ...

    def below(self, name: str) -> Storage:
        """Return the storage of clips in this folder of it. Pictures and uploads stay common."""
        ...


async def forget_uploads(uploads: Blobs, now: float) -> None:
    """Delete those that nobody can use any more; a purchase keeps its own copy."""
    with suppress(OSError):  # the storage is away: the next time
        for blob in await uploads.all():
            if now - blob.modified > UPLOAD_KEPT_SECONDS:
                with suppress(OSError):
                    await uploads.delete(blob.name)


@asynccontextmanager
async def on_this_disk(storage: Storage, file: str) -> AsyncGenerator[Path]:
    """A clip as a file of this computer; one that is elsewhere is copied for that long.

    Raises:
        FileNotFoundError: it is gone.
        HailuoError: it cannot be reached now.
    """
    if not await storage.exists(file):
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), file)
    if local := storage.local_path(file):
        yield local
        return
    with tempfile.TemporaryDirectory(prefix="hailuo-mcp-") as folder:
        copied = await storage.copy(file, Path(folder) / "clip.mp4", overwrite=True)
        yield copied.path
