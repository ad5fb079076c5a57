"""HailuoClient: one interface over every dialect, without journal or MCP."""

from hailuo_mcp.client.client import HailuoClient
from hailuo_mcp.client.preparing import Prepared

__all__ = ["HailuoClient", "Prepared"]
