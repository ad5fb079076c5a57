"""How a function becomes a tool: schemas from its types, the description from its docstring."""

from __future__ import annotations

import functools
from collections.abc import Awaitable, Callable
from inspect import getdoc
from typing import Any, get_type_hints

from mcp.server.mcpserver.resolve import build_resolver_plans, find_resolved_parameters
from mcp.server.mcpserver.tools import Tool
from mcp.server.mcpserver.utilities.func_metadata import FuncMetadata
from mcp.types import CallToolResult, ToolAnnotations

from hailuo_mcp.server.replies import spoken
from hailuo_mcp.server.tools._reading import Arguments
from hailuo_mcp.server.tools._schema import input_schema, output_schema

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
