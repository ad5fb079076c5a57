"""A film's id where a task's goes: the tools, the resource, the Tasks extension, completions."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from mcp import Client, MCPError
from mcp.types import ResourceTemplateReference
from tasks_client import TasksClient
from tasks_client import ask as ask_task
from tokens import BYTES_PER_TOKEN

from hailuo_mcp.domain.remote import Link
from hailuo_mcp.domain.task import Status
from hailuo_mcp.journal.facts import Losses
from hailuo_mcp.server.context import AppContext, Caller
from hailuo_mcp.server.mcp_server import Server
from hailuo_mcp.views import FilmView

from .conftest import Ask, Connect
from .fakes import ID, NOW, FakeStudio, a_view
from .film_fakes import (
    FILM_ID,
    a_film_view,
    a_joined_film,
    a_planned_film,
    cancelled_view,
    waiting_view,
)

pytestmark = pytest.mark.anyio

QUERY = {"task_id": FILM_ID}


def being_made(**values: Any) -> FilmView:
    return a_film_view({3: a_view(), 4: waiting_view(), 5: waiting_view()}, **values)


STATES = {
    "planned": (a_planned_film(), "planned"),
    "pending": (being_made(), "pending"),
    "joining": (a_film_view(due_at=NOW), "succeeded"),
    "joined": (a_joined_film(), "succeeded"),
    "unconfirmed": (
        a_film_view({3: a_view(status=Status.UNCONFIRMED), 4: waiting_view(), 5: waiting_view()}),
        "unconfirmed",
    ),
    "cancelled": (a_film_view({5: cancelled_view("Withdrawn.")}), "cancelled"),
}


@pytest.mark.parametrize("state", STATES)
async def test_query_and_cancel_answer_with_the_film(
    ask: Ask, studio: FakeStudio, state: str
) -> None:
    studio.film_view, status = STATES[state]
    for tool in ("query_task", "cancel_task"):
        answer = (await ask(tool, QUERY)).structured_content
        assert (answer["film_id"], answer["status"]) == (FILM_ID, status)
        assert [row["shot"] for row in answer["shots"]] == [1, 2, 3, 4, 5]
        assert "task_id" not in answer
    assert {name for name, _ in studio.calls} == {"query_film", "cancel_film"}


async def test_waits_and_progress_are_those_of_a_task(
    connect: Connect, studio: FakeStudio, mode: str
) -> None:
    studio.film_view, studio.ticks = being_made(), 3
    heard: list[str | None] = []

    async def listen(_progress: float, _total: float | None, message: str | None) -> None:
        heard.append(message)

    async with connect() as client:
        await client.call_tool("query_task", QUERY, progress_callback=listen)
    assert heard[0] == "2 of 5 shots saved, about 7 min left; shot 3 rendering"
    if mode == "legacy":
        assert studio.last("query_film")["wait_seconds"] == 8
    async with connect() as client:
        await client.call_tool("query_task", QUERY | {"wait_seconds": 0})
    assert studio.last("query_film")["wait_seconds"] == 0


@pytest.mark.parametrize("tool", ["query_task", "download_video"])
async def test_a_poll_that_finds_nothing_new_answers_within_90_tokens(
    connect: Connect, studio: FakeStudio, tool: str
) -> None:
    studio.film_view = a_film_view({3: a_view(), 4: waiting_view()}, provider="sandbox")
    async with connect() as client:
        first = (await client.call_tool("query_task", QUERY)).structured_content
        later = {"now": NOW + 30, "eta_seconds": 300, "next_check_seconds": 50}
        studio.film_view = replace(studio.film_view, **later)
        again = await client.call_tool(tool, QUERY)
        assert len(first["shots"]) == 5
        (block,) = again.content
        assert json.loads(block.text) == again.structured_content
        assert len(block.text.encode()) <= 90 * BYTES_PER_TOKEN
        assert "nothing else is new" in again.structured_content["message"]
        assert again.structured_content["film_id"] == FILM_ID
        studio.film_view = a_film_view({4: a_view(), 5: waiting_view()})
        news = (await client.call_tool("query_task", QUERY)).structured_content
        assert len(news["shots"]) == 5


async def test_a_joined_film_is_told_in_full_each_time(
    connect: Connect, studio: FakeStudio
) -> None:
    studio.film_view = a_joined_film()
    async with connect() as client:
        both = [await client.call_tool("query_task", QUERY) for _ in range(2)]
    assert both[0].structured_content == both[1].structured_content
    assert both[0].structured_content["file"]


async def test_a_saved_film_has_its_path_and_its_facts(ask: Ask, studio: FakeStudio) -> None:
    studio.film_view = a_joined_film()
    given = {"output_path": "films/", "overwrite": True}
    answer = (await ask("download_video", QUERY | given)).structured_content
    film = studio.film_view.film
    assert (answer["status"], answer["film_id"]) == ("saved", FILM_ID)
    assert (answer["file"], answer["sha256"], answer["seconds"]) == (film.file, film.sha256, 30)
    asked = studio.last("download_film")
    assert {name: asked[name] for name in given} == given
    studio.film_view = being_made()
    answer = (await ask("download_video", QUERY)).structured_content
    assert answer["status"] == "not_ready"
    assert not {"file", "url", "bytes"} & answer.keys()


async def test_callers_elsewhere_get_a_link_and_choose_no_place(
    ask: Ask, connect: Connect, context: AppContext, studio: FakeStudio
) -> None:
    context.caller = lambda: Caller(name="alice", local=False)
    link = Link(url="https://here/files/x.mp4", expires_at=NOW + 60)
    studio.film_view = replace(a_joined_film(caller="alice"), link=link)
    for tool in ("query_task", "download_video"):
        answer = (await ask(tool, QUERY)).structured_content
        assert (answer["url"], "file" in answer) == (link.url, False)
    async with connect() as client:
        refused = await client.call_tool("download_video", QUERY | {"output_path": "/etc"})
    assert refused.is_error


async def test_another_callers_film_is_no_film(
    connect: Connect, context: AppContext, studio: FakeStudio
) -> None:
    context.caller = lambda: Caller(name="bob")
    studio.film_view = a_joined_film(caller="alice")
    async with connect(extensions=[TasksClient()]) as client:
        for tool in ("query_task", "download_video", "cancel_task"):
            await client.call_tool(tool, QUERY)
        if client.protocol_version >= "2026":
            with pytest.raises(MCPError):
                await ask_task(client, "tasks/get", FILM_ID)
    assert [name for name, _ in studio.calls] == ["query", "download", "cancel"]  # as any id


async def test_messages_open_with_the_sandbox_and_with_losses(ask: Ask, studio: FakeStudio) -> None:
    losses = Losses(at=NOW, kept="", flaw="", expected=3, carried=1, missing={})
    studio.film_view = replace(a_joined_film(provider="sandbox"), losses=losses)
    for tool in ("query_task", "cancel_task", "download_video"):
        message = (await ask(tool, QUERY)).structured_content["message"]
        assert message.startswith("SANDBOX: imitation, not a real generation. The journal was")


async def test_a_list_has_the_film_its_shots_and_no_clip_twice(
    ask: Ask, studio: FakeStudio
) -> None:
    studio.film_view = a_planned_film()
    studio.view = a_view(film_id=FILM_ID, shot=2)
    answer = (await ask("list_tasks")).structured_content
    film = next(row for row in answer["tasks"] if row["task_id"] == FILM_ID)
    assert film["status"] == "planned"
    assert film["prompt"] == "film of 5 shots: A paper boat is folded b"
    assert (film["cost"], film["charged"]) == ("10 CNY", "no")
    shot = next(row for row in answer["tasks"] if "shot" in row)
    assert (shot["film_id"], shot["shot"]) == (FILM_ID, 2)
    assert "2 tasks and 1 film, newest first." in answer["message"]
    assert "shot" not in film


async def test_the_resource_of_a_film_is_what_query_task_answers(
    ask: Ask, connect: Connect, studio: FakeStudio
) -> None:
    studio.film_view = being_made()
    told = (await ask("query_task", QUERY)).structured_content
    async with connect() as client:
        read = await client.read_resource(f"hailuo://tasks/{FILM_ID}")
    assert json.loads(read.contents[0].text) == told


@pytest.mark.parametrize(("name", "found"), [("task_id", [FILM_ID, ID]), ("film_id", [FILM_ID])])
async def test_ids_complete(connect: Connect, studio: FakeStudio, name: str, found) -> None:
    studio.film_view = being_made()
    async with connect() as client:
        ref = ResourceTemplateReference(uri="hailuo://tasks/{task_id}")
        values = (await client.complete(ref, {"name": name, "value": ""})).completion.values
    assert values == found


@pytest.mark.parametrize("state", STATES)
async def test_a_film_can_be_followed_as_a_task_of_the_protocol(
    context: AppContext, studio: FakeStudio, state: str
) -> None:
    studio.film_view, _ = STATES[state]
    ends = {"pending": "working", "joining": "working", "cancelled": "cancelled"}
    async with Client(Server(context), extensions=[TasksClient()]) as client:
        task = await ask_task(client, "tasks/get", FILM_ID)
        queried = (await client.call_tool("query_task", QUERY)).structured_content
        await ask_task(client, "tasks/cancel", FILM_ID)
        with pytest.raises(MCPError):
            await ask_task(client, "tasks/get", f" {FILM_ID}")
    assert (task["taskId"], task["status"]) == (FILM_ID, ends.get(state, "completed"))
    if task["status"] == "completed":
        assert task["result"]["structuredContent"] == queried
        assert task["result"]["isError"] is (state == "unconfirmed")
    assert studio.last("cancel_film")["film"].film_id == FILM_ID


async def test_a_film_that_is_being_made_is_answered_with_its_task(
    context: AppContext, studio: FakeStudio
) -> None:
    wanted = {"film_id": FILM_ID, "dry_run": False}
    async with Client(Server(context), extensions=[TasksClient()]) as client:
        studio.film_view = being_made()
        made = await client.session.call_tool("generate_storyboard", wanted, allow_claimed=True)
        assert (made.result_type, made.task_id, made.status) == ("task", FILM_ID, "working")
        for plan in (a_planned_film(), being_made(redo=(1,))):
            studio.film_view = plan
            planned = await client.session.call_tool(
                "generate_storyboard", QUERY_PLAN, allow_claimed=True
            )
            assert planned.result_type == "complete"
            assert planned.structured_content["status"] == "planned"


QUERY_PLAN = {"film_id": FILM_ID}
