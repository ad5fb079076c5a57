"""Health, figures, live updates, and how the server leaves."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess

import anyio
import httpx
import httpx2
import pytest
import warm
from mcp import Client
from mcp.client.streamable_http import streamable_http_client
from until import until_now

from hailuo_mcp.server.tools import all_tools

from .conftest import NO_TLS


@pytest.mark.anyio
async def test_readiness_names_what_is_missing(serve, server):
    with server.http() as http:
        assert http.get("/ready").json() == {"status": "ready", "journal": "ok", "provider": "ok"}


@pytest.mark.anyio
async def test_a_provider_out_of_reach_is_not_ready(serve):
    server = serve(HAILUO_BASE_URL="http://127.0.0.1:9")
    with server.http() as http:
        reply = http.get("/ready")

    assert reply.status_code == 503
    assert reply.json()["provider"] == "provider_unavailable"
    assert reply.json()["journal"] == "ok"


@pytest.mark.anyio
async def test_a_state_folder_that_cannot_be_used_is_told_to_every_caller(serve, tmp_path):
    (tmp_path / "file").write_text("")
    server = serve(HAILUO_STATE_DIR=str(tmp_path / "file" / "state"))
    with server.http() as http:
        assert http.get("/ready").status_code == 503
        assert http.get("/health").status_code == 200
        figures = http.get("/metrics")
        assert (figures.status_code, "hailuo_tasks{" in figures.text) == (200, False)
        assert "hailuo_journal_up 0.0" in figures.text
        assert http.post("/callbacks/" + "a" * 32, json={}).status_code == 503
        assert http.get("/files/x").status_code == 404
    async with server.client() as client:
        assert len((await client.list_tools()).tools) == len(all_tools())
        refused = await client.call_tool("list_tasks", {})
    assert refused.is_error


@pytest.mark.anyio
@pytest.mark.parametrize("way", ["legacy", "sse"])
async def test_each_session_of_one_caller_is_told_everything_once(serve, way):
    server = serve(ready=60)
    async with server.client(way) as one, server.client(way) as other:
        made = await one.call_tool("generate_video", {"prompt": "A boat"})
        query = {"task_id": made.structured_content["task_id"], "wait_seconds": 0}
        told = [await each.call_tool("query_task", query) for each in (one, one, other, other)]
    whole = ["prompt" in answer.structured_content for answer in told]
    assert whole[1:] == [False, True, False]


@pytest.mark.anyio
async def test_the_figures_count_tasks_money_polls_and_times(server):
    async with server.client() as client:
        made = await client.call_tool("generate_video", {"prompt": "A boat"})
        task_id = made.structured_content["task_id"]
        await client.call_tool("query_task", {"task_id": task_id, "wait_seconds": 20})
        await client.call_tool("query_task", {"task_id": "nothing", "wait_seconds": 0})
        await client.session.call_tool("show_cards", {})  # what only the page calls is not listed
    with server.http() as http:
        reply = http.get("/metrics")
    lines = dict(
        line.rsplit(" ", 1) for line in reply.text.splitlines() if line.startswith("hailuo_")
    )

    assert reply.headers["content-type"].startswith("text/plain")
    assert lines["hailuo_journal_up"] == "1.0"
    assert lines['hailuo_tasks{status="succeeded"}'] == "1.0"
    assert float(lines['hailuo_money{kind="spent",period="day",provider="sandbox",unit="CNY"}']) > 0
    for what in ("submit", "download", "rate_wait"):
        assert lines[f"hailuo_{what}_seconds_count"] == "1.0", what
    assert float(lines["hailuo_poll_seconds_count"]) >= 1
    assert lines['hailuo_tool_seconds_count{outcome="ok",tool="generate_video"}'] == "1.0"
    assert lines['hailuo_tool_seconds_count{outcome="refused",tool="query_task"}'] == "1.0"
    assert lines['hailuo_tool_calls_total{outcome="ok",tenant="",tool="generate_video"}'] == "1.0"
    assert lines['hailuo_tool_seconds_count{outcome="ok",tool="show_cards"}'] == "1.0"
    for event in ("recorded", "submitted", "answered", "ready", "saved"):
        assert lines[f'hailuo_events_total{{event="{event}",tenant=""}}'] == "1.0", event
    assert lines['hailuo_events_total{event="failed",tenant=""}'] == "0.0"


@pytest.mark.anyio
async def test_who_listens_to_a_task_is_told_of_its_end(server):
    async with server.client("auto") as client:
        made = await client.call_tool("generate_video", {"prompt": "A boat"})
        uri = f"hailuo://tasks/{made.structured_content['task_id']}"
        with anyio.fail_after(60):
            async with client.listen(resource_subscriptions=[uri]) as news:
                async for event in news:
                    assert str(event.uri) == uri
                    told = json.loads((await client.read_resource(uri)).contents[0].text)
                    if told["status"] == "succeeded" and "url" in told:
                        break


@pytest.mark.anyio
async def test_who_listens_to_anothers_task_hears_nothing_of_it(serve):
    server = serve(ready=1)
    async with server.client("auto") as alice, server.client("auto", "bob") as bob:
        made = await alice.call_tool("generate_video", {"prompt": "A boat"})
        task_id = made.structured_content["task_id"]
        uris = [f"hailuo://tasks/{task_id}", "hailuo://spending"]
        with anyio.fail_after(60):
            async with (
                bob.listen(resource_subscriptions=uris) as foreign,
                alice.listen(resource_subscriptions=uris) as own,
            ):
                # The news of a task comes right before that of the spending.
                assert [str((await anext(foreign)).uri) for _ in range(2)] == [uris[1]] * 2
                assert [str((await anext(own)).uri) for _ in range(2)] == uris


class Process:
    """The command as an operator runs it."""

    def __init__(self, tmp_path, sandbox_url: str) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = int(probe.getsockname()[1])
        self.out, self.log = tmp_path / "stdout", tmp_path / "stderr"
        self.environ = os.environ | {
            "HAILUO_PROVIDER": "sandbox",
            "HAILUO_BASE_URL": sandbox_url,
            "HAILUO_API_KEY": "the-key-of-the-account",
            "HAILUO_STATE_DIR": str(tmp_path / "state"),
            "HAILUO_OUTPUT_DIR": str(tmp_path / "clips"),
            "HAILUO_HTTP_TOKENS": "alice:alices-token-0123456789",
            "HAILUO_CALLBACK_URL": f"http://127.0.0.1:{self.port}",
            "HAILUO_RPM": "1000",
            "HAILUO_POLL_SECONDS": "0.5",
        }

    def start(self) -> None:
        command = [*warm.program(), "serve", "--transport", "http", "--with-sse"]
        with self.out.open("ab") as out, self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [*command, "--port", str(self.port)], env=self.environ, stdout=out, stderr=log
            )
        until_now(self._serves, seconds=60)

    def _serves(self) -> bool:
        assert self.process.poll() is None, self.log.read_text()
        try:
            return httpx.get(f"http://127.0.0.1:{self.port}/health", verify=NO_TLS).is_success
        except httpx.TransportError:
            return False

    def stop(self, how: int = signal.SIGTERM) -> None:
        self.process.send_signal(how)
        self.process.wait(60)

    def client(self):
        headers = {"Authorization": "Bearer alices-token-0123456789"}
        return httpx2.AsyncClient(headers=headers, timeout=60, verify=NO_TLS)

    def connect(self, http, mode="auto"):
        return Client(
            streamable_http_client(f"http://127.0.0.1:{self.port}/mcp", http_client=http), mode=mode
        )


@pytest.fixture
def process(tmp_path):
    from hailuo_mcp.sandbox.options import SandboxOptions
    from hailuo_mcp.sandbox.serve import serve_in_thread

    options = SandboxOptions(state_dir=tmp_path / "sbx", seconds_to_ready=2.0, fast_clips=True)
    with serve_in_thread(options) as sandbox:
        process = Process(tmp_path, sandbox.base_url)
        process.start()
        yield process
        if process.process.poll() is None:
            process.stop()


@pytest.mark.anyio
async def test_a_clip_under_way_survives_a_restart_and_its_buyer_finds_it(process):
    for how in (signal.SIGTERM, signal.SIGKILL):
        wanted = {"prompt": f"A boat {how} [sandbox:seconds=5]"}
        async with process.client() as http, process.connect(http) as client:
            made = await client.call_tool("generate_video", wanted)
        process.stop(how)
        process.start()
        async with process.client() as http, process.connect(http) as client:
            again = await client.call_tool("generate_video", wanted)
            assert again.structured_content["reused"] is True
            ids = {"task_id": made.structured_content["task_id"], "wait_seconds": 50}
            answer = (await client.call_tool("download_video", ids)).structured_content
            assert (await http.get(answer["url"])).status_code == 200


@pytest.mark.anyio
async def test_a_call_that_waits_is_answered_before_the_server_leaves(process):
    """A client of each era waits."""
    answers = []
    async with (
        process.client() as http,
        process.connect(http, "auto") as newer,
        process.connect(http, "legacy") as older,
    ):
        await older.list_tools()  # which it would do after the answer, and find nobody there
        asked = {"prompt": "A boat [sandbox:seconds=600]"}
        made = await newer.call_tool("generate_video", asked)
        ids = {"task_id": made.structured_content["task_id"], "wait_seconds": 60}

        async def ask(client, waiting):
            async def told(*_progress):
                waiting.set()

            answers.append(await client.call_tool("query_task", ids, progress_callback=told))

        async with anyio.create_task_group() as asking:
            for client in (newer, older):
                waiting = anyio.Event()
                asking.start_soon(ask, client, waiting)
                await waiting.wait()
            await anyio.to_thread.run_sync(process.stop)
    statuses = [answer.structured_content["status"] for answer in answers]
    assert len(statuses) == 2
    assert set(statuses) <= {"queued", "running"}


def test_a_body_half_sent_does_not_hold_up_the_leaving(process):
    with socket.create_connection(("127.0.0.1", process.port), 10) as raw:
        raw.sendall(
            b"POST /mcp HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99\r\n"
            b"Authorization: Bearer alices-token-0123456789\r\nExpect: 100-continue\r\n\r\n"
        )
        assert raw.recv(4096).startswith(b"HTTP/1.1 100")  # now it is read
        raw.sendall(b"{")
        process.stop()
        assert raw.recv(4096).startswith(b"HTTP/1.1 503")

    assert '"level": "error"' not in process.log.read_text()
    said = process.out.read_text()
    assert said == f"Serving MCP at http://127.0.0.1:{process.port}/mcp; Ctrl-C stops it.\n"


def test_nothing_is_said_to_be_served_where_it_is_not(tmp_path):
    command = [*warm.program(), "serve", "--transport", "http", "--port"]
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        ran = subprocess.run(
            [*command, str(port)],
            env=Process(tmp_path, "http://127.0.0.1:9").environ,
            capture_output=True,
            text=True,
            check=False,
        )

    assert ran.returncode
    assert "cannot listen" in ran.stderr
    assert "Serving" not in ran.stderr + ran.stdout


@pytest.mark.filterwarnings("ignore::ResourceWarning")
@pytest.mark.anyio
async def test_no_log_line_holds_a_token_a_key_a_link_or_a_prompt(process, tmp_path):
    from PIL import Image

    picture = tmp_path / "cat.png"
    Image.new("RGB", (640, 480)).save(picture)
    prompt = "A very particular boat"
    async with process.client() as http, process.connect(http) as client:
        made = await client.call_tool("generate_video", {"prompt": prompt})
        ids = {"task_id": made.structured_content["task_id"], "wait_seconds": 20}
        ended = (await client.call_tool("download_video", ids)).structured_content
        await http.get(ended["url"])
        await http.get(ended["url"].replace(".mp4", "x.mp4"))
        refused = await client.call_tool(
            "generate_video", {"prompt": prompt, "first_frame_image": str(picture)}
        )
        await client.call_tool("generate_video", {"prompt": f"{prompt} [sandbox:1026]"})
        link = next(w for w in refused.content[0].text.split() if "/uploads/" in w)
        await http.post(link, content=picture.read_bytes())
        base = f"http://127.0.0.1:{process.port}"
        await http.post(f"{base}/mcp", content=f'{{"broken {prompt}'.encode())
        await http.post(f"{base}/messages/?session_id=1", json={"prompt": prompt})
        await http.post(f"{base}/callbacks/{'q' * 32}", json={"prompt": prompt})
        await http.get(f"{base}/ready", headers={"Authorization": "Bearer not-a-token-at-all"})
        await http.get(f"{base}/alices-token-0123456789?key=the-key-of-the-account")
        await http.get(f"{base}/health", headers={"Host": "alices-token-0123456789"})
    process.stop()
    log = process.log.read_text()
    lines = [json.loads(line) for line in log.splitlines()]

    assert any(line.get("request_id") and line.get("route") == "/mcp" for line in lines)
    for secret in (
        "alices-token",
        "not-a-token-at-all",
        "the-key-of-the-account",
        "particular boat",
        ended["url"].rpartition("/")[2],
        link.rpartition("/")[2],
        "q" * 32,
    ):
        assert secret not in log, secret
