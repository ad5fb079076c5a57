"""Flat JSON schemas out of annotations: no $ref, no anyOf, no null, no titles.

Clients and model APIs choke on those, and pydantic's own schemas cost a third of what this package
adds to the server's start. The tests hold both to say the same.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Annotated, Any, Literal, Required, get_args, get_origin

from pydantic.fields import FieldInfo
from typing_extensions import get_type_hints, is_typeddict

if TYPE_CHECKING:
    from hailuo_mcp.server.tools._reading import Arguments

_NAMES = MappingProxyType({str: "string", int: "integer", float: "number", bool: "boolean"})
_LIMITS = MappingProxyType({"ge": "minimum", "le": "maximum"})

Schema = dict[str, Any]


def input_schema(kind: type[Arguments]) -> Schema:
    """What a tool takes.

    An argument that is not in it is refused, which the schema does not say: google-genai 3.4.0
    cannot convert a schema with `"additionalProperties": false`.
    """
    required = [name for name, field in kind.model_fields.items() if field.is_required()]
    schema: Schema = {
        "type": "object",
        "properties": {name: _argument(field) for name, field in kind.model_fields.items()},
    }
    return schema | ({"required": required} if required else {})


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
    """What a tool answers; keys without a value are left out of an answer."""
    hints = get_type_hints(kind, include_extras=True)
    # not __required_keys__: it does not see through annotations that are text
    required = [name for name, hint in hints.items() if _is_required(hint)]
    schema: Schema = {
        "type": "object",
        "properties": {name: _type(hint) for name, hint in hints.items()},
    }
    return schema | ({"required": required} if required else {})


def _is_required(hint: Any) -> bool:  # noqa: ANN401  an annotation
    origin: Any = get_origin(hint)
    return origin is Required


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
