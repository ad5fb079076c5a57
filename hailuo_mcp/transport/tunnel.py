"""Tunnels through a proxy, below httpx's connections; loaded only if a proxy is set.

httpx's own tunnels check a certificate against the address that is asked for, not against the name
(`sni_hostname`), emit the CONNECT's trace as if it were the request's, and leave SOCKS without a
timeout. Opened below the connection, a tunnel is part of connecting: everything after it works
as without a proxy.
"""

from __future__ import annotations

import ssl
from base64 import b64encode
from collections.abc import Generator, Iterable
from contextlib import contextmanager
from http import HTTPStatus
from typing import Any, cast

import anyio
import httpcore
import httpx

from hailuo_mcp.transport.proxies import Proxy, ProxyError


class _RefusedError(Exception):
    """A clause about the proxy: what it did instead of opening a tunnel."""


def proxied_transport(
    proxy: Proxy, tls: ssl.SSLContext, limits: httpx.Limits, *, plain: bool
) -> httpx.AsyncHTTPTransport:
    """Return a transport whose connections go through the proxy; `plain` for http:// addresses.

    Plain http goes to an HTTP proxy as a request: many proxies open tunnels only for https.
    """
    options: dict[str, Any] = {"verify": tls, "trust_env": False, "limits": limits}
    if plain and proxy.scheme != "socks5":
        to_proxy = tls if proxy.scheme == "https" else None
        handed_over = httpx.Proxy(str(proxy), auth=proxy.auth, ssl_context=to_proxy)
        return httpx.AsyncHTTPTransport(proxy=handed_over, **options)
    pool = httpcore.AsyncConnectionPool(
        ssl_context=tls,
        max_connections=limits.max_connections,
        max_keepalive_connections=limits.max_keepalive_connections,
        keepalive_expiry=limits.keepalive_expiry,
        network_backend=_TunnelBackend(proxy, tls),
    )
    return _TunnelTransport(pool, **options)


class _TunnelTransport(httpx.AsyncHTTPTransport):
    """httpx's own with another pool: it takes no network backend."""

    def __init__(self, pool: httpcore.AsyncConnectionPool, **options: Any) -> None:  # noqa: ANN401  httpx's
        super().__init__(**options)
        self._pool = pool


async def try_tunnel(
    proxy: Proxy, host: str, port: int, *, tls: ssl.SSLContext, secure: bool, seconds: float
) -> None:
    """Open a tunnel to a host, shake hands where it is `secure`, and close it again.

    Raises:
        ProxyError: the proxy opened no tunnel.
        OSError: the host behind it did not shake hands.
    """
    stream = await _TunnelBackend(proxy, tls).connect_tcp(host, port, seconds)
    try:
        if secure:
            stream = await stream.start_tls(tls, host, seconds)
    except (httpcore.ConnectError, httpcore.ConnectTimeout) as exc:
        raise exc.__cause__ if isinstance(exc.__cause__, OSError) else OSError() from None
    finally:
        await stream.aclose()


class _TunnelBackend(httpcore.AsyncNetworkBackend):
    """Connects to the proxy instead of the host, and opens a tunnel to the host there."""

    def __init__(self, proxy: Proxy, tls: ssl.SSLContext) -> None:
        self._proxy = proxy
        self._tls = tls
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
        proxy = self._proxy
        open_tunnel = _socks_connect if proxy.scheme == "socks5" else _http_connect
        with _one_error(proxy), anyio.fail_after(timeout):
            stream = await self._network.connect_tcp(
                proxy.host, proxy.port, None, local_address, socket_options
            )
            try:
                if proxy.scheme == "https":
                    stream = await stream.start_tls(self._tls, proxy.host)
                return await open_tunnel(stream, proxy, host, port)
            except BaseException:
                with anyio.CancelScope(shield=True):
                    await stream.aclose()
                raise


