"""How a tool becomes part of the server, and the one place where our errors become its answers."""

from __future__ import annotations

import functools
import json
import logging
from collections.abc import Awaitable, Callable, Mapping
from inspect import getdoc
from typing import Any, cast, get_type_hints

from mcp import MCPError
from mcp.server.mcpserver import Context, MCPServer
from mcp.server.mcpserver.exceptions import ToolError, UnexpectedToolError
from mcp.server.mcpserver.resolve import build_resolver_plans, find_resolved_parameters
from mcp.server.mcpserver.tools import Tool
from mcp.server.mcpserver.utilities.func_metadata import FuncMetadata
from mcp.types import (
    INVALID_PARAMS,
    CallToolResult,
    GetPromptResult,
    InputRequiredResult,
    TextContent,
    ToolAnnotations,
)
from pydantic import ValidationError

from hailuo_mcp import answers
from hailuo_mcp.errors import HailuoError
from hailuo_mcp.server.backstage import Backstage
from hailuo_mcp.server.consent import time_to_answer
from hailuo_mcp.server.tools._reading import Arguments, mistakes, read
from hailuo_mcp.server.tools._schema import input_schema, output_schema

log = logging.getLogger(__name__)

SPENDS = ToolAnnotations(
    read_only_hint=False, destructive_hint=False, idempotent_hint=False, open_world_hint=True
)
ASKS = ToolAnnotations(
    read_only_hint=True, destructive_hint=False, idempotent_hint=True, open_world_hint=True
)
LOOKS = ToolAnnotations(
    read_only_hint=True, destructive_hint=False, idempotent_hint=True, open_world_hint=False
)
WRITES = ToolAnnotations(  # it can replace a file when told to
    read_only_hint=False, destructive_hint=True, idempotent_hint=True, open_world_hint=True
)
WITHDRAWS = ToolAnnotations(
    read_only_hint=False, destructive_hint=True, idempotent_hint=True, open_world_hint=False
)


def tool(fn: Callable[..., Awaitable[Any]], *, title: str, hints: ToolAnnotations) -> Tool:
    """Make a tool of `async def name(wanted: Arguments, ctx, …) -> answer`.

    The docstring is what the model reads, so it follows no convention of ours.
    """
    hints_of = get_type_hints(fn)
    kind: type[Arguments] = hints_of["wanted"]
    asked = find_resolved_parameters(fn)
    return Tool(
        fn=_answering(fn),
        name=fn.__name__,
        title=title,
        description=" ".join((getdoc(fn) or "").split()),
        parameters=input_schema(kind),
        # No output_model: our own answers need no second reading; the tests hold them to it.
        fn_metadata=FuncMetadata(arg_model=kind, output_schema=output_schema(hints_of["return"])),
        is_async=True,
        context_kwarg="ctx",
        resolved_params=dict(asked),
        resolver_plans=build_resolver_plans(asked, {"wanted"}),
        annotations=hints,
    )


def _answering(fn: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[CallToolResult]]:
    @functools.wraps(fn)
    async def call(**given: object) -> CallToolResult:
        return spoken(await fn(**given))

    return call


def spoken(answer: Mapping[str, Any], *, text: str = "", is_error: bool = False) -> CallToolResult:
    """Say it twice: some clients show the model only the text, others only the structure."""
    line = text or json.dumps(answer, ensure_ascii=False, separators=(",", ":"))
    return CallToolResult(
        content=[TextContent(type="text", text=line)],
        structured_content=dict(answer),
        is_error=is_error,
    )


def refused(error: HailuoError, notice: str) -> CallToolResult:
    if error.detail:  # untrusted text of the provider's: never for the model
        log.info("refused with %s: %r", error.code, error.detail)
    said = str(error)
    if error.charged == "no" and "charged" not in said and "costs nothing" not in said:
        said = f"{said} Nothing was charged."
    text = f"{notice} {said}".strip()
    # Pydantic AI shows the model the structure alone, and the Inspector holds it to the tool's
    # output schema, errors included: so it opens with the message, as every answer does.
    return spoken({"message": text, **answers.error_answer(error)}, text=text, is_error=True)


class Server(MCPServer[Backstage]):
    """The SDK's server, with refusals that a model can read."""

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
