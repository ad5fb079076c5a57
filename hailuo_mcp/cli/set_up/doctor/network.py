"""How the provider and links are reached: directly or through a proxy, and whether that works."""

from __future__ import annotations

import socket
import ssl
import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import anyio.to_thread

from hailuo_mcp.cli.set_up.doctor.result import Level, Result, note, of_error, ok, problem
from hailuo_mcp.errors import ConfigError
from hailuo_mcp.text import shown, system_reason
from hailuo_mcp.transport.connections import trusted
from hailuo_mcp.transport.proxies import Proxies, Proxy, ProxyError

if TYPE_CHECKING:
    from hailuo_mcp.settings import Settings

Reach = Callable[[str, int, bool], Awaitable[Result]]

_SECONDS = 10.0
_A_LINK = "https://a-link.invalid"
"""Stands for links, most of which go to hosts that NO_PROXY does not name."""


async def check_network(settings: Settings, reach: Reach) -> AsyncGenerator[Result]:
    """Name the proxies, then reach the provider's host, with `reach` where there is none."""
    url, proxies = settings.address, Proxies.from_env(settings.proxy_variables)
    try:
        proxy = proxies.to(url) if url else None
        links = proxies.to(_A_LINK)
    except ConfigError as exc:
        yield of_error("proxy", exc)
        return
    except_for = f", but not for {shown(proxies.no, 200)}" if proxies.no else ""
    uses = {proxy: "the provider", links: "links"}
    if proxy == links:
        uses = {proxy: "the provider and links" if url else "links"}
    for each, what in uses.items():
        if each is not None:
            yield ok("proxy", f"{each} ({each.source}) is used for {what}{except_for}")
    if links is not None and links != proxy:
        yield await anyio.to_thread.run_sync(_answers, links)
    if not url:
        return
    parts = urlsplit(url)
    host, secure = parts.hostname or "", parts.scheme == "https"
    port = parts.port or (443 if secure else 80)
    if proxy is None:
        yield await reach(host, port, secure)
        return
    reached = await _reach_through(proxy, host, port, secure=secure)
    yield reached
    looked_up = reached.level is not Level.OK or await anyio.to_thread.run_sync(_is_found, host)
    if links is not None and not looked_up:
        yield note(
            "links",
            "This computer cannot look up host names, so links are followed only to hosts that "
            "are known to be the provider's.",
            "Give pictures as files, or name the hosts of links in HAILUO_ALLOWED_HOSTS_PRIVATE.",
        )


async def reach_host(host: str, port: int, secure: bool) -> Result:  # noqa: FBT001  # a callable's signature
    """Look up, connect, shake hands: the first step that fails is the one to correct."""
    return await anyio.to_thread.run_sync(_reach, host, port, secure)


def _reach(host: str, port: int, secure: bool) -> Result:  # noqa: FBT001
    began = time.monotonic()
    if not _is_found(host):
        return problem(
            "host",
            f"The name {host} cannot be looked up.",
            "Check the internet connection, the DNS settings and HAILUO_BASE_URL.",
        )
    try:
        with socket.create_connection((host, port), timeout=_SECONDS) as connection:
            if secure:
                with trusted().wrap_socket(connection, server_hostname=host):
                    pass
    except ssl.SSLCertVerificationError as exc:
        return _untrusted(host, exc)
    except OSError as exc:
        return problem(
            "host",
            f"{host} port {port} cannot be reached: {system_reason(exc)}.",
            "Check the network and the firewall; behind a proxy, set HTTPS_PROXY.",
        )
    return ok("host", f"{host} answers ({'TLS, ' if secure else ''}{_since(began)})")


async def _reach_through(proxy: Proxy, host: str, port: int, *, secure: bool) -> Result:
    """Where plain http is handed to a proxy, only the proxy itself is tried."""
    if not secure and proxy.scheme != "socks5":
        return await anyio.to_thread.run_sync(_answers, proxy)
    from hailuo_mcp.transport.tunnel import try_tunnel

    trust, began = trusted(), time.monotonic()
    try:
        await try_tunnel(proxy, host, port, tls=trust, secure=secure, seconds=_SECONDS)
    except ProxyError as exc:
        return problem("proxy", f"{host} cannot be reached: {exc}.", _proxy_fix(proxy))
    except ssl.SSLCertVerificationError as exc:
        return _untrusted(host, exc)
    except OSError as exc:
        return problem(
            "host",
            f"{host} port {port} does not answer through the proxy {proxy}: {system_reason(exc)}.",
            "Ask the operator of the proxy whether it allows this host.",
        )
    how = "TLS, " if secure else ""
    return ok("host", f"{host} answers through the proxy ({how}{_since(began)})")


def _answers(proxy: Proxy) -> Result:
    began = time.monotonic()
    try:
        socket.create_connection((proxy.host, proxy.port), timeout=_SECONDS).close()
    except OSError as exc:
        said = f"{proxy} cannot be reached: {system_reason(exc)}."
        return problem("proxy", said, _proxy_fix(proxy))
    return ok("proxy", f"{proxy} answers ({_since(began)})")


def _is_found(host: str) -> bool:
    try:
        return bool(socket.getaddrinfo(host, None, type=socket.SOCK_STREAM))
    except OSError:
        return False


def _proxy_fix(proxy: Proxy) -> str:
    return f"Start the proxy, or correct {proxy.source}; NO_PROXY names hosts that need none."


def _since(began: float) -> str:
    return f"{(time.monotonic() - began) * 1000:,.0f} ms"


def _untrusted(host: str, exc: ssl.SSLCertVerificationError) -> Result:
    return problem(
        "host",
        f"{host} shows a certificate that is not trusted ({exc.verify_message}).",
        "A company's proxy or virus scanner may intercept it: let this host pass, or set "
        "SSL_CERT_FILE to a file with its certificate. A wrong date here has the same effect.",
    )
