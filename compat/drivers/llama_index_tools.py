"""LlamaIndex's McpToolSpec: a new connection for each call."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from llama_index.tools.mcp import BasicMCPClient, McpToolSpec
from scene import Host, Refused, Server, play


@asynccontextmanager
async def connect(server: Server, within: float | None) -> AsyncIterator[Host]:
    limit = {} if within is None else {"timeout": int(within)}
    if within is not None:
        server.wait_at_most(1)
    client = (
        BasicMCPClient(server.url, **limit)
        if server.url
        else BasicMCPClient(server.command, args=server.args, env=server.env, **limit)
    )
    tools = {
        tool.metadata.name: tool for tool in await McpToolSpec(client=client).to_tool_list_async()
    }

    async def call(name: str, arguments: dict[str, object]) -> str:
        answer = await tools[name].acall(**arguments)
        raw = answer.raw_output
        failed = answer.is_error or getattr(raw, "is_error", getattr(raw, "isError", False))
        return (Refused if failed else str)(answer.content)

    async def names() -> list[str]:
        return list(tools)

    def shown() -> dict[str, list[str]]:
        made = {name: tool.metadata.to_openai_tool() for name, tool in tools.items()}
        return {
            name: list(each["function"]["parameters"]["properties"]) for name, each in made.items()
        }

    yield Host(names=names, call=call, shown=shown, converter="OpenAI tools")


play(connect)
