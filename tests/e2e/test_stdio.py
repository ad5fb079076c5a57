"""A real process over stdin and stdout, driven by the SDK's client in both protocol eras."""

from __future__ import annotations

import json
import os
import select
import shutil
import signal
import subprocess
from collections.abc import AsyncGenerator, Generator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import anyio
import jsonschema
import pytest
import warm
from mcp import Client, StdioServerParameters
from mcp.client.stdio import stdio_client
from mcp.types import CallToolResult
from PIL import Image
from tasks_client import TasksClient, listen
from until import until, until_now

from hailuo_mcp.sandbox.options import SandboxOptions
from hailuo_mcp.sandbox.report import read_book
from hailuo_mcp.sandbox.serve import RunningSandbox, serve_in_thread
from hailuo_mcp.server.tools import all_tools

pytestmark = pytest.mark.anyio

ROOT = Path(__file__).parents[2]
STATE = "provider"


@pytest.fixture(params=["auto", "legacy"])
def mode(request) -> str:
    return request.param


@pytest.fixture
def sandbox(tmp_path: Path) -> Iterator[RunningSandbox]:
    options = SandboxOptions(state_dir=tmp_path / STATE, seconds_to_ready=0.4, fast_clips=True)
    with serve_in_thread(options) as running:
        yield running


@pytest.fixture
def environ(tmp_path: Path, sandbox: RunningSandbox) -> dict[str, str]:
    """What a host would set; the home folder is the test's own."""
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(tmp_path),
        "PYTHONPATH": str(ROOT),
        "HAILUO_PROVIDER": "sandbox",
        "HAILUO_BASE_URL": sandbox.base_url,
        "HAILUO_API_KEY": "a-key",
        "HAILUO_OUTPUT_DIR": str(tmp_path / "videos"),
        "HAILUO_STATE_DIR": str(tmp_path / "state"),
        "HAILUO_POLL_SECONDS": "0.2",
        "HAILUO_WAIT_SECONDS": "20",
    }


def server(environ: dict[str, str], program: Sequence[str]) -> StdioServerParameters:
    command, *args = program
    return StdioServerParameters(command=command, args=args, env=environ)


class Shop:
    """A client that holds each answer to its tool's output schema."""

    def __init__(self, client: Client, schemas: dict[str, Any]) -> None:
        self.client = client
        self._schemas = schemas

    async def raw(self, name: str, **arguments: Any) -> CallToolResult:
        with anyio.fail_after(30):
            return await self.client.call_tool(name, arguments)

    async def __call__(self, name: str, **arguments: Any) -> dict[str, Any]:
        result = await self.raw(name, **arguments)
        assert not result.is_error, result.content[0].text
        assert json.loads(result.content[0].text) == result.structured_content
        jsonschema.validate(result.structured_content, self._schemas[name])
        return result.structured_content

    async def refused(self, name: str, **arguments: Any) -> str:
        result = await self.raw(name, **arguments)
        assert result.is_error
        assert result.structured_content["error"]["charged"] == "no"
        return result.content[0].text


@asynccontextmanager
async def shop(
    environ: dict[str, str], mode: str, program: Sequence[str] = ()
) -> AsyncGenerator[Shop]:
    process = server(environ, program or warm.program())
    async with Client(stdio_client(process), mode=mode) as client:
        tools = (await client.list_tools()).tools
        assert len(tools) == len(all_tools())
        yield Shop(client, {tool.name: tool.output_schema for tool in tools})


def picture(path: Path, size: tuple[int, int] = (640, 360)) -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", size, "#3366cc").save(path)
    return str(path)


def measure(path: str) -> tuple[int, int, float]:
    import av

    with av.open(path) as clip:
        stream = clip.streams.video[0]
        return stream.width, stream.height, float(stream.duration * stream.time_base)


