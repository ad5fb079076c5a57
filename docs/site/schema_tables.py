"""A JSON Schema as a table for people: each field, its type and its meaning."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, cast

Schema = Mapping[str, Any]


def table(schema: Schema, *, name: str = "field", always: str = "Always.") -> str:
    """Return its fields; those of an object inside are named as outer.inner.

    `always` is what is said of a required one.
    """
    rows = list(_fields(schema, "", always))
    if not rows:
        return ""
    lines = (f"| {field} | {kind} | {meaning} |" for field, kind, meaning in rows)
    return "\n".join((f"| {name} | type | meaning |", "|---|---|---|", *lines))


def plain(text: str) -> str:
    """Return a text without markup, such as a model reads, so that it looks the same on a page."""
    return re.sub(r"([\\`*_<>\[\]#|])", r"\\\1", text)


def kind(schema: Schema) -> str:
    """Return its type in words."""
    if "$ref" in schema:
        name = str(schema["$ref"]).rpartition("/")[2]
        return f"[{name}](#{name})"
    if "const" in schema:
        return _value(schema["const"])
    if "enum" in schema:
        return " · ".join(map(_value, schema["enum"]))
    for choice in ("anyOf", "oneOf"):
        if choice in schema:
            return " or ".join(dict.fromkeys(map(kind, schema[choice])))
    named = schema.get("type", "anything")
    words = [named] if isinstance(named, str) else list(named)
    text = " or ".join(words)
    if "array" in words and schema.get("items"):
        inner = kind(schema["items"])
        text = text.replace("array", f"array of {inner}")
    if others := _schema(schema.get("additionalProperties")):
        text += f" of {kind(others)}"
    return text


def _fields(schema: Schema, above: str, always: str) -> Iterator[tuple[str, str, str]]:
    required = schema.get("required", ())
    for name, field in schema.get("properties", {}).items():
        path = f"{above}{name}"
        words = [f"**{always}**"] if name in required else []
        words.append(plain(field.get("description", "")))
        if field.get("default") not in (None, "", [], {}):
            words.append(f"Default: {_value(field['default'])}.")
        yield f"`{path}`", kind(field), " ".join(filter(None, words))
        yield from _fields(field, f"{path}.", always)
        if items := _schema(field.get("items")):
            yield from _fields(items, f"{path}[].", always)


def _schema(value: object) -> Schema:
    return cast("Schema", value) if isinstance(value, dict) else {}


def _value(value: object) -> str:
    return f"`{value if isinstance(value, str) else json.dumps(value)}`"
