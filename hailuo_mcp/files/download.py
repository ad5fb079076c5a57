"""Download one clip: retry, resume, ask for new links, until it is complete and checked."""

import re
import time
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path
from random import SystemRandom
from typing import NoReturn

import anyio
from anyio import CancelScope
from anyio.to_thread import run_sync

from hailuo_mcp.backoff import backoff
from hailuo_mcp.domain.remote import Link
from hailuo_mcp.errors import Do, DownloadError, HailuoError, LinkExpiredError, Step
from hailuo_mcp.files import clip_file, mp4
from hailuo_mcp.files.clip_file import DiskError, SavedFile, Sleep
from hailuo_mcp.files.partial_file import PartialFile
from hailuo_mcp.media.clip_facts import ClipFacts
from hailuo_mcp.transport.link_download import (
    LinkResponse,
    OpenLink,
    RefusedDownloadError,
    content_length,
)

LARGEST = 2 << 30
"""Bytes; a clip has a few megabytes, and a wrong link must not fill the disk."""
TRIES = 6
"""Consecutive failures without a new byte before we give up."""
MOST_TRIES = 100
NEW_LINKS = 2
"""Consecutive requests for a new link."""
TRIES_OF_A_BAD_FILE = 2
_LONGEST_PAUSE = 16.0
_WHOLE, _PARTIAL, _NO_SUCH_RANGE = 200, 206, 416
_DEAD_LINK = frozenset({400, 401, 403, 404, 410})
_RANGE = re.compile(r"bytes (\d{1,17})-\d{1,17}/(\d{1,17}|\*)", re.ASCII)
_DOCUMENT = 64 * 1024
"""Bytes inspected of a response that is not a video."""

_EXPIRED = (
    "The provider's link to the clip no longer works, and neither does a new one. Providers keep "
    "clips for a limited time: if this fails again, the provider has deleted the clip."
)

AskLink = Callable[[bool], Awaitable[Link]]
"""Return the clip's link; True requests a new one."""


class CorruptClipError(DownloadError):
    """Repeatedly downloaded in full, but no complete MP4 with a picture: it is damaged there."""


class _TooLargeError(DownloadError):
    """No clip is that large."""

    retry = False


class _CutError(Exception):
    """The connection broke or the response ended early: resume from here."""


class _StartAgainError(Exception):
    """The partial file and the response do not fit together."""


class _DeadLinkError(Exception):
    """The link no longer works."""


class _NoVideoError(Exception):
    """The response is something else: an error message or a login page."""

    def __init__(self, document: bytes) -> None:
        super().__init__()
        self.document = document


async def save(
    ask_link: AskLink,
    open_link: OpenLink,
    target: Path,
    *,
    overwrite: bool = False,
    task_id: str = "",
    limit: int = LARGEST,
    sleep: Sleep = anyio.sleep,
) -> SavedFile:
    """Download the clip behind `ask_link`, check it and move it to `target`.

    An existing complete clip of the same `task_id` is used as it is. What has arrived
    stays in a .part when this fails or is cancelled.
    """
    find_existing = partial(clip_file.find_existing, target, task_id, overwrite=overwrite)
    if found := await run_sync(find_existing):
        return found
    async with clip_file.locked(target, sleep=sleep):
        # The process that held the lock before us may have finished the work.
        if found := await run_sync(find_existing):
            return found
        part = await run_sync(PartialFile, target.with_name(target.name + ".part"))
        try:
            facts = await _Download(ask_link, open_link, part, limit).run(sleep)
            await run_sync(part.finish)
            replace = overwrite or clip_file.is_our_placeholder(target, task_id)
            await run_sync(lambda: clip_file.put_in_place(part.path, target, overwrite=replace))
        finally:
            with CancelScope(shield=True):
                await run_sync(part.close)
        return await run_sync(lambda: clip_file.saved_file(target, facts, sha256=part.sha256))


