"""Undoes what a body was packed with, in bounded steps: a small answer may unpack to gigabytes."""

from __future__ import annotations

import zlib
from collections.abc import AsyncGenerator, Generator
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import httpx

_STEP = 256 << 10
"""Most bytes unpacked at once."""
_EITHER = 32 + zlib.MAX_WBITS
"""Takes gzip's header and zlib's."""
_KNOWN = (["gzip"], ["x-gzip"], ["deflate"])


class EncodedError(Exception):
    """A body that cannot be unpacked; never leaves this package. The text is a clause."""


class _Unpack(Protocol):
    """What zlib.decompressobj returns."""

    @property
    def unconsumed_tail(self) -> bytes: ...

    @property
    def unused_data(self) -> bytes: ...

    def decompress(self, data: bytes, max_length: int, /) -> bytes: ...


async def pieces(response: httpx.Response) -> AsyncGenerator[bytes]:
    """Yield a body as it arrives, unpacked.

    Requests ask for `identity`. One layer of gzip (one member) or deflate (with zlib's header) is
    undone all the same, because some servers pack whatever they are asked for; httpx would undo
    any number of layers at once, before anything can be counted.

    Raises:
        EncodedError: it is packed in another way, or is damaged.
    """
    import httpx

    stream = response.stream
    assert isinstance(stream, httpx.AsyncByteStream)  # noqa: S101  # all our transports are
    named = response.headers.get("content-encoding", "").lower().split(",")
    codings = [name for it in named if (name := it.strip()) not in ("", "identity")]
    if codings and codings not in _KNOWN:
        raise EncodedError("its answer has an encoding that was not asked for")
    unpack = zlib.decompressobj(_EITHER) if codings else None
    empty = True
    async for raw in stream:
        if unpack is None:
            yield raw
            continue
        empty = empty and not raw
        for piece in _unpacked(unpack, raw):
            yield piece
    if unpack and not empty and not unpack.eof:
        raise EncodedError("its compressed answer ends too early")


def _unpacked(unpack: _Unpack, raw: bytes) -> Generator[bytes]:
    try:
        while True:
            piece = unpack.decompress(raw, _STEP)
            if piece:
                yield piece
            raw = unpack.unconsumed_tail
            if unpack.unused_data:
                raise EncodedError("its compressed answer goes on after its end")
            if not raw and len(piece) < _STEP:
                return
    except zlib.error:
        raise EncodedError("its compressed answer is damaged") from None
