"""DSPy's tools out of an MCP session."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import dspy
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
        tools = {tool.name: dspy.Tool.from_mcp_tool(session, tool) for tool in listed.tools}

        async def call(name: str, arguments: dict[str, object]) -> str:
            return str(await tools[name].acall(**arguments))

        async def names() -> list[str]:
            return list(tools)

        def shown() -> dict[str, list[str]]:
            return {name: list(tool.args) for name, tool in tools.items()}

        yield Host(names=names, call=call, shown=shown, converter="dspy.Tool")


play(connect)
