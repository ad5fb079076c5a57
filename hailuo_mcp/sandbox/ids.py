"""Identifiers in the documented forms, with lengths that break careless clients."""

from __future__ import annotations

import secrets

_CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


def digits15() -> str:
    """Return a v1 task or file id such as seed 001's 176843862716480."""
    return str(170_000_000_000_000 + secrets.randbelow(230_000_000_000_000))


def digits18() -> str:
    """Return a template task id above 2**53 that changes when it passes through a float64."""
    while True:
        number = 400_000_000_000_000_000 + secrets.randbelow(50_000_000_000_000_000)
        if int(float(number)) != number:
            return str(number)


def relay_file_id() -> str:
    """Return a number of the relay's own making, valid only there (as CRC32 + 10^9)."""
    return str(1_000_000_000 + secrets.randbelow(900_000_000_000))


def hex16() -> str:
    """Return an id such as seed 004's abcdef1234567890; its letter keeps it from being a number."""
    return "abcdef"[secrets.randbelow(6)] + secrets.token_hex(8)[1:]


def ulid() -> str:
    """Return 26 characters that look like the ULIDs of seed 002 and seed 003."""
    return "01J" + "".join(secrets.choice(_CROCKFORD) for _ in range(23))
