"""A server's log: what went wrong and where, and no word of what its clients sent."""

# ruff: noqa: ASYNC220  # nothing else runs in this loop

from __future__ import annotations

import json
import os
import subprocess
import time
from collections.abc import AsyncGenerator, Iterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from subprocess import PIPE
from typing import Any

import httpx
import httpx2
import pytest
import warm
from mcp import Client, MCPError, StdioServerParameters
from mcp.client.stdio import stdio_client
from mcp.client.streamable_http import streamable_http_client
from until import until, until_now

from hailuo_mcp.files.naming import file_name
from hailuo_mcp.sandbox.options import SandboxOptions
from hailuo_mcp.sandbox.serve import RunningSandbox, serve_in_thread

pytestmark = pytest.mark.anyio

MARK = "Kauderwelsch"
TOKEN = "a-token-of-the-tests-0123456789"

BROKEN = """
import sys
from hailuo_mcp.__main__ import main
from hailuo_mcp.studio.studio import Studio
from hailuo_mcp.worker import saving

cancel, describe = Studio.cancel, saving._describe

async def broken_cancel(self, task_id, **more):
    try:
        raise OSError(28, "no", task_id)
    except OSError as exc:
        raise ValueError(f"broken by {task_id}") from exc

async def broken_describe(context, task):
    if "crashes" in task.prompt:
        raise ValueError(f"broken by {task.prompt} at {task.file}")
    await describe(context, task)

Studio.cancel, saving._describe = broken_cancel, broken_describe
sys.argv[0] = "hailuo-mcp"
sys.exit(main())
"""
"""The program with two faults whose words hold what a client sent."""
TOLD = (
    "saving v",
    "the description of v",
    "is unconfirmed",
    "ended unexpectedly",
    "cancel_task failed",
)
"""What goes wrong here is in the log."""


@pytest.fixture
def sandbox(tmp_path: Path) -> Iterator[RunningSandbox]:
    options = SandboxOptions(state_dir=tmp_path / "provider", seconds_to_ready=0.2, fast_clips=True)
    with serve_in_thread(options) as running:
        yield running


@pytest.fixture
def environ(tmp_path: Path, sandbox: RunningSandbox) -> dict[str, str]:
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(tmp_path),
        "PYTHONPATH": str(Path(__file__).parents[2]),
        "HAILUO_PROVIDER": "sandbox",
        "HAILUO_BASE_URL": sandbox.base_url,
        "HAILUO_API_KEY": "a-key",
        "HAILUO_OUTPUT_DIR": str(tmp_path / "clips"),
        "HAILUO_STATE_DIR": str(tmp_path / "state"),
        "HAILUO_POLL_SECONDS": "0.2",
        "HAILUO_RPM": "10000",
        "HAILUO_HTTP_TOKENS": f"alice:{TOKEN}",
    }


@asynccontextmanager
async def over_stdio(environ: dict[str, str], log: Path) -> AsyncGenerator[Client]:
    command, *args = [*warm.program(), "-c", BROKEN]
    process = StdioServerParameters(command=command, args=args, env=environ)
    with log.open("w") as said:
        async with Client(stdio_client(process, errlog=said)) as client:
            yield client


@asynccontextmanager
async def over_http(environ: dict[str, str], log: Path) -> AsyncGenerator[Client]:
    command = [*warm.program(), "-c", BROKEN, "serve", "--transport", "http", "--with-sse"]
    with log.open("w") as said:
        process = subprocess.Popen([*command, "--port", "0"], env=environ, stderr=said)

    def url() -> str:
        assert process.poll() is None, log.read_text()
        lines = [json.loads(line) for line in log.read_text().splitlines() if line[:1] == "{"]
        return next((line["address"] for line in lines if "address" in line), "")

    try:
        here = until_now(url)
        headers = {"Authorization": f"Bearer {TOKEN}"}
        async with httpx2.AsyncClient(headers=headers, timeout=30) as http:
            transport = streamable_http_client(f"{here}/mcp", http_client=http)
            async with Client(transport) as client:
                yield client
        knock(here, headers)
    finally:
        process.terminate()
        process.wait(10)


def knock(url: str, headers: dict[str, str]) -> None:
    """What strangers and broken clients say."""
    mark = MARK.encode()
    with httpx.Client(base_url=url, headers=headers) as http:
        http.get(f"/{MARK}?{MARK}={MARK}")
        http.request(MARK.upper(), "/mcp", content=mark)
        http.get("/mcp", headers={"Host": f"{MARK}.example"})
        http.get("/mcp", headers={"Origin": f"https://{MARK}.example"})
        http.get("/mcp", headers={"Authorization": f"Bearer {MARK}"})
        for where in ("/files", "/uploads", "/callbacks"):
            http.post(f"{where}/{MARK}", content=mark)
        http.post(f"/messages/?session_id={MARK}", content=mark)
        http.post(f"/messages/?session_id={'0' * 32}", content=mark)
        for content in broken_messages():
            http.post("/mcp", content=content, headers={"Content-Type": "application/json"})


