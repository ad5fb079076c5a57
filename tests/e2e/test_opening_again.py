"""A state folder that cannot be used at first is used at the next call, without a new start."""

# ruff: noqa: ASYNC240  # nothing else runs in this loop

from __future__ import annotations

import os
from pathlib import Path

import httpx
import pytest
import warm
from mcp import Client, StdioServerParameters
from mcp.client.stdio import stdio_client

from hailuo_mcp.server.http import create_app
from hailuo_mcp.settings import Settings

pytestmark = pytest.mark.anyio


@pytest.fixture
def blocked(tmp_path: Path) -> Path:
    """A file where the state folder's parent should be."""
    path = tmp_path / "home"
    path.write_text("in the way")
    return path


@pytest.fixture
def environ(tmp_path: Path, blocked: Path) -> dict[str, str]:
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(tmp_path),
        "PYTHONPATH": str(Path(__file__).parents[2]),
        "HAILUO_PROVIDER": "sandbox",
        "HAILUO_STATE_DIR": str(blocked / "state"),
        "HAILUO_OUTPUT_DIR": str(tmp_path / "videos"),
    }


async def test_over_stdio(environ: dict[str, str], blocked: Path) -> None:
    command, *args = warm.program()
    process = StdioServerParameters(command=command, args=args, env=environ)
    async with Client(stdio_client(process), mode="auto") as client:
        for _ in range(2):
            refused = await client.call_tool("list_tasks", {})
            assert refused.is_error
            assert "HAILUO_STATE_DIR" in refused.content[0].text
        blocked.unlink()
        listed = await client.call_tool("list_tasks", {})
        assert not listed.is_error, listed.content[0].text


async def test_over_http(environ: dict[str, str], blocked: Path) -> None:
    app = create_app(Settings.from_env(environ))
    at_home = httpx.ASGITransport(app, client=("127.0.0.1", 1))
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=at_home, base_url="http://localhost") as http,
    ):
        for _ in range(2):
            reply = await http.get("/ready")
            assert (reply.status_code, reply.json()["settings"]) == (503, "journal")
        blocked.unlink()
        reply = await http.get("/ready")
        assert (reply.status_code, reply.json()["journal"]) == (200, "ok")
