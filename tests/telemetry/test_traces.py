"""One trace from the caller's request to the file, in whichever process each step happens."""

# nothing else runs in this loop

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncGenerator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx2
import pytest
import warm
from mcp import Client, MCPError, StdioServerParameters
from mcp.client.stdio import stdio_client
from mcp.client.streamable_http import streamable_http_client
from opentelemetry import context, propagate
from postgres import database_url
from until import until, until_now

from hailuo_mcp.sandbox.options import SandboxOptions
from hailuo_mcp.sandbox.serve import RunningSandbox, serve_in_thread

from .collector import Collector, collecting

pytestmark = pytest.mark.anyio

MARK = "Kauderwelsch"
TOKEN = "a-token-of-the-tests-0123456789"
KEY = "the-key-of-the-account"
TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
TRACEPARENT = f"00-{TRACE}-00f067aa0ba902b7-01"
STEPS = ("purchase", "submit", "poll", "download")
PATIENCE = "300"  # seconds that the variables would give a silent collector
GIVES_UP_AFTER = 60.0  # a second, on a computer with nothing else to do


@pytest.fixture
def collector() -> Iterator[Collector]:
    with collecting() as running:
        yield running


@pytest.fixture
def sandbox(tmp_path: Path) -> Iterator[RunningSandbox]:
    options = SandboxOptions(state_dir=tmp_path / "provider", seconds_to_ready=0.2, fast_clips=True)
    with serve_in_thread(options) as running:
        yield running


@pytest.fixture
def environ(tmp_path: Path, sandbox: RunningSandbox, collector: Collector) -> dict[str, str]:
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(tmp_path),
        "PYTHONPATH": str(Path(__file__).parents[2]),
        "HAILUO_PROVIDER": "sandbox",
        "HAILUO_BASE_URL": sandbox.base_url,
        "HAILUO_API_KEY": KEY,
        "HAILUO_OUTPUT_DIR": str(tmp_path / "clips"),
        "HAILUO_STATE_DIR": str(tmp_path / "state"),
        "HAILUO_POLL_SECONDS": "0.2",
        "HAILUO_RPM": "10000",
        "HAILUO_HTTP_TOKENS": f"alice:{TOKEN}",
        "OTEL_EXPORTER_OTLP_ENDPOINT": collector.url,
        "OTEL_BSP_SCHEDULE_DELAY": "100",
    }


class Server:
    """`hailuo-mcp serve --transport http`, as an operator runs it."""

    def __init__(self, environ: dict[str, str], log: Path) -> None:
        self._log = log
        with log.open("wb") as said:
            self.process = subprocess.Popen(
                [*warm.program(), "serve", "--transport", "http", "--port", "0"],
                env=environ,
                stdout=subprocess.DEVNULL,
                stderr=said,
            )
        self.url = until_now(self._address)

    def _address(self) -> str:
        assert self.process.poll() is None, self._log.read_text()
        return next((line["address"] for line in self.lines if "address" in line), "")

    @property
    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(one) for one in self._log.read_text().splitlines() if one[:1] == "{"]

    def stop(self, how: int = signal.SIGTERM) -> float:
        """Returns the seconds that it took to end."""
        began = time.monotonic()
        self.process.send_signal(how)
        self.process.wait(90)
        return time.monotonic() - began

    @asynccontextmanager
    async def client(self, mode: str = "auto", **headers: str) -> AsyncGenerator[Client]:
        headers["Authorization"] = f"Bearer {TOKEN}"
        async with httpx2.AsyncClient(headers=headers, timeout=30) as http:
            transport = streamable_http_client(f"{self.url}/mcp", http_client=http)
            async with Client(transport, mode=mode) as client:
                yield client


@pytest.fixture
def servers(tmp_path: Path) -> Iterator[list[Server]]:
    started: list[Server] = []
    yield started
    for server in started:
        if server.process.poll() is None:
            server.stop(signal.SIGKILL)


