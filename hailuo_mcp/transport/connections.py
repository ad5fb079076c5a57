"""Connection pools for reads, paid requests and links, each built at its first request."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import TYPE_CHECKING, Literal

from hailuo_mcp.transport.encoding import pieces
from hailuo_mcp.transport.proxies import Proxy

if TYPE_CHECKING:
    import ssl

    import httpx

    HttpTransport = httpx.AsyncBaseTransport

Use = Literal["read", "pay", "link"]

CONNECT_SECONDS = 10.0
_HEADERS = {"Accept": "*/*", "Accept-Encoding": "identity", "User-Agent": "hailuo-mcp"}


class TooLargeError(Exception):
    """A response beyond its limit; never leaves this package."""


class Connections:
    """httpx's transports, without its client.

    The client would add cookies, redirects and the environment's proxies, which are not wanted
    here, and 0.1 ms of CPU time to each request.
    """

    def __init__(self, given: httpx.AsyncBaseTransport | None = None) -> None:
        self._given = given
        self._pools: dict[tuple[Use, Proxy | None, bool], httpx.AsyncBaseTransport] = {}
        self._tls: ssl.SSLContext | None = None

    def pool_for(
        self, use: Use, request: httpx.Request, proxy: Proxy | None = None
    ) -> httpx.AsyncBaseTransport:
        """Return what sends this request. The first one over TLS is slow: it loads certificates.

        Only reads keep connections for the next one. A kept connection that the server has just
        closed looks like a lost answer, which on a paid call cannot be told from a bought clip.
        And at one address many names may be served, whose certificates are only checked when a
        connection is made, so a link never uses another link's.
        """
        if use != "read":
            request.headers["Connection"] = "close"
        key = use, proxy, request.url.scheme == "http"
        if (pool := self._pools.get(key)) is None:
            pool = self._pools[key] = self._given or self._new_pool(*key)
        return pool

    async def aclose(self) -> None:
        pools = list(self._pools.values())
        self._pools.clear()
        for pool in pools:
            await pool.aclose()

    def _new_pool(
        self,
        use: Use,
        proxy: Proxy | None,
        plain: bool,  # noqa: FBT001  # a part of the key
    ) -> httpx.AsyncBaseTransport:
        import httpcore
        import httpx

        # With httpcore's 64 KiB, a clip costs twice the CPU time.
        httpcore.AsyncHTTP11Connection.READ_NUM_BYTES = 256 << 10  # pyright: ignore[reportAttributeAccessIssue]
        # At INFO httpcore logs whole links, signatures included.
        for name in ("httpx", "httpcore"):
            if logging.getLogger(name).level == logging.NOTSET:
                logging.getLogger(name).setLevel(logging.WARNING)
        limits = httpx.Limits(
            max_connections=100, max_keepalive_connections=20 if use == "read" else 0
        )
        if proxy is None:
            # Certificates take 25 ms to load, and the sandbox is plain http.
            tls = _no_certificates() if plain else self._trusted()
            return httpx.AsyncHTTPTransport(verify=tls, trust_env=False, limits=limits)
        from hailuo_mcp.transport.tunnel import proxied_transport

        return proxied_transport(proxy, self._trusted(), limits, plain=plain)

    def _trusted(self) -> ssl.SSLContext:
        if self._tls is None:
            self._tls = trusted()
        return self._tls


def _no_certificates() -> ssl.SSLContext:
    """What httpx is given instead of its default, for pools that never shake hands."""
    import ssl

    return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


def trusted() -> ssl.SSLContext:
    """The certificates that requests trust."""
    import httpx

    return httpx.create_ssl_context()


def build_request(
    method: str,
    url: str,
    *,
    headers: Mapping[str, str],
    timeout: httpx.Timeout,
    json: object = None,
    extensions: Mapping[str, object] | None = None,
) -> httpx.Request:
    import httpx

    return httpx.Request(
        method,
        url,
        json=json,
        headers={**_HEADERS, **headers},
        extensions={**(extensions or {}), "timeout": timeout.as_dict()},
    )


async def whole_body(response: httpx.Response, limit: int) -> bytes:
    """Read a body to its end.

    Raises:
        EncodedError: it cannot be unpacked.
        TooLargeError: it is longer than `limit` bytes.
    """
    body = bytearray()
    async for piece in pieces(response):
        body += piece
        if len(body) > limit:
            raise TooLargeError
    return bytes(body)
