"""Whether the provider answers, takes the key and agrees about the time: free questions only."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Sequence
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from hailuo_mcp.cli.doctor.finding import Finding, Level, note, ok, problem
from hailuo_mcp.cli.doctor.way import Reach, check_way
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
    from hailuo_mcp.dialects.dialect import HttpReply, Provider
    from hailuo_mcp.settings import Settings

Connect = Callable[["Settings"], "HailuoClient"]

_SKEW = 60.0
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
    client = connect(settings)
    ready = True
    try:
        client.need_key()
    except ConfigError as exc:
        ready = False
        yield _no_key(exc, keyed, asks=asks)
    async for finding in check_way(settings, knock):
        yield finding
        ready = ready and finding.level is not Level.PROBLEM
    if not ready:
        return
    try:
        reply = await client.probe()
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
    return problem(
        "key",
        exc.what,
        "Set HAILUO_API_KEY, or set HAILUO_PROVIDER=sandbox to try everything free.",
    )


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
    return ok("key", "accepted" if not provider.is_sandbox else "none needed: the sandbox is free")


async def _region(
    exc: AuthenticationError, provider: Provider, settings: Settings, connect: Connect
) -> Finding:
    """Whether the same company's other region takes the key; no other host is ever shown it."""
    if not provider.other_region or urlsplit(settings.base_url).hostname not in provider.hosts:
        return _refused(exc)
    twin = provider_named(provider.other_region)
    other = connect(settings.model_copy(update={"provider": twin.name, "base_url": twin.base_url}))
    try:
        reply = await other.probe()
        if reply.json() is None:
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
    return urlsplit(settings.address).netloc or "this computer"
