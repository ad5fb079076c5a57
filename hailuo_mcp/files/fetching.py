"""Fetch one clip into its .part: try, resume, ask for a fresh link, until it is whole."""

import re
import time
from collections.abc import Awaitable, Callable
from typing import NoReturn

from anyio.to_thread import run_sync

from hailuo_mcp.domain import Link
from hailuo_mcp.errors import DownloadError, HailuoError, LinkExpiredError
from hailuo_mcp.files import disk, mp4
from hailuo_mcp.files.answers import (
    CorruptClipError,
    CutError,
    DeadLinkError,
    NoVideoError,
    Open,
    StartAgainError,
    Stream,
    TooLargeError,
    full_length,
)
from hailuo_mcp.files.arriving import Arrival
from hailuo_mcp.files.part import Part
from hailuo_mcp.files.probe import ClipFacts

TRIES = 6
"""Failures in a row, without one new byte, until we give up."""
MOST_TRIES = 100
FRESH_LINKS = 2
"""Fresh links asked for in a row."""
TRIES_OF_A_BAD_FILE = 2
_WHOLE, _PARTIAL, _NO_SUCH_RANGE = 200, 206, 416
_DEAD_LINK = frozenset({400, 401, 403, 404, 410})
_FRESH = True
_RANGE = re.compile(r"bytes (\d{1,17})-\d{1,17}/(\d{1,17}|\*)", re.ASCII)


class Fetch:
    """One clip on its way; lives as long as its .part is open."""

    def __init__(
        self,
        link: Callable[[bool], Awaitable[Link]],
        stream: Open,
        part: Part,
        *,
        limit: int,
    ) -> None:
        self._link = link
        self._stream = stream
        self._part = part
        self._limit = limit
        self._etag = ""
        self._total: int | None = None
        self._want_fresh_link = False
        self._flaws = 0
        self._flaw = ""
        """What was wrong with a file that came to its end without having said how long it is."""
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
                await self._restart()
                self._etag = ""
            except CutError as trouble:
                cause = trouble
            if self._part.size > best:
                best, tries, dead = self._part.size, 0, 0
            tries += 1
            if tries >= TRIES:
                break
            await pause(tries)
        if self._flaw:
            await self._give_up(self._flaw)
        raise DownloadError(
            f"{self._part.path.stem} could not be downloaded, tried several times: {cause}."
            f" {disk.SAFE}; what has arrived is kept. Download it again to go on."
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
                await self._restart()
                start, tail = 0, b""
        if self._total is not None and self._total > self._limit:
            raise TooLargeError
        # A weak tag promises no equal bytes, and If-Range may not carry it (RFC 9110, 13.1.5).
        etag = headers.get("etag", "")
        self._etag = "" if etag.startswith("W/") else etag
        await self._receive(answer, start, tail)

    async def _restart(self) -> None:
        try:
            await run_sync(self._part.restart)
        except DownloadError as trouble:
            self._disk_trouble = trouble
            raise

    async def _receive(self, answer: Stream, start: int, tail: bytes) -> None:
        arrival = Arrival(
            self._part,
            start,
            tail,
            most=self._limit if self._total is None else self._total,
            excess=TooLargeError()
            if self._total is None
            else StartAgainError("the server sent more than it had announced"),
        )
        try:
            await answer.pour(arrival.take)
            arrival.check()
        except NoVideoError as trouble:
            if mp4.smells_of_expiry(trouble.document):
                raise DeadLinkError from trouble
            self._want_fresh_link = True
            what = mp4.what_it_is(trouble.document)
            raise CutError(f"the link gave {what} and not a video") from trouble
        finally:
            self._disk_trouble = arrival.disk_trouble
        if self._total is not None and arrival.position < self._total:
            raise CutError(f"the answer ended after {arrival.position} of {self._total} bytes")

    async def _check(self) -> ClipFacts | None:
        known = self._total is not None
        flaw, facts = await run_sync(lambda: disk.clip_flaw(self._part.path, length_known=known))
        if not flaw:
            return facts
        if not known:
            # Nobody said how long it is: perhaps the rest comes when it is asked for.
            self._flaw = flaw
            raise CutError(f"the video came without its length and {flaw}")
        self._flaws += 1
        if self._flaws >= TRIES_OF_A_BAD_FILE:
            await self._give_up(flaw)
        self._want_fresh_link = True
        raise StartAgainError(f"the file arrived whole, but {flaw}")

    async def _give_up(self, flaw: str) -> NoReturn:
        """Keep nothing of it: the next try shall not go on from what is damaged."""
        await run_sync(self._part.discard)
        raise CorruptClipError(
            f"What the provider serves as {self._part.path.stem} is not a whole MP4: {flaw}."
            " It was removed. The clip is paid for; download it again later, and if"
            " it stays so, show the provider the task's id."
        )


def _expired() -> LinkExpiredError:
    return LinkExpiredError(
        "The provider's link to the clip no longer works, and neither does a fresh one. The clip is"
        " paid for, but providers keep clips for a limited time: download it again soon,"
        " and if it fails again, the clip is gone there."
    )
