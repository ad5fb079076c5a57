"""How refusals and faults reach a model: whole, once, and never as a crash's own text."""

from __future__ import annotations

import pytest

from hailuo_mcp.errors import (
    BudgetExceededError,
    ConfigError,
    Do,
    DownloadError,
    RateLimitError,
    Step,
    TaskNotFoundError,
    UnconfirmedSubmitError,
)
from hailuo_mcp.server.context import AppContext
from hailuo_mcp.server.tools import all_tools

from .conftest import Ask, Connect
from .fakes import FakeStudio

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize(
    ("error", "text", "facts"),
    [
        (
            BudgetExceededError("Over the budget."),
            "Over the budget. Nothing was sent or charged. estimate_cost compares prices, free.",
            {"code": "budget_exceeded", "charged": "no", "retry": False},
        ),
        (
            UnconfirmedSubmitError("No answer came.", task_id="t1"),
            (
                "No answer came. It may have been charged. Ask the person to look at the "
                "provider's bill and then run `hailuo-mcp settle t1 bought "
                "--remote-id ID`, with the clip's id in the bill, or `not-bought`."
            ),
            {"code": "unconfirmed", "charged": "maybe", "task_id": "t1", "retry": False},
        ),
        (
            RateLimitError("Too fast (1002).", detail="provider text"),
            "Too fast (1002). Nothing was charged. Repeat this call in a minute.",
            {"code": "rate_limited", "charged": "no", "retry": True},
        ),
        (
            DownloadError("The disk is full.", Step(Do.ARRANGE, "free some space")),
            "The disk is full. The clip is paid for. Ask the person to free some space.",
            {"code": "download_failed", "charged": "yes", "retry": True},
        ),
        (
            TaskNotFoundError("There is no such task."),
            "There is no such task. Nothing was charged. list_tasks shows the ids.",
            {"code": "task_not_found", "charged": "no", "retry": False},
        ),
    ],
)
async def test_our_errors_are_tool_errors_with_their_whole_text(
    ask: Ask, studio: FakeStudio, error, text, facts
) -> None:
    studio.error = error
    result = await ask("generate_video", {"prompt": "a"})
    assert result.is_error
    assert result.content[0].text == text
    assert result.structured_content == {"message": result.content[0].text, "error": facts}


async def test_broken_settings_still_list_the_tools_and_answer_each_call(connect: Connect) -> None:
    async with connect() as client:
        assert len((await client.list_tools()).tools) == len(all_tools())


async def test_without_a_studio_every_call_says_why(mode: str) -> None:
    from mcp import Client

    from hailuo_mcp.server.mcp_server import Server

    context = AppContext()
    context.set_error(ConfigError("HAILUO_PLAN does not name a plan. Nothing was charged. Set it."))
    async with Client(Server(context), mode=mode) as client:
        for _ in range(2):
            result = await client.call_tool("list_tasks", {})
            assert result.is_error
            assert result.content[0].text.startswith("HAILUO_PLAN does not name a plan")
            assert result.structured_content["error"]["code"] == "not_configured"


async def test_refusals_of_the_sandbox_say_what_it_is(ask: Ask, studio: FakeStudio) -> None:
    from hailuo_mcp.dialects.providers import PROVIDERS

    studio.provider = PROVIDERS["sandbox"]
    studio.error = RateLimitError("Too fast (1002). Nothing was charged. Wait.")
    for arguments in ({"prompt": "a"}, {"prompt": "a", "duration": "six"}, {"prompt": "a", "x": 1}):
        result = await ask("generate_video", arguments)
        assert result.content[0].text.startswith("SANDBOX: imitation, not a real generation. ")


@pytest.mark.parametrize(
    ("name", "told"),
    [("make_video", "There is no tool 'make_video'."), ("<b>", "There is no tool of that name.")],
)
async def test_an_unknown_tool_is_told_what_there_is(connect: Connect, name, told) -> None:
    async with connect() as client:
        result = await client.call_tool(name, {})
    assert result.is_error
    assert result.content[0].text.startswith(told)
    assert "generate_video" in result.content[0].text
