"""Fetch one clip into its .part: try, resume, ask for a fresh link, until it is whole."""

import re
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress

from anyio import (
    BrokenResourceError,
    CancelScope,
    create_memory_object_stream,
    create_task_group,
)
from anyio.streams.memory import MemoryObjectReceiveStream, MemoryObjectSendStream
from anyio.to_thread import run_sync

from hailuo_mcp.domain import Link
from hailuo_mcp.downloader import disk, mp4
from hailuo_mcp.downloader.answers import (
    CutError,
    DeadLinkError,
    Open,
    StartAgainError,
    Stream,
    TooLargeError,
    full_length,
)
from hailuo_mcp.downloader.disk import BLOCK
from hailuo_mcp.downloader.part import Part
from hailuo_mcp.errors import DownloadError, HailuoError, LinkExpiredError
from hailuo_mcp.media.probe import ClipFacts

TRIES = 6
"""Failures in a row, without one new byte, until we give up."""
MOST_TRIES = 100
FRESH_LINKS = 2
"""Fresh links asked for in a row."""
TRIES_OF_A_BAD_FILE = 2
_WHOLE, _PARTIAL, _NO_SUCH_RANGE = 200, 206, 416
_DEAD_LINK = frozenset({400, 401, 403, 404, 410})
_FRESH = True
_DOCUMENT = 64 * 1024
"""Bytes of an error message that are looked at."""
_RANGE = re.compile(r"bytes (\d{1,17})-\d{1,17}/(\d{1,17}|\*)", re.ASCII)


_TROUBLES = (
    HailuoError,
    OSError,
    CutError,
    StartAgainError,
    DeadLinkError,
    TooLargeError,
)


