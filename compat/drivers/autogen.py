"""AutoGen: its workbench (one process) or its tools (a process for each call)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from autogen_core import CancellationToken
from autogen_ext.tools.mcp import (
    McpWorkbench,
    StdioServerParams,
    StreamableHttpServerParams,
    mcp_server_tools,
)
from scene import CannotSetError, Host, Refused, Server, play


@asynccontextmanager
async def connect(server: Server, within: float | None) -> AsyncIterator[Host]:
    if server.url:
        if within is not None:
            raise CannotSetError("its limit is the stream's 300 s")
        params = StreamableHttpServerParams(url=server.url)
    else:
        if server.variant == "tools" and within is not None:
            server.wait_at_most(1)
        limit = {} if within is None else {"read_timeout_seconds": within}
        params = StdioServerParams(
            command=server.command, args=server.args, env=server.env, **limit
        )
    if server.variant == "tools":
        tools = {tool.name: tool for tool in await mcp_server_tools(params)}

        async def call(name: str, arguments: dict[str, object]) -> str:
            answer = await tools[name].run_json(arguments, CancellationToken())
            return tools[name].return_value_as_string(answer)

        async def names() -> list[str]:
            return list(tools)

        yield Host(
            names=names,
            call=call,
            shown=lambda: {
                name: list(tool.schema["parameters"]["properties"]) for name, tool in tools.items()
            },
            converter="as pydantic",
        )
        return
    async with McpWorkbench(params) as bench:
        schemas = await bench.list_tools()

        async def work(name: str, arguments: dict[str, object]) -> str:
            result = await bench.call_tool(name, arguments, CancellationToken())
            return (Refused if result.is_error else str)(result.to_text())

        async def listed() -> list[str]:
            return [schema["name"] for schema in schemas]

        yield Host(
            names=listed,
            call=work,
            shown=lambda: {
                schema["name"]: list(schema["parameters"]["properties"]) for schema in schemas
            },
            converter="ToolSchema",
        )


play(connect)
