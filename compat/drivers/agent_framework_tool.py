"""Microsoft Agent Framework's MCP tools."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from agent_framework import MCPStdioTool, MCPStreamableHTTPTool
from scene import Host, Server, play


@asynccontextmanager
async def connect(server: Server, within: float | None) -> AsyncIterator[Host]:
    limit = {} if within is None else {"request_timeout": int(within)}
    made = (
        MCPStreamableHTTPTool(name="hailuo", url=server.url, **limit)
        if server.url
        else MCPStdioTool(
            name="hailuo", command=server.command, args=server.args, env=server.env, **limit
        )
    )
    async with made as tool:
        functions = {function.name: function for function in tool.functions}

        async def call(name: str, arguments: dict[str, object]) -> str:
            answer = await functions[name].invoke(arguments=arguments)
            if isinstance(answer, str):
                return answer
            return "\n".join(getattr(part, "text", None) or str(part) for part in answer)

        async def names() -> list[str]:
            return list(functions)

        def shown() -> dict[str, list[str]]:
            return {
                name: list(function.to_json_schema_spec()["function"]["parameters"]["properties"])
                for name, function in functions.items()
            }

        yield Host(names=names, call=call, shown=shown, converter="OpenAI functions")


play(connect)
