"""Asking the person above HAILUO_CONFIRM_ABOVE, in both eras, where the client can ask."""

from __future__ import annotations

import anyio
import pytest
from mcp import Client, MCPError
from mcp.types import ElicitResult, ErrorData

from hailuo_mcp.server.client_memory import WaitLimits
from hailuo_mcp.server.context import AppContext
from hailuo_mcp.server.mcp_server import Server

from .conftest import Ask, Connect
from .fakes import FakeStudio

pytestmark = pytest.mark.anyio

QUESTION = "Buy this clip for 6.15 CNY? MiniMax-Hailuo-2.3, 10 s, 1080P, t2v: a cat"


def answering(action: str, content: dict | None = None):
    asked: list[str] = []

    async def callback(_context, params) -> ElicitResult:
        asked.append(params.message)
        return ElicitResult(action=action, content=content)

    return callback, asked


async def test_a_yes_buys_with_approval(ask: Ask, studio: FakeStudio) -> None:
    studio.question = QUESTION
    callback, asked = answering("accept", {"buy": True})
    result = await ask("generate_video", {"prompt": "a cat"}, elicitation_callback=callback)
    assert not result.is_error
    assert asked == [QUESTION]
    assert studio.last("generate")["terms"].approved
    assert len([1 for name, _ in studio.calls if name == "generate"]) == 1


@pytest.mark.parametrize(
    ("action", "content"), [("accept", {"buy": False}), ("decline", None), ("cancel", None)]
)
async def test_anything_else_buys_nothing(ask: Ask, studio: FakeStudio, action, content) -> None:
    studio.question = QUESTION
    callback, asked = answering(action, content)
    result = await ask("generate_video", {"prompt": "a cat"}, elicitation_callback=callback)
    assert result.is_error
    assert len(asked) == 1
    assert "Nothing was sent or charged." in result.content[0].text
    assert result.structured_content["error"]["code"] == "consent_required"
    assert not [1 for name, _ in studio.calls if name == "generate"]


@pytest.mark.parametrize(
    "content", [None, {}, {"buy": "perhaps"}, {"yes": True}, {"buy": ["a", "b"]}], ids=str
)
async def test_a_yes_without_its_content_is_left_to_the_code(
    ask: Ask, studio: FakeStudio, content
) -> None:
    studio.question = QUESTION
    callback, asked = answering("accept", content)
    result = await ask("generate_video", {"prompt": "a cat"}, elicitation_callback=callback)
    assert asked == [QUESTION]
    assert not result.is_error
    assert not studio.last("generate")["terms"].approved  # so the studio refuses with a code


async def test_a_client_that_answers_a_question_with_an_error_is_left_to_the_code(
    connect: Connect, studio: FakeStudio, mode: str
) -> None:
    """A modern client tells nobody that it failed: it only calls again."""
    studio.question = QUESTION
    asked: list[str] = []

    async def fails(_context, params) -> ErrorData:
        asked.append(params.message)
        return ErrorData(code=-32603, message="no form can be shown")

    async with connect(elicitation_callback=fails) as client:
        if mode == "auto":
            with pytest.raises(MCPError):
                await client.call_tool("generate_video", {"prompt": "a cat"})
        result = await client.call_tool("generate_video", {"prompt": "a cat"})
        assert not result.is_error
        assert asked == [QUESTION]
        assert not studio.last("generate")["terms"].approved


async def test_an_answered_question_may_be_put_again(connect: Connect, studio: FakeStudio) -> None:
    studio.question = QUESTION
    callback, asked = answering("decline")
    async with connect(elicitation_callback=callback) as client:
        for _ in range(3):
            assert (await client.call_tool("generate_video", {"prompt": "a cat"})).is_error
    assert asked == [QUESTION] * 3
    assert not [1 for name, _ in studio.calls if name == "generate"]


async def test_a_client_that_cannot_ask_is_left_to_the_studio(ask: Ask, studio: FakeStudio) -> None:
    studio.question = QUESTION
    await ask("generate_video", {"prompt": "a cat"})
    assert not studio.last("generate")["terms"].approved
    assert not [1 for name, _ in studio.calls if name == "consent_question"]


async def test_no_question_no_asking(ask: Ask, studio: FakeStudio) -> None:
    callback, asked = answering("decline")
    await ask("generate_video", {"prompt": "a cat"}, elicitation_callback=callback)
    assert not asked
    assert not studio.last("generate")["terms"].approved
    assert studio.last("consent_question")["request"].prompt == "a cat"


async def test_templates_ask_too(ask: Ask, studio: FakeStudio) -> None:
    studio.question = QUESTION
    callback, asked = answering("accept", {"buy": True})
    await ask("generate_from_template", {"template_id": "1" * 18}, elicitation_callback=callback)
    assert asked
    assert studio.last("generate")["terms"].approved


async def test_no_answer_in_time_is_a_no(studio: FakeStudio, context: AppContext) -> None:
    """In the modern era the question is the answer, and no call stays open."""
    studio.question = QUESTION

    async def never(_context, _params) -> ElicitResult:
        await anyio.sleep_forever()
        raise AssertionError

    context.wait_limits = WaitLimits(answer_seconds=(0.05, 0.05))
    async with Client(Server(context), mode="legacy", elicitation_callback=never) as client:
        with anyio.fail_after(5):
            result = await client.call_tool("generate_video", {"prompt": "a cat"})
    assert result.is_error
    assert "did not answer in time" in result.content[0].text
    assert not [1 for name, _ in studio.calls if name == "generate"]


async def test_the_question_is_not_an_argument(connect: Connect) -> None:
    async with connect() as client:
        tools = {tool.name: tool for tool in (await client.list_tools()).tools}
    for name in ("generate_video", "generate_from_template"):
        properties = tools[name].input_schema["properties"]
        assert properties["confirm"]["type"] == "string"
        assert not {"asked", "ctx", "wanted", "approved", "buy"} & set(properties)
