"""How long each MCP client can be made to wait for an answer."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from hailuo_mcp.catalog.data import rows, table


@dataclass(frozen=True, slots=True, kw_only=True)
class McpClient:
    """A client, by the name that it gives in clientInfo."""

    name: str
    title: str
    whole: bool
    """The whole name must match, not only its beginning."""
    limit: float
    """Seconds after which it gives up."""
    wait: float
    """Seconds that are safe."""
    wait_with_progress: float
    source: str
    checked: str

    def matches(self, name: str) -> bool:
        mine = self.name.casefold()
        return name == mine if self.whole else name.startswith(mine)


@cache
def clients() -> tuple[McpClient, ...]:
    return tuple(
        McpClient(
            name=row["name"],
            title=row.get("title", row["name"]),
            whole=row.get("whole", False),
            limit=float(row["limit"]),
            wait=float(row["wait"]),
            wait_with_progress=float(row.get("wait_with_progress", row["wait"])),
            source=row["source"],
            checked=str(row["checked"]),
        )
        for row in rows("clients", "client")
    )


def wait_limit(client_name: str, *, progress: bool) -> float:
    """Say for how many seconds this client can be made to wait; `progress`: it sent a token."""
    name = client_name.strip().casefold()
    known = [client for client in clients() if client.matches(name)]
    if not known:
        return float(table("clients")["unknown"]["wait"])
    closest = max(known, key=lambda client: len(client.name))
    wait = closest.wait_with_progress if progress else closest.wait
    return min(wait, float(table("clients")["most"]["wait"]))
