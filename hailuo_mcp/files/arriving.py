"""The blocks of one answer go into the .part, in the thread that reads them."""

from hailuo_mcp.errors import DownloadError
from hailuo_mcp.files import mp4
from hailuo_mcp.files.answers import NoVideoError, StartAgainError
from hailuo_mcp.files.part import Part

_DOCUMENT = 64 * 1024
"""Bytes that are kept of what is no video."""


class Arrival:
    """`tail` is what the answer repeats of the .part; nothing is written that is no MP4."""

    def __init__(
        self, part: Part, position: int, tail: bytes, *, most: int, excess: Exception
    ) -> None:
        self.position = position
        """Bytes of the whole file that have come."""
        self.disk_trouble: DownloadError | None = None
        self._part = part
        self._tail = tail
        self._most = most
        self._excess = excess
        self._good = bool(tail)
        self._document = b""

    def take(self, block: memoryview) -> None:
        self.position += len(block)
        if self.position > self._most:
            raise self._excess
        same = min(len(self._tail), len(block))
        if bytes(block[:same]) != self._tail[:same]:
            raise StartAgainError("the file at the provider is another one now")
        self._tail = self._tail[same:]
        if not self._good:
            self._document = bytes(block[:_DOCUMENT])
            if len(block) < mp4.HEAD:
                return  # a connection that broke at once; if not, it is told at the end
            self._good = mp4.starts_well(self._document)
            self.check()
        try:
            self._part.append(block[same:])
        except DownloadError as trouble:
            self.disk_trouble = trouble
            raise

    def check(self) -> None:
        if not self._good:
            raise NoVideoError(self._document)
