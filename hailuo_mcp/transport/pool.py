"""The httpx clients, made at the first request: one keeps connections for reads, one never does."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import httpx

CONNECT_SECONDS = 10.0
_AGENT = "hailuo-mcp"


class TooLargeError(Exception):
    """An answer beyond its cap; never leaves this package."""


class Pool:
    """Two clients over one certificate store.

    The proxies of the environment are not used: a link is fetched at the address that was
    checked, which a proxy would look up anew.
    """

    def __init__(self, wire: httpx.AsyncBaseTransport | None = None) -> None:
        self._wire = wire
        self._kept: httpx.AsyncClient | None = None
        self._fresh: httpx.AsyncClient | None = None
        self._tls: object = None

    def kept(self) -> httpx.AsyncClient:
        """For reads from the provider: connections are kept alive and used again."""
        if self._kept is None:
            self._kept = self._client(keep=20)
        return self._kept

    def fresh(self) -> httpx.AsyncClient:
        """For paid calls and links: every request has a connection of its own.

        A kept connection that the server has just closed looks like a lost answer, which on a
        paid call cannot be told from a bought clip. And one address may serve many names, whose
        certificates are only checked when a connection is made.
        """
        if self._fresh is None:
            self._fresh = self._client(keep=0)
        return self._fresh

    async def aclose(self) -> None:
        clients = [client for client in (self._kept, self._fresh) if client is not None]
        self._kept = self._fresh = None
        for client in clients:
            await client.aclose()

    def _client(self, *, keep: int) -> httpx.AsyncClient:
        from http.cookiejar import DefaultCookiePolicy

        import httpx

        # At INFO httpx logs whole links, signatures included.
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
        headers = {"User-Agent": _AGENT, "Accept-Encoding": "identity"}
        if keep == 0:
            headers["Connection"] = "close"
        client = httpx.AsyncClient(
            transport=wire, headers=headers, trust_env=False, follow_redirects=False
        )
        client.cookies.jar.set_policy(DefaultCookiePolicy(allowed_domains=[]))
        return client


async def whole_body(response: httpx.Response, limit: int) -> bytes:
    """Read a body to its end, or stop at the cap."""
    body = bytearray()
    async for chunk in response.aiter_bytes():
        body += chunk
        if len(body) > limit:
            raise TooLargeError
    return bytes(body)
