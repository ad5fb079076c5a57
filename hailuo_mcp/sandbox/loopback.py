"""One small HTTP call to this machine: callbacks out, and first frames in from a test's own server.

Nothing else is ever reached: an imitation must not be a way to make requests to the world.
"""

from __future__ import annotations

import asyncio
import ipaddress
from urllib.parse import urlsplit

_MOST_BYTES = 21 * 1024 * 1024


def is_loopback(url: str) -> bool:
    """Tell whether a plain http URL names this machine."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
        is_here = host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
    return parts.scheme == "http" and is_here and port != 0


async def call(
    method: str, url: str, body: bytes = b"", *, seconds: float = 3.0
) -> tuple[int, bytes]:
    """Return the status and body of one request, or raise OSError, also when time runs out."""
    if not is_loopback(url):
        message = "only http URLs of this machine are called"
        raise OSError(message)
    async with asyncio.timeout(seconds):
        return await _exchange(method, url, body)


async def _exchange(method: str, url: str, body: bytes) -> tuple[int, bytes]:
    import h11

    parts = urlsplit(url)
    host, port = parts.hostname or "localhost", parts.port or 80
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    reader, writer = await asyncio.open_connection(host, port)
    try:
        connection = h11.Connection(h11.CLIENT)
        headers = [
            ("Host", f"{host}:{port}"),
            ("Connection", "close"),
            ("Content-Type", "application/json"),
            ("Content-Length", str(len(body))),
        ]
        for event in (
            h11.Request(method=method, target=target, headers=headers),
            h11.Data(data=body),
            h11.EndOfMessage(),
        ):
            writer.write(connection.send(event) or b"")
        await writer.drain()
        return await _answer(connection, reader)
    except h11.RemoteProtocolError as broken:
        raise OSError(str(broken)) from broken
    finally:
        writer.close()


async def _answer(connection: object, reader: asyncio.StreamReader) -> tuple[int, bytes]:
    import h11

    assert isinstance(connection, h11.Connection)  # noqa: S101  # typed so that h11 loads lazily
    status, received = 0, bytearray()
    while True:
        event = connection.next_event()
        if event is h11.NEED_DATA:
            connection.receive_data(await reader.read(65536))
        elif isinstance(event, h11.Response):
            status = event.status_code
        elif isinstance(event, h11.Data):
            received += event.data
            if len(received) > _MOST_BYTES:
                message = "the answer is too large"
                raise OSError(message)
        elif isinstance(event, h11.EndOfMessage):
            return status, bytes(received)
        elif isinstance(event, h11.ConnectionClosed):
            message = "the connection closed without an answer"
            raise OSError(message)
