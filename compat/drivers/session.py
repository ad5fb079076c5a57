"""The Python SDK's ClientSession, as of 1.x; also of releases that speak only an older protocol."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

from mcp import ClientSession, StdioServerParameters, types
from mcp.client.stdio import stdio_client
from scene import Host, Refused, Server, parameters, play


def streams(server: Server):
    if server.url:
        from mcp.client.streamable_http import streamablehttp_client

        return streamablehttp_client(server.url)
    return stdio_client(
        StdioServerParameters(command=server.command, args=server.args, env=server.env)
    )


async def agree(_context: object, _params: object) -> object:
    return types.ElicitResult(action="accept", content={"buy": True})


@asynccontextmanager
async def connect(server: Server, within: float | None) -> AsyncIterator[Host]:
    can_ask = server.asks and hasattr(types, "ElicitResult")  # since 1.10
    asking = {"elicitation_callback": agree} if can_ask else {}
    limit = None if within is None else timedelta(seconds=within)
    async with (
        streams(server) as (read, write, *_),
        ClientSession(read, write, read_timeout_seconds=limit, **asking) as session,
    ):
        await session.initialize()
        tools = (await session.list_tools()).tools

        async def call(name: str, arguments: dict[str, object]) -> str:
            result = await session.call_tool(name, arguments)
            return (Refused if result.isError else str)(result.content[0].text)

        async def names() -> list[str]:
            return [tool.name for tool in tools]

        yield Host(
            names=names,
            call=call,
            shown=lambda: {tool.name: parameters(tool.inputSchema) for tool in tools},
            can_ask=can_ask,
        )


play(connect)
