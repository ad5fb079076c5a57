"""The provider's calls: echoed, never believed, and worth one look at most."""

from __future__ import annotations

import itertools
import json
import sqlite3
from contextlib import asynccontextmanager
from functools import partial
from types import SimpleNamespace

import anyio
import anyio.lowlevel
import httpx
import pytest
from starlette.applications import Starlette
from starlette.routing import Route
from until import until

from hailuo_mcp.domain.task import Status
from hailuo_mcp.errors import JournalError
from hailuo_mcp.server.context import AppContext
from hailuo_mcp.server.http.callbacks import Callbacks

from .conftest import NO_TLS

pytestmark = pytest.mark.anyio


async def _bought(server, prompt="A boat"):
    """A task under way and the address that its provider calls."""
    async with server.client() as client:
        made = await client.call_tool("generate_video", {"prompt": prompt})
    task_id = made.structured_content["task_id"]
    journal = sqlite3.connect(server.state / "journal.sqlite3")
    (token,) = journal.execute(
        "SELECT callback_token FROM tasks WHERE task_id = ?", (task_id,)
    ).fetchone()
    journal.close()
    return task_id, f"{server.url}/callbacks/{token}"


def _polls(server) -> int:
    return sum(facts["status_requests"] for facts in server.remote())


async def test_the_challenge_is_echoed_at_once(serve):
    server = serve(callbacks=True, ready=60)
    _, address = await _bought(server)
    async with httpx.AsyncClient(verify=NO_TLS) as http:
        reply = await http.post(address, json={"challenge": "a1b2"})

    assert reply.json() == {"challenge": "a1b2"}


@pytest.mark.parametrize("challenge", ["狐狸", "\ud800", "", 123, 0])
async def test_any_text_or_number_is_echoed_as_it_was_said(challenge):
    async with hearing(FakeStudio(Status.RUNNING)) as http:
        reply = await http.post(HERE, content=json.dumps({"challenge": challenge}))

    assert (reply.status_code, reply.json()) == (200, {"challenge": challenge})


@pytest.mark.parametrize("challenge", [True, False, None, 1.5, ["a"], "a" * 4097])
async def test_what_is_no_challenge_is_not_echoed(challenge):
    async with hearing(FakeStudio(Status.RUNNING)) as http:
        reply = await http.post(HERE, json={"challenge": challenge})

    assert reply.json() == {"received": True}


async def test_a_clip_is_saved_when_the_provider_says_so_with_one_status_request(serve):
    server = serve(callbacks=True, ready=0.5)
    async with server.client() as client:
        made = await client.call_tool("generate_video", {"prompt": "A boat"})
        task_id = made.structured_content["task_id"]
        ends = {"task_id": task_id, "wait_seconds": 10}
        ended = (await client.call_tool("query_task", ends)).structured_content

    assert ended["status"] == "succeeded"
    (facts,) = server.remote()
    assert facts["status_requests"] <= 2
    (clip,) = server.settings.output_dir.glob("*.mp4")
    assert clip.stat().st_ctime - facts["finished_at"] < 2


@pytest.mark.parametrize(
    "word", ["success", "Success", "SUCCEEDED", "fail", "Failed", "Fail", " finished "]
)
async def test_final_words_in_any_spelling_wake_a_poll_and_are_not_believed(serve, word):
    server = serve(callbacks=True, ready=60)
    task_id, address = await _bought(server)
    async with httpx.AsyncClient(verify=NO_TLS) as http:
        forged = {"task_id": "1", "status": word, "file_id": "7", "base_resp": {"status_code": 0}}
        assert (await http.post(address, json=forged)).status_code == 200
    await until(lambda: _polls(server) == 1)

    async with server.client() as client:
        (stands,) = (await client.call_tool("list_tasks", {})).structured_content["tasks"]
    assert stands["task_id"] == task_id
    assert stands["status"] in ("queued", "running")
    assert stands["charged"] == "not yet"


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"null", b"{", b'"success"', b'{"status": 1}', b"\xff", b"[" * 60_000]
)
async def test_what_says_nothing_wakes_nothing(serve, body):
    server = serve(callbacks=True, ready=60)
    _, address = await _bought(server)
    async with httpx.AsyncClient(verify=NO_TLS) as http:
        assert (await http.post(address, content=body)).status_code == 200
        assert (await http.post(address, json={"status": "processing"})).status_code == 200
        told = FakeStudio(Status.RUNNING)
        async with hearing(told) as heard:
            assert (await heard.post(HERE, content=body)).status_code == 200
            await anyio.wait_all_tasks_blocked()

    assert told.looks == []
    assert _polls(server) == 0


