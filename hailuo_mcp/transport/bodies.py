"""The body of a link's answer, read by a blocking socket straight into blocks that are used again.

That takes half the CPU time that it takes through the event loop, which stays free for others.
"""

from __future__ import annotations

import socket
import ssl
from collections.abc import Callable, Generator, Iterator
from typing import TYPE_CHECKING, cast

from hailuo_mcp.errors import DownloadError
from hailuo_mcp.transport.apart import apart

if TYPE_CHECKING:
    from concurrent.futures import Future

    import httpx

Take = Callable[[memoryview], None]
_BLOCKS = (256 << 10, 4 << 20)
"""Bytes of a block for a short and for a long body: fewer blocks wake fewer threads, and many short
bodies may come at once."""
_BLOCKS_IN_A_BODY = 16
QUIET_SECONDS = 30.0
"""Between two pieces of a body."""


async def pour(response: httpx.Response, take: Take) -> None:
    """Hand the body to `take`, block by block, in a thread.

    A block stays as it is until `take` has returned from the next one. What has arrived is handed
    over before an error is raised, and before a caller who is cancelled goes.
    """
    stream = response.extensions.get("network_stream")
    peer: socket.socket | None = stream.get_extra_info("socket") if stream else None
    # Behind a proxy that is itself reached over TLS, what the socket gives is still encrypted.
    direct = not (stream and isinstance(stream.get_extra_info("ssl_object"), ssl.SSLObject))
    reading = _Reading(response, peer, take, direct=direct)
    await apart(reading.run, leave=reading.leave, wait=True)


class _Reading:
    def __init__(
        self, response: httpx.Response, peer: socket.socket | None, take: Take, *, direct: bool
    ) -> None:
        self._response = response
        self._peer = peer
        self._direct = direct
        length = whole_number(response.headers.get("content-length", "")) or 0
        least, most = _BLOCKS
        self._blocks = _Blocks(take, min(most, max(least, length // _BLOCKS_IN_A_BODY)))
        self._left_alone = False

    def leave(self, _result: Future[None]) -> None:
        self._left_alone = True
        if self._peer is not None:
            try:
                # Wakes the thread that reads. Not the method of a TLS socket, which would have
                # what still comes read as if it were plain.
                socket.socket.shutdown(self._peer, socket.SHUT_RDWR)
            except OSError:
                return  # it has ended by itself

    def run(self) -> None:
        import httpx

        try:
            for piece in self._pieces():
                if self._left_alone:
                    break
                self._blocks.add(piece)
        except (httpx.HTTPError, OSError) as fault:
            raise broken(type(fault).__name__) from None
        finally:
            self._blocks.flush()

    def _pieces(self) -> Iterator[bytes]:
        """The body as it comes.

        Where its length is known, only the first piece goes through the HTTP parser, which then
        holds nothing back.
        """
        response = self._response
        plain = response.headers.get("content-encoding", "identity") in ("", "identity")
        left = whole_number(response.headers.get("content-length", "")) if plain else None
        if "transfer-encoding" in response.headers or response.http_version != "HTTP/1.1":
            left = None
        pieces = cast("Generator[bytes]", response.iter_raw() if plain else response.iter_bytes())
        # Held to the end: a parser that is thrown away closes the connection.
        try:
            for piece in pieces:
                yield piece
                if left is not None and self._peer is not None and self._direct:
                    self._receive(self._peer, left - len(piece))
                    break
        finally:
            pieces.close()

    def _receive(self, peer: socket.socket, left: int) -> None:
        peer.settimeout(QUIET_SECONDS)
        while left > 0:
            count = peer.recv_into(self._blocks.room(left))
            if self._left_alone:
                return  # what a connection gives that was shut down is not trusted
            if not count:
                raise broken("cut short")
            self._blocks.filled(count)
            left -= count


class _Blocks:
    """Two buffers in turn: one is filled while the other may still be in use."""

    def __init__(self, take: Take, block: int) -> None:
        self._take = take
        self._buffer, self._other = bytearray(block), bytearray(block)
        self._size = 0

    def room(self, most: int) -> memoryview:
        return memoryview(self._buffer)[self._size : self._size + most]

    def filled(self, count: int) -> None:
        self._size += count
        if self._size == len(self._buffer):
            self.flush()

    def add(self, piece: bytes) -> None:
        while piece:
            room = self.room(len(piece))
            count = len(room)
            room[:] = piece[:count]
            piece = piece[count:]
            self.filled(count)

    def flush(self) -> None:
        if not (size := self._size):
            return
        block = memoryview(self._buffer)[:size].toreadonly()
        self._size = 0
        self._buffer, self._other = self._other, self._buffer
        self._take(block)


def broken(detail: str) -> DownloadError:
    return DownloadError(
        "The connection broke while the clip was fetched. It is paid for and stays at the "
        "provider; fetching it again costs nothing. Try again.",
        detail=detail,
    )


def whole_number(text: str) -> int | None:
    text = text.strip()
    return int(text) if text.isascii() and text.isdigit() and len(text) < 16 else None  # noqa: PLR2004
