"""A raw loopback server that counts what reaches it."""

from __future__ import annotations

import socket
import struct
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field

import anyio
import anyio.abc
import pytest


@dataclass
class Visit:
    """One connection and what has been read from it."""

    stream: anyio.abc.SocketStream
    server: Raw
    number: int
    head: bytes = b""
    body: bytes = b""

    async def read(self) -> bool:
        """Read one request; False where the other side has closed."""
        data = self.body[:0]
        while b"\r\n\r\n" not in data:
            try:
                data += await self.stream.receive()
            except (anyio.EndOfStream, anyio.BrokenResourceError):
                return False
        self.head, _, rest = data.partition(b"\r\n\r\n")
        length = 0
        for line in self.head.lower().split(b"\r\n"):
            if line.startswith(b"content-length:"):
                length = int(line.split(b":")[1])
        while len(rest) < length:
            rest += await self.stream.receive()
        self.body = rest
        self.server.requests.append(self.head)
        return True

    async def answer(self, body: bytes = b"{}", *, status: str = "200 OK", extra: str = "") -> None:
        head = f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\n{extra}\r\n"
        await self.stream.send(head.encode() + body)

    async def reset(self) -> None:
        raw = self.stream.extra(anyio.abc.SocketAttribute.raw_socket)
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        await self.stream.aclose()


@dataclass
class Raw:
    port: int
    connections: int = 0
    requests: list[bytes] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"


Behave = Callable[[Visit], Awaitable[None]]
Serve = Callable[[Behave], AbstractAsyncContextManager[Raw]]


@asynccontextmanager
async def _serve(behave: Behave) -> AsyncGenerator[Raw]:
    listener = await anyio.create_tcp_listener(local_host="127.0.0.1", local_port=0)
    raw = Raw(port=listener.extra(anyio.abc.SocketAttribute.local_port))

    async def handle(stream: anyio.abc.SocketStream) -> None:
        raw.connections += 1
        async with stream:
            try:
                await behave(Visit(stream=stream, server=raw, number=raw.connections))
            except (anyio.BrokenResourceError, anyio.ClosedResourceError, anyio.EndOfStream):
                return

    async with anyio.create_task_group() as group:
        group.start_soon(listener.serve, handle)
        yield raw
        group.cancel_scope.cancel()
    await listener.aclose()


@pytest.fixture
def serve() -> Serve:
    return _serve
