"""The MCP server: tools, resources, prompts and completions around one studio."""

from __future__ import annotations

import logging
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, cast

from mcp import MCPError
from mcp.server.caching import CacheableMethod, CacheHint
from mcp.server.mcpserver import Context, MCPServer, RequestStateSecurity
from mcp.server.mcpserver.exceptions import ToolError, UnexpectedToolError
from mcp.server.mcpserver.tools import ToolManager
from mcp.server.stdio import stdio_server
from mcp.server.subscriptions import SubscriptionBus
from mcp.types import INVALID_PARAMS, CallToolResult, GetPromptResult, InputRequiredResult
from pydantic import ValidationError

from hailuo_mcp import __version__
from hailuo_mcp.errors import Do, HailuoError, InvalidRequestError, NotPermittedError, Step
from hailuo_mcp.server.completions import add_completions
from hailuo_mcp.server.context import AppContext
from hailuo_mcp.server.gallery.extension import APP_ONLY, BUYING, PageListing, bind, gallery_app
from hailuo_mcp.server.prompts import add_prompts
from hailuo_mcp.server.replies import error_result
from hailuo_mcp.server.resources import add_resources
from hailuo_mcp.server.stdio_streams import Incoming, Outgoing, stdin_watch
from hailuo_mcp.server.task_notifications import TaskNotifications
from hailuo_mcp.server.tasks_extension import TasksExtension
from hailuo_mcp.server.tools import all_tools
from hailuo_mcp.server.tools.arguments import Arguments, invalid_arguments, read_arguments
from hailuo_mcp.server.tools.registration import SPENDS
from hailuo_mcp.server.tracing import follow_trace
from hailuo_mcp.text import shown

log = logging.getLogger(__name__)

_SAME_FOR_ALL = CacheHint(ttl_ms=3_600_000, scope="public")
_BY_CLIENT = CacheHint(ttl_ms=3_600_000, scope="private")
"""What is listed depends on what the client declares (gallery/extension.py)."""
_CACHE_HINTS: dict[CacheableMethod, CacheHint] = {
    "tools/list": _BY_CLIENT,
    "resources/list": _BY_CLIENT,
    "prompts/list": _SAME_FOR_ALL,
    "resources/templates/list": _SAME_FOR_ALL,
    "server/discover": _SAME_FOR_ALL,
}