@contextmanager
def _one_error(proxy: Proxy) -> Generator[None]:
    """Turn whatever goes wrong into one error, in our own words."""
    try:
        yield
    except _RefusedError as exc:
        why = str(exc)
    except (TimeoutError, httpcore.TimeoutException):
        why = "did not answer in time"
    except httpcore.ConnectError:
        why = "cannot be reached"
    except httpcore.ProtocolError:
        why = "closed the connection, or does not answer like an HTTP proxy"
    except (httpcore.NetworkError, OSError):
        why = "closed the connection"
    else:
        return
    raise ProxyError(f"the proxy {proxy} {why}")


async def _http_connect(
    stream: httpcore.AsyncNetworkStream, proxy: Proxy, host: str, port: int
) -> httpcore.AsyncNetworkStream:
    place = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    headers = [("Host", place), ("User-Agent", "hailuo-mcp")]
    if proxy.auth is not None:
        pair = b64encode(":".join(proxy.auth).encode()).decode()
        headers.append(("Proxy-Authorization", f"Basic {pair}"))
    origin = httpcore.Origin(b"http", proxy.host.encode(), proxy.port)
    url = httpcore.URL(
        scheme=b"http", host=origin.host, port=proxy.port, target=place.encode("ascii")
    )
    connection = httpcore.AsyncHTTP11Connection(origin, stream)
    request = httpcore.Request("CONNECT", url, headers=headers)
    answer: Any = await connection.handle_async_request(request)
    if answer.status == HTTPStatus.PROXY_AUTHENTICATION_REQUIRED:
        raise _RefusedError(_credentials(proxy))
    if not 200 <= answer.status < 300:  # noqa: PLR2004
        raise _RefusedError(f"refused the connection (HTTP {answer.status})")
    opened: httpcore.AsyncNetworkStream = answer.extensions["network_stream"]
    return opened


async def _socks_connect(
    stream: httpcore.AsyncNetworkStream, proxy: Proxy, host: str, port: int
) -> httpcore.AsyncNetworkStream:
    import socksio
    from socksio import socks5

    methods = [socks5.SOCKS5AuthMethod.NO_AUTH_REQUIRED]
    if proxy.auth is not None:
        methods.append(socks5.SOCKS5AuthMethod.USERNAME_PASSWORD)
    try:
        await stream.write(socks5.SOCKS5AuthMethodsRequest(methods).dumps())
        method = socks5.SOCKS5AuthReply.loads(await _exactly(stream, 2)).method
        if method not in methods:
            raise _RefusedError(_credentials(proxy))
        if method is socks5.SOCKS5AuthMethod.USERNAME_PASSWORD:
            name, word = (text.encode() for text in proxy.auth or ("", ""))
            await stream.write(socks5.SOCKS5UsernamePasswordRequest(name, word).dumps())
            reply = socks5.SOCKS5UsernamePasswordReply.loads(await _exactly(stream, 2))
            if not reply.success:
                raise _RefusedError(_credentials(proxy))
        command = socks5.SOCKS5CommandRequest.from_address(
            socks5.SOCKS5Command.CONNECT, (host, port)
        )
        await stream.write(command.dumps())
        head = await _exactly(stream, 5)
        code = socks5.SOCKS5ReplyCode(head[1:2])
        if code is not socks5.SOCKS5ReplyCode.SUCCEEDED:
            raise _RefusedError(f"refused the connection ({code.name.lower().replace('_', ' ')})")
        # An address of one of three kinds, whose first byte came with the head, and a port.
        await _exactly(stream, {1: 4, 3: 1 + head[4], 4: 16}[head[3]] - 1 + 2)
    except (socksio.ProtocolError, ValueError, KeyError, OverflowError):
        raise _RefusedError("does not answer like a SOCKS5 proxy") from None
    return stream


async def _exactly(stream: httpcore.AsyncNetworkStream, count: int) -> bytes:
    data = b""
    while len(data) < count:
        piece = await stream.read(count - len(data))
        if not piece:
            raise _RefusedError("closed the connection")
        data += piece
    return data


def _credentials(proxy: Proxy) -> str:
    if proxy.auth is None:
        return "asks for a user name and password"
    return f"does not accept the user name and password in {proxy.source}"