async def test_replays_and_floods_cost_a_handful_of_status_requests(serve):
    server = serve(callbacks=True, ready=60)
    _, address = await _bought(server)
    async with httpx.AsyncClient(verify=NO_TLS) as http:
        for _ in range(300):
            assert (await http.post(address, json={"status": "success"})).status_code == 200
    await until(lambda: _polls(server))

    assert _polls(server) <= 2


async def test_a_replay_after_the_end_changes_nothing(serve):
    server = serve(callbacks=True, ready=0.3)
    task_id, address = await _bought(server)
    async with server.client() as client:
        ended = await client.call_tool("query_task", {"task_id": task_id, "wait_seconds": 10})
        polls = _polls(server)
        async with httpx.AsyncClient(verify=NO_TLS) as http:
            for word in ("fail", "success", "processing"):
                assert (await http.post(address, json={"status": word})).status_code == 200
        again = await client.call_tool("query_task", {"task_id": task_id, "wait_seconds": 0})

    assert _polls(server) == polls
    known = ("status", "cost", "remote_id")
    assert [again.structured_content[name] for name in known] == [
        ended.structured_content[name] for name in known
    ]


async def test_guessed_addresses_find_nothing_and_do_not_hold_up_what_is_known(serve):
    server = serve(callbacks=True, ready=60)
    _, address = await _bought(server)
    await until(lambda: any(f["challenges"] for f in server.remote()))
    async with httpx.AsyncClient(base_url=server.url, verify=NO_TLS) as http:
        for number in range(200):
            guessed = await http.post(
                f"/callbacks/{number:032d}", json={"challenge": "x", "status": "success"}
            )
            assert (guessed.status_code, "challenge" in guessed.json()) == (404, False)
        for odd in ("x", "%00", "a" * 5000, "' OR 1=1 --"):
            assert (await http.post(f"/callbacks/{odd}", json={})).status_code in (404, 400)
        assert (await http.post(address, json={"challenge": "x"})).json() == {"challenge": "x"}

    assert _polls(server) == 0


async def test_wrong_guesses_turn_no_callback_off_for_their_address():
    async with hearing(FakeStudio(Status.RUNNING)) as http:
        refused = {
            (reply.status_code, reply.content)
            for number in range(300)
            for reply in [await http.post(f"/callbacks/{number:032d}", json={"challenge": "x"})]
        }
        odd = await http.post("/callbacks/x", json={"challenge": "x"})
        heard = await http.post(HERE, json={"challenge": "x"})  # for the first time

    assert refused == {(404, odd.content)}  # one answer, whatever was guessed and how often
    assert heard.json() == {"challenge": "x"}


async def test_of_many_guesses_at_once_the_journal_is_asked_one_at_a_time():
    told = FakeStudio(Status.RUNNING)
    async with hearing(told) as http, anyio.create_task_group() as guessers:
        for number in range(50):
            guessers.start_soon(http.post, f"/callbacks/{number:032d}")

    assert (told.asked, told.most_asked_at_once) == (50, 1)
    assert not told.callbacks._announced  # and nothing is kept of them


async def test_two_callbacks_at_once_are_remembered_as_one():
    told = FakeStudio(Status.RUNNING)
    async with hearing(told) as http, anyio.create_task_group() as both:
        for _ in range(2):
            both.start_soon(partial(http.post, HERE, json={"status": "success"}))
        await anyio.wait_all_tasks_blocked()

    assert len(told.looks) == 1


@pytest.mark.parametrize(
    ("task", "looks"),
    [
        ({"id": "771", "status": "succeeded", "content": {"url": "https://x/a.mp4"}}, 1),
        ({"id": "771", "status": "expired"}, 1),
        ({"id": "771", "status": "cancelled"}, 1),
        ({"id": "771", "status": "running"}, 0),
        ({"id": "771"}, 0),
        (["succeeded"], 0),
        ("succeeded", 0),
        (None, 0),
    ],
)
async def test_a_task_of_v2_is_an_object_of_its_own(task, looks):
    told = FakeStudio(Status.RUNNING)
    async with hearing(told) as http:
        assert (await http.post(HERE, json={"task": task})).json() == {"received": True}
        await anyio.wait_all_tasks_blocked()

    assert len(told.looks) == looks


async def test_a_callback_that_comes_while_the_journal_is_locked_may_come_again():
    told = FakeStudio(Status.RUNNING)
    told.trouble = JournalError("The journal is locked.")
    async with hearing(told) as http:
        early = await http.post(HERE, json={"challenge": "x"})
        told.trouble = None
        late = await http.post(HERE, json={"challenge": "x"})

    assert (early.status_code, "retry-after" in early.headers) == (503, True)
    assert late.json() == {"challenge": "x"}


async def test_a_large_callback_is_not_read(serve):
    server = serve(callbacks=True, ready=60)
    _, address = await _bought(server)
    async with httpx.AsyncClient(verify=NO_TLS) as http:
        reply = await http.post(address, content=b" " * (64 * 1024 + 1))

    assert reply.status_code == 413


