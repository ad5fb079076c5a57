"""The Tasks extension (SEP-2663) over HTTP, with purchases that are made, saved, refused, shared."""

from __future__ import annotations

import json

import anyio
import pytest
from mcp import MCPError
from tasks_client import TASKS, TasksClient, ask, listen
from until import until

pytestmark = pytest.mark.anyio

SLOW = "A boat [sandbox:seconds=30]"


LINK = ("url", "url_expires_at", "message")
"""A link is made anew for each answer, and the message says until when it is good."""


def facts(answer: dict) -> dict:
    assert set(LINK) <= answer.keys()
    return {key: value for key, value in answer.items() if key not in LINK}


async def buy(client, prompt: str) -> str:
    made = await client.session.call_tool("generate_video", {"prompt": prompt}, allow_claimed=True)
    assert made.result_type == "task"
    return made.task_id


@pytest.mark.parametrize("way", ["auto", "sse"])
async def test_one_call_ends_with_the_clip_and_buys_once(server, way) -> None:
    tasks = TasksClient()
    async with server.client(way, extensions=[tasks]) as client:
        saved = await client.call_tool("generate_video", {"prompt": "A boat"})
        (handle,) = tasks.handles
        queried = await client.call_tool("query_task", {"task_id": handle.task_id})
        polled = await ask(client, "tasks/get", handle.task_id)
    assert not saved.is_error
    assert facts(saved.structured_content) == facts(queried.structured_content)
    assert facts(polled["result"]["structuredContent"]) == facts(queried.structured_content)
    with server.http(caller="") as http:
        assert http.get(saved.structured_content["url"]).content[4:8] == b"ftyp"
    assert len(server.remote()) == 1


async def test_a_clip_that_fails_later_is_completed_with_our_words(server) -> None:
    tasks = TasksClient()
    async with server.client(extensions=[tasks]) as client:
        result = await client.call_tool("generate_video", {"prompt": "A fox [sandbox:fail]"})
        queried = await client.call_tool("query_task", {"task_id": tasks.handles[0].task_id})
    assert result.is_error
    assert result.structured_content == queried.structured_content
    assert result.structured_content["status"] == "failed"
    assert "Nothing was charged." in result.structured_content["message"]


async def test_it_is_the_callers_alone(server) -> None:
    news = TasksClient()
    async with (
        server.client(extensions=[TasksClient()]) as alice,
        server.client(caller="bob", extensions=[news]) as bob,
        anyio.create_task_group() as both,
    ):
        task_id = await buy(alice, SLOW)
        own = await buy(bob, "A boat of bob's [sandbox:seconds=1]")
        for method in ("tasks/get", "tasks/update", "tasks/cancel"):
            refused = []
            for some_id in (task_id, "v1m7zxnf3e6nv8r0"):
                with pytest.raises(MCPError) as raised:
                    await ask(bob, method, some_id, inputResponses={})
                refused.append((raised.value.code, raised.value.message))
            # The same for another's as for nobody's.
            assert refused == [(-32602, "None of your tasks has this taskId.")] * 2
        both.start_soon(lambda: listen(bob, taskIds=[task_id, own]))
        await until(lambda: news.news and news.news[-1]["status"] == "completed")
        assert {told["taskId"] for told in news.news} == {own}
        assert (await ask(alice, "tasks/get", task_id))["status"] == "working"
        known = (
            await alice.call_tool("query_task", {"task_id": task_id, "wait_seconds": 0})
        ).structured_content
        with pytest.raises(MCPError):  # not even by the provider's id: a task has one id
            await ask(alice, "tasks/get", known["remote_id"])
        both.cancel_scope.cancel()


async def test_any_process_on_the_journal_answers(serve, server) -> None:
    """Nothing of a task is only in the process that made it."""
    async with server.client(extensions=[TasksClient()]) as first:
        task_id = await buy(first, "A boat [sandbox:seconds=1]")
        other = serve(HAILUO_BASE_URL=server.settings.base_url)
        async with other.client(extensions=[TasksClient()]) as second:

            async def ended() -> bool:
                return (await ask(second, "tasks/get", task_id))["status"] == "completed"

            await until(ended)
            there = await ask(second, "tasks/get", task_id)
            here = await ask(first, "tasks/get", task_id)
    answers = [facts(one["result"]["structuredContent"]) for one in (here, there)]
    assert answers[0] == answers[1]


