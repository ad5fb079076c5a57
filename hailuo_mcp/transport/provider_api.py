"""Requests to a provider: reads are retried, anything else is sent exactly once."""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import anyio

from hailuo_mcp.backoff import backoff
from hailuo_mcp.dialects.dialect import HttpReply, HttpRequest
from hailuo_mcp.errors import (
    ConfigError,
    Do,
    InvalidRequestError,
    ProviderUnavailableError,
    Step,
    UnconfirmedCancelError,
    UnconfirmedSubmitError,
    UnexpectedResponseError,
)
from hailuo_mcp.transport.connections import (
    CONNECT_SECONDS,
    Connections,
    TooLargeError,
    build_request,
    whole_body,
)
from hailuo_mcp.transport.encoding import EncodedError
from hailuo_mcp.transport.hosts import HostPolicy
from hailuo_mcp.transport.link_download import LinkReader
from hailuo_mcp.transport.proxies import ProxyError

if TYPE_CHECKING:
    import httpx

_LARGEST_ANSWER = 4 * 1024 * 1024
_TRIES = 3
_SLOWEST_UPLINK = 100_000
"""Bytes a second; a picture of 20 MB gets four more minutes."""
_GATEWAY_TROUBLE = frozenset({502, 503, 504})
_LEAVES = "send_request_headers.started"
_LONGEST_PAUSE = 5.0


Observe = Callable[[HttpRequest, HttpReply], None]
"""Sees each request that was answered, and the answer, secrets and all."""


