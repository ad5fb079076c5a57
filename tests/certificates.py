"""Certificates are loaded once in a process of tests, and not 45 ms for each client and studio."""

from __future__ import annotations

import functools
import os
import ssl
from collections.abc import Callable
from typing import Any

import httpx
import httpx._transports.default
import httpx2
import httpx2._transports.default

_NAMED = ("SSL_CERT_FILE", "SSL_CERT_DIR")


def load_once() -> None:
    """Share one context among all clients that ask for the usual one, as httpx advises."""
    for package, transports in (
        (httpx, httpx._transports.default),
        (httpx2, httpx2._transports.default),
    ):
        shared: Any = _shared(package.create_ssl_context)
        package.create_ssl_context = transports.create_ssl_context = shared


def _shared(create: Callable[..., ssl.SSLContext]) -> Callable[..., ssl.SSLContext]:
    @functools.cache
    def usual(trust_env: bool, *_named: str | None) -> ssl.SSLContext:
        return create(trust_env=trust_env)

    @functools.wraps(create)
    def shared(verify: Any = True, cert: Any = None, trust_env: bool = True) -> ssl.SSLContext:
        if verify is not True or cert:
            return create(verify=verify, cert=cert, trust_env=trust_env)
        return usual(trust_env, *map(os.environ.get, _NAMED))

    return shared
