"""Google ADK's McpToolset, with its conversion to Gemini function declarations."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from google.adk.agents.invocation_context import InvocationContext
from google.adk.agents.llm_agent import LlmAgent
from google.adk.sessions import InMemorySessionService
from google.adk.tools.mcp_tool.mcp_session_manager import (
    StdioConnectionParams,
    StreamableHTTPConnectionParams,
)
from google.adk.tools.mcp_tool.mcp_tool import _to_gemini_schema
from google.adk.tools.mcp_tool.mcp_toolset import McpToolset
from google.adk.tools.tool_context import ToolContext
from mcp import StdioServerParameters
from scene import CannotSetError, Host, Refused, Server, play


@asynccontextmanager
async def connect(server: Server, within: float | None) -> AsyncIterator[Host]:
    if server.url:
        if within is not None:
            raise CannotSetError("its limit is the stream's 300 s")
        params = StreamableHTTPConnectionParams(url=server.url)
    else:
        limit = {} if within is None else {"timeout": within}
        params = StdioConnectionParams(
            server_params=StdioServerParameters(
                command=server.command, args=server.args, env=server.env
            ),
            **limit,
        )
    toolset = McpToolset(connection_params=params)
    sessions = InMemorySessionService()
    session = await sessions.create_session(app_name="matrix", user_id="tester")
    context = ToolContext(
        InvocationContext(
            session_service=sessions,
            invocation_id="1",
            agent=LlmAgent(name="tester"),
            session=session,
        )
    )
    try:
        tools = {tool.name: tool for tool in await toolset.get_tools()}

        async def call(name: str, arguments: dict[str, object]) -> str:
            answer = await tools[name].run_async(args=arguments, tool_context=context)
            failed = answer.get("isError") or answer.get("is_error") or "error" in answer
            return (Refused if failed else str)(json.dumps(answer))

        async def names() -> list[str]:
            return list(tools)

        def shown() -> dict[str, list[str]]:
            found = {}
            for name, tool in tools.items():
                declared = tool._get_declaration()  # noqa: SLF001  what its model request is made of
                raw = tool._mcp_tool  # noqa: SLF001
                schema = getattr(raw, "input_schema", None) or raw.inputSchema
                gemini = _to_gemini_schema(schema)
                found[name] = list(gemini.properties)
                assert declared.name == name
            return found

        yield Host(names=names, call=call, shown=shown, converter="Gemini")
    finally:
        await toolset.close()


play(connect)
