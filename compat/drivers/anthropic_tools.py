"""The Anthropic SDK's helpers that make runnable tools of an MCP session's."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from anthropic.lib.tools.mcp import async_mcp_tool
from mcp import ClientSession, StdioServerParameters
from mcp.client.stdio import stdio_client
from scene import Host, Server, play


@asynccontextmanager
async def connect(server: Server, within: float | None) -> AsyncIterator[Host]:
    params = StdioServerParameters(command=server.command, args=server.args, env=server.env)
    async with (
        stdio_client(params) as (read, write),
        ClientSession(read, write, read_timeout_seconds=within) as session,
    ):
        await session.initialize()
        listed = await session.list_tools()
        tools = {tool.name: async_mcp_tool(tool, session) for tool in listed.tools}

        async def call(name: str, arguments: dict[str, object]) -> str:
            answer = await tools[name].call(arguments)
            return answer if isinstance(answer, str) else json.dumps(list(answer))

        async def names() -> list[str]:
            return list(tools)

        def shown() -> dict[str, list[str]]:
            made = {name: tool.to_dict() for name, tool in tools.items()}
            return {name: list(each["input_schema"]["properties"]) for name, each in made.items()}

        yield Host(names=names, call=call, shown=shown, converter="BetaToolParam")


play(connect)
