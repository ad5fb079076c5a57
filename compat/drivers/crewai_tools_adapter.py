"""CrewAI's MCPServerAdapter, whose tools run in a thread."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from crewai_tools import MCPServerAdapter
from mcp import StdioServerParameters
from scene import CannotSetError, Host, Server, play


@asynccontextmanager
async def connect(server: Server, within: float | None) -> AsyncIterator[Host]:
    if within is not None:
        raise CannotSetError("no such setting")
    params = (
        {"url": server.url, "transport": "streamable-http"}
        if server.url
        else StdioServerParameters(command=server.command, args=server.args, env=server.env)
    )
    adapter = await asyncio.to_thread(MCPServerAdapter, params)
    try:
        tools = {tool.name: tool for tool in adapter.tools}

        async def call(name: str, arguments: dict[str, object]) -> str:
            return str(await asyncio.to_thread(tools[name].run, **arguments))

        async def names() -> list[str]:
            return list(tools)

        def shown() -> dict[str, list[str]]:
            return {
                name: list(tool.args_schema.model_json_schema()["properties"])
                for name, tool in tools.items()
            }

        yield Host(names=names, call=call, shown=shown, converter="pydantic")
    finally:
        await asyncio.to_thread(adapter.stop)


play(connect)