async def test_text_image_frames_and_subject_become_files(environ, mode, tmp_path) -> None:
    first, last = picture(tmp_path / "a.png"), picture(tmp_path / "b.png")
    face = picture(tmp_path / "face.png", (480, 480))
    wanted = {
        "t2v": {"prompt": "a cat at sea [Push in]", "resolution": "1080p", "duration": 6},
        "i2v": {
            "prompt": "it moves",
            "first_frame_image": first,
            "model": "minimax-hailuo-2.3-FAST",
        },
        "fl2v": {"prompt": "it changes", "first_frame_image": first, "last_frame_image": last},
        "s2v": {"prompt": "she waves", "subject_image": face},
    }
    async with shop(environ, mode) as call:
        for kind, request in wanted.items():
            bought = await call("generate_video", **request)
            assert bought["mode"] == kind
            assert bought["cost"]["charged"] == "not yet"
            ready = await call("query_task", task_id=bought["task_id"], wait_seconds=20)
            assert ready["status"] == "succeeded"
            assert ready["cost"]["charged"] == "yes"
            width, height, seconds = measure(ready["file"])
            assert (width, height) == (ready["width"], ready["height"])
            assert seconds == pytest.approx(ready.get("duration", 6), abs=0.2)
            copied = await call(
                "download_video", task_id=bought["remote_id"], output_path=f"{kind}/"
            )
            assert Path(copied["file"]).parent == tmp_path / "videos" / kind
            assert measure(copied["file"]) == (width, height, seconds)
        listed = await call("list_tasks")
        assert [row["status"] for row in listed["tasks"]] == ["succeeded"] * 4
        assert listed["spending"]["reserved"] == "0"
    assert len(read_book(tmp_path / STATE)["accounts"]) == 1


async def test_the_same_request_is_bought_once_and_a_take_again(environ, mode, tmp_path) -> None:
    async with shop(environ, mode, warm.COLD) as call:
        one = await call("generate_video", prompt="a cat")
        same = await call("generate_video", prompt="a cat", resolution="768p", duration=None)
        other = await call("generate_video", prompt="a cat", take=2)
    assert same["task_id"] == one["task_id"]
    assert same["reused"]
    assert "Not a new clip, nothing charged" in same["message"]
    assert other["task_id"] != one["task_id"]
    assert _accepted(tmp_path) == 2


async def test_query_waits_and_tells_of_progress_while_other_calls_are_answered(
    environ, mode
) -> None:
    heard: list[float] = []

    began = anyio.Event()

    async def listen(progress: float, _total: float | None, _message: str | None) -> None:
        heard.append(progress)
        began.set()

    async with shop(environ, mode) as call:
        task = await call("generate_video", prompt="slow [sandbox:seconds=8]")
        ended: list[str] = []

        async def wait() -> None:
            result = await call.client.call_tool(
                "query_task", {"task_id": task["task_id"]}, progress_callback=listen
            )
            ended.append(result.structured_content["status"])

        async with anyio.create_task_group() as waiting:
            waiting.start_soon(wait)
            await began.wait()
            await call("estimate_cost", model="MiniMax-Hailuo-2.3")
            assert not ended
    assert ended == ["succeeded"]
    assert heard == sorted(set(heard))


async def test_a_cancelled_call_does_not_cancel_the_purchase(environ, mode, tmp_path) -> None:
    async with shop(environ, mode) as call:

        async def listed() -> list[dict[str, Any]]:
            return (await call("list_tasks"))["tasks"]

        async with anyio.create_task_group() as asking:
            order = {"prompt": "a cat [sandbox:late=3]"}
            asking.start_soon(call.client.call_tool, "generate_video", order)
            (task,) = await until(listed)
            asking.cancel_scope.cancel()
        assert task["status"] == "submitting"
        with anyio.move_on_after(0.3):
            await call.client.call_tool("query_task", {"task_id": task["task_id"]})
        ready = await call("query_task", task_id=task["task_id"], wait_seconds=20)
        while ready["status"] != "succeeded":  # after two impatient calls its waits are short
            ready = await call("query_task", task_id=task["task_id"], wait_seconds=20)
    assert _accepted(tmp_path) == 1


async def test_generate_answers_within_four_seconds_of_silence(environ, mode, tmp_path) -> None:
    async with shop(environ, mode) as call:
        task = await call("generate_video", prompt="a cat [sandbox:late=12]")
        assert task["status"] == "submitting"
        assert "do not buy it again" in task["message"]
        ready = await call("query_task", task_id=task["task_id"], wait_seconds=20)
    assert ready["status"] == "succeeded"
    assert _accepted(tmp_path) == 1


async def test_listeners_are_told_of_each_change(environ) -> None:
    heard: list[str] = []
    async with shop(environ, "auto") as call:
        task = await call("generate_video", prompt="a cat [sandbox:seconds=1]")
        uri = f"hailuo://tasks/{task['task_id']}"
        with anyio.fail_after(20):
            async with call.client.listen(resource_subscriptions=[uri]) as news:
                async for event in news:
                    heard.append(event.uri)
                    (content,) = (await call.client.read_resource(uri)).contents
                    if json.loads(content.text).get("file"):
                        break
    assert set(heard) == {uri}


