"""CAMEL's MCPToolkit, 10 s for each call."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from camel.toolkits import MCPToolkit
from scene import Host, Server, play


@asynccontextmanager
async def connect(server: Server, within: float | None) -> AsyncIterator[Host]:
    limit = {} if within is None else {"timeout": within}
    entry = {"command": server.command, "args": server.args, "env": server.env}
    async with MCPToolkit(config_dict={"mcpServers": {"hailuo": entry}}, **limit) as kit:
        tools = {tool.get_function_name(): tool for tool in kit.get_tools()}

        async def call(name: str, arguments: dict[str, object]) -> str:
            return str(await tools[name].func.async_call(**arguments))

        async def names() -> list[str]:
            return list(tools)

        def shown() -> dict[str, list[str]]:
            made = {name: tool.get_openai_tool_schema() for name, tool in tools.items()}
            return {
                name: list(each["function"]["parameters"]["properties"])
                for name, each in made.items()
            }

        yield Host(names=names, call=call, shown=shown, converter="OpenAI strict")


play(connect)
