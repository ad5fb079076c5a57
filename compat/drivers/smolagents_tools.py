"""smolagents' MCPClient (mcpadapt), whose tools run in a thread."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from mcp import StdioServerParameters
from scene import Host, Server, play
from smolagents import MCPClient
from smolagents.models import get_tool_json_schema


@asynccontextmanager
async def connect(server: Server, within: float | None) -> AsyncIterator[Host]:
    # Its default is 5, which mcpadapt takes for no limit, because it is no float.
    limit = None if within is None else {"client_session_timeout_seconds": float(within)}
    params = (
        {"url": server.url, "transport": "streamable-http"}
        if server.url
        else StdioServerParameters(command=server.command, args=server.args, env=server.env)
    )
    client = await asyncio.to_thread(
        MCPClient, params, adapter_kwargs=limit, structured_output=False
    )
    try:
        tools = {tool.name: tool for tool in client.get_tools()}

        async def call(name: str, arguments: dict[str, object]) -> str:
            return str(await asyncio.to_thread(tools[name], **arguments))

        async def names() -> list[str]:
            return list(tools)

        def shown() -> dict[str, list[str]]:
            return {
                name: list(get_tool_json_schema(tool)["function"]["parameters"]["properties"])
                for name, tool in tools.items()
            }

        yield Host(names=names, call=call, shown=shown, converter="OpenAI functions")
    finally:
        await asyncio.to_thread(client.disconnect)


play(connect)