async def test_a_client_with_the_tasks_extension_gets_the_clip_and_the_news(
    environ, tmp_path
) -> None:
    process, tasks = server(environ, warm.program()), TasksClient()
    async with (
        Client(stdio_client(process), mode="auto", extensions=[tasks]) as client,
        anyio.create_task_group() as both,
    ):

        async def follow() -> None:
            (handle,) = await until(lambda: tasks.handles)
            await listen(client, taskIds=[handle.task_id])

        both.start_soon(follow)
        result = await client.call_tool("generate_video", {"prompt": "a cat [sandbox:seconds=1]"})
        await until(lambda: tasks.news and tasks.news[-1]["status"] == "completed")
        both.cancel_scope.cancel()
    assert measure(result.structured_content["file"])[:2] == (1366, 768)
    assert tasks.news[-1]["result"]["structuredContent"] == result.structured_content
    assert _accepted(tmp_path) == 1


async def test_wrong_calls_are_refused_and_send_nothing(environ, mode, tmp_path) -> None:
    async with shop(environ, mode) as call:
        assert "'first_frame_image'" in await call.refused(
            "generate_video", prompt="a", image_url="x"
        )
        assert "6 s or 10 s, not 7 s" in await call.refused(
            "generate_video", prompt="a", duration=7
        )
        assert "no task" in await call.refused("query_task", task_id="nothing")
    assert _accepted(tmp_path) == 0


async def test_a_refusal_of_the_provider_arrives_in_our_words(environ, mode) -> None:
    async with shop(environ, mode) as call:
        told = await call.refused("generate_video", prompt="a [sandbox:1008]")
        assert "1008" in told
        assert "othing was charged" in told
        task = await call("generate_video", prompt="a [sandbox:1027]")
        ended = await call("query_task", task_id=task["task_id"], wait_seconds=20)
    assert (ended["status"], ended["error_code"], ended["cost"]["charged"]) == (
        "failed",
        "1027",
        "no",
    )


async def test_without_a_key_the_first_paid_call_explains(environ, mode) -> None:
    bare = {k: v for k, v in environ.items() if k not in ("HAILUO_API_KEY", "HAILUO_BASE_URL")}
    async with shop(bare | {"HAILUO_PROVIDER": "minimax-cn"}, mode) as call:
        told = await call.refused("generate_video", prompt="a cat")
        assert "HAILUO_API_KEY" in told
        assert "HAILUO_PROVIDER=sandbox" in told
        assert (await call("estimate_cost"))["status"] == "exact"


async def test_broken_settings_are_told_in_every_answer(environ, mode) -> None:
    async with shop(environ | {"HAILUO_PLAN": "gold"}, mode) as call:
        for _ in range(2):
            assert "HAILUO_PLAN" in await call.refused("list_tasks")


async def test_a_yes_from_the_person_buys(environ, mode, tmp_path) -> None:
    from mcp.types import ElicitResult

    asked: list[str] = []

    async def yes(_context, params) -> ElicitResult:
        asked.append(params.message)
        return ElicitResult(action="accept", content={"buy": True})

    process = server(environ | {"HAILUO_CONFIRM_ABOVE": "1"}, warm.program())
    async with Client(stdio_client(process), mode=mode, elicitation_callback=yes) as client:
        result = await client.call_tool("generate_video", {"prompt": "a cat"})
        assert not result.is_error, result.content[0].text
    assert len(asked) == 1
    assert "CNY" in asked[0]
    async with shop(environ | {"HAILUO_CONFIRM_ABOVE": "1"}, mode) as call:
        told = await call.refused("generate_video", prompt="a dog")
        code = told.split("confirm='")[1].split("'")[0]
        assert not (await call("generate_video", prompt="a dog", confirm=code)).get("reused")
    assert _accepted(tmp_path) == 2


def _accepted(tmp_path: Path) -> int:
    book = read_book(tmp_path / STATE)
    return sum(account["creates_accepted"] for account in book["accounts"].values())


# ── leaving ───────────────────────────────────────────────────────────────────────────────────


