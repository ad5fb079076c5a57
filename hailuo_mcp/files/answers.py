"""What is needed of a server's answer, and the ways in which one disappoints."""

from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager
from typing import Protocol

from hailuo_mcp.domain import Link
from hailuo_mcp.errors import DownloadError

_LONG_NUMBER = 18
"""Digits; more is no file's length."""


class Stream(Protocol):
    """What is needed of an answer; the transport's own type fits."""

    @property
    def status(self) -> int: ...
    @property
    def headers(self) -> Mapping[str, str]:
        """Names in lower case."""
        ...

    async def pour(self, take: Callable[[memoryview], None]) -> None:
        """Hand the body to `take`, in a thread; DownloadError where the connection breaks.

        A block stays as it is until `take` has returned from the next one, and whatever `take`
        raises ends it and comes back.
        """
        ...


class Open(Protocol):
    """Transport.stream."""

    def __call__(
        self, link: Link, *, start: int = 0, etag: str = ""
    ) -> AbstractAsyncContextManager[Stream]: ...


class CorruptClipError(DownloadError):
    """It came whole, again and again, and is no whole MP4: the provider's file is damaged."""


class CutError(Exception):
    """The connection broke or the answer ended early: go on from here."""


class StartAgainError(Exception):
    """What is here and what comes do not fit together."""


class DeadLinkError(Exception):
    """The link does not work any more."""


class NoVideoError(Exception):
    """Something else came: an error message, or a page to log in."""

    def __init__(self, document: bytes) -> None:
        super().__init__()
        self.document = document


class TooLargeError(Exception):
    """No clip is that large."""


def full_length(headers: Mapping[str, str]) -> int | None:
    """Return how long the whole file is by a plain 200 answer, where it says so."""
    if headers.get("content-encoding", "identity") != "identity":
        return None
    text = headers.get("content-length", "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < _LONG_NUMBER else None
