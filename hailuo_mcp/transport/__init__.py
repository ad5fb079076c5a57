"""The door to the network: the only package that imports httpx, and only when it is used."""

from hailuo_mcp.transport.calls import Transport
from hailuo_mcp.transport.hosts import Hosts, RefusedLinkError, Target, system_resolve
from hailuo_mcp.transport.links import Stream

__all__ = ["Hosts", "RefusedLinkError", "Stream", "Target", "Transport", "system_resolve"]