class Transport:
    """One provider's base URL and key; `links` opens links of any other host."""

    def __init__(  # noqa: PLR0913  # every one but three has a default
        self,
        base_url: str,
        key: Callable[[], str],
        hosts: HostPolicy,
        *,
        host: str = "",
        wire: httpx.AsyncBaseTransport | None = None,
        rng: random.Random | None = None,
        sleep: Callable[[float], Awaitable[None]] = anyio.sleep,
        submit_timeout: float = 60.0,
        read_timeout: float = 15.0,
        observe: Observe | None = None,
    ) -> None:
        self._base_url = base_url.rstrip("/")
        self._host = host or urlsplit(self._base_url).netloc
        self._key = key
        self._rng = rng or random.Random()  # noqa: S311  # spreads retries; guards nothing
        self._sleep = sleep
        self._submit_timeout = submit_timeout
        self._read_timeout = read_timeout
        self._observe = observe
        self._proxy = hosts.proxy_to(self._base_url)
        self._connections = Connections(wire)
        self._traced = wire is None
        self.links = LinkReader(self._connections, hosts, self._base_url, self._authorisation)

    async def read(self, request: HttpRequest) -> HttpReply:
        """Send a free request; after a broken connection it is retried twice."""
        import httpx

        tries = 0
        while True:
            tries += 1
            reply = None
            built = self._build(request, self._read_timeout)
            pool = self._connections.pool_for("read", built, self._proxy)
            try:
                with anyio.fail_after(self._read_timeout):
                    reply = await self._answer(pool, built, request)
            except TooLargeError:
                raise UnexpectedResponseError(
                    f"{self._host} gave an answer of more than {_LARGEST_ANSWER >> 20} MiB.",
                    Step(Do.CHECK, "HAILUO_BASE_URL"),
                ) from None
            except EncodedError as fault:
                raise UnexpectedResponseError(
                    f"{self._host} gave an answer that cannot be read: {fault}.",
                    Step(Do.CHECK, "HAILUO_BASE_URL"),
                ) from None
            except (httpx.HTTPError, OSError) as fault:
                if tries == _TRIES:
                    raise self._unreachable(fault, ".") from None
            if reply and (reply.status not in _GATEWAY_TROUBLE or tries == _TRIES):
                return reply
            await self._sleep(self._pause(tries, reply))

    async def pay(
        self, request: HttpRequest, *, leaving: Callable[[], None] = lambda: None
    ) -> HttpReply:
        """Make a purchase: send one HTTP request, once.

        `leaving` is called before the first byte can be sent: cancelled earlier, nothing was sent.

        Raises:
            UnconfirmedSubmitError: it was sent, or may have been, and no answer came.
            ProviderUnavailableError: it was certainly not sent.
        """
        return await self._send_once(request, self._submit_timeout, leaving)

    async def change(self, request: HttpRequest) -> HttpReply:
        """Send a free request that changes something, once.

        Raises:
            UnconfirmedCancelError: it was sent, or may have been, and no answer came.
            ProviderUnavailableError: it was certainly not sent.
        """
        try:
            return await self._send_once(request, self._read_timeout, lambda: None)
        except UnconfirmedSubmitError as lost:
            raise UnconfirmedCancelError(lost.what, detail=lost.detail) from None

    async def _send_once(
        self, request: HttpRequest, patience: float, leaving: Callable[[], None]
    ) -> HttpReply:
        import httpx

        seen: set[str] = set()

        async def trace(event: str, info: object) -> None:
            del info
            step = event.partition(".")[2]  # without "connection." and "http11."
            if step == _LEAVES:
                leaving()
            seen.add(step)

        try:
            built = self._build(request, patience)
        except UnicodeError:
            raise InvalidRequestError(
                "The request contains an unpaired surrogate (invalid Unicode).",
                Step(Do.TRY, "write the prompt again as plain text"),
            ) from None
        # The request contains pictures: a slow uplink is not a lost response.
        seconds = patience + len(built.content) / _SLOWEST_UPLINK
        built.extensions = {"trace": trace, "timeout": self._timeout(seconds).as_dict()}
        pool = self._connections.pool_for("pay", built, self._proxy)
        if not self._traced:
            leaving()
        try:
            with anyio.fail_after(seconds):
                return await self._answer(pool, built, request)
        except TooLargeError:
            raise self._lost("its answer was too large", "TooLarge") from None
        except EncodedError as fault:
            raise self._lost(str(fault), "Encoded") from None
        except (httpx.HTTPError, OSError) as fault:
            name = type(fault).__name__
            # The trace fires before the first byte is sent. Its silence alone proves nothing (a
            # transport given by a test has no trace), so a sign of connecting is required.
            # A tunnel through a proxy is part of connecting, and its CONNECT is not traced.
            early = isinstance(
                fault, httpx.ConnectError | httpx.ConnectTimeout | httpx.PoolTimeout | ProxyError
            )
            connecting = "connect_tcp.started" in seen
            if _LEAVES not in seen and (early or connecting):
                raise self._unreachable(fault, ", so the request was not sent.") from None
            slow = isinstance(fault, httpx.TimeoutException | TimeoutError)
            why = "it did not answer in time" if slow else "the connection broke"
            raise self._lost(why, name) from None

    async def aclose(self) -> None:
        await self._connections.aclose()

    async def _answer(
        self, pool: httpx.AsyncBaseTransport, built: httpx.Request, request: HttpRequest
    ) -> HttpReply:
        reply = await _answer(pool, built)
        if self._observe is not None:
            self._observe(request, reply)
        return reply

    def _build(self, request: HttpRequest, seconds: float) -> httpx.Request:
        return build_request(
            request.method,
            f"{self._base_url}{request.target}",
            json=request.json,
            headers=self._authorisation(),
            timeout=self._timeout(seconds),
        )

    def _unreachable(self, fault: Exception, ending: str) -> ProviderUnavailableError:
        why, way = "", "check the network and the provider's address"
        if self._proxy:
            why = f" through the proxy {self._proxy}"
            way = f"check the proxy ({self._proxy.source})"
        if isinstance(fault, ProxyError):
            why = f": {fault}"
        return ProviderUnavailableError(
            f"{self._host} could not be reached{why}{ending}",
            Step(Do.ARRANGE, way),
            Step(Do.REPEAT),
            detail=type(fault).__name__,
        )

    def _authorisation(self) -> dict[str, str]:
        key = self._key()
        if not key.isascii() or not key.isprintable() or " " in key or not key:
            raise ConfigError(
                "The API key is empty, or has characters that no key has.",
                Step(Do.CHECK, "HAILUO_API_KEY"),
            )
        return {"Authorization": f"Bearer {key}"}

    def _timeout(self, seconds: float) -> httpx.Timeout:
        import httpx

        # Shorter than the total: httpcore leaves a socket open if cancelled in a handshake.
        return httpx.Timeout(seconds, connect=min(CONNECT_SECONDS, seconds / 2))

    def _pause(self, tries: int, reply: HttpReply | None) -> float:
        asked = (reply.headers.get("retry-after", "") if reply else "").strip()
        wished = float(asked) if asked.isascii() and asked.isdigit() else 0.0
        pause = backoff(tries - 1, first=0.75, most=_LONGEST_PAUSE, jitter=self._rng.random())
        return min(max(pause, wished), _LONGEST_PAUSE)

    def _lost(self, why: str, detail: str) -> UnconfirmedSubmitError:
        return UnconfirmedSubmitError(
            f"The request was sent to {self._host}, but {why}.",
            Step(Do.TRY, "do not send it again"),
            Step(Do.SETTLE),
            detail=detail,
        )


async def _answer(pool: httpx.AsyncBaseTransport, built: httpx.Request) -> HttpReply:
    response = await pool.handle_async_request(built)
    try:
        body = await whole_body(response, _LARGEST_ANSWER)
    finally:
        await response.aclose()
    return HttpReply(
        status=response.status_code,
        headers={name.lower(): value for name, value in response.headers.items()},
        body=body,
    )
