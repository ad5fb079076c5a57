"""Clips, pictures and uploads in folders: of this computer, or one that several machines share.

In a folder of this computer a clip is downloaded beside its place, and a lock of the operating
system keeps processes apart. In a shared folder no lock is relied on, because many network file
systems keep locks on one machine only: each machine downloads into its own spool folder, then
copies the clip under a name that only it knows and gives it its own name in one step.
"""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

import anyio
from anyio.to_thread import run_sync

from hailuo_mcp.domain.task import BUCKET
from hailuo_mcp.errors import ConfigError, Do, Step
from hailuo_mcp.files import clip_file
from hailuo_mcp.files.clip_file import DiskError, SavedFile
from hailuo_mcp.files.naming import claim_name, needs_claim, spooled, write_beside
from hailuo_mcp.files.private import private_folder, private_opener, write_once
from hailuo_mcp.files.storage import (
    SPOOL_SECONDS,
    Blob,
    Blobs,
    Download,
    StoredClip,
    forget_uploads,
)
from hailuo_mcp.text import system_reason


class FolderBlobs:
    """Small files in a private folder."""

    def __init__(self, folder: Path, variable: str = "HAILUO_STATE_DIR") -> None:
        self._folder = folder
        self.place = str(folder)
        self.variable = variable

    async def keep(self, name: str, data: bytes) -> None:
        await run_sync(self._keep, name, data)

    def _keep(self, name: str, data: bytes) -> None:
        target = self._folder / name
        if target.exists():
            os.utime(target)
            return
        private_folder(target.parent)
        part = target.with_name(f"{target.name}.{os.getpid()}.part")
        with open(part, "wb", opener=private_opener) as file:  # takes an opener
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        part.replace(target)

    async def write_once(self, name: str, data: bytes) -> None:
        def write() -> None:
            target = self._folder / name
            private_folder(target.parent)
            write_once(target, data)

        await run_sync(write)

    async def read(self, name: str) -> bytes | None:
        def read() -> bytes | None:
            with suppress(FileNotFoundError):
                return (self._folder / name).read_bytes()
            return None

        return await run_sync(read)

    async def exists(self, name: str) -> bool:
        return await anyio.Path(self._folder / name).exists()

    async def all(self) -> list[Blob]:
        return await run_sync(self._all)

    def _all(self) -> list[Blob]:
        found = list[Blob]()
        for path in self._folder.rglob("*"):
            with suppress(FileNotFoundError):  # another process may have just deleted it
                if path.is_dir() and not path.is_symlink():
                    continue
                facts = path.lstat()
                name = path.relative_to(self._folder).as_posix()
                found.append(Blob(name=name, bytes=facts.st_size, modified=facts.st_mtime))
        return found

    async def delete(self, name: str) -> None:
        await run_sync(lambda: (self._folder / name).unlink(missing_ok=True))


@dataclass(frozen=True, kw_only=True)
class FolderStorage:
    """Clips in `folder`. With `spool`, several machines share the folder."""

    folder: Path
    pictures: Blobs
    uploads: Blobs
    spool: Path | None = None
    """A private folder of this computer."""
    variable: str = "HAILUO_OUTPUT_DIR"
    """The setting that named the folder."""

    @property
    def place(self) -> str:
        return str(self.folder)

    async def need_writable(self) -> None:
        await run_sync(self._try_to_write)

    def _try_to_write(self) -> None:
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=self.folder, prefix=".hailuo-mcp-"):
                pass
        except OSError as trouble:
            raise ConfigError(
                f"Clips cannot be written to {self.folder} ({system_reason(trouble)}).",
                Step(Do.CHECK, self.variable),
            ) from trouble

    async def save(
        self, name: str, download: Download, *, task_id: str, claim: bytes = b""
    ) -> tuple[str, SavedFile]:
        spooled_name = spooled(name, task_id, claim)
        if claim and needs_claim(name, task_id):
            with clip_file.explained(self.folder):
                name = await run_sync(claim_name, self.folder, name, claim)
        target = self.folder / name
        if self.spool is None:
            saved = await download(target)
        else:
            saved = await self._save_by_spool(self.spool / spooled_name, target, download, task_id)
        return str(saved.path), saved

    async def _save_by_spool(
        self, spooled: Path, target: Path, download: Download, task_id: str
    ) -> SavedFile:
        if found := await run_sync(clip_file.find_existing, target, task_id):
            return found
        await run_sync(private_folder, spooled.parent)
        clip = await download(spooled)

        def put() -> SavedFile:
            try:
                saved = clip_file.copy_checked(
                    clip, target, overwrite=clip_file.is_our_placeholder(target, task_id)
                )
            except DiskError:
                # Another machine was faster; a file that is not this clip is the error again.
                found = clip_file.find_existing(target, task_id)
                if found is None:
                    raise
                saved = found
            clip.path.unlink(missing_ok=True)
            return saved

        return await run_sync(put)

    async def put_beside(self, file: str, ending: str, data: bytes) -> None:
        write_beside(Path(file), ending, data)  # at once: who hears of the clip finds it

    def local_path(self, file: str) -> Path | None:
        return None if file.startswith(BUCKET) else Path(file)

    async def find(self, file: str) -> StoredClip | None:
        raise out_of_reach(file)

    def read(self, clip: StoredClip, start: int, end: int) -> AsyncIterator[bytes]:
        del start, end
        raise out_of_reach(clip.file)

    async def exists(self, file: str) -> bool:
        if file.startswith(BUCKET):
            raise out_of_reach(file)
        return await anyio.Path(file).exists()

    async def copy(self, file: str, target: Path, *, overwrite: bool) -> SavedFile:
        if file.startswith(BUCKET):
            raise out_of_reach(file)
        return await clip_file.copy_clip(Path(file), target, overwrite=overwrite)

    async def sweep(self, now: float) -> None:
        await forget_uploads(self.uploads, now)
        if self.spool is not None:
            await run_sync(sweep_spool, self.spool, now)

    def below(self, name: str) -> FolderStorage:
        return replace(self, folder=self.folder / name)


def out_of_reach(file: str) -> ConfigError:
    return ConfigError(
        f"The clip is kept at {file}, which the settings of this process do not reach.",
        Step(Do.SET, "HAILUO_FILES"),
    )


def sweep_spool(spool: Path, now: float) -> None:
    """Delete what no download has touched for long."""
    now = max(now, time.time())  # the files' times are this computer's
    with suppress(OSError):
        for path in spool.iterdir():
            with suppress(OSError):  # another process was faster
                if now - path.lstat().st_mtime > SPOOL_SECONDS:
                    path.unlink()
