"""The tools of the server as Markdown, from its own tools/list."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import anyio
from mcp import Client
from schema_tables import plain, table

from hailuo_mcp.server.context import AppContext
from hailuo_mcp.server.mcp_server import Server

if TYPE_CHECKING:
    from mcp.types import Tool


def page() -> str:
    """Return a section for each tool."""
    return "\n\n".join(map(_section, anyio.run(_listed)))


async def _listed() -> list[Tool]:
    async with Client(Server(AppContext()), mode="legacy") as client:
        return (await client.list_tools()).tools


def _section(tool: Tool) -> str:
    whole = tool.model_dump(mode="json", by_alias=True, exclude_none=True)
    hints = whole.get("annotations", {})
    parts = [
        f"## `{tool.name}`",
        f"**{tool.title}**",
        plain(tool.description or ""),
        " · ".join(f"`{name}`: {str(value).lower()}" for name, value in hints.items()),
        table(whole["inputSchema"], name="argument", always="Required."),
        _folded("The schema of the arguments", whole["inputSchema"]),
    ]
    if "outputSchema" in whole:
        parts.append(_folded("The schema of the result", whole["outputSchema"]))
    else:
        parts.append("The result is a picture and a line of text: it has no schema.")
    return "\n\n".join(filter(None, parts))


def _folded(title: str, schema: object) -> str:
    text = json.dumps(schema, indent=2, ensure_ascii=False)
    return f"<details><summary>{title}</summary>\n\n```json\n{text}\n```\n\n</details>"
