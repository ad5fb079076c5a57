"""Follows links: clips as streams, input files as bytes; every redirect is checked."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Protocol
from urllib.parse import urljoin, urlsplit

import anyio
from anyio.to_thread import run_sync

from hailuo_mcp.domain.remote import Link
from hailuo_mcp.errors import Do, DownloadError, InvalidRequestError, Step
from hailuo_mcp.transport.connections import (
    CONNECT_SECONDS,
    Connections,
    TooLargeError,
    build_request,
    whole_body,
)
from hailuo_mcp.transport.encoding import EncodedError, pieces
from hailuo_mcp.transport.hosts import HostPolicy, RefusedLinkError, Target
from hailuo_mcp.transport.proxies import ProxyError

if TYPE_CHECKING:
    import httpx

_MOST_HOPS = 5
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_BLOCK = 256 << 10
"""Bytes handed to a worker thread at once."""
_IDLE_SECONDS = 30.0
"""Longest wait between two pieces of a body."""


class RefusedDownloadError(DownloadError):
    """The clip exists, but its link points to a host that must not be contacted."""

    retry = False


@dataclass(frozen=True, slots=True)
class LinkResponse:
    """An open response."""

    response: httpx.Response

    @property
    def status(self) -> int:
        return self.response.status_code

    @property
    def headers(self) -> Mapping[str, str]:
        """Lookup ignores the case of names."""
        return self.response.headers

    async def stream_to(self, take: Callable[[bytearray], None]) -> None:
        """Hand the body to `take` in a worker thread, 256 KiB or a little more at a time.

        What has arrived is handed over even if the connection breaks or the caller is cancelled.
        An exception from `take` ends it.

        Raises:
            DownloadError: the connection broke, or the body cannot be unpacked.
        """
        import httpx

        block = bytearray()
        try:
            async for piece in pieces(self.response):
                block += piece
                if len(block) >= _BLOCK:
                    full, block = block, bytearray()
                    await run_sync(take, full)
        except anyio.get_cancelled_exc_class():
            if block:
                with anyio.CancelScope(shield=True), suppress(Exception):  # cancelled all the same
                    await run_sync(take, block)
            raise
        except EncodedError as fault:
            raise DownloadError(
                f"The host of the clip did not send the file as it is: {fault}."
            ) from None
        except (httpx.HTTPError, OSError) as fault:
            if block:
                await run_sync(take, block)
            raise _broken(type(fault).__name__) from None
        if block:
            await run_sync(take, block)


class OpenLink(Protocol):
    """LinkReader.open."""

    def __call__(
        self, link: Link, *, start: int = 0, etag: str = ""
    ) -> AbstractAsyncContextManager[LinkResponse]: ...


class LinkReader:
    """Opens links on allowed hosts, without the key, and checks every redirect."""

    def __init__(
        self,
        connections: Connections,
        hosts: HostPolicy,
        base_url: str,
        authorisation: Callable[[], dict[str, str]],
    ) -> None:
        self._connections = connections
        self._hosts = hosts
        self._base_url = base_url
        self._authorisation = authorisation

    @asynccontextmanager
    async def open(
        self, link: Link, *, start: int = 0, etag: str = ""
    ) -> AsyncGenerator[LinkResponse]:
        """Open a clip from a byte offset, if its `etag` is still the same."""
        import httpx

        headers: dict[str, str] = {}
        if start > 0:
            headers["Range"] = f"bytes={start}-"
            if etag:
                headers["If-Range"] = etag
        try:
            response = await self._follow(link, headers, _IDLE_SECONDS)
        except RefusedLinkError as refused:
            kind = DownloadError if refused.passing else RefusedDownloadError
            raise kind(f"The clip was not fetched: {refused.reason}.", *refused.then) from None
        except ProxyError as fault:
            raise DownloadError(
                f"The clip was not fetched: {fault}.",
                Step(Do.ARRANGE, "check the proxy"),
                Step(Do.REPEAT),
            ) from None
        except (httpx.HTTPError, OSError) as fault:
            raise _broken(type(fault).__name__) from None
        try:
            yield LinkResponse(response)
        finally:
            await response.aclose()

    async def fetch(self, url: str, *, limit: int, seconds: float, noun: str = "picture") -> bytes:
        """Read an input file of at most `limit` bytes within so many seconds."""
        import httpx

        unread = partial(_unusable, noun)
        try:
            with anyio.fail_after(seconds):
                response = await self._follow(Link(url=url), {}, seconds)
                try:
                    if response.status_code != 200:  # noqa: PLR2004
                        raise unread(f"its host answered HTTP {response.status_code}")
                    if (content_length(response.headers) or 0) > limit:
                        raise TooLargeError
                    return await whole_body(response, limit)
                finally:
                    await response.aclose()
        except RefusedLinkError as refused:
            raise unread(refused.reason, *refused.then) from None
        except TooLargeError:
            raise unread(f"it is larger than {limit / 1_000_000:.0f} MB") from None
        except EncodedError as fault:
            raise unread(str(fault)) from None
        except (TimeoutError, httpx.TimeoutException):
            raise unread(f"its host did not deliver it within {seconds:g} s") from None
        except ProxyError as fault:
            raise unread(str(fault)) from None
        except (httpx.HTTPError, OSError):
            raise unread("its host could not be reached") from None

    async def _follow(self, link: Link, headers: dict[str, str], idle: float) -> httpx.Response:
        url = link.url
        if link.authorised:
            url = f"{self._base_url}{url}" if url.startswith("/") else url
            if not self._is_own(url):
                raise RefusedLinkError("it needs the API key but is not on the provider's host")
        for _ in range(_MOST_HOPS + 1):
            target = await self._hosts.check(url)
            key = self._authorisation() if link.authorised and self._is_own(url) else {}
            response = await get_from(self._connections, target, {**headers, **key}, idle)
            onward = response.headers.get("location", "")
            if response.status_code not in _REDIRECTS or not onward:
                return response
            await response.aclose()
            try:
                url = urljoin(url, onward)
            except ValueError:
                raise RefusedLinkError("it redirects to an invalid link") from None
        raise RefusedLinkError(f"it redirects more than {_MOST_HOPS} times")

    def _is_own(self, url: str) -> bool:
        own, there = urlsplit(self._base_url), urlsplit(url)
        return (own.scheme, own.netloc.lower()) == (there.scheme, there.netloc.lower())


async def get_from(
    connections: Connections, target: Target, headers: dict[str, str], idle: float
) -> httpx.Response:
    """Try each address of the target in turn, until one accepts the connection.

    The response is open, and may be a redirect.
    """
    import httpx

    async def ask(url: str) -> httpx.Response:
        request = build_request(
            "GET",
            url,
            headers={**headers, "Host": target.host},
            timeout=httpx.Timeout(idle, connect=min(CONNECT_SECONDS, idle)),
            extensions={"sni_hostname": target.name} if target.name else {},
        )
        pool = connections.pool_for("link", request, target.proxy)
        return await pool.handle_async_request(request)

    *others, last = target.urls
    for url in others:
        with suppress(httpx.ConnectError, httpx.ConnectTimeout, ProxyError):
            return await ask(url)
    return await ask(last)


def content_length(headers: Mapping[str, str]) -> int | None:
    """The length of the body, if stated; that of a compressed one is not usable."""
    if headers.get("content-encoding", "identity") not in ("", "identity"):
        return None
    text = headers.get("content-length", "").strip()
    return int(text) if text.isascii() and text.isdigit() and len(text) < 18 else None  # noqa: PLR2004


def _broken(detail: str) -> DownloadError:
    return DownloadError("The connection broke while the clip was fetched.", detail=detail)


def _unusable(noun: str, reason: str, *then: Step) -> InvalidRequestError:
    return InvalidRequestError(
        f"The {noun} behind the link cannot be used: {reason}; give another link or the path of a "
        "file.",
        *then,
    )
