"""Pydantic AI's MCPToolset, and its schema transformers for OpenAI and Gemini."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastmcp.client.transports import StdioTransport
from pydantic_ai import RunContext
from pydantic_ai.mcp import MCPToolset
from pydantic_ai.models.test import TestModel
from pydantic_ai.profiles.google import GoogleJsonSchemaTransformer
from pydantic_ai.profiles.openai import OpenAIJsonSchemaTransformer
from pydantic_ai.usage import RunUsage
from scene import Host, Server, play


@asynccontextmanager
async def connect(server: Server, within: float | None) -> AsyncIterator[Host]:
    where = server.url or StdioTransport(
        command=server.command, args=server.args, env=server.env, keep_alive=False
    )
    options = {} if within is None else {"read_timeout": within}
    async with MCPToolset(where, **options) as toolset:
        context = RunContext(deps=None, model=TestModel(), usage=RunUsage())
        tools = await toolset.get_tools(context)

        async def call(name: str, arguments: dict[str, object]) -> str:
            tool = tools[name]
            given = tool.args_validator.validate_json(json.dumps(arguments))
            answer = await toolset.call_tool(name, given, context, tool)
            return answer if isinstance(answer, str) else json.dumps(answer)

        async def names() -> list[str]:
            return list(tools)

        def shown() -> dict[str, list[str]]:
            found = {}
            for name, tool in tools.items():
                schema = tool.tool_def.parameters_json_schema
                google = GoogleJsonSchemaTransformer(schema, strict=None).walk()
                OpenAIJsonSchemaTransformer(schema, strict=True).walk()
                found[name] = list(google["properties"])
            return found

        yield Host(names=names, call=call, shown=shown, converter="OpenAI strict, Gemini")


play(connect)
