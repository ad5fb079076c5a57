"""The server around a fake studio, reached by the SDK's own client in both protocol eras."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import jsonschema
import pytest
from mcp import Client
from mcp.types import CallToolResult

from hailuo_mcp.server.context import AppContext
from hailuo_mcp.server.mcp_server import Server

from .fakes import FakeStudio

Connect = Callable[..., Client]
Ask = Callable[..., Awaitable[CallToolResult]]


@pytest.fixture(params=["auto", "legacy"])
def mode(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture
def studio() -> FakeStudio:
    return FakeStudio()


@pytest.fixture
def context(studio: FakeStudio) -> AppContext:
    context = AppContext()
    context.set_studio(studio)
    return context


@pytest.fixture
def connect(context: AppContext, mode: str) -> Connect:
    """A client that checks each answer against the tool's published schema."""

    def connect(**options: Any) -> Client:
        return Client(Server(context), mode=mode, **options)

    return connect


@pytest.fixture
def ask(connect: Connect) -> Ask:
    """Call one tool, and hold the answer to what was promised."""

    async def ask(
        name: str, arguments: dict[str, Any] | None = None, **options: Any
    ) -> CallToolResult:
        async with connect(**options) as client:
            result = await client.call_tool(name, arguments or {})
            tool = next(t for t in (await client.list_tools()).tools if t.name == name)
        if not result.is_error:
            jsonschema.validate(result.structured_content, tool.output_schema)
        assert len(result.content) == 1
        return result

    return ask