def serve(servers: list[Server], environ: dict[str, str], tmp_path: Path) -> Server:
    servers.append(Server(environ, tmp_path / f"log-{len(servers)}"))
    return servers[-1]


@asynccontextmanager
async def within_the_trace() -> AsyncGenerator[None]:
    """The SDK's client puts the present trace into `_meta`."""
    token = context.attach(propagate.extract({"traceparent": TRACEPARENT}))
    try:
        yield
    finally:
        context.detach(token)


async def saved(client: Client, prompt: str = f"{MARK} sails") -> str:
    made = await client.call_tool("generate_video", {"prompt": prompt})
    task_id = made.structured_content["task_id"]
    ids = {"task_id": task_id, "wait_seconds": 20}
    told = (await client.call_tool("download_video", ids)).structured_content
    assert told["status"] == "saved"
    return task_id


@pytest.mark.parametrize(
    ("mode", "way"),
    [("auto", "meta"), ("legacy", "meta"), ("auto", "header"), ("legacy", "header")],
)
async def test_a_purchase_is_one_trace_from_its_caller_to_the_file(
    servers, environ, tmp_path, collector, mode, way
) -> None:
    server = serve(servers, environ, tmp_path)
    if way == "meta":
        async with within_the_trace(), server.client(mode) as client:
            task_id = await saved(client)
    else:
        async with server.client(mode, traceparent=TRACEPARENT) as client:
            task_id = await saved(client)
    await until(lambda: all(collector.named(step) for step in STEPS))

    spans = {span.span_id: span for span in collector.spans}
    (purchase,) = collector.named("purchase")
    assert spans[purchase.parent].name == "tools/call generate_video"
    for step in STEPS:
        for span in collector.named(step):
            assert span.trace_id == TRACE, step
            assert span.attributes["hailuo.task_id"] == task_id
            assert span.service == "hailuo-mcp"
            if step != "purchase":
                assert span.parent == purchase.span_id, step
    assert purchase.attributes["hailuo.amount"] > 0
    assert collector.named("download")[0].attributes["hailuo.bytes"] > 1000
    events = {line["event"]: line for line in server.lines if "event" in line}
    assert set(events) == {"recorded", "submitted", "answered", "ready", "saved"}
    assert {line["trace_id"] for line in events.values()} == {TRACE}
    assert {line["task_id"] for line in events.values()} == {task_id}


@pytest.mark.parametrize("store", ["sqlite", "postgres"])
async def test_the_next_process_goes_on_with_the_trace(
    servers, environ, tmp_path, collector, store
) -> None:
    if store == "postgres":
        environ["HAILUO_DATABASE_URL"] = database_url(tmp_path)
    first = serve(servers, environ, tmp_path)
    async with within_the_trace(), first.client() as client:
        made = await client.call_tool("generate_video", {"prompt": "A boat [sandbox:seconds=2]"})
    await until(lambda: collector.named("submit"))
    first.stop(signal.SIGKILL)
    serve(servers, environ, tmp_path)
    await until(lambda: collector.named("download"))

    (download,) = collector.named("download")
    assert download.trace_id == TRACE
    assert download.attributes["hailuo.task_id"] == made.structured_content["task_id"]


async def test_nothing_of_a_client_a_key_or_a_path_is_exported(
    servers, environ, tmp_path, collector
) -> None:
    server = serve(servers, environ, tmp_path)
    async with server.client() as client:
        await saved(client)
        await client.call_tool("generate_video", {"prompt": f"{MARK} [sandbox:1026]"})
        await client.call_tool("generate_video", {"prompt": MARK, MARK: MARK})
        await client.call_tool("generate_video", {"prompt": MARK, "first_frame_image": f"/{MARK}"})
        await client.call_tool("query_task", {"task_id": MARK})
        await client.call_tool(MARK, {})
        for ask in (
            client.read_resource(f"hailuo://tasks/{MARK}"),
            client.get_prompt(MARK),
            client.get_prompt("direct_shot", {MARK: MARK}),
        ):
            with pytest.raises(MCPError):
                await ask
    await until(lambda: collector.named("tools/call unknown"))
    server.stop()

    everything = b"".join(collector.bodies).lower()
    for word in (MARK, TOKEN, KEY, str(tmp_path), "authorization", "http://", ".mp4"):
        assert word.lower().encode() not in everything, word
    assert all(span.failed for span in collector.named("tools/call unknown"))


