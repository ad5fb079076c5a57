"""A wire of the event loop, used from the threads in which links are read."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Coroutine, Iterator
from typing import TypeVar, cast

import httpx

T = TypeVar("T")


class Bridge(httpx.BaseTransport):
    """For a wire that somebody gave; must be made on its loop."""

    def __init__(self, wire: httpx.AsyncBaseTransport) -> None:
        self._wire = wire
        self._loop = asyncio.get_running_loop()

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        response = self._run(self._wire.handle_async_request(request))
        return httpx.Response(
            response.status_code,
            headers=response.headers,
            stream=_Pieces(self, response),
        )

    def next(self, pieces: AsyncIterator[bytes]) -> bytes | None:
        async def step() -> bytes | None:
            return await anext(pieces, None)

        return self._run(step())

    def start(self, work: Coroutine[object, object, None]) -> None:
        asyncio.run_coroutine_threadsafe(work, self._loop)

    def _run(self, work: Coroutine[object, object, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()


class _Pieces(httpx.SyncByteStream):
    def __init__(self, bridge: Bridge, response: httpx.Response) -> None:
        self._bridge = bridge
        self._response = response

    def __iter__(self) -> Iterator[bytes]:
        pieces = aiter(cast("httpx.AsyncByteStream", self._response.stream))
        while (piece := self._bridge.next(pieces)) is not None:
            yield piece

    def close(self) -> None:
        # Not waited for: this may be the loop's own thread.
        self._bridge.start(self._response.aclose())
