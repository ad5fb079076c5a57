"""Which hosts a link may point to, and the address to connect to.

A link comes from a provider or from a person, and could as well name this computer, the network
around it or a cloud's metadata. The name is resolved once, the answer is checked, and the
connection goes to the checked address: a second answer of the name server is never asked for.
A proxy on the way is asked for that address too, and only for public ones; see
docs/decisions/proxies.md.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import SplitResult, urlsplit

from hailuo_mcp.errors import Do, InvalidRequestError, Step

if TYPE_CHECKING:
    from hailuo_mcp.transport.proxies import Proxy

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Resolver = Callable[[str, int], Awaitable[Sequence[str]]]

_LOOKUP_SECONDS = 10.0
_LONGEST_LINK = 8192
_PRIVATE_HOSTS = "HAILUO_ALLOWED_HOSTS_PRIVATE"
_MOST_ADDRESSES = 3
_PORTS = {"https": 443, "http": 80}
_FAKE_IP = ipaddress.ip_network("198.18.0.0/15")
_NAT64 = ipaddress.ip_network("64:ff9b::/96")
_UNICAST = ipaddress.ip_network("2000::/3")
"""All public IPv6 addresses (IANA, IPv6 Global Unicast Address Assignments)."""
_SPECIAL = tuple(
    ipaddress.ip_network(text)
    for text in (
        # IANA IPv4 and IPv6 Special-Purpose Address Registries as of 2025-10, those that can be
        # reached included: they are not for clips. Python's is_global knows only some of them, and
        # not the same ones in each release.
        "0.0.0.0/8",
        "10.0.0.0/8",
        "100.64.0.0/10",  # where Alibaba, UCloud and Volcengine have their metadata
        "127.0.0.0/8",
        "169.254.0.0/16",  # where most clouds have it
        "172.16.0.0/12",
        "192.0.0.0/24",  # and Oracle: 192.0.0.192
        "192.0.2.0/24",
        "192.31.196.0/24",
        "192.52.193.0/24",
        "192.88.99.0/24",
        "192.168.0.0/16",
        "192.175.48.0/24",
        "198.18.0.0/15",
        "198.51.100.0/24",
        "203.0.113.0/24",
        "240.0.0.0/4",
        "2001::/23",  # with Teredo, whose addresses hold an IPv4 one
        "2001:db8::/32",
        "2002::/16",  # 6to4, whose addresses do as well
        "2620:4f:8000::/48",
        "3fff::/20",
        # Not in the registries.
        "168.63.129.16/32",  # Azure's metadata, at an address that looks public
        "224.0.0.0/4",  # multicast
    )
)


class RefusedLinkError(InvalidRequestError):
    """The link is not followed; `reason` is a clause without a full stop."""

    def __init__(self, reason: str, *then: Step, passing: bool = False) -> None:
        super().__init__(f"The link was not followed: {reason}.", *then)
        self.reason = reason
        self.passing = passing
        """Whether the same link may work later: a name server did not answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """A checked link: where to connect, and with which names."""

    urls: tuple[str, ...]
    """The same link at each checked address, to be tried in this order."""
    host: str
    """For the Host header, with the port where it is not the usual one."""
    name: str
    """The name on the certificate; empty if the link is followed unchanged."""
    proxy: Proxy | None = None
    """The proxy; None for a direct connection."""


async def system_resolve(host: str, port: int) -> Sequence[str]:
    """Ask the system's resolver."""
    import socket

    import anyio

    found = await anyio.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


