"""Following links: clips come as streams, pictures as bytes, and every hop is checked."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urljoin, urlsplit

import anyio

from hailuo_mcp.domain import Link
from hailuo_mcp.errors import DownloadError, InvalidRequestError
from hailuo_mcp.transport.bodies import QUIET_SECONDS, Take, broken, pour, whole_number
from hailuo_mcp.transport.hosts import Hosts, RefusedLinkError, Target
from hailuo_mcp.transport.pool import CONNECT_SECONDS, Pool, TooLargeError
from hailuo_mcp.transport.trouble import ProxyError

if TYPE_CHECKING:
    import httpx

_MOST_HOPS = 5
_ELSEWHERE = frozenset({301, 302, 303, 307, 308})


class RefusedDownloadError(DownloadError):
    """The clip exists, but its link points to where this program does not go."""

    retry = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Stream:
    """An open answer. `length` is what this answer brings, `total` the whole file, if told."""

    status: int
    headers: Mapping[str, str]
    length: int | None
    total: int | None
    etag: str
    response: httpx.Response

    async def pour(self, take: Take) -> None:
        """Hand the body over, block by block, in a thread; see bodies.py."""
        await pour(self.response, take)


class Links:
    """Opens links: guarded hosts, no stranger ever sees the key, redirects by hand."""

    def __init__(
        self, pool: Pool, hosts: Hosts, base_url: str, bearer: Callable[[], dict[str, str]]
    ) -> None:
        self._pool = pool
        self._hosts = hosts
        self._base_url = base_url
        self._bearer = bearer

    @asynccontextmanager
    async def stream(self, link: Link, *, start: int, etag: str) -> AsyncGenerator[Stream]:
        import httpx

        headers: dict[str, str] = {}
        if start > 0:
            headers["Range"] = f"bytes={start}-"
            if etag:
                headers["If-Range"] = etag
        try:
            response = await self._open(link, headers, QUIET_SECONDS)
        except RefusedLinkError as refused:
            kind = DownloadError if refused.passing else RefusedDownloadError
            raise kind(
                f"The clip was not fetched: {refused.reason}. It is paid for and stays at the "
                "provider; fetching it again costs nothing."
            ) from None
        except ProxyError as fault:
            raise DownloadError(
                f"The clip was not fetched: {fault}. It is paid for and stays at the provider; "
                "fetching it again costs nothing. Check the proxy, then try again."
            ) from None
        except (httpx.HTTPError, OSError) as fault:
            raise broken(type(fault).__name__) from None
        try:
            yield _described(response)
        finally:
            response.close()

    async def fetch(self, url: str, *, limit: int, seconds: float) -> bytes:
        import httpx

        try:
            with anyio.fail_after(seconds):
                response = await self._open(Link(url=url), {}, seconds)
                try:
                    return await self._picture(response, limit)
                finally:
                    response.close()
        except RefusedLinkError as refused:
            raise _unread(refused.reason) from None
        except TooLargeError:
            raise _unread(f"it is larger than {limit / 1_000_000:.0f} MB") from None
        except (TimeoutError, httpx.TimeoutException):
            raise _unread(f"its host did not deliver it within {seconds:g} s") from None
        except ProxyError as fault:
            raise _unread(str(fault)) from None
        except (httpx.HTTPError, OSError, DownloadError):
            raise _unread("its host could not be reached") from None

    async def _picture(self, response: httpx.Response, limit: int) -> bytes:
        if response.status_code != 200:  # noqa: PLR2004
            raise _unread(f"its host answered HTTP {response.status_code}")
        if (whole_number(response.headers.get("content-length", "")) or 0) > limit:
            raise TooLargeError
        body = bytearray()

        def take(block: memoryview) -> None:
            body.extend(block)
            if len(body) > limit:
                raise TooLargeError

        await pour(response, take)
        return bytes(body)

    async def _open(self, link: Link, headers: dict[str, str], quiet: float) -> httpx.Response:
        url = link.url
        if link.authorised:
            url = f"{self._base_url}{url}" if url.startswith("/") else url
            if not self._is_own(url):
                raise RefusedLinkError("it asks for the key and is not at the provider")
        for _ in range(_MOST_HOPS + 1):
            target = await self._hosts.check(url)
            key = self._bearer() if link.authorised and self._is_own(url) else {}
            response = await self._knock(target, {**headers, **key}, quiet)
            onward = response.headers.get("location", "")
            if response.status_code not in _ELSEWHERE or not onward:
                return response
            response.close()
            try:
                url = urljoin(url, onward)
            except ValueError:
                raise RefusedLinkError("it sends on to what is not a link") from None
        raise RefusedLinkError(f"it sends on more than {_MOST_HOPS} times")

    async def _knock(self, target: Target, headers: dict[str, str], quiet: float) -> httpx.Response:
        import httpx

        line = self._pool.links(target.proxy, plain=target.urls[0].startswith("http:"))
        extensions = {"sni_hostname": target.name} if target.name else {}
        timeout = httpx.Timeout(quiet, connect=min(CONNECT_SECONDS, quiet))
        last = len(target.urls) - 1
        for place, url in enumerate(target.urls):
            request = line.build_request(
                "GET",
                url,
                headers={**headers, "Host": target.host},
                timeout=timeout,
                extensions=extensions,
            )
            try:
                return await line.send(request)
            except (httpx.ConnectError, httpx.ConnectTimeout, ProxyError):
                if place == last:
                    raise
        raise RefusedLinkError("its host has no address")  # unreachable: a target has one

    def _is_own(self, url: str) -> bool:
        own, there = urlsplit(self._base_url), urlsplit(url)
        return (own.scheme, own.netloc.lower()) == (there.scheme, there.netloc.lower())


def _described(response: httpx.Response) -> Stream:
    headers = {name.lower(): value for name, value in response.headers.items()}
    # A compressed answer (we ask for none) has a length of its own that says nothing of the clip.
    plain = headers.get("content-encoding", "identity") in ("", "identity")
    length = whole_number(headers.get("content-length", "")) if plain else None
    whole = headers.get("content-range", "").rpartition("/")[2]
    partial = response.status_code == 206  # noqa: PLR2004
    return Stream(
        status=response.status_code,
        headers=headers,
        length=length,
        total=whole_number(whole) if partial else length,
        etag=headers.get("etag", ""),
        response=response,
    )


def _unread(reason: str) -> InvalidRequestError:
    """Return one sentence: the check names all problems of a request at once."""
    return InvalidRequestError(
        f"The picture behind the link cannot be used: {reason}; give another link or the path of "
        "a file."
    )
