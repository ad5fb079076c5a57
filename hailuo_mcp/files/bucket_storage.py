"""Clips, pictures and uploads in a bucket.

A clip is downloaded into the spool folder of this computer, checked there, and then put into the
bucket whole. If the bucket is away, the clip waits in the spool folder: it is not downloaded again.
"""

from __future__ import annotations

import errno
import os
import secrets
import time
from collections.abc import AsyncGenerator, Callable, Generator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path

import anyio
from anyio.to_thread import run_sync

from hailuo_mcp.domain.task import BUCKET
from hailuo_mcp.errors import ConfigError, Do, Step
from hailuo_mcp.files import clip_file
from hailuo_mcp.files.bucket import Bucket, BucketError, DamagedObjectError
from hailuo_mcp.files.clip_file import DiskError, SavedFile
from hailuo_mcp.files.folder_storage import out_of_reach, sweep_spool
from hailuo_mcp.files.naming import (
    LARGEST_BESIDE,
    POSTER,
    SIDECAR,
    candidates,
    is_ours,
    names_beside,
    needs_claim,
    owner_of,
    spooled,
)
from hailuo_mcp.files.private import private_folder
from hailuo_mcp.files.storage import PRIVATE, Blob, Blobs, Download, StoredClip, forget_uploads

CHECKED_SECONDS = 60.0
"""How long a successful write proves that the bucket can be written to."""
FAILED_SECONDS = 2.0
"""How long a failed check counts for the purchases that have waited for it."""
CHECK_SECONDS = 2.5
"""The longest a purchase waits for the check; it has to answer within four seconds."""
_CLIP = "video/mp4"
_KINDS = {SIDECAR: "application/json", POSTER: "image/jpeg"}


class BucketBlobs:
    """Small objects below a prefix."""

    def __init__(self, bucket: Bucket, prefix: str) -> None:
        self._bucket = bucket
        self._prefix = prefix
        self.place = f"{BUCKET}{bucket.name}/{prefix}"
        self.variable = "HAILUO_FILES"

    async def keep(self, name: str, data: bytes) -> None:
        # Put again even if it is there: nothing else makes an object young.
        await self._bucket.put(self._key(name), data)

    async def write_once(self, name: str, data: bytes) -> None:
        await self._bucket.put(self._key(name), data, once=True)

    async def read(self, name: str) -> bytes | None:
        return await self._bucket.get(self._key(name))

    async def exists(self, name: str) -> bool:
        return await self._bucket.head(self._key(name)) is not None

    async def all(self) -> list[Blob]:
        start = len(self._key(""))
        return [
            Blob(name=row.key[start:], bytes=row.bytes, modified=row.modified)
            for row in await self._bucket.all(self._prefix)
        ]

    async def delete(self, name: str) -> None:
        await self._bucket.delete(self._key(name))

    def _key(self, name: str) -> str:
        return f"{self._prefix}/{name}"


