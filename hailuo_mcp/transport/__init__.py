"""The door to the network: the only package that imports httpx, and only when it is used."""

from typing import TYPE_CHECKING

from hailuo_mcp.transport.calls import Transport
from hailuo_mcp.transport.hosts import Hosts, RefusedLinkError, Target, system_resolve
from hailuo_mcp.transport.links import RefusedDownloadError, Stream

if TYPE_CHECKING:
    from httpx import AsyncBaseTransport as Wire

__all__ = [
    "Hosts",
    "RefusedDownloadError",
    "RefusedLinkError",
    "Stream",
    "Target",
    "Transport",
    "Wire",
    "system_resolve",
]