@contextmanager
def _started(
    environ: dict[str, str], program: Sequence[str] = ()
) -> Generator[subprocess.Popen[bytes]]:
    command, pipe = program or warm.program(), subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, env=environ) as process:
        hello = {
            "protocolVersion": "2025-06-18",
            "capabilities": {},
            "clientInfo": {"name": "t", "version": "1"},
        }
        _say(process, id=1, method="initialize", params=hello)
        _hear(process)
        _say(process, method="notifications/initialized")
        try:
            yield process
        finally:
            if process.poll() is None:
                process.kill()


def _say(process: subprocess.Popen[bytes], **message: Any) -> None:
    _write(process, json.dumps({"jsonrpc": "2.0", **message}))


def _write(process: subprocess.Popen[bytes], line: str) -> None:
    assert process.stdin
    process.stdin.write(line.encode() + b"\n")
    process.stdin.flush()


def _hear(process: subprocess.Popen[bytes]) -> dict[str, Any]:
    assert process.stdout
    return json.loads(process.stdout.readline())


def _call(process: subprocess.Popen[bytes], name: str, **arguments: Any) -> None:
    _say(process, id=2, method="tools/call", params={"name": name, "arguments": arguments})


def _leave(process: subprocess.Popen[bytes], how: str) -> tuple[int, str]:
    assert process.stdin
    assert process.stderr
    if how == "EOF":
        process.stdin.close()
    else:
        process.send_signal(getattr(signal, how))
    code = process.wait(timeout=60)
    return code, process.stderr.read().decode()


@pytest.mark.parametrize("how", ["EOF", "SIGTERM", "SIGINT"])
def test_it_leaves_at_once_when_nothing_is_on_its_way(environ, how) -> None:
    with _started(environ) as process:
        _call(process, "list_tasks")
        assert _hear(process)["result"]["structuredContent"]["message"]
        code, told = _leave(process, how)
    assert code == 0
    assert told == ""


@pytest.mark.parametrize("how", ["EOF", "SIGTERM", "SIGINT"])
def test_it_leaves_at_once_when_it_was_never_asked_anything(environ, how) -> None:
    with _started(environ, warm.COLD) as process:
        code, told = _leave(process, how)
    assert (code, told) == (0, "")


@pytest.mark.parametrize("how", ["EOF", "SIGTERM", "SIGINT"])
def test_it_waits_for_the_answer_of_a_submit(environ, how, tmp_path) -> None:
    with _started(environ) as process:
        _call(process, "generate_video", prompt="a cat [sandbox:late=1]")
        until_now(lambda: _accepted(tmp_path))
        code, _ = _leave(process, how)
    assert code == 0
    with _started(environ) as process:
        _call(process, "list_tasks")
        (row,) = _hear(process)["result"]["structuredContent"]["tasks"]
        assert row["status"] in ("queued", "running", "succeeded")
        _leave(process, "EOF")


def test_nothing_is_written_once_the_client_has_left(environ) -> None:
    """The Python SDK 1.x breaks of an answer that arrives while it closes."""
    with _started(environ) as process:
        _call(process, "generate_video", prompt="slow [sandbox:seconds=30]")
        task_id = _hear(process)["result"]["structuredContent"]["task_id"]
        query = {"name": "query_task", "arguments": {"task_id": task_id}}
        _say(
            process, id=3, method="tools/call", params=query | {"_meta": {"progressToken": "clip"}}
        )
        assert _hear(process)["method"] == "notifications/progress"  # the call is under way
        code, told = _leave(process, "EOF")
        assert process.stdout
        rest = [json.loads(line) for line in process.stdout.read().splitlines()]
    assert (code, told) == (0, "")
    assert [message for message in rest if "id" in message] == []


HELLO = {
    "jsonrpc": "2.0",
    "id": 1,
    "method": "initialize",
    "params": {
        "protocolVersion": "2025-06-18",
        "capabilities": {},
        "clientInfo": {"name": "t", "version": "1"},
    },
}


@pytest.mark.skipif(not hasattr(select, "poll"), reason="the system cannot tell")
def test_a_client_that_left_while_the_server_started_is_not_answered(environ) -> None:
    """Its first request took too long for it; the end of stdin is not read before that request."""
    line = json.dumps(HELLO) + "\n"
    done = _ended(environ, input=line)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_requests_out_of_a_file_are_answered(environ, tmp_path) -> None:
    (tmp_path / "requests").write_text(json.dumps(HELLO) + "\n")
    with (tmp_path / "requests").open() as requests:
        done = _ended(environ, stdin=requests)
    assert json.loads(done.stdout)["id"] == 1