class BucketStorage:
    """Clips below `prefix` of a bucket; clips that were saved to disk earlier stay readable."""

    def __init__(
        self,
        bucket: Bucket,
        prefix: str,
        spool: Path,
        *,
        blobs: tuple[Blobs, Blobs] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._bucket = bucket
        self._prefix = prefix
        self._spool = spool
        private = f"{prefix}/{PRIVATE}".lstrip("/")
        self.pictures, self.uploads = blobs or (
            BucketBlobs(bucket, f"{private}/inputs"),
            BucketBlobs(bucket, f"{private}/uploads"),
        )
        self._clock = clock
        self._checking = anyio.Lock()
        self._good_until = float("-inf")
        self._fault: BucketError | None = None
        self._fault_until = float("-inf")

    @property
    def place(self) -> str:
        return f"{BUCKET}{self._bucket.name}/{self._prefix}".rstrip("/")

    async def need_writable(self) -> None:
        async with self._checking:
            now = self._clock()
            if now >= self._good_until and now >= self._fault_until:
                await self._check()
            if self._fault is not None and self._clock() < self._fault_until:
                refusal = ConfigError(
                    f"Clips cannot be written to {self.place}: {self._fault}.",
                    Step(Do.REPEAT, "10"),
                    Step(Do.CHECK, "HAILUO_FILES"),
                )
                refusal.retry = True
                raise refusal from None

    async def _check(self) -> None:
        self._fault = None
        try:
            with anyio.fail_after(CHECK_SECONDS):
                await self._bucket.put(self._key(f"{PRIVATE}/check"), b"hailuo-mcp\n")
        except TimeoutError:
            self._fault = BucketError("it does not answer in time")
        except BucketError as trouble:
            self._fault = trouble
        except OSError:
            self._fault = BucketError("it does not take new objects")
        if self._fault is None:
            self._good_until = self._clock() + CHECKED_SECONDS
        else:
            self._fault_until = self._clock() + FAILED_SECONDS

    async def save(
        self, name: str, download: Download, *, task_id: str, claim: bytes = b""
    ) -> tuple[str, SavedFile]:
        key = ""
        with suppress(OSError):  # away: the clip is fetched nevertheless, while its link works
            key = await self._key_for(name, task_id, claim)
            if found := await self._existing(key, task_id):
                return self._file(key), found
        await run_sync(private_folder, self._spool)
        clip = await download(self._spool / spooled(name, task_id, claim))
        with self._explained():
            key = key or await self._key_for(name, task_id, claim)
            try:
                await self._bucket.put_file(key, clip.path, sha256=clip.sha256, kind=_CLIP)
            except FileExistsError:
                # Another process was faster.
                if (found := await self._existing(key, task_id)) is None:
                    raise BucketError("another process is writing there") from None
                clip = replace(found, path=clip.path)
            except OSError:
                self._good_until = float("-inf")  # the next purchase asks before it pays
                raise
        await run_sync(lambda: clip.path.unlink(missing_ok=True))
        return self._file(key), clip

    def _file(self, key: str) -> str:
        return f"{BUCKET}{self._bucket.name}/{key}"

    async def _key_for(self, name: str, task_id: str, claim: bytes) -> str:
        """The key of a clip; one that does not say whose it is is claimed by its sidecar."""
        if not claim or not needs_claim(name, task_id):
            return self._key(name)
        for key in map(self._key, candidates(name, task_id)):
            if await self._is_free_for(key, claim):
                return key
        raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), name)

    async def _is_free_for(self, key: str, claim: bytes) -> bool:
        beside = names_beside(key, SIDECAR)[0]
        if there := await self._bucket.head(beside):
            small = there.bytes <= LARGEST_BESIDE
            known = await self._bucket.get(beside) if small else None
            return owner_of(known or b"") == owner_of(claim)
        if await self._bucket.head(key):
            return False
        try:
            await self._bucket.put(beside, claim, once=True, kind=_KINDS[SIDECAR])
        except FileExistsError:
            return await self._is_free_for(key, claim)  # another process was faster
        return True

    async def _existing(self, key: str, task_id: str) -> SavedFile | None:
        """Return the task's complete clip that is already there; None if the key is free.

        A damaged one that was put there by this program is removed.

        Raises:
            DiskError: something else has the key.
            OSError: the bucket is away.
        """
        path = self._spool / f"fetched-{secrets.token_hex(8)}.mp4"
        if await self._bucket.head(key) is None:
            return None
        await run_sync(private_folder, self._spool)
        try:
            try:
                found = await self._bucket.fetch(key, path)
            except DamagedObjectError:
                await self._bucket.delete(key)
                return None
            if found is None:
                return None
            problem, facts = await run_sync(lambda: clip_file.inspect(path, length_known=True))
            if problem or not await self._is_of(key, task_id):
                raise clip_file.already_exists(self._file(key))
            return await run_sync(lambda: clip_file.saved_file(path, facts, sha256=found.sha256))
        finally:
            with anyio.CancelScope(shield=True):
                await run_sync(lambda: path.unlink(missing_ok=True))

    async def _is_of(self, key: str, task_id: str) -> bool:
        if not needs_claim(key, task_id):
            return True
        return owner_of(await self._bucket.get(names_beside(key, SIDECAR)[0]) or b"")[0] == task_id

    async def put_beside(self, file: str, ending: str, data: bytes) -> None:
        for key in names_beside(self._key_of(file), ending):
            there = await self._bucket.head(key)
            if there is None or await self._is_ours(key, there.bytes):
                with suppress(FileExistsError):
                    kind = _KINDS.get(ending, "")
                    await self._bucket.put(key, data, once=there is None, kind=kind)
                    return
        raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), file)

    async def _is_ours(self, key: str, size: int) -> bool:
        return size <= LARGEST_BESIDE and is_ours(await self._bucket.get(key) or b"")

    def local_path(self, file: str) -> Path | None:
        return None if file.startswith(BUCKET) else Path(file)

    async def find(self, file: str) -> StoredClip | None:
        with self._explained():
            facts = await self._bucket.head(self._key_of(file))
        if facts is None:
            return None
        return StoredClip(file=file, bytes=facts.bytes, modified=facts.modified, etag=facts.etag)

    async def read(self, clip: StoredClip, start: int, end: int) -> AsyncGenerator[bytes]:
        with self._explained():
            async for block in self._bucket.read(self._key_of(clip.file), start, end, clip.etag):
                yield block

    async def exists(self, file: str) -> bool:
        if not file.startswith(BUCKET):
            return await anyio.Path(file).exists()
        return await self.find(file) is not None

    async def copy(self, file: str, target: Path, *, overwrite: bool) -> SavedFile:
        if not file.startswith(BUCKET):
            return await clip_file.copy_clip(Path(file), target, overwrite=overwrite)
        await run_sync(private_folder, self._spool)
        fetched = self._spool / f"fetched-{secrets.token_hex(8)}.mp4"
        try:
            with self._explained():
                found = await self._bucket.fetch(self._key_of(file), fetched)
            if found is None:
                raise DiskError(
                    f"The saved clip {file} no longer exists.",
                    Step(Do.TRY, "download the clip again, without a path"),
                )
            return await clip_file.copy_clip(fetched, target, overwrite=overwrite)
        finally:
            with anyio.CancelScope(shield=True):
                await run_sync(lambda: fetched.unlink(missing_ok=True))

    async def sweep(self, now: float) -> None:
        await forget_uploads(self.uploads, now)
        await run_sync(sweep_spool, self._spool, now)

    def below(self, name: str) -> BucketStorage:
        blobs = (self.pictures, self.uploads)
        return BucketStorage(
            self._bucket, self._key(name), self._spool, blobs=blobs, clock=self._clock
        )

    def _key(self, name: str) -> str:
        return f"{self._prefix}/{name}".lstrip("/")

    def _key_of(self, file: str) -> str:
        """The key of a clip in this bucket, below whatever prefix it was saved."""
        start = f"{BUCKET}{self._bucket.name}/"
        if not file.startswith(start):
            raise out_of_reach(file)
        return file.removeprefix(start)

    @contextmanager
    def _explained(self) -> Generator[None]:
        """Convert what the bucket did not do to an error about a clip."""
        try:
            yield
        except BucketError as trouble:
            raise DiskError(
                f"The bucket of {self.place} cannot be used: {trouble}.",
                Step(Do.REPEAT),
                retry=True,
            ) from None
        except OSError as trouble:
            raise clip_file.explain(trouble, self._spool) from trouble
