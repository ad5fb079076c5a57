"""mcp-use: its session, and its conversion to LangChain tools."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

from mcp_use import MCPClient
from mcp_use.agents.adapters import LangChainAdapter
from scene import Host, Refused, Server, play


@asynccontextmanager
async def connect(server: Server, within: float | None) -> AsyncIterator[Host]:
    if within is not None:
        server.wait_at_most(1)
    entry = (
        {"url": server.url}
        if server.url
        else {"command": server.command, "args": server.args, "env": server.env}
    )
    client = MCPClient.from_dict({"mcpServers": {"hailuo": entry}})
    limit = None if within is None else timedelta(seconds=within)
    try:
        session = await client.create_session("hailuo")
        listed = await session.list_tools()
        tools = await LangChainAdapter().create_tools(client)

        async def call(name: str, arguments: dict[str, object]) -> str:
            result = await session.call_tool(name, arguments, read_timeout_seconds=limit)
            return (Refused if result.isError else str)(result.content[0].text)

        async def names() -> list[str]:
            return [tool.name for tool in listed]

        def shown() -> dict[str, list[str]]:
            return {tool.name: list(tool.args) for tool in tools}

        yield Host(names=names, call=call, shown=shown, converter="LangChain")
    finally:
        await client.close_all_sessions()


play(connect)