async def test_only_posts_are_heard(serve):
    server = serve(callbacks=True, ready=60)
    _, address = await _bought(server)
    async with httpx.AsyncClient(verify=NO_TLS) as http:
        assert (await http.get(address)).status_code == 405


class FakeStudio:
    """The studio's side, with a task that the test moves on."""

    def __init__(self, *statuses: Status) -> None:
        self.statuses = list(statuses)
        self.looks: list[float] = []
        self.trouble: JournalError | None = None
        self.asked = self.asked_now = self.most_asked_at_once = 0

    async def by_callback(self, token):
        if self.trouble:
            raise self.trouble
        self.asked, self.asked_now = self.asked + 1, self.asked_now + 1
        self.most_asked_at_once = max(self.most_asked_at_once, self.asked_now)
        await anyio.lowlevel.checkpoint()
        self.asked_now -= 1
        return await self.find("v1") if token == TOKEN else None

    async def find(self, task_id):
        return SimpleNamespace(task_id="v1", account="a", status=self.statuses[0])

    @property
    def store(self):
        return self

    def confirm_callback(self, task_id):
        pass

    async def expedite_poll(self, task, at):
        self.looks.append(at)


TOKEN = "t" * 32
HERE = f"/callbacks/{TOKEN}"


@asynccontextmanager
async def hearing(told, **options):
    """A caller of callbacks that look at this studio, in one event loop."""
    context = AppContext()
    context.set_studio(told)
    callbacks = Callbacks(context, **options)
    app = Starlette(routes=[Route("/callbacks/{token}", callbacks.receive, methods=["POST"])])
    transport = httpx.ASGITransport(app)
    async with (
        anyio.create_task_group() as work,
        httpx.AsyncClient(transport=transport, base_url="http://x", verify=NO_TLS) as http,
    ):
        work.start_soon(callbacks.run)
        told.callbacks = callbacks
        yield http
        work.cancel_scope.cancel()


async def test_what_is_said_of_a_task_that_ended_causes_no_second_look():
    told = FakeStudio(Status.SUCCEEDED)
    async with hearing(told) as http:
        for word in ("fail", "success", "processing"):
            assert (await http.post(HERE, json={"status": word})).status_code == 200
        await anyio.wait_all_tasks_blocked()

    assert told.looks == []


async def test_an_end_that_is_told_before_the_create_is_answered_is_looked_at_right_after():
    told = FakeStudio(Status.SUBMITTING)
    async with hearing(told) as http:
        await http.post(HERE, json={"status": "success"})
        await anyio.wait_all_tasks_blocked()
        assert told.looks == []
        told.statuses = [Status.QUEUED]
        told.callbacks.task_changed("v1")
        await anyio.wait_all_tasks_blocked()
    assert len(told.looks) == 1


async def test_a_task_that_has_not_ended_although_it_was_said_is_looked_at_ever_more_rarely():
    told, now = FakeStudio(Status.RUNNING), [1000.0]
    async with hearing(told, clock=lambda: now[0]) as http:
        for _ in range(120):  # a forger who says it every second for two minutes
            await http.post(HERE, json={"status": "success"})
            for _turn in range(5):
                await anyio.lowlevel.checkpoint()
            now[0] += 1

    gaps = [late - early for early, late in itertools.pairwise(told.looks)]
    assert 4 <= len(told.looks) <= 8
    assert gaps[0] >= 2
    assert all(gap >= 8 for gap in gaps[1:])


async def test_a_task_whose_end_was_told_too_soon_is_forgotten_when_it_comes():
    told, now = FakeStudio(Status.RUNNING), [1000.0]
    async with hearing(told, clock=lambda: now[0]) as http:
        for _ in range(8):
            await http.post(HERE, json={"status": "success"})
            await anyio.wait_all_tasks_blocked()
            now[0] += 60
        told.callbacks.task_changed("v1")
        await anyio.wait_all_tasks_blocked()
        looks = len(told.looks)
        assert told.callbacks._announced
        told.statuses = [Status.SUCCEEDED]
        told.callbacks.task_changed("v1")
        await anyio.wait_all_tasks_blocked()
        assert not told.callbacks._announced
    assert len(told.looks) == looks


async def test_a_buyer_who_keeps_asking_does_not_make_the_server_ask(serve):
    server = serve(callbacks=True, ready=1.5, HAILUO_POLL_SECONDS="0.1")
    async with server.client() as client:
        made = await client.call_tool("generate_video", {"prompt": "A boat"})
        ids = {"task_id": made.structured_content["task_id"], "wait_seconds": 0}
        answer: dict = {}
        with anyio.fail_after(60):
            while answer.get("status") != "succeeded":
                answer = (await client.call_tool("query_task", ids)).structured_content

    assert _polls(server) <= 2
