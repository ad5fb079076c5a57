"""An API key that a person types: read without showing it, and tried with a free request."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from hailuo_mcp.cli.output.terminal import Terminal
from hailuo_mcp.errors import ConfigError, Do, Step

if TYPE_CHECKING:
    from hailuo_mcp.client import HailuoClient
    from hailuo_mcp.settings import Settings

Connect = Callable[["Settings"], "HailuoClient"]
_PLACEHOLDERS = ("your", "here", "xxx", "<", "…", "...", "change", "placeholder", "example")
_SERVER_FAULT = 500
_LONGEST = 10_000
"""Characters; keys have some hundreds."""


def is_placeholder(key: str) -> bool:
    """Whether it is a placeholder that documents show instead of a key."""
    text = key.strip().lower()
    if not text or is_reference(text):
        return False
    return " " in text or any(sign in text for sign in _PLACEHOLDERS)


def is_reference(value: str) -> bool:
    """Whether the client replaces it when it starts the server: ${env:X}, ${input:x}, $X."""
    return value.strip().startswith("$")


def typed_key(terminal: Terminal, question: str, *, from_stdin: bool) -> str:
    """The key from standard input, or typed by the person; never from an option. May be empty.

    Raises:
        ConfigError: it is no key, or none came.
    """
    if from_stdin:
        try:
            key = (sys.stdin.readline(_LONGEST) if sys.stdin else "").strip()
        except UnicodeDecodeError:
            key = "\n"  # no key either
        if not key:
            raise ConfigError(
                "There was no key on stdin. Nothing was changed.",
                Step(Do.TRY, "have another program write it: pass show minimax | … --key-stdin"),
            )
    else:
        from getpass import getpass

        terminal.flush()
        try:
            key = getpass(question, sys.stderr).strip()
        except EOFError:
            key = ""
    if key and (not key.isascii() or not key.isprintable() or " " in key):
        raise ConfigError(
            "That is not a key: keys have only ASCII letters, digits and marks, and no spaces. "
            "Nothing was changed.",
            Step(Do.TRY, "copy it again"),
        )
    return key


async def try_key(settings: Settings, connect: Connect) -> None:
    """Send one free request with the key of these settings.

    Raises:
        HailuoError: whatever prevents buying with it.
    """
    client = connect(settings)
    try:
        client.need_key()
        reply = await client.probe()
        if reply.json() is None and reply.status < _SERVER_FAULT:
            raise not_this_api(settings, reply.status)
        client.read_probe(reply)
    finally:
        await client.aclose()


def not_this_api(settings: Settings, status: int) -> ConfigError:
    host = urlsplit(settings.address).netloc or "this computer"
    return ConfigError(
        f"What answers at {host} is not this API (HTTP {status}).",
        Step(Do.CHECK, "HAILUO_BASE_URL"),
        Step(Do.CHECK, "HAILUO_PROVIDER"),
    )


def other_region(settings: Settings) -> Settings | None:
    """The same company's other region, if these settings use the company's own address.

    No host but these two is ever shown a key that was meant for one of them.
    """
    from hailuo_mcp.dialects.providers import PROVIDERS, provider_named

    provider = PROVIDERS[settings.provider]
    if not provider.other_region or urlsplit(settings.base_url).hostname not in provider.hosts:
        return None
    twin = provider_named(provider.other_region)
    return replace(settings, provider=twin.name, base_url=twin.base_url)