@dataclass(frozen=True, slots=True)
class HostPolicy:
    """`own` is the base URL's host and port; `private` is what the operator allows."""

    private: frozenset[str] = frozenset()
    """A host, a host:port, an address or a network such as 10.0.0.0/8."""
    own: frozenset[str] = frozenset()
    known: tuple[str, ...] = ()
    """Domains whose hosts a proxy may look up where this computer cannot."""
    proxy_to: Callable[[str], Proxy | None] = field(default=lambda _url: None, compare=False)
    resolve: Resolver = field(default=system_resolve, compare=False)

    async def check(self, url: str) -> Target:
        """Return a link's target, or raise RefusedLinkError; http becomes https for other hosts."""
        parts, host, port = _split(url)
        place = {host, f"{host}:{port}"}
        if place & self.own:
            netloc = _netloc(host, parts.port, parts.scheme)
            return Target(urls=(url,), host=netloc, name="", proxy=self.proxy_to(url))
        trusted = bool(place & self.private)
        addresses = await self._addresses(host, port)
        in_networks = bool(addresses) and all(self._is_allowed(one) for one in addresses)
        if parts.scheme == "http" and not trusted and not in_networks:
            # Some signed links are given as http, and some buckets refuse plain http.
            parts = parts._replace(scheme="https")
            port = parts.port or _PORTS["https"]
        good = [
            address
            for address in addresses
            if trusted or not _forbidden(address) or self._is_allowed(address)
        ]
        netloc = _netloc(host, parts.port, parts.scheme)
        proxy = self.proxy_to(f"{parts.scheme}://{netloc}")
        places = [_bracket(str(address)) for address in good]
        if any(_forbidden(address) for address in good):
            proxy = None  # from the proxy, a private address would be another computer
        elif proxy is not None and all(address in _FAKE_IP for address in addresses):
            if not (trusted or self._is_known(host)):
                raise _refused(addresses, proxied=True)
            places = [_bracket(host)]
        if not places:
            raise _refused(addresses)
        tail = f"{parts.path or '/'}?{parts.query}" if parts.query else parts.path or "/"
        urls = [f"{parts.scheme}://{place}:{port}{tail}" for place in places]
        return Target(urls=tuple(urls[:_MOST_ADDRESSES]), host=netloc, name=host, proxy=proxy)

    async def _addresses(self, host: str, port: int) -> list[Address]:
        literal = _address(host)
        if literal is not None:
            return [literal]
        import anyio

        try:
            with anyio.fail_after(_LOOKUP_SECONDS):
                found = await self.resolve(host, port)
        except (OSError, TimeoutError, UnicodeError):
            return []
        return [address for text in found if (address := _address(text)) is not None]

    def _is_known(self, host: str) -> bool:
        return any(host == domain or host.endswith(f".{domain}") for domain in self.known)

    def _is_allowed(self, address: Address) -> bool:
        """Whether the address is in a network that the operator allows."""
        for entry in self.private:
            try:
                if address in ipaddress.ip_network(entry, strict=False):
                    return True
            except ValueError:  # a host's name
                continue
        return False


def place_of(url: str) -> str:
    """The host and port of an address, as HostPolicy's sets name them.

    Raises:
        RefusedLinkError: it is not an address.
    """
    _, host, port = _split(url)
    return f"{host}:{port}"


def _split(url: str) -> tuple[SplitResult, str, int]:
    if len(url) > _LONGEST_LINK:
        raise RefusedLinkError("it is too long")
    if not url.isprintable() or " " in url or "\\" in url:
        raise RefusedLinkError("it has invalid characters")
    try:
        parts = urlsplit(url)
        host, port = (parts.hostname or "").rstrip("."), parts.port
    except ValueError:
        raise RefusedLinkError("it is not a link") from None
    if parts.scheme not in _PORTS:
        raise RefusedLinkError("it is neither https nor http")
    if "@" in parts.netloc:
        raise RefusedLinkError("it contains a user name or a password")
    if not host or "%" in host:
        raise RefusedLinkError("it has no host")
    if not host.isascii():
        try:
            host = host.encode("idna").decode("ascii")
        except UnicodeError:
            raise RefusedLinkError("it has no host") from None
    return parts, host, port or _PORTS[parts.scheme]


def _address(text: str) -> Address | None:
    try:
        return ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return None


def _forbidden(address: Address) -> bool:
    inner = _embedded(address)
    if inner is not None:
        return _forbidden(inner)
    if address.version == 6 and address not in _UNICAST:  # noqa: PLR2004
        return True
    return not address.is_global or any(address in network for network in _SPECIAL)


def _embedded(address: Address) -> Address | None:
    """Return the IPv4 address in an IPv6 one: mapped, or NAT64's."""
    if not isinstance(address, ipaddress.IPv6Address):
        return None
    if address in _NAT64:
        return ipaddress.IPv4Address(int(address) & 0xFFFF_FFFF)
    return address.ipv4_mapped


def _refused(addresses: Sequence[Address], *, proxied: bool = False) -> RefusedLinkError:
    """Say why none of the addresses may be used; `proxied`: a proxy could resolve the name."""
    if not addresses and proxied:
        return RefusedLinkError(
            "its host name cannot be resolved on this computer, and a proxy may only be given "
            "addresses that were checked here",
            Step(Do.SET, _PRIVATE_HOSTS),
            passing=True,
        )
    if not addresses:
        return RefusedLinkError("its host name cannot be resolved", passing=True)
    if any(address in _FAKE_IP for address in addresses):
        return RefusedLinkError(
            f"its host resolves to {_FAKE_IP}, as behind a local proxy that returns fake addresses",
            Step(Do.SET, f"{_PRIVATE_HOSTS}={_FAKE_IP}"),
            passing=proxied,
        )
    return RefusedLinkError(
        "it points to this computer, a private network or another address that is not public",
        Step(Do.SET, _PRIVATE_HOSTS),
    )


def _bracket(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def _netloc(host: str, port: int | None, scheme: str) -> str:
    usual = port is None or port == _PORTS[scheme]
    return _bracket(host) if usual else f"{_bracket(host)}:{port}"
