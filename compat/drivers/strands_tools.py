"""Strands Agents' MCPClient, which runs its session in a thread of its own."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

from mcp import StdioServerParameters
from mcp.client.stdio import stdio_client
from scene import Host, Refused, Server, play
from strands.tools.mcp import MCPClient


def streams(server: Server):
    if server.url:
        from mcp.client.streamable_http import streamable_http_client

        return streamable_http_client(server.url)
    return stdio_client(
        StdioServerParameters(command=server.command, args=server.args, env=server.env)
    )


@asynccontextmanager
async def connect(server: Server, within: float | None) -> AsyncIterator[Host]:
    limit = None if within is None else timedelta(seconds=within)
    client = MCPClient(lambda: streams(server))
    await asyncio.to_thread(client.start)
    try:
        tools = await asyncio.to_thread(client.list_tools_sync)

        async def call(name: str, arguments: dict[str, object]) -> str:
            result = await client.call_tool_async("1", name, arguments, read_timeout_seconds=limit)
            text = json.dumps(result["content"])
            return (Refused if result["status"] == "error" else str)(text)

        async def names() -> list[str]:
            return [tool.tool_name for tool in tools]

        def shown() -> dict[str, list[str]]:
            return {
                tool.tool_name: list(tool.tool_spec["inputSchema"]["json"]["properties"])
                for tool in tools
            }

        yield Host(names=names, call=call, shown=shown, converter="Bedrock ToolSpec")
    finally:
        await asyncio.to_thread(client.stop, None, None, None)


play(connect)
