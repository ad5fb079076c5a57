"""Whatever a client sends: an answer that holds its schema, or a refusal that can be read."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

import jsonschema
import pytest
from anyio.from_thread import start_blocking_portal
from hypothesis import given, settings
from hypothesis import strategies as st
from mcp import Client
from mcp.types import CallToolResult

from hailuo_mcp.server.context import AppContext
from hailuo_mcp.server.mcp_server import Server
from hailuo_mcp.server.tools import all_tools
from hailuo_mcp.server.tools.argument_names import NOT_OFFERED, OTHER_NAMES

from .fakes import FakeStudio

EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "200"))
TOOLS = {tool.name: tool for tool in all_tools()}
ARGUMENTS = sorted({name for tool in TOOLS.values() for name in tool.parameters["properties"]})

scalars = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"]), max_size=40)
    | st.sampled_from(
        [
            "",
            "null",
            "0",
            "6",
            "768p",
            "Diving",
            "393865563443417090",
            "v1m7xvxxygfnrk2e",
            "inf",
            "1e999",
        ]
    )
)
values = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.text(st.characters(exclude_categories=["Cs"]), max_size=5), inner, max_size=3
        )
    ),
    max_leaves=5,
)
names = st.sampled_from([*ARGUMENTS, *sum(OTHER_NAMES.values(), ()), *NOT_OFFERED]) | st.text(
    st.characters(exclude_categories=["Cs"]), max_size=12
)


@pytest.fixture(scope="module")
def call() -> Iterator:
    context = AppContext()
    context.set_studio(FakeStudio())

    @contextmanager
    def opened() -> Iterator:
        with (
            start_blocking_portal() as portal,
            portal.wrap_async_context_manager(Client(Server(context), mode="legacy")) as client,
        ):
            yield lambda name, arguments: portal.call(client.call_tool, name, arguments)

    with opened() as calling:
        yield calling


def check_answer(result: CallToolResult, tool: str) -> None:
    if schema := TOOLS[tool].output_schema:
        jsonschema.validate(result.structured_content, schema)
    else:
        assert result.structured_content is None
        assert [content.type for content in result.content] == ["image", "text"]


@settings(max_examples=EXAMPLES)
@given(tool=st.sampled_from(sorted(TOOLS)), arguments=st.dictionaries(names, values, max_size=6))
def test_any_arguments_are_answered_or_refused_readably(call, tool, arguments) -> None:
    result = call(tool, arguments)
    content = result.content[-1]
    if not result.is_error:
        check_answer(result, tool)
        return
    assert result.structured_content["error"]["code"] in ("invalid_request", "task_not_found")
    assert 20 < len(content.text) < 2500
    assert "charged" in content.text
    assert "Traceback" not in content.text
    assert "pydantic" not in content.text
    assert "fault of hailuo-mcp" not in content.text


@settings(max_examples=EXAMPLES)
@given(data=st.data(), tool=st.sampled_from(sorted(TOOLS)))
def test_any_values_of_real_arguments_are_answered_or_refused_readably(call, data, tool) -> None:
    known = TOOLS[tool].parameters["properties"]
    arguments = {name: data.draw(values) for name in known if data.draw(st.booleans())}
    result = call(tool, arguments)
    text = result.content[-1].text  # after the picture, where there is one
    assert text
    if not result.is_error:
        check_answer(result, tool)
    else:
        assert "fault of hailuo-mcp" not in text