async def test_a_purchase_that_waits_for_its_turn_is_withdrawn(serve) -> None:
    server = serve(HAILUO_RPM="1")
    async with server.client(extensions=[TasksClient()]) as client:
        sent = await buy(client, SLOW)
        waiting = await buy(client, "A second boat")
        await ask(client, "tasks/cancel", sent)
        await ask(client, "tasks/cancel", waiting)
        await ask(client, "tasks/cancel", waiting)  # as often as one likes
        assert (await ask(client, "tasks/get", waiting))["status"] == "cancelled"
        going_on = await ask(client, "tasks/get", sent)
    assert going_on["status"] == "working"
    assert len(server.remote()) == 1


def message(method: str, **params) -> dict:
    meta = {
        "io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientInfo": {"name": "raw", "version": "1"},
        "io.modelcontextprotocol/clientCapabilities": {"extensions": {TASKS: {}}},
    }
    return {"jsonrpc": "2.0", "id": 1, "method": method, "params": {**params, "_meta": meta}}


@pytest.mark.parametrize("name", [None, "another", "=?base64?broken"])
@pytest.mark.parametrize("method", ["tasks/get", "tasks/update", "tasks/cancel"])
async def test_the_routing_header_must_name_the_task(server, method, name) -> None:
    async with server.client(extensions=[TasksClient()]) as client:
        task_id = await buy(client, SLOW)
    headers = {
        "Accept": "application/json, text/event-stream",
        "Mcp-Protocol-Version": "2026-07-28",
        "Mcp-Method": method,
    }
    body = message(method, taskId=task_id, inputResponses={})
    with server.http() as http:
        named = {"Mcp-Name": name} if name else {}
        refused = http.post("/mcp", json=body, headers=headers | named)
        right = http.post("/mcp", json=body, headers=headers | {"Mcp-Name": task_id})
    assert refused.status_code == 400
    assert refused.json()["error"]["code"] == -32020
    assert right.json()["result"]["resultType"] == "complete"


@pytest.mark.parametrize("also", [False, True])
async def test_a_subscription_tells_what_it_was_asked_for(server, *, also) -> None:
    """The client's own resources and tasks, in its own words."""
    async with server.client(extensions=[TasksClient()]) as client:
        task_id = await buy(client, "A boat [sandbox:seconds=1]")
    uri = f"hailuo://tasks/{task_id}"
    headers = {
        "Accept": "application/json, text/event-stream",
        "Mcp-Protocol-Version": "2026-07-28",
        "Mcp-Method": "subscriptions/listen",
    }
    uris = ["hailuo://spending", *([uri] if also else [])]
    wanted = {"taskIds": [task_id, "unknown"], "resourceSubscriptions": uris}
    heard = []
    with (
        server.http() as http,
        http.stream(
            "POST",
            "/mcp",
            json=message("subscriptions/listen", notifications=wanted),
            headers=headers,
        ) as stream,
    ):
        for line in stream.iter_lines():
            if not line.startswith("data: "):
                continue
            heard.append(json.loads(line.removeprefix("data: ")))
            if heard[-1]["params"].get("status") == "completed":
                break
    assert heard[0]["method"] == "notifications/subscriptions/acknowledged"
    assert heard[0]["params"]["notifications"] == {
        "taskIds": [task_id],
        "resourceSubscriptions": uris,
    }
    assert {one["params"]["_meta"]["io.modelcontextprotocol/subscriptionId"] for one in heard} == {
        1
    }
    methods = {one["method"] for one in heard[1:]}
    assert methods == {"notifications/tasks", "notifications/resources/updated"}
    assert (uri in {one["params"].get("uri") for one in heard}) is also
    assert heard[-1]["params"]["result"]["structuredContent"]["url"]
