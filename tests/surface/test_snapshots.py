"""The tool list is a public contract: each tool as a client gets it. UPDATE_SURFACE=1 accepts a change."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from mcp import Client

from hailuo_mcp.server.context import AppContext
from hailuo_mcp.server.mcp_server import Server

SNAPSHOTS = Path(__file__).parent / "snapshots"

pytestmark = pytest.mark.anyio


async def test_every_tool_is_as_it_was() -> None:
    async with Client(Server(AppContext()), mode="legacy") as client:
        tools = {
            tool.name: tool.model_dump(mode="json", by_alias=True, exclude_none=True)
            for tool in (await client.list_tools()).tools
        }
    if os.environ.get("UPDATE_SURFACE"):
        SNAPSHOTS.mkdir(exist_ok=True)
        for old in SNAPSHOTS.glob("*.json"):
            old.unlink()
        for name, tool in tools.items():
            text = json.dumps(tool, indent=2, ensure_ascii=False) + "\n"
            (SNAPSHOTS / f"{name}.json").write_text(text, encoding="utf-8")
    kept = {
        path.stem: json.loads(path.read_text(encoding="utf-8")) for path in SNAPSHOTS.glob("*.json")
    }
    assert tools == kept
