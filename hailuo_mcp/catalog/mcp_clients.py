"""How long each MCP client can be made to wait for an answer."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from hailuo_mcp.catalog.tables import rows, table


@dataclass(frozen=True, slots=True, kw_only=True)
class Signs:
    """What a client shows of itself with a call."""

    name: str = ""
    version: str = ""
    modern: bool = False
    """It speaks the protocol of 2026-07-28."""
    http: bool = False
    progress: bool = False
    """It asked for progress notifications."""
    declares: frozenset[str] = frozenset()
    """Which capabilities of its own it names: elicitation, roots, sampling."""


@dataclass(frozen=True, slots=True, kw_only=True)
class McpClient:
    """A client, by the name that it gives in clientInfo and by what else tells it apart."""

    name: str
    title: str = ""
    limit: float
    """Seconds after which it gives up."""
    wait: float
    """Seconds that are safe."""
    source: str
    checked: str
    whole: bool = False
    """The whole name must match, not only its beginning."""
    modern: bool = False
    http: bool = False
    progress: bool = False
    declares: tuple[str, ...] = ()
    """One of these is enough."""
    other_version_than: str = ""

    def matches(self, signs: Signs) -> bool:
        mine, theirs = self.name.casefold(), signs.name.strip().casefold()
        return (
            (theirs == mine if self.whole else theirs.startswith(mine))
            and signs.modern >= self.modern
            and signs.http >= self.http
            and signs.progress >= self.progress
            and (not self.declares or not signs.declares.isdisjoint(self.declares))
            and not (self.other_version_than and signs.version in ("", self.other_version_than))
        )


@cache
def clients() -> tuple[McpClient, ...]:
    return tuple(McpClient(**row) for row in rows("clients", "client"))


def wait_limit(signs: Signs) -> float:
    """For how many seconds this client can be made to wait.

    Of the matching rows those with the longest name count, and of these the longest wait: each says
    what such a client bears for certain.
    """
    known = [client for client in clients() if client.matches(signs)]
    if not known:
        return float(table("clients")["unknown"]["wait"])
    longest = max(len(client.name) for client in known)
    wait = max(client.wait for client in known if len(client.name) == longest)
    return min(wait, float(table("clients")["most"]["wait"]))
