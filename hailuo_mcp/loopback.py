"""Whether a host is this computer."""

from __future__ import annotations

import ipaddress

LOOPBACK_NAMES = frozenset({"127.0.0.1", "::1", "localhost"})
"""The usual names."""


def is_loopback(host: str) -> bool:
    """Whether a host name or address, in brackets or not, is this computer's own."""
    plain = host.strip("[]").lower()
    if plain == "localhost" or plain.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(plain).is_loopback
    except ValueError:
        return False
