"""The lines out, made at the first request: for reads, for what is paid, and for links."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from hailuo_mcp.transport.apart import apart

if TYPE_CHECKING:
    from concurrent.futures import Future

    import httpx

    from hailuo_mcp.transport.proxies import Proxy

CONNECT_SECONDS = 10.0
_HEADERS = {"Accept": "*/*", "Accept-Encoding": "identity", "User-Agent": "hailuo-mcp"}


class TooLargeError(Exception):
    """An answer beyond its cap; never leaves this package."""


class Line:
    """The headers that go with every request, and a wire.

    Without httpx's client around it, which adds cookies, redirects, authentication and the
    environment's proxies, all of which are not wanted here, and a fifth of a read's CPU time.
    """

    def __init__(self, headers: Mapping[str, str]) -> None:
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


class HttpLine(Line):
    """For what is asked of a provider."""

    def __init__(self, wire: httpx.AsyncBaseTransport, headers: Mapping[str, str]) -> None:
        super().__init__(headers)
        self._wire = wire

    async def send(self, request: httpx.Request) -> httpx.Response:
        """Return the open answer, whatever it is; whoever gets it closes it."""
        response = await self._wire.handle_async_request(request)
        response.request = request
        return response

    async def aclose(self) -> None:
        await self._wire.aclose()


class LinkLine(Line):
    """For links: blocking sockets, so that a large body can be read in a thread."""

    def __init__(self, wire: httpx.BaseTransport, headers: Mapping[str, str]) -> None:
        super().__init__(headers)
        self._wire = wire

    async def send(self, request: httpx.Request) -> httpx.Response:
        """Return the open answer, whatever it is; whoever gets it closes it."""

        def close(late: Future[httpx.Response]) -> None:
            if not late.exception():
                late.result().close()

        response = await apart(
            lambda: self._wire.handle_request(request),
            leave=lambda result: result.add_done_callback(close),
        )
        response.request = request
        return response

    def close(self) -> None:
        self._wire.close()


class Pool:
    """The lines over one certificate store; `proxy` is on the way to the provider.

    `plain`: where the line leads is asked by http://.
    """

    def __init__(
        self,
        wire: httpx.AsyncBaseTransport | None = None,
        proxy: Proxy | None = None,
        *,
        plain: bool = False,
    ) -> None:
        self._wire = wire
        self._proxy = proxy
        self._plain = plain
        self._kept: HttpLine | None = None
        self._fresh: HttpLine | None = None
        self._links: dict[tuple[Proxy | None, bool], LinkLine] = {}
        self._tls: object = None

    def kept(self) -> HttpLine:
        """For reads from the provider: connections are kept alive and used again."""
        if self._kept is None:
            self._kept = HttpLine(self._async_wire(keep=20), _HEADERS)
        return self._kept

    def fresh(self) -> HttpLine:
        """For paid calls: every request has a connection of its own.

        A kept connection that the server has just closed looks like a lost answer, which on a
        paid call cannot be told from a bought clip.
        """
        if self._fresh is None:
            wire = self._async_wire(keep=0)
            self._fresh = HttpLine(wire, {**_HEADERS, "Connection": "close"})
        return self._fresh

    def links(self, proxy: Proxy | None = None, *, plain: bool = False) -> LinkLine:
        """For links: every request has a connection of its own.

        One address may serve many names, whose certificates are only checked when a connection
        is made.
        """
        way = (proxy, plain) if proxy is not None else (None, False)
        if (line := self._links.get(way)) is None:
            wire = self._blocking_wire(*way)
            line = self._links[way] = LinkLine(wire, {**_HEADERS, "Connection": "close"})
        return line

    async def aclose(self) -> None:
        lines = [line for line in (self._kept, self._fresh) if line is not None]
        links = list(self._links.values())
        self._kept = self._fresh = None
        self._links.clear()
        for line in lines:
            await line.aclose()
        for link_line in links:
            link_line.close()

    def _async_wire(self, *, keep: int) -> httpx.AsyncBaseTransport:
        if self._wire is not None:
            return self._wire
        if self._proxy is not None:
            from hailuo_mcp.transport import tunnel

            return tunnel.async_wire(self._proxy, self._options(keep=keep), plain=self._plain)
        import httpx

        return httpx.AsyncHTTPTransport(**self._options(keep=keep))

    def _blocking_wire(self, proxy: Proxy | None, plain: bool) -> httpx.BaseTransport:  # noqa: FBT001
        if self._wire is not None:
            from hailuo_mcp.transport.bridge import Bridge

            return Bridge(self._wire)
        if proxy is not None:
            from hailuo_mcp.transport import tunnel

            return tunnel.wire(proxy, self._options(keep=0), plain=plain)
        import httpx

        return httpx.HTTPTransport(**self._options(keep=0))

    def _options(self, *, keep: int) -> dict[str, Any]:
        import httpx

        # At INFO httpcore logs whole links, signatures included.
        for name in ("httpx", "httpcore"):
            if logging.getLogger(name).level == logging.NOTSET:
                logging.getLogger(name).setLevel(logging.WARNING)
        if self._tls is None:
            self._tls = httpx.create_ssl_context()
        return {
            "verify": self._tls,
            "trust_env": False,
            "limits": httpx.Limits(max_connections=100, max_keepalive_connections=keep),
            "retries": 0,
        }


async def whole_body(response: httpx.Response, limit: int) -> bytes:
    """Read a body to its end, or stop at the cap."""
    body = bytearray()
    async for chunk in response.aiter_bytes():
        body += chunk
        if len(body) > limit:
            raise TooLargeError
    return bytes(body)
