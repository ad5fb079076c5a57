"""Talking to a provider: reads are repeated with patience, a purchase is sent exactly once."""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import anyio

from hailuo_mcp.dialects.dialect import HttpReply, HttpRequest
from hailuo_mcp.domain import Link
from hailuo_mcp.errors import (
    ConfigError,
    InvalidRequestError,
    ProviderUnavailableError,
    UnconfirmedSubmitError,
    UnexpectedResponseError,
)
from hailuo_mcp.transport.hosts import Hosts
from hailuo_mcp.transport.lean import load_httpx
from hailuo_mcp.transport.links import Links, Stream
from hailuo_mcp.transport.pool import CONNECT_SECONDS, HttpLine, Pool, TooLargeError, whole_body
from hailuo_mcp.transport.trouble import ProxyError

if TYPE_CHECKING:
    import httpx

_LARGEST_ANSWER = 4 * 1024 * 1024
_TRIES = 3
_SLOWEST_UPLINK = 100_000
"""Bytes a second; a picture of 20 MB then has four minutes more to leave."""
_AGAIN = frozenset({502, 503, 504})
_LEAVES = "send_request_headers.started"
_LONGEST_PAUSE = 5.0


class Transport:
    """One provider's base URL and key, and the guard over every other address."""

    def __init__(  # noqa: PLR0913  # every one but three has a default
        self,
        base_url: str,
        key: Callable[[], str],
        hosts: Hosts,
        *,
        host: str = "",
        wire: httpx.AsyncBaseTransport | None = None,
        rng: random.Random | None = None,
        sleep: Callable[[float], Awaitable[None]] = anyio.sleep,
        submit_timeout: float = 60.0,
        read_timeout: float = 15.0,
    ) -> None:
        load_httpx()
        self._base_url = base_url.rstrip("/")
        self._host = host or urlsplit(self._base_url).netloc
        self._key = key
        self._rng = rng or random.Random()  # noqa: S311  # spreads retries; guards nothing
        self._sleep = sleep
        self._submit_timeout = submit_timeout
        self._read_timeout = read_timeout
        self._proxy = hosts.proxy_to(self._base_url)
        self._pool = Pool(wire, self._proxy, plain=self._base_url.startswith("http:"))
        self._traced = wire is None
        self._links = Links(self._pool, hosts, self._base_url, self._bearer)

    async def read(self, request: HttpRequest) -> HttpReply:
        """Ask something that costs nothing; faults of the line are tried again, twice."""
        headers = self._bearer()
        tries = 0
        while True:
            tries += 1
            reply, fault = await self._ask(request, headers)
            if reply is not None and (reply.status not in _AGAIN or tries == _TRIES):
                return reply
            if tries == _TRIES:
                raise ProviderUnavailableError(
                    f"{self._unreached(fault)}. Asking costs nothing, and what was bought is not "
                    f"affected. Check {self._way('the network')}, then ask again.",
                    detail=type(fault).__name__,
                )
            await self._sleep(self._pause(tries, reply))

    async def pay(
        self, request: HttpRequest, *, leaving: Callable[[], None] = lambda: None
    ) -> HttpReply:
        """Send one HTTP request, once; whatever is not certain is an UnconfirmedSubmitError.

        `leaving` is called before the first byte can leave: cancelled earlier, nothing was sent.
        """
        import httpx

        headers = self._bearer()
        seen: set[str] = set()

        async def trace(event: str, info: object) -> None:
            del info
            step = event.partition(".")[2]  # without "connection." and "http11."
            if step == _LEAVES:
                leaving()
            seen.add(step)

        line = self._pool.fresh()
        try:
            built = line.build_request(
                request.method,
                f"{self._base_url}{request.target}",
                json=request.json,
                headers=headers,
                extensions={"trace": trace},
            )
        except UnicodeError:
            raise InvalidRequestError(
                "The request holds half of a character, which no provider can read. Nothing was "
                "sent or charged. Write the prompt anew as plain text."
            ) from None
        # Pictures travel in the request: a slow uplink is not a lost answer.
        seconds = self._submit_timeout + len(built.content) / _SLOWEST_UPLINK
        built.extensions["timeout"] = self._timeout(seconds).as_dict()
        if not self._traced:
            leaving()
        try:
            with anyio.fail_after(seconds):
                return await self._answer(line, built)
        except TooLargeError:
            raise self._lost("its answer was too large to be one", "TooLarge") from None
        except (httpx.HTTPError, OSError) as fault:
            name = type(fault).__name__
            # The trace fires before the first byte leaves. Its silence alone proves nothing (a
            # wire given for tests has no trace), so a sign of the connecting phase is asked for.
            # A tunnel through a proxy is part of connecting, and its CONNECT no trace of ours.
            early = isinstance(
                fault, httpx.ConnectError | httpx.ConnectTimeout | httpx.PoolTimeout | ProxyError
            )
            connecting = "connect_tcp.started" in seen
            if _LEAVES not in seen and (early or connecting):
                raise ProviderUnavailableError(
                    f"{self._unreached(fault)}, so the request never left. Nothing was charged. "
                    f"Check {self._way('the network')} and HAILUO_BASE_URL, then try again.",
                    detail=name,
                ) from None
            slow = isinstance(fault, httpx.TimeoutException | TimeoutError)
            why = "it did not answer in time" if slow else "the connection broke"
            raise self._lost(why, name) from None

    def stream(
        self, link: Link, *, start: int = 0, etag: str = ""
    ) -> AbstractAsyncContextManager[Stream]:
        """Open a clip at a byte; see links.py."""
        return self._links.stream(link, start=start, etag=etag)

    async def fetch(self, url: str, *, limit: int, seconds: float) -> bytes:
        """Read a picture; see links.py."""
        return await self._links.fetch(url, limit=limit, seconds=seconds)

    async def aclose(self) -> None:
        await self._pool.aclose()

    async def _ask(
        self, request: HttpRequest, headers: dict[str, str]
    ) -> tuple[HttpReply | None, Exception | None]:
        import httpx

        line = self._pool.kept()
        built = line.build_request(
            request.method,
            f"{self._base_url}{request.target}",
            json=request.json,
            headers=headers,
            timeout=self._timeout(self._read_timeout),
        )
        try:
            with anyio.fail_after(self._read_timeout):
                return await self._answer(line, built), None
        except TooLargeError:
            raise UnexpectedResponseError(
                f"{self._host} gave an answer of more than {_LARGEST_ANSWER >> 20} MiB. Asking "
                "costs nothing. Check HAILUO_BASE_URL, then ask again."
            ) from None
        except (httpx.HTTPError, OSError) as fault:
            return None, fault

    async def _answer(self, line: HttpLine, built: httpx.Request) -> HttpReply:
        response = await line.send(built)
        try:
            body = await whole_body(response, _LARGEST_ANSWER)
        finally:
            await response.aclose()
        return HttpReply(
            status=response.status_code,
            headers={name.lower(): value for name, value in response.headers.items()},
            body=body,
        )

    def _unreached(self, fault: Exception | None) -> str:
        if isinstance(fault, ProxyError):
            return f"{self._host} could not be reached: {fault}"
        through = f" through the proxy {self._proxy}" if self._proxy else ""
        return f"{self._host} could not be reached{through}"

    def _way(self, usual: str) -> str:
        return f"the proxy ({self._proxy.source})" if self._proxy else usual

    def _bearer(self) -> dict[str, str]:
        key = self._key()
        if not key.isascii() or not key.isprintable() or " " in key or not key:
            raise ConfigError(
                "The API key holds characters that no key has, or is empty. Nothing was sent or "
                "charged. Copy HAILUO_API_KEY anew, without spaces or line breaks."
            )
        return {"Authorization": f"Bearer {key}"}

    def _timeout(self, seconds: float) -> httpx.Timeout:
        import httpx

        # Shorter than the whole: httpcore leaves a socket open when it is cancelled in a handshake.
        return httpx.Timeout(seconds, connect=min(CONNECT_SECONDS, seconds / 2))

    def _pause(self, tries: int, reply: HttpReply | None) -> float:
        asked = (reply.headers.get("retry-after", "") if reply else "").strip()
        wished = float(asked) if asked.isascii() and asked.isdigit() else 0.0
        jitter = 0.5 * 2.0**tries * (0.5 + self._rng.random() / 2)
        return min(max(jitter, wished), _LONGEST_PAUSE)

    def _lost(self, why: str, detail: str) -> UnconfirmedSubmitError:
        return UnconfirmedSubmitError(
            f"The request was sent to {self._host}, but {why}. It may have been bought and "
            "charged. Do not send it again; it is not repeated here either.",
            detail=detail,
        )
