"""Agno's MCPTools, 10 s for each call."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from agno.tools.function import FunctionCall
from agno.tools.mcp import MCPTools
from mcp import StdioServerParameters
from scene import Host, Refused, Server, play


@asynccontextmanager
async def connect(server: Server, within: float | None) -> AsyncIterator[Host]:
    limit = {} if within is None else {"timeout_seconds": int(within)}
    made = (
        MCPTools(transport="streamable-http", url=server.url, **limit)
        if server.url
        else MCPTools(
            server_params=StdioServerParameters(
                command=server.command, args=server.args, env=server.env
            ),
            **limit,
        )
    )
    async with made as kit:
        functions = kit.functions

        async def call(name: str, arguments: dict[str, object]) -> str:
            made = FunctionCall(function=functions[name], arguments=arguments)
            done = await made.aexecute()
            text = done.result if done.result is not None else done.error
            content = getattr(text, "content", text)
            content = content if isinstance(content, str) else json.dumps(content)
            failed = done.status != "success" or content.startswith("Error")
            return (Refused if failed else str)(content)

        async def names() -> list[str]:
            return list(functions)

        def shown() -> dict[str, list[str]]:
            return {
                name: list(each.to_dict()["parameters"]["properties"])
                for name, each in functions.items()
            }

        yield Host(names=names, call=call, shown=shown, converter="OpenAI functions")


play(connect)
