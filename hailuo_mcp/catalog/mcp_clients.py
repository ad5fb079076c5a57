"""The MCP clients: how long each waits for an answer, and how to set it up."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Literal

from hailuo_mcp.catalog.tables import Row, rows, table


@dataclass(frozen=True, slots=True, kw_only=True)
class Signs:
    """What a client reveals about itself in a call."""

    name: str = ""
    version: str = ""
    modern: bool = False
    """It speaks the protocol of 2026-07-28."""
    http: bool = False
    progress: bool = False
    """It asked for progress notifications."""
    declares: frozenset[str] = frozenset()
    """The capabilities that it declares: elicitation, roots, sampling."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitLimit:
    """How long a client with one of these names waits, if it also shows the other signs."""

    names: tuple[str, ...]
    """Values of clientInfo.name."""
    limit: float
    """Seconds after which it gives up."""
    wait: float
    """Seconds that are safe."""
    source: str
    checked: str
    whole: bool = False
    """The whole name must match, not only its start."""
    modern: bool = False
    http: bool = False
    progress: bool = False
    declares: frozenset[str] = frozenset()
    """One of these is enough."""
    other_version_than: str = ""

    def matched(self, signs: Signs) -> int:
        """How many characters of the client's name match; 0 if a sign is missing."""
        shown = signs.name.strip().casefold()
        if (
            signs.modern < self.modern
            or signs.http < self.http
            or signs.progress < self.progress
            or (self.declares and not self.declares & signs.declares)
            or (self.other_version_than and signs.version in ("", self.other_version_than))
        ):
            return 0
        names = [name.casefold() for name in self.names]
        fits = [n for n in names if (shown == n if self.whole else shown.startswith(n))]
        return max(map(len, fits), default=0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """One file in which a client may keep its servers."""

    file: str
    sign: str = ""
    """A path that exists if this location applies; empty if it always applies."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientSetup:
    """Where a client keeps its list of servers, and in which form."""

    name: str
    title: str
    key: str
    """The key of the servers in its file."""
    gui: bool
    """Started from the desktop, without the PATH of a shell."""
    places: Mapping[str, tuple[Place, ...]]
    """By platform: darwin, win32, linux, or any."""
    restart: str
    source: str
    checked: str
    aliases: tuple[str, ...] = ()
    format: Literal["json", "toml"] = "json"
    asks: bool = False
    """Asks for secrets itself and stores them better than a file."""
    wants: Mapping[str, object] = field(default_factory=dict[str, object])
    """Fields of its entries beside command, args and env."""
    add: str = ""
    """The client's own command that adds a server."""


@cache
def wait_limits() -> tuple[WaitLimit, ...]:
    return tuple(
        _wait_limit(row) for client in rows("clients", "client") for row in client.get("wait", ())
    )


def _wait_limit(row: Row) -> WaitLimit:
    values: dict[str, Any] = {
        **row,
        "names": tuple(row["names"]),
        "limit": float(row["limit"]),
        "wait": float(row["wait"]),
        "checked": str(row["checked"]),
        "declares": frozenset(row.get("declares", ())),
    }
    return WaitLimit(**values)


@cache
def client_setups() -> tuple[ClientSetup, ...]:
    """The clients that `hailuo-mcp init` can set up."""
    return tuple(
        _setup(client["setup"], client["title"])
        for client in rows("clients", "client")
        if "setup" in client
    )


def _setup(row: Row, title: str) -> ClientSetup:
    values: dict[str, Any] = {
        **row,
        "title": title,
        "checked": str(row["checked"]),
        "aliases": tuple(row.get("aliases", ())),
        "places": {
            platform: tuple(Place(**place) for place in found)
            for platform, found in row["places"].items()
        },
    }
    return ClientSetup(**values)


def wait_limit(signs: Signs) -> float:
    """Return how many seconds this client can be made to wait.

    Of the matching rows with the longest name, each is certain for such a client: the
    longest wait counts.
    """
    known = [(row.matched(signs), row.wait) for row in wait_limits()]
    longest = max(length for length, _ in known)
    if not longest:
        return float(table("clients")["unknown"]["wait"])
    wait = max(wait for length, wait in known if length == longest)
    return min(wait, float(table("clients")["most"]["wait"]))
