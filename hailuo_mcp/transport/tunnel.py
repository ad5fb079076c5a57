"""The way through a proxy, underneath httpx's connections; loaded only where a proxy is set.

httpx's own tunnels check a certificate against the address that is asked for, not against the name
(`sni_hostname`), emit the CONNECT's trace as if it were the request's, and leave SOCKS without a
timeout. Opened below the connection, a tunnel is part of connecting: all that comes after it is
what it is without a proxy.
"""

from __future__ import annotations

import ssl
import time
from base64 import b64encode
from collections.abc import Callable, Generator, Iterable
from contextlib import contextmanager
from http import HTTPStatus
from typing import Any, cast

import anyio
import h11
import httpcore
import httpx

from hailuo_mcp.transport.proxies import Proxy
from hailuo_mcp.transport.trouble import ProxyError

Handshake = Generator[bytes, bytes, None]
"""Yields what to write, is sent what was read, and returns when the way is open."""

_READ = 4096


class _RefusedError(Exception):
    """A clause about the proxy: what it did instead of opening a way."""


def async_wire(proxy: Proxy, options: dict[str, Any], *, plain: bool) -> httpx.AsyncHTTPTransport:
    """Return a wire whose connections go through the proxy; `plain` for http:// addresses."""
    if plain and proxy.scheme != "socks5":
        return httpx.AsyncHTTPTransport(proxy=_forwarding(proxy, options), **options)
    return _AsyncTunnels(proxy, options)


def wire(proxy: Proxy, options: dict[str, Any], *, plain: bool) -> httpx.HTTPTransport:
    """The same with blocking sockets."""
    if plain and proxy.scheme != "socks5":
        return httpx.HTTPTransport(proxy=_forwarding(proxy, options), **options)
    return _Tunnels(proxy, options)


def try_tunnel(
    proxy: Proxy, host: str, port: int, *, trust: ssl.SSLContext, secure: bool, seconds: float
) -> None:
    """Open a way to a host, shake hands where it is `secure`, and close it again.

    Raises:
        ProxyError: the proxy opened no way.
        OSError: the host behind it did not shake hands.
    """
    stream = _Dialer(proxy, trust).connect_tcp(host, port, seconds)
    try:
        if secure:
            stream = stream.start_tls(trust, host, seconds)
    except (httpcore.ConnectError, httpcore.ConnectTimeout) as exc:
        raise exc.__cause__ if isinstance(exc.__cause__, OSError) else OSError() from None
    finally:
        stream.close()


def _forwarding(proxy: Proxy, options: dict[str, Any]) -> httpx.Proxy:
    """Plain http is handed to the proxy: many open tunnels for https alone."""
    tls = options["verify"] if proxy.scheme == "https" else None
    return httpx.Proxy(str(proxy), auth=proxy.auth, ssl_context=tls)


def _pooled(options: dict[str, Any]) -> dict[str, Any]:
    limits: httpx.Limits = options["limits"]
    return {
        "ssl_context": options["verify"],
        "max_connections": limits.max_connections,
        "max_keepalive_connections": limits.max_keepalive_connections,
        "keepalive_expiry": limits.keepalive_expiry,
    }


class _AsyncTunnels(httpx.AsyncHTTPTransport):
    def __init__(self, proxy: Proxy, options: dict[str, Any]) -> None:
        super().__init__(**options)
        self._pool = httpcore.AsyncConnectionPool(
            network_backend=_AsyncDialer(proxy, options["verify"]), **_pooled(options)
        )


class _Tunnels(httpx.HTTPTransport):
    def __init__(self, proxy: Proxy, options: dict[str, Any]) -> None:
        super().__init__(**options)
        self._pool = httpcore.ConnectionPool(
            network_backend=_Dialer(proxy, options["verify"]), **_pooled(options)
        )


class _AsyncDialer(httpcore.AsyncNetworkBackend):
    def __init__(self, proxy: Proxy, trust: ssl.SSLContext) -> None:
        self._proxy = proxy
        self._trust = trust
        network: object = httpcore.AnyIOBackend()  # a checker sees what stands in for it
        self._network = cast("httpcore.AsyncNetworkBackend", network)

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109  # httpcore's signature
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        proxy, stream = self._proxy, None
        try:
            with _told(proxy), anyio.fail_after(timeout):
                stream = await self._network.connect_tcp(
                    proxy.host, proxy.port, None, local_address, socket_options
                )
                if proxy.scheme == "https":
                    stream = await stream.start_tls(self._trust, proxy.host)
                handshake = _handshake(proxy, host, port)
                said = next(handshake)
                while True:
                    await stream.write(said)
                    heard = await stream.read(_READ)
                    try:
                        said = handshake.send(_something(heard))
                    except StopIteration:
                        return stream
        except BaseException:
            if stream is not None:
                with anyio.CancelScope(shield=True):
                    await stream.aclose()
            raise


