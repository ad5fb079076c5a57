"""How a function becomes a tool: schemas from its types, the description from its docstring.

The schemas are flat, without $ref, anyOf, null and titles: clients and model APIs choke on those,
and pydantic's own schemas cost a third of what this package adds to the server's start. The tests
check that both agree.
"""

from __future__ import annotations

import functools
from collections.abc import Awaitable, Callable
from inspect import getdoc
from types import MappingProxyType, UnionType
from typing import Annotated, Any, Literal, Required, Union, get_args, get_origin

from mcp.server.mcpserver.resolve import build_resolver_plans, find_resolved_parameters
from mcp.server.mcpserver.tools import Tool
from mcp.server.mcpserver.utilities.func_metadata import FuncMetadata
from mcp.types import CallToolResult, ToolAnnotations
from pydantic.fields import FieldInfo
from typing_extensions import get_type_hints, is_typeddict

from hailuo_mcp.server.replies import tool_result
from hailuo_mcp.server.tools.arguments import Arguments

SPENDS = ToolAnnotations(
    read_only_hint=False, destructive_hint=False, idempotent_hint=False, open_world_hint=True
)
ASKS_PROVIDER = ToolAnnotations(
    read_only_hint=True, destructive_hint=False, idempotent_hint=True, open_world_hint=True
)
READS = ToolAnnotations(
    read_only_hint=True, destructive_hint=False, idempotent_hint=True, open_world_hint=False
)
WRITES = ToolAnnotations(  # it can replace a file when told to
    read_only_hint=False, destructive_hint=True, idempotent_hint=True, open_world_hint=True
)
CANCELS = ToolAnnotations(
    read_only_hint=False, destructive_hint=True, idempotent_hint=True, open_world_hint=True
)

Schema = dict[str, Any]
_NAMES = MappingProxyType({str: "string", int: "integer", float: "number", bool: "boolean"})
_LIMITS = MappingProxyType({"ge": "minimum", "le": "maximum"})


def tool(
    fn: Callable[..., Awaitable[Any]], *, title: str, hints: ToolAnnotations, text: str = ""
) -> Tool:
    """Make a tool of `async def name(wanted: Arguments, ctx, …) -> answer`.

    The answer is a TypedDict, or one of several; or a CallToolResult for a tool without structured
    output, such as one that returns a picture. The docstring is what the model reads.

    `text`: stands beside the structured answer in place of the same as JSON, where no model reads
    it and it may be large.
    """
    types = get_type_hints(fn)
    kind: type[Arguments] = types["wanted"]
    answer = types["return"]
    asked = find_resolved_parameters(fn)
    return Tool(
        fn=_answering(fn, text),
        name=fn.__name__,
        title=title,
        description=" ".join((getdoc(fn) or "").split()),
        parameters=input_schema(kind),
        # No output_model: our own answers are not validated again; the tests do that.
        fn_metadata=FuncMetadata(
            arg_model=kind,
            output_schema=None if answer is CallToolResult else output_schema(answer),
        ),
        is_async=True,
        context_kwarg="ctx",
        resolved_params=dict(asked),
        resolver_plans=build_resolver_plans(asked, {"wanted"}),
        annotations=hints,
    )


def _answering(
    fn: Callable[..., Awaitable[Any]], text: str
) -> Callable[..., Awaitable[CallToolResult]]:
    @functools.wraps(fn)
    async def call(**given: object) -> CallToolResult:
        answer = await fn(**given)
        return answer if isinstance(answer, CallToolResult) else tool_result(answer, text=text)

    return call


def input_schema(kind: type[Arguments]) -> Schema:
    """What a tool takes.

    An argument that is not in it is refused, which the schema does not say: google-genai 3.4.0
    cannot convert a schema with `"additionalProperties": false`.
    """
    fields = kind.fields()
    return _object(
        {name: _argument(field) for name, field in fields.items()},
        [name for name, field in fields.items() if field.is_required()],
    )


def _argument(field: FieldInfo) -> Schema:
    schema = _type(field.annotation) | {"description": field.description}
    for rule in field.metadata:
        for key, name in _LIMITS.items():
            if (limit := getattr(rule, key, None)) is not None:
                schema[name] = limit
    if not field.is_required():
        schema["default"] = field.get_default(call_default_factory=True)
    return schema


def output_schema(kind: Any) -> Schema:  # noqa: ANN401  a TypedDict class
    """What a tool answers; keys without a value are left out of an answer.

    Where it is one of several, the schema has the keys of all: clients take no anyOf. The rows of
    the others are described where they belong, in the schema of their own tool.
    """
    if get_origin(kind) in (Union, UnionType):
        return functools.reduce(_merged, map(output_schema, get_args(kind)))
    hints = get_type_hints(kind, include_extras=True)
    # not __required_keys__: it does not see through annotations that are text
    required = [name for name, hint in hints.items() if _is_required(hint)]
    return _object({name: _type(hint) for name, hint in hints.items()}, required)


def _merged(one: Schema, other: Schema) -> Schema:
    properties: Schema = dict(one["properties"])
    for name, schema in other["properties"].items():
        known = properties.setdefault(name, _without_rows(schema))
        if "enum" in known and known != schema:
            words = [word for it in (known, schema) for word in it["enum"]]
            properties[name] = schema | {"enum": list(dict.fromkeys(words))}
    required = [name for name in one["required"] if name in other["required"]]
    return _object(properties, required)


def _without_rows(schema: Schema) -> Schema:
    has_rows = schema.get("items", {}).get("type") == "object"
    return {"type": "array", "items": {"type": "object"}} if has_rows else schema


def _is_required(hint: Any) -> bool:  # noqa: ANN401  an annotation
    origin: Any = get_origin(hint)
    return origin is Required


def _object(properties: Schema, required: list[str]) -> Schema:
    schema: Schema = {"type": "object", "properties": properties}
    return schema | ({"required": required} if required else {})


def _type(hint: Any) -> Schema:  # noqa: ANN401  an annotation
    origin, inner = get_origin(hint), get_args(hint)
    if origin in (Annotated, Required):
        return _type(inner[0])
    if origin is Literal:
        return {"type": "string", "enum": list(inner)}
    if origin is list:
        return {"type": "array", "items": _type(inner[0])}
    if is_typeddict(hint):
        return output_schema(hint)
    return {"type": _NAMES[hint]}
