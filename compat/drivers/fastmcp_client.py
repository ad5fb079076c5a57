"""FastMCP's Client."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastmcp import Client
from fastmcp.client.transports import StdioTransport
from scene import Host, Server, parameters, play


async def agree(_message: str, _kind: type, _params: object, _context: object) -> dict[str, bool]:
    return {"buy": True}


@asynccontextmanager
async def connect(server: Server, within: float | None) -> AsyncIterator[Host]:
    where = server.url or StdioTransport(
        command=server.command, args=server.args, env=server.env, keep_alive=False
    )
    asking = {"elicitation_handler": agree} if server.asks else {}
    async with Client(where, timeout=within, **asking) as client:
        tools = await client.list_tools()

        async def call(name: str, arguments: dict[str, object]) -> str:
            return (await client.call_tool(name, arguments)).content[0].text

        async def names() -> list[str]:
            return [tool.name for tool in tools]

        def shown() -> dict[str, list[str]]:
            return {
                tool.name: parameters(
                    tool.input_schema if hasattr(tool, "input_schema") else tool.inputSchema
                )
                for tool in tools
            }

        yield Host(names=names, call=call, shown=shown, can_ask=server.asks)


play(connect)
