"""The lines out, made at the first request: one keeps connections for reads, one never does."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import httpx

CONNECT_SECONDS = 10.0
_AGENT = "hailuo-mcp"


class TooLargeError(Exception):
    """An answer beyond its cap; never leaves this package."""


class HttpLine:
    """A wire and the headers that go with every request.

    Without httpx's client around it, which adds cookies, redirects, authentication and the
    environment's proxies, all of which are not wanted here, and a fifth of a read's CPU time.
    """

    def __init__(self, wire: httpx.AsyncBaseTransport, headers: Mapping[str, str]) -> None:
        self._wire = wire
        self._headers = headers

    def build_request(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str],
        json: object = None,
        timeout: httpx.Timeout | None = None,
        extensions: Mapping[str, object] | None = None,
    ) -> httpx.Request:
        import httpx

        return httpx.Request(
            method,
            url,
            json=json,
            headers={**self._headers, **headers},
            extensions={**(extensions or {}), "timeout": timeout.as_dict() if timeout else {}},
        )

    async def send(self, request: httpx.Request) -> httpx.Response:
        """Return the open answer, whatever it is; whoever gets it closes it."""
        response = await self._wire.handle_async_request(request)
        response.request = request
        return response

    async def aclose(self) -> None:
        await self._wire.aclose()


class Pool:
    """Two lines over one certificate store.

    The proxies of the environment are not used: a link is fetched at the address that was
    checked, which a proxy would look up anew.
    """

    def __init__(self, wire: httpx.AsyncBaseTransport | None = None) -> None:
        self._wire = wire
        self._kept: HttpLine | None = None
        self._fresh: HttpLine | None = None
        self._tls: object = None

    def kept(self) -> HttpLine:
        """For reads from the provider: connections are kept alive and used again."""
        if self._kept is None:
            self._kept = self._line(keep=20)
        return self._kept

    def fresh(self) -> HttpLine:
        """For paid calls and links: every request has a connection of its own.

        A kept connection that the server has just closed looks like a lost answer, which on a
        paid call cannot be told from a bought clip. And one address may serve many names, whose
        certificates are only checked when a connection is made.
        """
        if self._fresh is None:
            self._fresh = self._line(keep=0)
        return self._fresh

    async def aclose(self) -> None:
        lines = [line for line in (self._kept, self._fresh) if line is not None]
        self._kept = self._fresh = None
        for line in lines:
            await line.aclose()

    def _line(self, *, keep: int) -> HttpLine:
        import httpx

        # At INFO httpcore logs whole links, signatures included.
        for name in ("httpx", "httpcore"):
            if logging.getLogger(name).level == logging.NOTSET:
                logging.getLogger(name).setLevel(logging.WARNING)
        if self._wire is None and self._tls is None:
            self._tls = httpx.create_ssl_context()
        wire = self._wire or httpx.AsyncHTTPTransport(
            verify=self._tls,  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
            trust_env=False,
            limits=httpx.Limits(max_connections=100, max_keepalive_connections=keep),
            retries=0,
        )
        headers = {"Accept": "*/*", "Accept-Encoding": "identity", "User-Agent": _AGENT}
        if keep == 0:
            headers["Connection"] = "close"
        return HttpLine(wire, headers)


async def whole_body(response: httpx.Response, limit: int) -> bytes:
    """Read a body to its end, or stop at the cap."""
    body = bytearray()
    async for chunk in response.aiter_bytes():
        body += chunk
        if len(body) > limit:
            raise TooLargeError
    return bytes(body)
