"""Semantic Kernel: the server as a plugin, its tools as kernel functions."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from scene import Host, Server, play
from semantic_kernel import Kernel
from semantic_kernel.connectors.ai.function_calling_utils import (
    kernel_function_metadata_to_function_call_format,
)
from semantic_kernel.connectors.mcp import MCPStdioPlugin, MCPStreamableHttpPlugin


@asynccontextmanager
async def connect(server: Server, within: float | None) -> AsyncIterator[Host]:
    limit = {} if within is None else {"request_timeout": int(within)}
    made = (
        MCPStreamableHttpPlugin(name="hailuo", url=server.url, **limit)
        if server.url
        else MCPStdioPlugin(
            name="hailuo", command=server.command, args=server.args, env=server.env, **limit
        )
    )
    async with made as plugin:
        kernel = Kernel()
        functions = kernel.add_plugin(plugin).functions

        async def call(name: str, arguments: dict[str, object]) -> str:
            result = await kernel.invoke(functions[name], **arguments)
            value = result.value
            return str(value[0]) if isinstance(value, list) else str(value)

        async def names() -> list[str]:
            return list(functions)

        def shown() -> dict[str, list[str]]:
            found = {}
            for name, function in functions.items():
                made = kernel_function_metadata_to_function_call_format(function.metadata)
                json.dumps(made)
                found[name] = list(made["function"]["parameters"]["properties"])
            return found

        yield Host(names=names, call=call, shown=shown, converter="OpenAI functions")


play(connect)
