"""The SDK's server, with refusals that a model can read."""

from __future__ import annotations

import logging
from typing import Any, cast

from mcp import MCPError
from mcp.server.mcpserver import Context, MCPServer
from mcp.server.mcpserver.exceptions import ToolError, UnexpectedToolError
from mcp.server.mcpserver.tools import Tool
from mcp.server.stdio import stdio_server
from mcp.types import INVALID_PARAMS, CallToolResult, GetPromptResult, InputRequiredResult
from pydantic import ValidationError

from hailuo_mcp.errors import HailuoError
from hailuo_mcp.server.consent import time_to_answer
from hailuo_mcp.server.context import Backstage
from hailuo_mcp.server.lines import Incoming, Outgoing, stdin_watch
from hailuo_mcp.server.replies import refused
from hailuo_mcp.server.tools._reading import Arguments, mistakes, read

log = logging.getLogger(__name__)


class Server(MCPServer[Backstage]):
    """Reads arguments by our rules, and turns our errors and its own faults into answers."""

    def __init__(
        self,
        backstage: Backstage,
        tools: list[Tool],
        **parts: Any,  # noqa: ANN401  the SDK's own
    ) -> None:
        super().__init__(tools=tools, **parts)
        self._backstage = backstage
        self._kinds: dict[str, type[Arguments]] = {
            made.name: cast("type[Arguments]", made.fn_metadata.arg_model) for made in tools
        }

    async def run_stdio_async(self) -> None:
        """Serve the client at stdin and stdout until it leaves, and answer every line of it."""
        sdk, has_left = self._lowlevel_server, stdin_watch()
        async with stdio_server() as (lines, answers):
            outgoing = Outgoing(answers, has_left)
            incoming = Incoming(lines, outgoing)
            await sdk.run(incoming, outgoing, sdk.create_initialization_options())

    async def call_tool(
        self,
        name: str,
        arguments: dict[str, Any],
        context: Context[Backstage, Any] | None = None,
    ) -> CallToolResult | InputRequiredResult:
        if name not in self._kinds:
            called = (
                f" {name[:64]!r}" if name.isidentifier() else " of that name"
            )  # no echo of markup
            raise ToolError(
                f"There is no tool{called}. Nothing was charged. "
                f"There are: {', '.join(self._kinds)}."
            )
        try:
            given = read(name, self._kinds[name], arguments)
            with self._backstage.at_work(), time_to_answer():
                return await super().call_tool(name, given, context)
        except HailuoError as error:
            return refused(error, self._backstage.notice)
        except UnexpectedToolError as crash:
            if isinstance(crash.__cause__, HailuoError):
                return refused(crash.__cause__, self._backstage.notice)
            log.exception("%s failed", name)
            return self._faulted(name)
        except ToolError as error:
            if isinstance(error.__cause__, ValidationError):
                return refused(mistakes(name, error.__cause__), self._backstage.notice)
            raise

    async def get_prompt(
        self,
        name: str,
        arguments: dict[str, Any] | None = None,
        context: Context[Backstage, Any] | None = None,
    ) -> GetPromptResult | InputRequiredResult:
        """Render a prompt; the SDK (2.3.0) calls what the asker got wrong a fault of its own."""
        prompts = {prompt.name: prompt.arguments or [] for prompt in await self.list_prompts()}
        if name not in prompts:
            raise MCPError(
                INVALID_PARAMS, f"There is no prompt of that name. There are: {', '.join(prompts)}."
            )
        given, takes = arguments or {}, [it.name for it in prompts[name]]
        if missing := [it.name for it in prompts[name] if it.required and not given.get(it.name)]:
            raise MCPError(INVALID_PARAMS, f"{name} needs {' and '.join(missing)}.")
        if strange := next((it for it in given if it not in takes), ""):
            raise MCPError(
                INVALID_PARAMS, f"{name} has no {strange[:40]!r}. It takes: {', '.join(takes)}."
            )
        return await super().get_prompt(name, arguments, context)

    def _faulted(self, name: str) -> CallToolResult:
        """What is said of a crash: nothing of its own text, and whether money may have moved."""
        spends = "max_cost" in self._kinds[name].model_fields
        bought = (
            "Something may have been bought before it: call list_tasks before you try again."
            if spends
            else "Nothing was charged. The person can report it."
        )
        fault = HailuoError(
            f"{name} failed through a fault of hailuo-mcp itself (its log has the details). "
            f"{bought}",
            charged="maybe" if spends else "no",
        )
        fault.code = "internal"
        return refused(fault, self._backstage.notice)