class _Dialer(httpcore.NetworkBackend):
    def __init__(self, proxy: Proxy, trust: ssl.SSLContext) -> None:
        self._proxy = proxy
        self._trust = trust
        self._network = httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        proxy, stream = self._proxy, None
        end = time.monotonic() + (timeout or 0.0)

        def left() -> float | None:
            return None if timeout is None else max(end - time.monotonic(), 0.001)

        try:
            with _told(proxy):
                stream = self._network.connect_tcp(
                    proxy.host, proxy.port, left(), local_address, socket_options
                )
                if proxy.scheme == "https":
                    stream = stream.start_tls(self._trust, proxy.host, left())
                handshake = _handshake(proxy, host, port)
                said = next(handshake)
                while True:
                    stream.write(said, left())
                    heard = stream.read(_READ, left())
                    try:
                        said = handshake.send(_something(heard))
                    except StopIteration:
                        return stream
        except BaseException:
            if stream is not None:
                stream.close()
            raise


@contextmanager
def _told(proxy: Proxy) -> Generator[None]:
    """Turn whatever goes wrong on the way into one error, with words of our own."""
    try:
        yield
    except _RefusedError as exc:
        why = str(exc)
    except (TimeoutError, httpcore.TimeoutException):
        why = "did not answer in time"
    except httpcore.ConnectError:
        why = "cannot be reached"
    except (httpcore.NetworkError, OSError):
        why = "closed the connection"
    else:
        return
    raise ProxyError(f"the proxy {proxy} {why}")


def _something(heard: bytes) -> bytes:
    if not heard:
        raise _RefusedError("closed the connection")
    return heard


def _handshake(proxy: Proxy, host: str, port: int) -> Handshake:
    return (_socks if proxy.scheme == "socks5" else _connect)(proxy, host, port)


def _connect(proxy: Proxy, host: str, port: int) -> Handshake:
    place = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    headers = [("Host", place), ("User-Agent", "hailuo-mcp")]
    if proxy.auth is not None:
        pair = b64encode(":".join(proxy.auth).encode()).decode()
        headers.append(("Proxy-Authorization", f"Basic {pair}"))
    line = h11.Connection(h11.CLIENT)
    said = line.send(h11.Request(method="CONNECT", target=place, headers=headers)) or b""
    try:
        while not isinstance(answer := line.next_event(), h11.Response):
            if answer is h11.NEED_DATA:
                line.receive_data((yield said))
                said = b""
    except h11.RemoteProtocolError:
        raise _RefusedError("does not answer as an HTTP proxy does") from None
    if answer.status_code == HTTPStatus.PROXY_AUTHENTICATION_REQUIRED:
        raise _RefusedError(_credentials(proxy))
    if not 200 <= answer.status_code < 300:  # noqa: PLR2004
        raise _RefusedError(f"refused the connection (HTTP {answer.status_code})")
    if line.trailing_data[0]:
        raise _RefusedError("does not answer as an HTTP proxy does")


def _socks(proxy: Proxy, host: str, port: int) -> Handshake:
    import socksio
    from socksio import socks5

    methods = [socks5.SOCKS5AuthMethod.NO_AUTH_REQUIRED]
    if proxy.auth is not None:
        methods.append(socks5.SOCKS5AuthMethod.USERNAME_PASSWORD)
    try:
        heard = yield from _asked(socks5.SOCKS5AuthMethodsRequest(methods).dumps(), _two)
        method = socks5.SOCKS5AuthReply.loads(heard).method
        if method not in methods:
            raise _RefusedError(_credentials(proxy))
        if method is socks5.SOCKS5AuthMethod.USERNAME_PASSWORD:
            name, word = (text.encode() for text in proxy.auth or ("", ""))
            request = socks5.SOCKS5UsernamePasswordRequest(name, word)
            heard = yield from _asked(request.dumps(), _two)
            if not socks5.SOCKS5UsernamePasswordReply.loads(heard).success:
                raise _RefusedError(_credentials(proxy))
        command = socks5.SOCKS5CommandRequest.from_address(
            socks5.SOCKS5Command.CONNECT, (host, port)
        )
        heard = yield from _asked(command.dumps(), _reply)
        code = socks5.SOCKS5ReplyCode(heard[1:2])
    except (socksio.ProtocolError, ValueError, KeyError, OverflowError):
        raise _RefusedError("does not answer as a SOCKS5 proxy does") from None
    if code is not socks5.SOCKS5ReplyCode.SUCCEEDED:
        raise _RefusedError(f"refused the connection ({code.name.lower().replace('_', ' ')})")


def _asked(said: bytes, length: Callable[[bytes], int]) -> Generator[bytes, bytes, bytes]:
    """Write, and read an answer of a length that its beginning tells."""
    heard = b""
    while len(heard) < length(heard):
        heard += yield said
        said = b""
    return heard


def _two(_heard: bytes) -> int:
    return 2


def _reply(heard: bytes) -> int:
    """The length of the last answer: a head, an address of one of three kinds, a port."""
    if len(heard) < 5 or heard[1]:  # noqa: PLR2004
        return 5
    return 4 + {1: 4, 3: 1 + heard[4], 4: 16}[heard[3]] + 2


def _credentials(proxy: Proxy) -> str:
    if proxy.auth is None:
        return "asks for a user name and password"
    return f"does not accept the user name and password in {proxy.source}"