def _ended(environ: dict[str, str], **given: Any) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        warm.COLD, env=environ, capture_output=True, text=True, timeout=30, check=False, **given
    )


UNREADABLE = {
    "half an emoji": r'"params":{"name":"list_tasks","arguments":{"status":"\ud83d"}}',
    "an integer of 5,000 digits": '"params":{"name":"list_tasks","arguments":{"limit":%s}}'
    % ("9" * 5000),
    "nesting of 400": '"params":{"name":"list_tasks","arguments":%s}' % ("[" * 400 + "]" * 400),
    "params as a list": '"params":[]',
    "params as a text": '"params":"list_tasks"',
}


@pytest.mark.parametrize("wrong", UNREADABLE.values(), ids=UNREADABLE)
def test_a_line_that_cannot_be_read_is_answered_and_the_connection_goes_on(environ, wrong) -> None:
    with _started(environ) as process:
        _write(process, f'{{"jsonrpc":"2.0","id":"mine","method":"tools/call",{wrong}}}')
        answer = _hear(process)
        assert answer["id"] == "mine"
        assert answer["error"]["code"] in (-32700, -32602)
        assert "Nothing was done or charged" in answer["error"]["message"]
        _call(process, "list_tasks")
        assert _hear(process)["result"]["structuredContent"]["message"]


@pytest.mark.parametrize(
    "line",
    [
        "not JSON",
        "7",
        "[]",
        '{"jsonrpc":"2.0","id":%s,"method":"tools/list"}' % ("9" * 5000),
        r'{"jsonrpc":"2.0","id":"\ud83d","method":"tools/list"}',
        '{"jsonrpc":"2.0","id":7,"method":"tools/list","params":%s}' % ("[" * 90_000),
    ],
    ids=lambda line: line[:60],
)
def test_a_line_without_an_id_that_can_be_read_is_answered_too(environ, line) -> None:
    with _started(environ) as process:
        _write(process, line)
        answer = _hear(process)
        assert answer["id"] is None
        assert answer["error"]["code"] in (-32700, -32600)
        _call(process, "list_tasks")
        assert _hear(process)["result"]["structuredContent"]["message"]


def test_the_first_line_may_be_one_that_cannot_be_read(environ) -> None:
    """The SDK keeps eight lines from before the first request, and drops the others."""
    process = subprocess.Popen(
        warm.COLD,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environ,
    )
    with process:
        for number in range(12):
            _say(process, id=number, method="ping", params=[])
            assert _hear(process)["id"] == number
        _leave(process, "EOF")


def test_replies_and_notifications_are_never_answered(environ) -> None:
    with _started(environ) as process:
        _write(process, '{"jsonrpc":"2.0","id":1,"result":5}')
        _write(process, '{"jsonrpc":"2.0","method":"notifications/progress","params":[]}')
        _write(process, "")
        _call(process, "list_tasks")
        assert _hear(process)["id"] == 2


def test_a_host_that_vanishes_is_not_mourned(environ) -> None:
    with _started(environ) as process:
        assert process.stdout
        process.stdout.close()
        _call(process, "list_tasks")
        code, told = _leave(process, "EOF")
    assert code == 0
    assert "Traceback" not in told


async def test_after_a_loss_of_the_journal_every_answer_says_so_until_a_person_accepts(
    environ, mode, tmp_path
) -> None:
    async with shop(environ, mode) as call:
        bought = await call("generate_video", prompt="before the loss", wait_seconds=20)
    for gone in ("journal.sqlite3", "backups"):
        path = tmp_path / "state" / gone
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    said = "nothing new is bought until the person runs `hailuo-mcp journal accept`"
    async with shop(environ, mode) as call:
        refused = await call.raw("generate_video", prompt="after the loss")
        assert refused.structured_content["error"] == {
            "code": "journal_damaged",
            "charged": "no",
            "retry": False,
        }
        assert "1 of 1 tasks may be lost" in refused.content[0].text
        assert said in (await call("list_tasks"))["message"]
        assert said in (await call("estimate_cost"))["message"]
        adopted = await call("query_task", task_id=bought["remote_id"])  # as if bought elsewhere
        assert said in adopted["message"]
        assert _accepted(tmp_path) == 1
        accept = [*warm.program(), "journal", "accept"]
        await anyio.run_process(accept, env=environ)
        after = await call("generate_video", prompt="after the loss", wait_seconds=20)
        assert (after["status"], said in after["message"]) == ("succeeded", False)
