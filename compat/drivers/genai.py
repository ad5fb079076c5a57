"""The Google Gen AI SDK: its adapter between an MCP session and Gemini tools."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from google.genai._adapters import McpToGenAiToolAdapter
from google.genai.types import FunctionCall
from mcp import ClientSession, StdioServerParameters
from mcp.client.stdio import stdio_client
from scene import Host, Refused, Server, play


@asynccontextmanager
async def connect(server: Server, within: float | None) -> AsyncIterator[Host]:
    params = StdioServerParameters(command=server.command, args=server.args, env=server.env)
    async with (
        stdio_client(params) as (read, write),
        ClientSession(read, write, read_timeout_seconds=within) as session,
    ):
        await session.initialize()
        adapter = McpToGenAiToolAdapter(session, await session.list_tools())

        async def call(name: str, arguments: dict[str, object]) -> str:
            result = await adapter.call_tool(FunctionCall(name=name, args=arguments))
            return (Refused if result.is_error else str)(result.content[0].text)

        async def names() -> list[str]:
            return [each.name for tool in adapter.tools for each in tool.function_declarations]

        def shown() -> dict[str, list[str]]:
            found = {}
            for tool in adapter.tools:
                for each in tool.function_declarations:
                    schema = each.parameters_json_schema
                    found[each.name] = list(
                        schema["properties"] if schema else each.parameters.properties
                    )
            return found

        yield Host(names=names, call=call, shown=shown, converter="Gemini")


play(connect)