def broken_messages() -> list[bytes]:
    said: list[Any] = [
        {"jsonrpc": "2.0", "method": f"notifications/{MARK}", "params": {MARK: MARK}},
        {"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {MARK: MARK}},
        {"jsonrpc": "2.0", "method": "notifications/progress", "params": {"progress": MARK}},
        {"jsonrpc": "2.0", "id": 7, "method": MARK, "params": {}},
        {"jsonrpc": "2.0", "id": 8, "method": "tools/call", "params": {"arguments": MARK}},
        {"jsonrpc": "2.0", "id": 9, "result": {MARK: MARK}},
        {"jsonrpc": MARK, "id": 10},
        [MARK],
    ]
    return [*(json.dumps(one).encode() for one in said), b'{"' + MARK.encode()]


class Shop:
    """A client's calls, with marked words in them."""

    def __init__(self, client: Client, tmp_path: Path) -> None:
        self.client = client
        self.tmp_path = tmp_path
        self.clips = tmp_path / "clips"

    async def call(self, name: str, **arguments: Any) -> Any:
        return await self.client.call_tool(name, arguments)

    async def buy(self, what: str, fault: str = "") -> tuple[str, Path]:
        """A task, and where its clip will be."""
        prompt = f"{MARK} {what} {f'[sandbox:{fault}]' if fault else ''}"
        made = await self.call("generate_video", prompt=prompt)
        task_id = made.structured_content["task_id"]
        return task_id, self.clips / file_name(time.time(), prompt, task_id)

    async def ended(self, task_id: str) -> bool:
        told = (await self.call("query_task", task_id=task_id, wait_seconds=0)).structured_content
        return told["status"] not in ("pending", "submitting", "queued", "running")

    async def purchases(self) -> None:
        """One that succeeds, and everything that goes wrong with others."""
        good, _ = await self.buy("sails")
        saved = await self.call("download_video", task_id=good, wait_seconds=20)
        assert saved.structured_content["status"] == "saved"
        for where in (f"{MARK}/{MARK}.mp4", f"/{MARK}/{MARK}.mp4"):
            await self.call("download_video", task_id=good, output_path=where, wait_seconds=20)
        blocked, clip = await self.buy("1", "seconds=1")
        clip.write_bytes(b"something in the way")
        undescribed, clip = await self.buy("2", "seconds=1")
        clip.with_suffix(".json.part").mkdir()
        crashed, _ = await self.buy("3 crashes")
        faults = ("garbage", "http500-after", "fail", "dead-link", "redirect-private")
        others = [(await self.buy(fault, fault))[0] for fault in faults]
        for fault in ("1026", "1008", "http401"):
            assert (await self.call("generate_video", prompt=f"{MARK} [sandbox:{fault}]")).is_error
        for task_id in (blocked, undescribed, crashed, *others):
            await until(lambda task_id=task_id: self.ended(task_id))

    async def mistakes(self) -> None:
        """Calls that are refused, and one that meets a fault of the server's own."""
        picture = self.tmp_path / f"{MARK}.png"
        picture.write_text(MARK)
        for image in (str(picture), f"/nowhere/{MARK}.png", f"https://127.0.0.1/{MARK}.png"):
            await self.call("generate_video", prompt=MARK, first_frame_image=image)
        await self.call("generate_video", prompt=MARK, last_frame_image=f"upload:{MARK}")
        await self.call("generate_video", prompt=MARK, **{MARK: MARK})
        await self.call("generate_video", prompt=[MARK], duration=MARK, resolution=MARK)
        await self.call("generate_from_template", template_id=MARK, text_inputs=[MARK])
        await self.call("query_task", task_id=MARK)
        crash = await self.call("cancel_task", task_id=MARK)
        assert "its log has the details" in crash.content[0].text
        for ask in (
            self.client.call_tool(MARK, {}),
            self.client.read_resource(f"hailuo://tasks/{MARK}"),
            self.client.read_resource(f"hailuo://{MARK}"),
            self.client.get_prompt("direct_shot", {MARK: MARK}),
            self.client.get_prompt(MARK),
        ):
            with suppress(MCPError):
                await ask


@pytest.mark.parametrize("served", [over_stdio, over_http])
async def test_no_word_of_a_prompt_or_a_files_name_is_logged(environ, tmp_path, served) -> None:
    log = tmp_path / "log"
    async with served(environ, log) as client:
        shop = Shop(client, tmp_path)
        await shop.purchases()
        await shop.mistakes()
        for told in TOLD:
            await until(lambda told=told: told in log.read_text())
        # What was in the way, the dead link and the private one.
        await until(lambda: log.read_text().count("saving v") >= 3)
    said = log.read_text()

    assert lines_about(MARK, said) == []
    assert "OSError: No space left on device" in said  # the system's own words stay
    assert "broken_cancel" in said
    assert TOKEN not in said


def test_no_word_of_a_line_that_is_no_message_is_logged(environ) -> None:
    hello = {
        "protocolVersion": "2025-06-18",
        "capabilities": {},
        "clientInfo": {"name": MARK, "version": MARK},
    }
    first = {"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": hello}
    lines = [json.dumps(first).encode(), *broken_messages(), MARK.encode(), b""]
    command = warm.program()
    with subprocess.Popen(command, stdin=PIPE, stdout=PIPE, stderr=PIPE, env=environ) as served:
        served.stdin.write(b"\n".join(lines))
        served.stdin.flush()
        answer = served.stdout.readline()  # nothing is written once the client has left
        _, log = served.communicate(timeout=30)

    assert answer.startswith(b'{"')
    assert lines_about(MARK, log.decode()) == []


def lines_about(word: str, log: str) -> list[str]:
    return [line for line in log.splitlines() if word.lower() in line.lower()]
