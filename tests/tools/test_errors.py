"""How refusals and faults reach a model: whole, once, and never as a crash's own text."""

from __future__ import annotations

import logging

import pytest

from hailuo_mcp.errors import (
    BudgetExceededError,
    ConfigError,
    Do,
    DownloadError,
    InvalidRequestError,
    RateLimitError,
    Step,
    TaskNotFoundError,
    UnconfirmedSubmitError,
)
from hailuo_mcp.server.context import AppContext

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
                "provider's bill and then run `hailuo-mcp settle t1 bought` or `not-bought`."
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
    ask, studio, error, text, facts
) -> None:
    studio.error = error
    result = await ask("generate_video", {"prompt": "a"})
    assert result.is_error
    assert result.content[0].text == text
    assert result.structured_content == {"message": result.content[0].text, "error": facts}


async def test_a_missing_picture_is_asked_of_the_person_because_attachments_do_not_arrive(
    ask, studio
) -> None:
    studio.error = InvalidRequestError("There is no file 'cat.png'.")
    plain = (await ask("generate_video", {"prompt": "a"})).content[0].text
    studio.error.no_such_file = True
    told = (await ask("generate_video", {"prompt": "a"})).content[0].text
    assert plain == "There is no file 'cat.png'. Nothing was sent or charged."
    assert told.startswith(plain)
    assert "attached to the chat does not reach this server: ask the person for" in told


async def test_a_fault_of_ours_in_a_free_tool_alarms_nobody(ask, studio) -> None:
    studio.error = KeyError("x")
    result = await ask("query_task", {"task_id": "x"})
    assert "Nothing was charged" in result.content[0].text
    assert result.structured_content == {
        "message": result.content[0].text,
        "error": {"code": "internal", "charged": "no", "retry": False},
    }


async def test_a_fault_of_ours_says_to_look_before_buying_again(ask, studio, caplog) -> None:
    studio.error = KeyError("sk-secret-7")
    result = await ask("generate_video", {"prompt": "a"})
    assert result.is_error
    assert "Call list_tasks before you try again" in result.content[0].text
    assert "secret" not in result.content[0].text
    assert result.structured_content["error"] == {
        "code": "internal",
        "charged": "maybe",
        "retry": False,
    }
    assert any(record.levelno == logging.ERROR and record.exc_info for record in caplog.records)


async def test_broken_settings_still_list_the_tools_and_answer_each_call(connect) -> None:
    async with connect() as client:
        assert len((await client.list_tools()).tools) == 7


async def test_without_a_studio_every_call_says_why(mode) -> None:
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


async def test_callers_elsewhere_cannot_choose_a_place_on_the_disk(
    connect, context, studio
) -> None:
    from hailuo_mcp.server.context import Caller

    context.caller = lambda: Caller(name="alice", local=False)
    async with connect() as client:
        refused = await client.call_tool("download_video", {"task_id": "x", "output_path": "/etc"})
        assert refused.is_error
        await client.call_tool("generate_video", {"prompt": "a"})
        await client.call_tool("list_tasks", {})
    assert studio.last("generate")["caller"] == "alice"
    assert studio.last("generate")["local"] is False
    assert studio.last("tasks")["caller"] == "alice"


async def test_refusals_of_the_sandbox_say_what_it_is(ask, studio) -> None:
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
async def test_an_unknown_tool_is_told_what_there_is(connect, name, told) -> None:
    async with connect() as client:
        result = await client.call_tool(name, {})
    assert result.is_error
    assert result.content[0].text.startswith(told)
    assert "generate_video" in result.content[0].text
