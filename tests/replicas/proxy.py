"""A TCP proxy: a new connection goes to the next replica, or to the one that its address belongs to.

Round robin needs nothing of its clients. Affinity by the client's address is what a session of the
older protocol and the SSE transport need; each test client therefore has an address of its own.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
from collections.abc import AsyncIterator

Reader, Writer = asyncio.StreamReader, asyncio.StreamWriter


class Proxy:
    def __init__(self) -> None:
        self.backends: list[int] = []
        """The ports of the replicas; a connection that one refuses goes to the next."""
        self.round_robin = self.affine = 0
        """The ports that this listens on."""
        self.connections = 0
        self._turn = 0
        self._cut = False
        self._open: set[Writer] = set()

    @contextlib.asynccontextmanager
    async def serve(self, round_robin: int = 0, affine: int = 0) -> AsyncIterator[Proxy]:
        first = await asyncio.start_server(self._take_turns, "127.0.0.1", round_robin)
        second = await asyncio.start_server(self._by_address, "127.0.0.1", affine)
        self.round_robin = int(first.sockets[0].getsockname()[1])
        self.affine = int(second.sockets[0].getsockname()[1])
        try:
            yield self
        finally:
            first.close()
            second.close()
            self._abort_all()

    def cut(self) -> None:
        """End every connection, and each new one too, until `mend`."""
        self._cut = True
        self._abort_all()

    def mend(self) -> None:
        self._cut = False

    def _abort_all(self) -> None:
        for writer in list(self._open):
            writer.transport.abort()

    async def _take_turns(self, reader: Reader, writer: Writer) -> None:
        self._turn += 1
        await self._connect(reader, writer, self._turn)

    async def _by_address(self, reader: Reader, writer: Writer) -> None:
        """The replica with the highest hash with this address: others stay when one goes."""
        address = writer.get_extra_info("peername")[0]

        def weight(port: int) -> bytes:
            return hashlib.sha256(f"{address} {port}".encode()).digest()

        best = max(self.backends, key=weight, default=None)
        start = self.backends.index(best) if best is not None else 0
        await self._connect(reader, writer, start)

    async def _connect(self, reader: Reader, writer: Writer, start: int) -> None:
        self.connections += 1
        backends = list(self.backends)
        for step in range(0 if self._cut else len(backends)):
            port = backends[(start + step) % len(backends)]
            try:
                there = await asyncio.open_connection("127.0.0.1", port)
            except OSError:
                continue
            await self._join((reader, writer), there)
            return
        writer.transport.abort()

    async def _join(self, here: tuple[Reader, Writer], there: tuple[Reader, Writer]) -> None:
        ends = {here[1], there[1]}
        self._open |= ends
        copies = [
            asyncio.ensure_future(self._copy(here[0], there[1])),
            asyncio.ensure_future(self._copy(there[0], here[1])),
        ]
        try:
            await asyncio.wait(copies)
        finally:
            for copy in copies:
                copy.cancel()
            for end in ends:
                self._open.discard(end)
                end.transport.abort()

    async def _copy(self, reader: Reader, writer: Writer) -> None:
        try:
            while data := await reader.read(65536):
                writer.write(data)
                await writer.drain()
            if writer.can_write_eof():
                writer.write_eof()
        except OSError:
            writer.transport.abort()