class _Body:
    """Writes one response's body to the .part, if it is an MP4.

    `overlap` is what the response repeats of the .part. `most` is the greatest allowed length,
    and `excess` is raised if the file is longer.
    """

    def __init__(
        self, part: PartialFile, start: int, overlap: bytes, *, most: int, excess: Exception
    ) -> None:
        self.position = start
        """Bytes of the whole file that have arrived."""
        self._part = part
        self._overlap = overlap
        self._most = most
        self._excess = excess
        self._is_video = bool(overlap)
        self._document = b""

    def take(self, block: bytearray) -> None:
        self.position += len(block)
        if self.position > self._most:
            raise self._excess
        same = min(len(self._overlap), len(block))
        if not block.startswith(self._overlap[:same]):
            raise _StartAgainError("the file at the provider has changed")
        self._overlap = self._overlap[same:]
        if not self._is_video:
            self._document = bytes(block[:_DOCUMENT])
            if len(block) < mp4.HEAD:
                return  # a connection that broke at once; otherwise finish() detects it
            self._is_video = mp4.starts_well(self._document)
            self.finish()
        self._part.append(memoryview(block)[same:])

    def finish(self) -> None:
        if not self._is_video:
            raise _NoVideoError(self._document)


class _Download:
    """One download in progress; lives as long as its .part is open."""

    def __init__(
        self, ask_link: AskLink, open_link: OpenLink, part: PartialFile, limit: int
    ) -> None:
        self._ask_link = ask_link
        self._open_link = open_link
        self._part = part
        self._limit = limit
        self._etag = ""
        self._total: int | None = None
        self._want_new_link = False
        self._refused = False
        """A link was refused; a remembered one may name a server that is gone."""
        self._flaws = 0
        self._flaw = ""
        """The flaw of a file that ended without a stated length."""

    async def run(self, sleep: Sleep) -> ClipFacts | None:
        """Return the facts from the complete clip's headers; the .part can then be renamed."""
        best, tries, dead = self._part.size, 0, 0
        cause: Exception = _CutError("no data arrived")
        for _ in range(MOST_TRIES):
            try:
                return await self._try()
            except _DeadLinkError as trouble:
                dead += 1
                if dead > NEW_LINKS:
                    raise LinkExpiredError(_EXPIRED) from trouble
                self._want_new_link = True
                if dead > 1:
                    await sleep(_pause(dead))
                continue
            except _StartAgainError as trouble:
                cause = trouble
                await run_sync(self._part.restart)
                self._etag = ""
            except _CutError as trouble:
                cause = trouble
            if self._part.size > best:
                best, tries, dead = self._part.size, 0, 0
            tries += 1
            if tries >= TRIES:
                break
            await sleep(_pause(tries))
        if self._flaw:
            await self._give_up(self._flaw)
        raise DownloadError(
            f"{self._part.path.stem} could not be downloaded after several tries: {cause}. The "
            "partial download is kept."
        ) from cause

    async def _try(self) -> ClipFacts | None:
        link = await self._current_link()
        overlap = await run_sync(self._part.tail)
        start = self._part.size - len(overlap)
        etag = self._etag if start else ""
        try:
            async with self._open_link(link, start=start, etag=etag) as answer:
                await self._receive(answer, start, overlap)
        except DiskError:
            raise
        except RefusedDownloadError as refused:
            if self._refused:
                raise
            self._refused = True
            raise _DeadLinkError from refused
        except _TooLargeError:
            await run_sync(self._part.discard)
            raise
        except HailuoError as trouble:
            if not trouble.retry:
                raise
            raise _CutError("the connection failed") from trouble
        except OSError as trouble:
            raise _CutError("the connection failed") from trouble
        return await self._check()

    async def _current_link(self) -> Link:
        new, self._want_new_link = self._want_new_link, False
        try:
            link = await self._ask_link(new)
            expired = link.expires_at is not None and link.expires_at <= time.time()
            if expired and not new:
                # Our clock may be wrong, so the new link is tried even if it seems expired.
                link = await self._ask_link(expired)
        except HailuoError as trouble:
            if not trouble.retry:
                raise
            raise _CutError("the provider gave no link") from trouble
        return link

    async def _receive(self, answer: LinkResponse, start: int, overlap: bytes) -> None:
        """Append this response's body; return only if it ended where it should."""
        self._total = self._announced_total(answer, start)
        if start and answer.status == _WHOLE:
            await run_sync(self._part.restart)
            start, overlap = 0, b""
        too_large = self._too_large()
        if self._total is None:
            body = _Body(self._part, start, overlap, most=self._limit, excess=too_large)
        elif self._total > self._limit:
            raise too_large
        else:
            longer = _StartAgainError("the server sent more data than announced")
            body = _Body(self._part, start, overlap, most=self._total, excess=longer)
        # A weak tag does not promise equal bytes, and If-Range must not use it (RFC 9110, 13.1.5).
        etag = answer.headers.get("etag", "")
        self._etag = "" if etag.startswith("W/") else etag
        try:
            await answer.stream_to(body.take)
            body.finish()
        except _NoVideoError as trouble:
            if mp4.looks_expired(trouble.document):
                raise _DeadLinkError from trouble
            self._want_new_link = True
            what = mp4.kind_of_document(trouble.document)
            raise _CutError(f"the link gave {what} instead of a video") from trouble
        if self._total is not None and body.position < self._total:
            raise _CutError(f"the response ended after {body.position} of {self._total} bytes")

    def _announced_total(self, answer: LinkResponse, start: int) -> int | None:
        """The length of the whole file, if this response has what was requested."""
        if answer.status in _DEAD_LINK:
            raise _DeadLinkError
        if answer.status == _NO_SUCH_RANGE:
            raise _StartAgainError("the server does not have this range of the file")
        if answer.status == _WHOLE:
            return content_length(answer.headers)
        if answer.status != _PARTIAL:
            raise _CutError(f"the server answered HTTP {answer.status}")
        if answer.headers.get("content-encoding", "identity").lower() != "identity":
            raise _StartAgainError("the server sent a range of a compressed file")
        found = _RANGE.match(answer.headers.get("content-range", ""))
        if not found or int(found[1]) != start:
            raise _StartAgainError("the server sent a different range than requested")
        return None if found[2] == "*" else int(found[2])

    async def _check(self) -> ClipFacts | None:
        known = self._total is not None
        flaw, facts = await run_sync(lambda: clip_file.inspect(self._part.path, length_known=known))
        if not flaw:
            return facts
        if not known:
            # Its length is unknown: a request for the rest may bring more.
            self._flaw = flaw
            raise _CutError(f"the video arrived without a stated length, and {flaw}")
        self._flaws += 1
        if self._flaws >= TRIES_OF_A_BAD_FILE:
            await self._give_up(flaw)
        self._want_new_link = True
        raise _StartAgainError(f"the file arrived complete, but {flaw}")

    async def _give_up(self, flaw: str) -> NoReturn:
        """Delete the .part: the next attempt must not resume damaged data."""
        await run_sync(self._part.discard)
        raise CorruptClipError(
            f"The provider's file for {self._part.path.stem} is not a complete MP4: {flaw}. It "
            "was removed.",
            Step(Do.REPEAT),
            Step(Do.ARRANGE, "if the file stays damaged, report the task id to the provider"),
        )

    def _too_large(self) -> _TooLargeError:
        return _TooLargeError(
            f"The file behind the link is larger than {self._limit / 2**30:.1f} GB, so it cannot "
            "be a clip. It was removed.",
            Step(Do.ARRANGE, "ask the provider about this task"),
        )


def _pause(tries: int) -> float:
    # Jitter, so that a hundred interrupted downloads do not resume at the same moment.
    return backoff(tries - 1, first=0.4, most=_LONGEST_PAUSE, jitter=SystemRandom().random())
