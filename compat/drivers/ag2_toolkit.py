"""AG2's MCPToolkit: a new connection for each call."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from ag2 import Context
from ag2.events import ToolCallEvent, ToolErrorEvent
from ag2.stream import MemoryStream
from ag2.tools.toolkits.mcp_server import MCPStdioServerConfig, MCPToolkit
from scene import CannotSetError, Host, Refused, Server, play


@asynccontextmanager
async def connect(server: Server, within: float | None) -> AsyncIterator[Host]:
    if within is not None:
        raise CannotSetError("no such setting")
    kit = MCPToolkit(MCPStdioServerConfig(command=server.command, args=server.args, env=server.env))
    context = Context(stream=MemoryStream())
    schemas = {each.function.name: each.function for each in await kit.schemas(context)}
    tools = {tool.name: tool for tool in kit.tools}

    async def call(name: str, arguments: dict[str, object]) -> str:
        event = ToolCallEvent(name=name, arguments=json.dumps(arguments))
        done = await tools[name](event, context)
        if isinstance(done, ToolErrorEvent):
            return Refused(str(done.error))
        return "".join(part.content for part in done.result.parts)

    async def names() -> list[str]:
        return list(schemas)

    yield Host(
        names=names,
        call=call,
        shown=lambda: {name: list(each.parameters["properties"]) for name, each in schemas.items()},
        converter="OpenAI functions",
    )


play(connect)
