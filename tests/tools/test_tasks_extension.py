"""The Tasks extension (SEP-2663): who gets a task, what it says, and that nobody else notices."""

from __future__ import annotations

import anyio
import pytest
from mcp import Client, MCPError
from mcp.server.subscriptions import InMemorySubscriptionBus
from mcp.shared.subscriptions import ResourceUpdated
from mcp.types import ElicitResult
from tasks_client import TASKS, TasksClient, ask, listen
from until import until

from hailuo_mcp.domain.task import Money, Status
from hailuo_mcp.errors import InvalidRequestError, JournalError
from hailuo_mcp.server.context import AppContext
from hailuo_mcp.server.mcp_server import Server
from hailuo_mcp.views import View

from .fakes import ID, FakeStudio, a_view, saved_view

pytestmark = pytest.mark.anyio

BUYS = ("generate_video", "generate_from_template")
WANTED = {
    "generate_video": {"prompt": "a cat"},
    "generate_from_template": {"template_id": "Diving", "media_inputs": ["/a.png"]},
}
ENDED = {
    "saved": saved_view(),
    "not saved": saved_view(file="", save_error="The disk is full."),
    "left at the provider": saved_view(file="", auto=False),
    "failed": a_view(status=Status.FAILED, money=Money.RELEASED, error="Moderation refused it"),
    "unconfirmed": a_view(status=Status.UNCONFIRMED, remote_id="", remote_status=""),
}


def following(context: AppContext, *, mode: str = "auto", **options) -> Client:
    options.setdefault("extensions", [TasksClient()])
    return Client(Server(context), mode=mode, **options)


@pytest.mark.parametrize("tool", BUYS)
@pytest.mark.parametrize(
    "view",
    [
        a_view(status=Status.PENDING, remote_id="", remote_status=""),
        a_view(status=Status.SUBMITTING, remote_id="", remote_status=""),
        a_view(status=Status.QUEUED),
        a_view(),
        saved_view(file="", due_at=1.0),
    ],
    ids=["pending", "submitting", "queued", "running", "saving"],
)
async def test_an_unfinished_purchase_is_answered_with_its_task(
    context: AppContext, studio: FakeStudio, tool: str, view: View
) -> None:
    studio.view = view
    async with following(context) as client:
        made = await client.session.call_tool(tool, WANTED[tool], allow_claimed=True)
        task = await ask(client, "tasks/get", ID)
    async with Client(Server(context), mode="auto") as other:
        plain = await other.call_tool(tool, WANTED[tool])
    assert made.task_id == task["taskId"] == plain.structured_content["task_id"]
    assert made.status == task["status"] == "working"
    assert made.status_message == plain.structured_content["message"]
    assert made.poll_interval_ms == 1000 * (view.next_check_seconds or 5)
    assert made.ttl_ms is None
    assert task["ttlMs"] is None
    assert not {"result", "error", "inputRequests", "requestState"} & task.keys()


@pytest.mark.parametrize("why", ENDED)
async def test_a_purchase_that_has_ended_is_answered_as_ever(
    context: AppContext, studio: FakeStudio, why: str
) -> None:
    studio.view = ENDED[why]
    async with following(context) as client:
        result = await client.session.call_tool(
            "generate_video", {"prompt": "a cat"}, allow_claimed=True
        )
    assert result.result_type == "complete"
    assert result.structured_content["task_id"] == ID


@pytest.mark.parametrize("why", ENDED)
async def test_the_result_is_what_query_task_answers(
    context: AppContext, studio: FakeStudio, why: str
) -> None:
    studio.view = ENDED[why]
    async with following(context) as client:
        task = await ask(client, "tasks/get", ID)
        queried = await client.call_tool("query_task", {"task_id": ID})
    assert task["status"] == "completed"
    assert task["resultType"] == "complete"
    assert task["result"]["structuredContent"] == queried.structured_content
    assert task["result"]["content"][0]["text"] == queried.content[0].text
    assert task["result"]["isError"] is (why in ("failed", "unconfirmed"))
    assert "pollIntervalMs" not in task


