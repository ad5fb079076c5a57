"""Whether the provider answers, takes the key and agrees about the time: free requests only."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

from hailuo_mcp.cli.set_up.doctor.network import Reach, check_network
from hailuo_mcp.cli.set_up.doctor.result import Level, Result, note, of_error, ok, problem
from hailuo_mcp.cli.set_up.key_check import Connect, not_this_api, other_region, try_key
from hailuo_mcp.cli.words import program
from hailuo_mcp.dialects.providers import PROVIDERS
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

_SKEW = 60.0
_SERVER_FAULT = 500


async def check_provider(
    settings: Settings,
    connect: Connect,
    reach: Reach,
    *,
    keyed: Sequence[str] = (),
    asks: bool = False,
    login: str = "",
) -> AsyncGenerator[Result]:
    """Reach the host, then send a free request with the key.

    `keyed`: clients whose configuration has a key. `asks`: the examined client asks for it itself.
    `login`: the command that keeps another key, if the key is a kept one.
    """
    client = connect(settings)
    ready = True
    try:
        client.need_key()
    except ConfigError as exc:
        ready = False
        yield _no_key(exc, keyed, asks=asks)
    async for result in check_network(settings, reach):
        yield result
        ready = ready and result.level is not Level.PROBLEM
    if not ready:
        return
    try:
        reply = await client.probe()
        yield await _key(client, reply, settings, connect, login)
        if late := _clock(reply):
            yield late
    except HailuoError as exc:
        yield _refused(exc, login)
    finally:
        await client.aclose()


def _no_key(exc: ConfigError, keyed: Sequence[str], *, asks: bool) -> Result:
    if asks:
        return note(
            "key",
            "The client fills in the key when it starts the server; it cannot be checked here.",
            "To check it, set HAILUO_API_KEY in a shell and run doctor there.",
        )
    if keyed:
        return note(
            "key",
            f"There is no key in this shell; the configuration of {', '.join(keyed)} has one.",
            f"Check that one: {program()} doctor --client {keyed[0]}.",
        )
    return of_error("key", exc)


async def _key(
    client: HailuoClient, reply: HttpReply, settings: Settings, connect: Connect, login: str
) -> Result:
    provider = PROVIDERS[settings.provider]
    if reply.json() is None and reply.status < _SERVER_FAULT:
        return of_error("key", not_this_api(settings, reply.status))
    try:
        client.read_probe(reply)
    except AuthenticationError as exc:
        return await _region(exc, provider, settings, connect, login)
    return ok("key", "accepted" if not provider.is_sandbox else "none needed: the sandbox is free")


async def _region(
    exc: AuthenticationError,
    provider: Provider,
    settings: Settings,
    connect: Connect,
    login: str,
) -> Result:
    """Whether the same company's other region takes the key; no other host is ever shown it."""
    other = other_region(settings)
    if other is None:
        return _refused(exc, login)
    twin = PROVIDERS[other.provider]
    try:
        await try_key(other, connect)
    except AuthenticationError:
        return problem(
            "key",
            f"Neither {provider.host} nor {twin.host} accepts the key ({exc.provider_code}).",
            f"Copy it again from {provider.console} or {twin.console}: all of it, without spaces.",
        )
    except HailuoError:
        return _refused(exc, login)
    also = " and remove HAILUO_BASE_URL" if settings.base_url != provider.base_url else ""
    return problem(
        "region",
        f"The key belongs to {twin.host}, not to {provider.host} ({exc.provider_code}).",
        f"Run {login}." if login else f"Set HAILUO_PROVIDER={twin.name}{also}.",
    )


def _refused(exc: HailuoError, login: str) -> Result:
    if isinstance(exc, RateLimitError | QuotaExceededError):
        return note("key", of_error("key", exc).message)
    if isinstance(exc, ProviderUnavailableError):
        return of_error("host", exc, "Try again in a minute; doctor shows when it is back.")
    if isinstance(exc, InsufficientBalanceError):
        return of_error("key", exc, "The key itself is good.")
    if login and isinstance(exc, AuthenticationError):
        return problem("key", exc.what, f"Run {login} with another key.")
    return of_error("key", exc, "Correct it, then run this again.")


def _clock(reply: HttpReply) -> Result | None:
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
        "Have the time set automatically: links expire and budgets begin by the clock.",
    )
