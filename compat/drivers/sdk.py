"""The Python SDK's Client, 2.x, in the mode that the variant names."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from mcp import Client, StdioServerParameters
from mcp.client.stdio import stdio_client
from mcp.types import ElicitResult
from scene import Host, Refused, Server, parameters, play


async def agree(_context: object, _params: object) -> ElicitResult:
    return ElicitResult(action="accept", content={"buy": True})


@asynccontextmanager
async def connect(server: Server, within: float | None) -> AsyncIterator[Host]:
    where = server.url or stdio_client(
        StdioServerParameters(command=server.command, args=server.args, env=server.env)
    )
    asking = {"elicitation_callback": agree} if server.asks else {}
    async with Client(
        where, mode=server.variant or "auto", read_timeout_seconds=within, **asking
    ) as client:
        tools = (await client.list_tools()).tools

        async def call(name: str, arguments: dict[str, object]) -> str:
            result = await client.call_tool(name, arguments)
            return (Refused if result.is_error else str)(result.content[0].text)

        async def names() -> list[str]:
            return [tool.name for tool in tools]

        yield Host(
            names=names,
            call=call,
            shown=lambda: {tool.name: parameters(tool.input_schema) for tool in tools},
            can_ask=server.asks,
        )


play(connect)