async def test_a_client_that_follows_tasks_gets_the_clip_from_one_call(
    context: AppContext, studio: FakeStudio
) -> None:
    tasks = TasksClient()
    async with following(context, extensions=[tasks]) as client, anyio.create_task_group() as both:

        async def end() -> None:
            await until(lambda: tasks.handles)
            studio.view = saved_view()

        both.start_soon(end)
        result = await client.call_tool("generate_video", {"prompt": "a cat"})
    assert result.structured_content["file"] == saved_view().task.file
    assert [name for name, _ in studio.calls].count("generate") == 1


async def test_a_cancelled_purchase_says_why(context: AppContext, studio: FakeStudio) -> None:
    studio.view = a_view(status=Status.CANCELLED, money=Money.RELEASED)
    async with following(context) as client:
        task = await ask(client, "tasks/get", ID)
    assert task["status"] == "cancelled"
    assert task["statusMessage"].startswith("Cancelled, nothing was charged.")
    assert "result" not in task


@pytest.mark.parametrize(("mode", "declares"), [("auto", False), ("legacy", True)])
async def test_others_see_no_difference(
    context: AppContext, studio: FakeStudio, mode: str, *, declares: bool
) -> None:
    extensions = [TasksClient()] if declares else []
    async with Client(Server(context), mode=mode, extensions=extensions) as client:
        tools = (await client.list_tools()).tools
        result = await client.call_tool("generate_video", {"prompt": "a cat"})
    assert result.structured_content["status"] == "running"
    async with following(context) as client:
        assert (await client.list_tools()).tools == tools


async def test_only_purchases_become_tasks(context: AppContext, studio: FakeStudio) -> None:
    async with following(context) as client:
        for name in ("query_task", "cancel_task"):
            answer = await client.session.call_tool(name, {"task_id": ID}, allow_claimed=True)
            assert answer.result_type == "complete", name
        listed = await client.session.call_tool(
            "generate_from_template", {"template_id": ""}, allow_claimed=True
        )
    assert "Diving" in listed.content[0].text


async def test_a_refusal_stays_a_refusal(context: AppContext, studio: FakeStudio) -> None:
    studio.error = InvalidRequestError("No such length.", task_id=ID)
    async with following(context) as client:
        result = await client.session.call_tool(
            "generate_video", {"prompt": "a cat"}, allow_claimed=True
        )
    assert result.is_error
    assert "No such length." in result.content[0].text


async def test_a_purchase_is_answered_even_if_the_journal_is_away_by_then(
    context: AppContext, studio: FakeStudio
) -> None:
    studio.known_error = JournalError("The journal cannot be read.")
    async with following(context) as client:
        result = await client.session.call_tool(
            "generate_video", {"prompt": "a cat"}, allow_claimed=True
        )
        with pytest.raises(MCPError) as refused:
            await ask(client, "tasks/get", ID)
    assert result.structured_content["task_id"] == ID
    assert refused.value.code == -32603
    assert "The journal cannot be read." in refused.value.message


async def test_the_person_is_asked_before_there_is_a_task(
    context: AppContext, studio: FakeStudio
) -> None:
    studio.question = "Buy this clip for 6.15 CNY?"
    asked: list[str] = []

    async def yes(_context, params) -> ElicitResult:
        asked.append(params.message)
        assert not [1 for name, _ in studio.calls if name == "generate"]
        studio.view = a_view()
        return ElicitResult(action="accept", content={"buy": True})

    tasks = TasksClient()
    async with (
        following(context, extensions=[tasks], elicitation_callback=yes) as client,
        anyio.create_task_group() as both,
    ):

        async def end() -> None:
            await until(lambda: tasks.handles)
            studio.view = saved_view()

        both.start_soon(end)
        result = await client.call_tool("generate_video", {"prompt": "a cat"})
    assert asked == [studio.question]
    assert studio.last("generate")["terms"].approved
    assert not result.is_error


async def test_a_query_after_a_task_tells_everything_once(
    context: AppContext, studio: FakeStudio
) -> None:
    """The model was shown the task, not the answer: nothing of it is known yet."""
    async with following(context) as client:
        await client.session.call_tool("generate_video", {"prompt": "a cat"}, allow_claimed=True)
        first = (await client.call_tool("query_task", {"task_id": ID})).structured_content
        second = (await client.call_tool("query_task", {"task_id": ID})).structured_content
    assert "cost" in first
    assert "cost" not in second


