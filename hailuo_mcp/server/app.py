"""The server itself: tools, resources, prompts and completions around one studio."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

from mcp.server.caching import CacheHint
from mcp.server.mcpserver import MCPServer
from mcp.server.subscriptions import InMemorySubscriptionBus, SubscriptionBus

from hailuo_mcp import __version__
from hailuo_mcp.server.backstage import Backstage
from hailuo_mcp.server.prompts import add_prompts
from hailuo_mcp.server.resources import add_task_resource, all_resources
from hailuo_mcp.server.tools import all_tools
from hailuo_mcp.server.tools._register import Server

_HOUR = CacheHint(ttl_ms=3_600_000, scope="public")


def build_server(backstage: Backstage, *, bus: SubscriptionBus | None = None) -> Server:
    """Join the parts. Opens nothing: the process owns the studio and lends it backstage."""

    @asynccontextmanager
    async def lend(_server: MCPServer[Backstage]) -> AsyncGenerator[Backstage]:
        yield backstage

    server = Server(
        name="hailuo-mcp",
        title="Hailuo video",
        version=__version__,
        instructions=instructions(),
        tools=all_tools(),
        resources=all_resources(backstage),
        lifespan=lend,
        subscriptions=bus or InMemorySubscriptionBus(),
        log_level="WARNING",
        cache_hints={
            "tools/list": _HOUR,
            "prompts/list": _HOUR,
            "resources/list": _HOUR,
            "resources/templates/list": _HOUR,
            "server/discover": _HOUR,
        },
    )
    add_task_resource(server)
    add_prompts(server, backstage)
    return server


def instructions() -> str:
    """What a model is told once about the whole."""
    return Path(__file__).with_name("instructions.md").read_text(encoding="utf-8").strip()
