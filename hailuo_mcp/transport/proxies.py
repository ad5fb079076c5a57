"""Which proxy to use: from the variables that curl, httpx and requests read, or the system."""

from __future__ import annotations

import ipaddress
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import import_module
from importlib.util import find_spec
from typing import Any, Literal
from urllib.parse import unquote, urlsplit

from hailuo_mcp.errors import ConfigError, Do, Step
from hailuo_mcp.loopback import is_loopback

Scheme = Literal["http", "https", "socks5"]

_SCHEMES: Mapping[str, Scheme] = {
    "http": "http",
    "https": "https",
    "socks": "socks5",  # as GNOME writes it
    "socks5": "socks5",
    "socks5h": "socks5",
}
_PORTS = {"http": 80, "https": 443, "socks5": 1080}
_SYSTEM = "the system's settings"
_READERS = {
    "darwin": ("getproxies_macosx_sysconf", "proxy_bypass_macosx_sysconf"),
    "win32": ("getproxies_registry", "proxy_bypass_registry"),
}
"""In urllib.request, which returns them only if no variable is set."""


class ProxyError(ConnectionError):
    """A proxy opened no tunnel, so nothing was sent; the text is a clause that names the proxy."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Proxy:
    scheme: Scheme
    host: str
    port: int
    source: str
    """The variable that set it."""
    auth: tuple[str, str] | None = field(default=None, repr=False)

    def __str__(self) -> str:
        """Its address, never its credentials."""
        return f"{self.scheme}://{f'[{self.host}]' if ':' in self.host else self.host}:{self.port}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Proxies:
    """HTTP_PROXY, HTTPS_PROXY, ALL_PROXY and NO_PROXY; with none of them, nothing has a proxy."""

    http: str = field(default="", repr=False)
    https: str = field(default="", repr=False)
    all: str = field(default="", repr=False)
    no: str = ""
    system: bool = False
    """Whether the settings of macOS or Windows apply."""

    @classmethod
    def from_env(cls, environ: Mapping[str, str]) -> Proxies:
        """Read the variables, lower case first; without any, the system's settings apply."""

        def given(name: str) -> str:
            lower = environ.get(f"{name}_proxy", "").strip()
            # A web server hands a request's header `Proxy` to a CGI script as HTTP_PROXY.
            if name == "http" and "REQUEST_METHOD" in environ:
                return lower
            return lower or environ.get(f"{name.upper()}_PROXY", "").strip()

        http, https, both = given("http"), given("https"), given("all")
        return cls(
            http=http, https=https, all=both, no=given("no"), system=not (http or https or both)
        )

    def to(self, url: str) -> Proxy | None:
        """Return the proxy for a URL; this computer is always reached directly.

        Raises:
            ConfigError: the setting is unusable; the message has its name, not its value.
        """
        parts = urlsplit(url)
        host = (parts.hostname or "").rstrip(".")
        if is_loopback(host):
            return None
        port = parts.port or _PORTS[parts.scheme]
        if self.system:
            kept = _kept_by_the_system(parts.scheme, host)
            return _proxy(kept, _SYSTEM) if kept else None
        own = self.https if parts.scheme == "https" else self.http
        if not (own or self.all) or _excepted(self.no, host, port):
            return None
        if own:
            return _proxy(own, f"{parts.scheme.upper()}_PROXY")
        return _proxy(self.all, "ALL_PROXY")


def _excepted(no: str, host: str, port: int) -> bool:
    """Whether NO_PROXY covers a host: `*`, a domain with subdomains or a network, perhaps a port.

    A leading dot or `*.` makes no difference, as with curl.
    """
    for entry in (part.strip().lower() for part in no.split(",")):
        if entry == "*" or _in_network(host, entry.strip("[]")):
            return True
        name, _, its_port = entry.partition(":")
        name = name.removeprefix("*").removeprefix(".")
        if name and f".{host}".endswith(f".{name}") and its_port in ("", str(port)):
            return True
    return False


def _in_network(host: str, network: str) -> bool:
    try:
        return ipaddress.ip_address(host) in ipaddress.ip_network(network, strict=False)
    except ValueError:
        return False


def _kept_by_the_system(scheme: str, host: str) -> str:
    """The settings of macOS or Windows for all programs, with their own exceptions."""
    if sys.platform not in _READERS:
        return ""
    request: Any = import_module("urllib.request")
    proxies, bypassed = (getattr(request, name) for name in _READERS[sys.platform])
    return "" if bypassed(host) else proxies().get(scheme, "")


def _proxy(text: str, source: str) -> Proxy:
    try:
        parts = urlsplit(text if "://" in text else f"http://{text}")
        scheme, host, port = _SCHEMES.get(parts.scheme), parts.hostname, parts.port
    except ValueError:
        scheme = host = port = parts = None
    if parts is None or scheme is None or not host or not text.isprintable() or " " in text:
        raise ConfigError(
            f"{source} is not the address of a proxy, such as http://127.0.0.1:7890 or "
            "socks5://127.0.0.1:7891.",
            Step(Do.ARRANGE, f"correct or unset {source} and start again"),
        )
    if scheme == "socks5" and find_spec("socksio") is None:
        raise ConfigError(
            f"{source} names a SOCKS proxy, but the extra for SOCKS is not installed.",
            Step(Do.ARRANGE, 'install it with pip install "hailuo-mcp[socks]"'),
            Step(Do.ARRANGE, "name the HTTP port of the same proxy, such as http://127.0.0.1:7890"),
        )
    named = parts.username is not None
    return Proxy(
        scheme=scheme,
        host=host,
        port=port or _PORTS[scheme],
        source=source,
        auth=(unquote(parts.username or ""), unquote(parts.password or "")) if named else None,
    )
