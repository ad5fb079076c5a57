"""Whether the provider answers, takes the key and agrees about the time: free questions only."""

from __future__ import annotations

import os
import socket
import ssl
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import anyio.to_thread

from hailuo_mcp.cli.checkup.finding import Finding, Level, note, ok, problem
from hailuo_mcp.dialects.providers import PROVIDERS, provider_named
from hailuo_mcp.errors import (
    AuthenticationError,
    ConfigError,
    HailuoError,
    InsufficientBalanceError,
    ProviderUnavailableError,
    QuotaExceededError,
    RateLimitError,
)

if TYPE_CHECKING:
    from hailuo_mcp.client import HailuoClient
    from hailuo_mcp.dialects.wire import HttpReply, Provider
    from hailuo_mcp.settings import Settings

Connect = Callable[["Settings"], "HailuoClient"]
Reach = Callable[[str, int, bool], Awaitable[Finding]]

_SKEW = 60.0
_SECONDS = 10.0
_SERVER_FAULT = 500


async def check_provider(
    settings: Settings,
    connect: Connect,
    knock: Reach,
    *,
    keyed: Sequence[str] = (),
    asks: bool = False,
) -> AsyncGenerator[Finding]:
    """Reach the host, then ask with the key.

    `keyed`: clients whose configuration has a key. `asks`: the client in question has it elsewhere.
    """
    provider = PROVIDERS[settings.provider]
    client = connect(settings)
    ready = True
    try:
        client.need_key()
    except ConfigError as exc:
        ready = False
        yield _no_key(exc, keyed, asks=asks)
    if address := _address(settings):
        parts = urlsplit(address)
        secure = parts.scheme == "https"
        reached = await knock(parts.hostname or "", parts.port or (443 if secure else 80), secure)
        yield reached
        ready = ready and reached.level is Level.OK
    if not ready:
        return
    try:
        reply = await client.probe()
        if reply is None:
            yield note(
                "key", f"{provider.name} has no free question; the first purchase tries the key."
            )
            return
        yield await _key(client, reply, settings, connect)
        if (late := _clock(reply)) is not None:
            yield late
    except HailuoError as exc:
        yield _refused(exc)
    finally:
        await client.aclose()


def _no_key(exc: ConfigError, keyed: Sequence[str], *, asks: bool) -> Finding:
    if asks:
        return note(
            "key",
            "The client fills the key in when it starts the server; it cannot be examined here.",
            "To have it examined, set HAILUO_API_KEY in a shell and run doctor there.",
        )
    if keyed:
        return note(
            "key",
            f"There is no key in this shell; the configuration of {', '.join(keyed)} has one.",
            f"Examine that one: hailuo-mcp doctor --client {keyed[0]}.",
        )
    what, _, do = str(exc).partition(" Nothing was sent or charged. ")
    return problem("key", what, do)


async def _key(
    client: HailuoClient, reply: HttpReply, settings: Settings, connect: Connect
) -> Finding:
    provider = PROVIDERS[settings.provider]
    if reply.json() is None and reply.status < _SERVER_FAULT:
        return problem(
            "key",
            f"What answers at {provider_host(settings)} is not this API (HTTP {reply.status}).",
            "Check HAILUO_BASE_URL and HAILUO_PROVIDER.",
        )
    try:
        client.read_probe(reply)
    except AuthenticationError as exc:
        return await _region(exc, provider, settings, connect)
    return ok("key", "accepted" if not provider.embedded else "none needed: the sandbox is free")


