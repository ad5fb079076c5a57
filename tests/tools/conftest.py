"""The server around a fake studio, reached by the SDK's own client in both protocol eras."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from functools import cache
from typing import Any

import pytest
from jsonschema.protocols import Validator
from jsonschema.validators import validator_for
from mcp import Client
from mcp.types import CallToolResult

from hailuo_mcp.server.context import AppContext
from hailuo_mcp.server.mcp_server import Server

from .fakes import FakeStudio


@cache
def _checked(schema: str) -> Validator:
    """Whether the schema is one is asked once."""
    parsed = json.loads(schema)
    kind = validator_for(parsed)
    kind.check_schema(parsed)
    return kind(parsed)


Connect = Callable[..., Client]
Ask = Callable[..., Awaitable[CallToolResult]]


@pytest.fixture(params=["auto", "legacy"])
def mode(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture
def studio() -> FakeStudio:
    return FakeStudio()


@cache
def _served() -> tuple[Server, AppContext]:
    """Built once: the schemas of its tools and prompts take 50 ms, and no test changes them."""
    app = AppContext()
    return Server(app), app


@pytest.fixture
def context(studio: FakeStudio) -> AppContext:
    """As new for each test."""
    _, context = _served()
    vars(context).update(vars(AppContext()))
    context.set_studio(studio)
    return context


@pytest.fixture
def connect(context: AppContext, mode: str) -> Connect:
    """A client that checks each answer against the tool's published schema."""

    def connect(**options: Any) -> Client:
        server, app = _served()
        assert app is context
        return Client(server, mode=mode, **options)

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
            _checked(json.dumps(tool.output_schema)).validate(result.structured_content)
        assert len(result.content) == 1
        return result

    return ask