class Fetch:
    """One clip on its way; lives as long as its .part is open."""

    def __init__(
        self,
        link: Callable[[bool], Awaitable[Link]],
        stream: Open,
        part: Part,
        *,
        on_bytes: Callable[[int, int | None], None] | None,
        limit: int,
    ) -> None:
        self._link = link
        self._stream = stream
        self._part = part
        self._on_bytes = on_bytes
        self._limit = limit
        self._etag = ""
        self._total: int | None = None
        self._want_fresh_link = False
        self._flaws = 0
        self._disk_trouble: DownloadError | None = None

    async def run(self, pause: Callable[[int], Awaitable[None]]) -> ClipFacts | None:
        """Return what the whole clip's headers tell; the .part is then ready to be renamed."""
        best, tries, dead = self._part.size, 0, 0
        cause: Exception = CutError("nothing came")
        for _ in range(MOST_TRIES):
            try:
                return await self._once()
            except DeadLinkError as trouble:
                dead += 1
                if dead > FRESH_LINKS:
                    raise _expired() from trouble
                self._want_fresh_link = True
                if dead > 1:
                    await pause(dead)
                continue
            except StartAgainError as trouble:
                cause = trouble
                await run_sync(self._part.restart)
                self._etag = ""
            except CutError as trouble:
                cause = trouble
            if self._part.size > best:
                best, tries, dead = self._part.size, 0, 0
            tries += 1
            if tries >= TRIES:
                break
            await pause(tries)
        raise DownloadError(
            f"{self._part.path.stem} could not be downloaded, tried several times: {cause}."
            f" {disk.SAFE}; what has arrived is kept. Call download_video again to go on."
        ) from cause

    async def _once(self) -> ClipFacts | None:
        link = await self._ask_link()
        tail = await run_sync(self._part.tail)
        start = self._part.size - len(tail)
        etag = self._etag if start else ""
        try:
            async with self._stream(link, start=start, etag=etag) as answer:
                await self._take(answer, start, tail)
        except HailuoError as trouble:
            if trouble is self._disk_trouble or not trouble.retry:
                raise
            raise CutError("the connection failed") from trouble
        except OSError as trouble:
            raise CutError("the connection failed") from trouble
        except TooLargeError as trouble:
            await run_sync(self._part.discard)
            raise disk.final(
                f"What the link leads to is larger than {self._limit / 2**30:.1f} GB, so it is no"
                f" clip and was removed. {disk.SAFE}; ask the provider about this task."
            ) from trouble
        return await self._check()

    async def _ask_link(self) -> Link:
        fresh, self._want_fresh_link = self._want_fresh_link, False
        try:
            link = await self._link(fresh)
            if not fresh and link.expires_at is not None and link.expires_at <= time.time():
                # Our clock may be wrong, so the fresh link is tried whatever it says.
                link = await self._link(_FRESH)
        except HailuoError as trouble:
            if not trouble.retry:
                raise
            raise CutError("the provider gave no link") from trouble
        return link

    async def _take(self, answer: Stream, start: int, tail: bytes) -> None:
        """Append what this one answer brings; return only if it ended where it should."""
        status, headers = answer.status, answer.headers
        if status in _DEAD_LINK:
            raise DeadLinkError
        if status == _NO_SUCH_RANGE:
            raise StartAgainError("the server has no such part of the file")
        if status not in {_WHOLE, _PARTIAL}:
            raise CutError(f"the server answered {status}")
        if status == _PARTIAL:
            found = _RANGE.match(headers.get("content-range", ""))
            if not found or int(found[1]) != start:
                raise StartAgainError("the server sent another part than was asked for")
            self._total = None if found[2] == "*" else int(found[2])
        else:
            self._total = full_length(headers)
            if start:
                await self._on_disk(self._part.restart)
                start, tail = 0, b""
        if self._total is not None and self._total > self._limit:
            raise TooLargeError
        # A weak tag promises no equal bytes, and If-Range may not carry it (RFC 9110, 13.1.5).
        etag = headers.get("etag", "")
        self._etag = "" if etag.startswith("W/") else etag
        position = await self._pump(answer, start, tail)
        if self._total is not None and position < self._total:
            raise CutError(f"the answer ended after {position} of {self._total} bytes")

    async def _pump(self, answer: Stream, position: int, tail: bytes) -> int:
        """Read here while a thread writes, so that neither waits; three blocks are in memory."""
        blocks, written = create_memory_object_stream[list[bytes]](1)
        trouble: Exception | None = None
        async with create_task_group() as group:
            group.start_soon(self._write, written, group.cancel_scope)
            async with blocks:
                try:
                    position = await self._read(answer, position, tail, blocks)
                except _TROUBLES as error:
                    trouble = error  # the group would wrap it
                except BrokenResourceError:
                    pass  # the writer has failed and says why
        if self._disk_trouble:
            raise self._disk_trouble
        if trouble:
            raise trouble
        return position

    async def _write(
        self, written: MemoryObjectReceiveStream[list[bytes]], readers: CancelScope
    ) -> None:
        # Shielded: what has arrived is kept even when the caller has gone.
        with CancelScope(shield=True):
            async with written:
                try:
                    async for block in written:
                        await self._on_disk(self._part.append, block)
                except DownloadError:
                    readers.cancel()

    async def _read(
        self,
        answer: Stream,
        position: int,
        tail: bytes,
        blocks: MemoryObjectSendStream[list[bytes]],
    ) -> int:
        """Hand the bytes on in blocks, after those that are here already and once they are MP4."""
        pending: list[bytes] = []
        waiting = 0
        good = bool(tail)
        bound = self._limit if self._total is None else self._total
        try:
            async for chunk in answer.chunks:
                position += len(chunk)
                if position > bound:
                    raise self._excess()
                same = min(len(tail), len(chunk))
                if chunk[:same] != tail[:same]:
                    raise StartAgainError("the file at the provider is another one now")
                tail = tail[same:]
                pending.append(chunk[same:] if same else chunk)
                before, waiting = waiting, waiting + len(chunk) - same
                if before < mp4.HEAD <= waiting and not good:
                    good = mp4.starts_well(b"".join(pending))
                if good and waiting >= BLOCK:
                    block, pending, waiting = pending, [], 0
                    await blocks.send(block)
                if not good and waiting >= _DOCUMENT:
                    break
                if self._on_bytes:
                    self._on_bytes(position, self._total)
            if not good:
                raise self._no_video(b"".join(pending))
        finally:
            if good and pending:
                with CancelScope(shield=True), suppress(BrokenResourceError):
                    await blocks.send(pending)
        return position

    def _excess(self) -> Exception:
        if self._total is None:
            return TooLargeError()
        return StartAgainError("the server sent more than it had announced")

    def _no_video(self, document: bytes) -> Exception:
        if mp4.smells_of_expiry(document):
            return DeadLinkError()
        self._want_fresh_link = True
        return CutError(f"the link gave {mp4.what_it_is(document)} and not a video")

    async def _check(self) -> ClipFacts | None:
        known = self._total is not None
        flaw, facts = await run_sync(lambda: disk.clip_flaw(self._part.path, length_known=known))
        if not flaw:
            return facts
        if not known:
            # Nobody said how long it is: perhaps the rest comes when it is asked for.
            raise CutError(f"the video came without its length and {flaw}")
        self._flaws += 1
        if self._flaws >= TRIES_OF_A_BAD_FILE:
            await run_sync(self._part.discard)
            raise DownloadError(
                f"What the provider serves as {self._part.path.stem} is not a whole MP4: {flaw}."
                " It was removed. The clip is paid for; call download_video again later, and if"
                " it stays so, show the provider the task's id."
            )
        self._want_fresh_link = True
        raise StartAgainError(f"the file arrived whole, but {flaw}")

    async def _on_disk(self, work: Callable[..., None], *args: list[bytes]) -> None:
        try:
            await run_sync(work, *args)
        except DownloadError as trouble:
            self._disk_trouble = trouble
            raise


def _expired() -> LinkExpiredError:
    return LinkExpiredError(
        "The provider's link to the clip no longer works, and neither does a fresh one. The clip is"
        " paid for, but providers keep clips for a limited time: call download_video again soon,"
        " and if it fails again, the clip is gone there."
    )