@pytest.mark.parametrize("method", ["tasks/get", "tasks/update", "tasks/cancel"])
@pytest.mark.parametrize("task_id", ["unknown", f" {ID}", "", "271836792037739", "x" * 5000])
async def test_an_unknown_id_is_refused(context: AppContext, method: str, task_id: str) -> None:
    more = {"inputResponses": {}} if method == "tasks/update" else {}
    async with following(context) as client:
        with pytest.raises(MCPError) as refused:
            await ask(client, method, task_id, **more)
    assert refused.value.code == -32602


@pytest.mark.parametrize("method", ["tasks/get", "tasks/update", "tasks/cancel"])
async def test_it_must_be_declared(context: AppContext, method: str) -> None:
    async with Client(Server(context), mode="auto") as client:
        with pytest.raises(MCPError) as refused:
            await ask(client, method, ID, inputResponses={})
    assert refused.value.code == -32021
    assert refused.value.data == {"requiredCapabilities": {"extensions": {TASKS: {}}}}


async def test_the_removed_methods_and_the_older_era_have_none_of_it(context: AppContext) -> None:
    async with following(context) as modern, following(context, mode="legacy") as legacy:
        for client, method in [
            (modern, "tasks/result"),
            (modern, "tasks/list"),
            (legacy, "tasks/get"),
            (legacy, "tasks/cancel"),
        ]:
            with pytest.raises(MCPError) as refused:
                await ask(client, method, ID)
            assert refused.value.code == -32601, method


async def test_cancel_withdraws_and_an_update_changes_nothing(
    context: AppContext, studio: FakeStudio
) -> None:
    async with following(context) as client:
        updated = await ask(client, "tasks/update", ID, inputResponses={"any": {"action": "x"}})
        assert not [1 for name, _ in studio.calls if name == "cancel"]
        cancelled = await ask(client, "tasks/cancel", ID)
    assert studio.last("cancel") == {"task_id": ID, "caller": ""}
    for answer in (updated, cancelled):
        assert answer["resultType"] == "complete"
        assert not {"taskId", "status", "result"} & answer.keys()


async def test_followers_are_told_of_news_once(context: AppContext, studio: FakeStudio) -> None:
    bus, tasks = InMemorySubscriptionBus(), TasksClient()
    changed = ResourceUpdated(uri=f"hailuo://tasks/{ID}")

    async def announce(look) -> None:
        await until(lambda: bus._listeners)
        await bus.publish(changed)
        await until(look)

    async with (
        Client(Server(context, bus=bus), mode="auto", extensions=[tasks]) as client,
        anyio.create_task_group() as both,
    ):
        both.start_soon(lambda: listen(client, taskIds=[ID, "unknown"]))
        await announce(lambda: len(tasks.news) == 1)
        await bus.publish(changed)  # the same again
        studio.view = saved_view()
        await announce(lambda: len(tasks.news) == 2)
        polled = await ask(client, "tasks/get", ID)
        both.cancel_scope.cancel()
    assert [told["status"] for told in tasks.news] == ["working", "completed"]
    assert {k: v for k, v in polled.items() if k not in ("resultType", "_meta")} == tasks.news[1]


async def test_who_follows_a_task_that_has_ended_is_told_at_once(
    context: AppContext, studio: FakeStudio
) -> None:
    studio.view, tasks = saved_view(), TasksClient()
    async with following(context, extensions=[tasks]) as client, anyio.create_task_group() as both:
        both.start_soon(lambda: listen(client, taskIds=[ID]))
        await until(lambda: tasks.news)
        both.cancel_scope.cancel()
    assert [told["status"] for told in tasks.news] == ["completed"]


async def test_following_must_be_declared_and_be_a_list(context: AppContext) -> None:
    async with Client(Server(context), mode="auto") as other, following(context) as client:
        for one, ids, code in [(other, [ID], -32021), (client, ID, -32602), (client, [7], -32602)]:
            with pytest.raises(MCPError) as refused, anyio.fail_after(5):
                await listen(one, taskIds=ids)
            assert refused.value.code == code