async def test_the_last_spans_are_exported_before_the_process_ends(
    servers, environ, tmp_path, collector
) -> None:
    server = serve(servers, environ | {"OTEL_BSP_SCHEDULE_DELAY": "60000"}, tmp_path)
    async with server.client() as client:
        await saved(client)
    assert not collector.spans
    server.stop()
    assert {span.name for span in collector.spans} >= set(STEPS)


async def test_a_collector_that_is_silent_holds_the_end_up_for_a_second_at_most(
    servers, environ, tmp_path
) -> None:
    with collecting(answers=False) as silent:
        environ["OTEL_EXPORTER_OTLP_ENDPOINT"] = silent.url
        environ["OTEL_EXPORTER_OTLP_TIMEOUT"] = PATIENCE
        server = serve(servers, environ, tmp_path)
        async with server.client() as client:
            await saved(client)
        assert server.stop() < GIVES_UP_AFTER


@pytest.mark.parametrize("answers", [True, False])
async def test_over_stdio_too(environ, tmp_path, answers) -> None:
    with collecting(answers=answers) as collector:
        environ |= {
            "OTEL_EXPORTER_OTLP_ENDPOINT": collector.url,
            "OTEL_EXPORTER_OTLP_TIMEOUT": PATIENCE,
            "OTEL_BSP_SCHEDULE_DELAY": "60000",
        }
        command, *args = warm.program()
        process = StdioServerParameters(command=command, args=args, env=environ)
        async with within_the_trace(), Client(stdio_client(process)) as client:
            await saved(client)
            began = time.monotonic()
        assert time.monotonic() - began < GIVES_UP_AFTER
        if answers:
            assert {span.name for span in collector.spans} >= set(STEPS)
            assert {span.trace_id for span in collector.spans if span.name in STEPS} == {TRACE}


OFF: tuple[dict[str, str], ...] = (
    {},
    {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:9", "OTEL_SDK_DISABLED": "true"},
    {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:9", "OTEL_TRACES_EXPORTER": "none"},
    {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:9", "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"},
)
LOADED = """
import json, os, sys
from hailuo_mcp import __version__
from hailuo_mcp.server.http import create_app
from hailuo_mcp.settings import Settings
from hailuo_mcp.telemetry import tracing
create_app(Settings())
for line in sys.stdin:
    given = json.loads(line)
    os.environ.update(given)
    tracing.start(os.environ, __version__, ())
    with tracing.span("purchase") as step:
        step.note(task_id="v1")
    print(*sys.modules, flush=True)
    for name in given:
        del os.environ[name]
"""


def test_nothing_is_loaded_unless_the_variables_ask_for_it() -> None:
    environ = {name: value for name, value in os.environ.items() if not name.startswith("OTEL_")}
    given = [*OFF, {"OTEL_TRACES_EXPORTER": "otlp"}]
    ran = subprocess.run(
        [sys.executable, "-c", LOADED],
        env=environ,
        input="".join(json.dumps(one) + "\n" for one in given),
        capture_output=True,
        text=True,
        check=True,
    )
    loaded = [
        any(
            name.startswith(("opentelemetry.sdk", "opentelemetry.exporter", "requests"))
            for name in line.split()
        )
        for line in ran.stdout.splitlines()
    ]
    assert loaded == [*(False for _ in OFF), True]
