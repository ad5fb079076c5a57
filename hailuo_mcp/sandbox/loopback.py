"""One small HTTP call to this machine: callbacks out, and first frames in from a test's own server.

Nothing else is ever reached: an imitation must not be a way to make requests to the world.
"""

from __future__ import annotations

import asyncio
import ipaddress
from urllib.parse import urlsplit

_MOST_BYTES = 21 * 1024 * 1024
_SECONDS = 3.0


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
    method: str, url: str, body: bytes = b"", *, most_bytes: int = _MOST_BYTES
) -> tuple[int, bytes]:
    """Return the status and body of one request, or raise OSError, also when time runs out."""
    if not is_loopback(url):
        message = "only http URLs of this machine are called"
        raise OSError(message)
    async with asyncio.timeout(_SECONDS):
        return await asyncio.to_thread(_exchange, method, url, body, most_bytes)


def _exchange(method: str, url: str, body: bytes, most_bytes: int) -> tuple[int, bytes]:
    from http.client import HTTPConnection, HTTPException

    parts = urlsplit(url)
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    connection = HTTPConnection(parts.hostname or "", parts.port or 80, timeout=_SECONDS)
    try:
        connection.request(method, target, body, {"Content-Type": "application/json"})
        answer = connection.getresponse()
        content = answer.read(most_bytes + 1)
    except (HTTPException, ValueError) as broken:
        raise OSError(str(broken)) from broken
    finally:
        connection.close()
    if len(content) > most_bytes:
        message = "the answer is too large"
        raise OSError(message)
    return answer.status, content
