"""LangChain's MCP adapters: its tools, in one session or with a new process for each call."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta
from uuid import uuid4

from langchain_core.utils.function_calling import convert_to_openai_tool
from langchain_mcp_adapters.client import MultiServerMCPClient
from langchain_mcp_adapters.tools import load_mcp_tools
from scene import Host, Refused, Server, play


@asynccontextmanager
async def connect(server: Server, within: float | None) -> AsyncIterator[Host]:
    connection = (
        {"transport": "streamable_http", "url": server.url}
        if server.url
        else {
            "transport": "stdio",
            "command": server.command,
            "args": server.args,
            "env": server.env,
        }
    )
    if within is not None:
        connection["session_kwargs"] = {"read_timeout_seconds": timedelta(seconds=within)}
        if server.variant != "session":
            server.wait_at_most(1)
    client = MultiServerMCPClient({"hailuo": connection})
    async with AsyncExitStack() as stack:
        if server.variant == "session":
            tools = await load_mcp_tools(await stack.enter_async_context(client.session("hailuo")))
        else:
            tools = await client.get_tools()
        by_name = {tool.name: tool for tool in tools}

        async def call(name: str, arguments: dict[str, object]) -> str:
            message = await by_name[name].ainvoke(
                {"type": "tool_call", "id": uuid4().hex, "name": name, "args": arguments}
            )
            text = (
                message.content if isinstance(message.content, str) else json.dumps(message.content)
            )
            return (Refused if message.status == "error" else str)(text)

        async def names() -> list[str]:
            return list(by_name)

        def shown() -> dict[str, list[str]]:
            functions = [convert_to_openai_tool(tool)["function"] for tool in tools]
            return {each["name"]: list(each["parameters"]["properties"]) for each in functions}

        yield Host(names=names, call=call, shown=shown, converter="as OpenAI tools")


play(connect)