async def _region(
    exc: AuthenticationError, provider: Provider, settings: Settings, connect: Connect
) -> Finding:
    """Whether the same company's other region takes the key; no other host is ever shown it."""
    if not provider.twin or urlsplit(settings.base_url).hostname not in provider.hosts:
        return _refused(exc)
    twin = provider_named(provider.twin)
    other = connect(settings.model_copy(update={"provider": twin.name, "base_url": twin.base_url}))
    try:
        reply = await other.probe()
        if reply is None or reply.json() is None:
            return _refused(exc)
        other.read_probe(reply)
    except AuthenticationError:
        return problem(
            "key",
            f"Neither {provider.host} nor {twin.host} accepts the key ({exc.provider_code}).",
            f"Copy it anew from {provider.console} or {twin.console}: whole, without spaces.",
        )
    except HailuoError:
        return _refused(exc)
    finally:
        await other.aclose()
    return problem(
        "region",
        f"The key is one of {twin.host}, not of {provider.host} ({exc.provider_code}).",
        f"Set HAILUO_PROVIDER={twin.name}"
        + (" and remove HAILUO_BASE_URL." if settings.base_url != provider.base_url else "."),
    )


def _refused(exc: HailuoError) -> Finding:
    if isinstance(exc, RateLimitError | QuotaExceededError):
        return note("key", str(exc))
    if isinstance(exc, ProviderUnavailableError):
        return problem("host", str(exc), "Try again in a minute; doctor shows when it is back.")
    if isinstance(exc, InsufficientBalanceError):
        return problem("key", str(exc), "The key itself is good.")
    return problem("key", str(exc), "Correct it, then run this again.")


def _clock(reply: HttpReply) -> Finding | None:
    """Compare this computer's clock with the Date of an answer."""
    try:
        sent = parsedate_to_datetime(reply.headers.get("date", "")).timestamp()
    except ValueError:
        return None
    off = reply.received_at - sent
    if abs(off) <= _SKEW:
        return ok("clock", "agrees with the provider's")
    return note(
        "clock",
        f"This computer's clock is {abs(off):,.0f} s {'ahead' if off > 0 else 'behind'}.",
        "Switch on setting the time automatically: links expire and budgets begin by the clock.",
    )


def provider_host(settings: Settings) -> str:
    return urlsplit(_address(settings)).netloc or "this computer"


def _address(settings: Settings) -> str:
    return settings.base_url or PROVIDERS[settings.provider].base_url


async def reach(host: str, port: int, secure: bool) -> Finding:  # noqa: FBT001  # a callable's signature
    """Look up, connect, shake hands: the first step that fails is the one to mend."""
    return await anyio.to_thread.run_sync(_reach, host, port, secure)


def _reach(host: str, port: int, secure: bool) -> Finding:  # noqa: FBT001
    began = time.monotonic()
    try:
        socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except OSError:
        return problem(
            "host",
            f"The name {host} cannot be looked up.",
            "Check the internet connection, the DNS settings and HAILUO_BASE_URL.",
        )
    try:
        with socket.create_connection((host, port), timeout=_SECONDS) as line:
            if secure:
                with _trust().wrap_socket(line, server_hostname=host):
                    pass
    except ssl.SSLCertVerificationError as exc:
        return problem(
            "host",
            f"{host} shows a certificate that is not trusted ({exc.verify_message}).",
            "A company's proxy or virus scanner may stand in between: let it pass this host, or "
            "set SSL_CERT_FILE to a file with its certificate. A wrong date here does the same.",
        )
    except OSError as exc:
        why = (exc.strerror or type(exc).__name__).lower()
        proxy = any(os.environ.get(name) for name in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY"))
        more = (
            " A proxy is set in this environment, but hailuo-mcp connects directly."
            if proxy
            else ""
        )
        return problem(
            "host",
            f"{host} port {port} cannot be reached: {why}.{more}",
            "Check the network and the firewall.",
        )
    took = (time.monotonic() - began) * 1000
    return ok("host", f"{host} answers ({'TLS, ' if secure else ''}{took:,.0f} ms)")


def _trust() -> ssl.SSLContext:
    """The certificates that the transport trusts, chosen as httpx does."""
    if file := os.environ.get("SSL_CERT_FILE"):
        return ssl.create_default_context(cafile=file)
    if folder := os.environ.get("SSL_CERT_DIR"):
        return ssl.create_default_context(capath=folder)
    import certifi

    return ssl.create_default_context(cafile=certifi.where())