class Server(MCPServer[AppContext]):
    """Reads arguments by our rules, and turns our errors and its own faults into answers."""

    def __init__(
        self,
        app: AppContext,
        *,
        bus: SubscriptionBus | None = None,
        request_state: RequestStateSecurity | None = None,
    ) -> None:
        """Open nothing: the process owns the studio, and the context gives it to each request.

        `request_state`: how a question's state is sealed while the client has it; without it, by
        a key of this process alone.
        """

        @asynccontextmanager
        async def lifespan(_server: MCPServer[AppContext]) -> AsyncGenerator[AppContext]:
            yield app

        self.tools = tools = all_tools()
        """Those that a model sees, in the order of the list."""
        bind(tools)
        self.spending = BUYING | {tool.name for tool in tools if tool.annotations is SPENDS}
        """The tools that spend."""
        # A page waits for no task: what it has bought is a card that it follows.
        self.tasks = TasksExtension(app, self.spending - APP_ONLY)
        super().__init__(
            name="hailuo-mcp",
            title="Hailuo video",
            version=__version__,
            instructions=instructions(),
            tools=tools,
            lifespan=lifespan,
            subscriptions=bus,
            request_state_security=request_state,
            extensions=[self.tasks, gallery_app()],
            log_level="WARNING",
            cache_hints=_CACHE_HINTS,
            middleware=[follow_trace],
        )
        self._app = app
        self.middleware.append(TaskNotifications(self.tasks).serve)
        self.middleware.append(PageListing(app, self.load_app_tools).serve)
        self.arguments_of: dict[str, type[Arguments]] = {
            tool.name: cast("type[Arguments]", tool.fn_metadata.arg_model) for tool in tools
        }
        """The class that reads a tool's arguments, by the tool's name."""
        self.tool_names = APP_ONLY.union(self.arguments_of)
        """Also of those that are loaded later."""
        add_resources(self, app)
        add_prompts(self)
        add_completions(self, app)

    def load_app_tools(self) -> None:
        """Register what only the page calls; clients that show no pages need not wait for it."""
        if not APP_ONLY.isdisjoint(self.arguments_of):
            return
        from hailuo_mcp.server.gallery.tools import app_tools

        added = app_tools()
        bind(added)
        self._tool_manager = ToolManager(tools=[*self._tool_manager.list_tools(), *added])
        for tool in added:
            self.arguments_of[tool.name] = cast("type[Arguments]", tool.fn_metadata.arg_model)

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
        context: Context[AppContext, Any] | None = None,
    ) -> CallToolResult | InputRequiredResult:
        if name in APP_ONLY:
            self.load_app_tools()
        if name not in self.arguments_of:
            called = repr(shown(name)) if name.isidentifier() else "of that name"  # no markup
            names = ", ".join(tool.name for tool in self.tools)
            known = Step(Do.TRY, f"call one of these: {names}")
            unknown = InvalidRequestError(f"There is no tool {called}.", known)
            return self._refused(unknown)
        try:
            self._check_permission(name)
            given = read_arguments(name, self.arguments_of[name], arguments)
            with self._app.track_call():
                return await super().call_tool(name, given, context)
        except HailuoError as error:
            return self._refused(error)
        except UnexpectedToolError as crash:
            if isinstance(crash.__cause__, HailuoError):
                return self._refused(crash.__cause__)
            log.exception("%s failed", name)
            return self._refused(self._internal_error(name))
        except ToolError as error:
            if isinstance(error.__cause__, ValidationError):
                return self._refused(invalid_arguments(name, error.__cause__))
            raise

    def _check_permission(self, name: str) -> None:
        """Raise NotPermittedError if this caller's token does not allow the tool."""
        if name in self.spending and not self._app.caller().may_buy:
            raise NotPermittedError(
                "Not bought: the access token of this connection lacks the scope hailuo:buy, so it "
                "can look and save, but not buy.",
                Step(Do.TRY, "sign in again and allow buying (hailuo:buy)"),
            )

    def _refused(self, error: HailuoError) -> CallToolResult:
        return error_result(error, self._app.notice, of_tenant=self._app.is_tenant)

    def _internal_error(self, name: str) -> HailuoError:
        """Nothing of the exception's own text, and whether money may have moved."""
        spends = name in self.spending
        check = Step(Do.TRY, "call list_tasks before you try again: the clip may be on its way")
        error = HailuoError(
            f"{name} failed because of a fault in hailuo-mcp; its log has the details.",
            check if spends else Step(Do.ARRANGE, "report it"),
            charged="maybe" if spends else "no",
        )
        error.code = "internal"
        return error

    async def get_prompt(
        self,
        name: str,
        arguments: dict[str, Any] | None = None,
        context: Context[AppContext, Any] | None = None,
    ) -> GetPromptResult | InputRequiredResult:
        """Render a prompt; the SDK (2.3.0) reports the caller's mistakes as server faults."""
        prompts = {prompt.name: prompt.arguments or [] for prompt in await self.list_prompts()}
        if name not in prompts:
            raise MCPError(
                INVALID_PARAMS, f"There is no prompt of that name. There are: {', '.join(prompts)}."
            )
        given, known = arguments or {}, [it.name for it in prompts[name]]
        if missing := [it.name for it in prompts[name] if it.required and not given.get(it.name)]:
            raise MCPError(INVALID_PARAMS, f"{name} needs {' and '.join(missing)}.")
        if unknown := next((it for it in given if it not in known), ""):
            raise MCPError(
                INVALID_PARAMS, f"{name} has no {shown(unknown)!r}. It takes: {', '.join(known)}."
            )
        return await super().get_prompt(name, arguments, context)


def instructions() -> str:
    """What a model is told once about the whole server."""
    return Path(__file__).with_name("instructions.md").read_text(encoding="utf-8").strip()
