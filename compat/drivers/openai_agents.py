"""The OpenAI Agents SDK: function tools made in strict mode, 5 s for each call."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from agents import Agent
from agents.mcp import MCPServerStdio, MCPServerStreamableHttp, MCPUtil
from agents.run_context import RunContextWrapper
from agents.tool_context import ToolContext
from scene import Host, Server, UnfitError, play


@asynccontextmanager
async def connect(server: Server, within: float | None) -> AsyncIterator[Host]:
    options = {} if within is None else {"client_session_timeout_seconds": within}
    if server.url:
        made = MCPServerStreamableHttp(params={"url": server.url}, **options)
    else:
        made = MCPServerStdio(
            params={"command": server.command, "args": server.args, "env": server.env}, **options
        )
    async with made as mcp:
        agent = Agent(name="tester", mcp_servers=[mcp])
        # Without an error function a failure raises, as it would for the default one to phrase.
        tools = await MCPUtil.get_function_tools(
            mcp,
            convert_schemas_to_strict=True,
            run_context=RunContextWrapper(context=None),
            agent=agent,
            failure_error_function=None,
        )
        by_name = {tool.name: tool for tool in tools}

        async def call(name: str, arguments: dict[str, object]) -> str:
            sent = json.dumps(arguments)
            context = ToolContext(
                context=None, tool_name=name, tool_call_id="1", tool_arguments=sent
            )
            answer = await by_name[name].on_invoke_tool(context, sent)
            text = answer if isinstance(answer, str) else json.dumps(answer)
            # It shows a tool's own error to the model as a plain text.
            return _as_the_model_sees(text)

        async def names() -> list[str]:
            return list(by_name)

        def shown() -> dict[str, list[str]]:
            if loose := [tool.name for tool in tools if not tool.strict_json_schema]:
                raise UnfitError(f"not strict: {', '.join(loose)}")
            return {tool.name: list(tool.params_json_schema["properties"]) for tool in tools}

        yield Host(names=names, call=call, shown=shown, converter="strict")


def _as_the_model_sees(text: str) -> str:
    from scene import Refused

    return text if "task_id" in text else Refused(text)


play(connect)
