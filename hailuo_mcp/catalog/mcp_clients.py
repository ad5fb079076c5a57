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
    """It asked to be told of progress."""
    declares: frozenset[str] = frozenset()
    """Which capabilities of its own it names: elicitation, roots, sampling."""


@dataclass(frozen=True, slots=True, kw_only=True)
class McpClient:
    """A client, by the name that it gives in clientInfo and by whatever else tells it apart."""

    name: str
    title: str
    whole: bool
    """The whole name must match, not only its beginning."""
    limit: float
    """Seconds after which it gives up."""
    wait: float
    """Seconds that are safe."""
    source: str
    checked: str
    modern: bool = False
    http: bool = False
    progress: bool = False
    declares: frozenset[str] = frozenset()
    """One of these is enough."""
    other_version_than: str = ""

    def matches(self, signs: Signs) -> bool:
        mine, theirs = self.name.casefold(), signs.name.strip().casefold()
        return (
            (theirs == mine if self.whole else theirs.startswith(mine))
            and signs.modern >= self.modern
            and signs.http >= self.http
            and signs.progress >= self.progress
            and (not self.declares or bool(self.declares & signs.declares))
            and (not self.other_version_than or self._has_another(signs.version))
        )

    def _has_another(self, version: str) -> bool:
        return version not in ("", self.other_version_than)


@cache
def clients() -> tuple[McpClient, ...]:
    return tuple(
        McpClient(
            name=row["name"],
            title=row.get("title", row["name"]),
            whole=row.get("whole", False),
            limit=float(row["limit"]),
            wait=float(row["wait"]),
            source=row["source"],
            checked=str(row["checked"]),
            modern=row.get("modern", False),
            http=row.get("http", False),
            progress=row.get("progress", False),
            declares=frozenset(row.get("declares", ())),
            other_version_than=row.get("other_version_than", ""),
        )
        for row in rows("clients", "client")
    )


def wait_limit(signs: Signs) -> float:
    """Say for how many seconds this client can be made to wait.

    Of the rows with the longest name that match, all that tells a client apart from those with a
    short limit is as good: the longest wait counts.
    """
    known = [client for client in clients() if client.matches(signs)]
    if not known:
        return float(table("clients")["unknown"]["wait"])
    longest = max(len(client.name) for client in known)
    wait = max(client.wait for client in known if len(client.name) == longest)
    return min(wait, float(table("clients")["most"]["wait"]))
