"""Haystack's MCPToolset, whose tools run in a thread, 30 s for each call."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from haystack_integrations.tools.mcp import MCPToolset, StdioServerInfo, StreamableHttpServerInfo
from scene import Host, Server, play


@asynccontextmanager
async def connect(server: Server, within: float | None) -> AsyncIterator[Host]:
    info = (
        StreamableHttpServerInfo(url=server.url)
        if server.url
        else StdioServerInfo(command=server.command, args=server.args, env=server.env)
    )
    limit = {} if within is None else {"invocation_timeout": within}
    toolset = await asyncio.to_thread(
        lambda: MCPToolset(server_info=info, eager_connect=True, **limit)
    )
    try:
        tools = {tool.name: tool for tool in toolset}

        async def call(name: str, arguments: dict[str, object]) -> str:
            answer = await asyncio.to_thread(tools[name].invoke, **arguments)
            return answer if isinstance(answer, str) else json.dumps(answer)

        async def names() -> list[str]:
            return list(tools)

        def shown() -> dict[str, list[str]]:
            return {
                name: list(tool.tool_spec["parameters"]["properties"])
                for name, tool in tools.items()
            }

        yield Host(names=names, call=call, shown=shown, converter="tool_spec")
    finally:
        await asyncio.to_thread(toolset.close)


play(connect)
