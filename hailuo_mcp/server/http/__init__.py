"""The server for callers on other computers: MCP, clips, pictures, callbacks, health."""

from hailuo_mcp.server.http.app import app_from_env, create_app
from hailuo_mcp.server.http.serving import serve_http

__all__ = ["app_from_env", "create_app", "serve_http"]
