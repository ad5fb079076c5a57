"""docs/operating: through each proxy, every client reaches the replica that knows it."""

# nothing else runs in this loop

from __future__ import annotations

import itertools
import json
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import AsyncGenerator, Iterator
from contextlib import ExitStack, asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import anyio
import httpx
import httpx2
import pytest
from mcp import Client
from mcp.client.sse import sse_client
from mcp.client.streamable_http import streamable_http_client
from ports import free_port
from until import until_now

from hailuo_mcp.sandbox.options import SandboxOptions
from hailuo_mcp.sandbox.serve import serve_in_thread

from .conftest import NO_TLS, WAYS, sse_http

OPERATING = Path(__file__).parents[2] / "docs/operating"
TOKENS = {f"caller{n}": f"a-token-of-caller-{n}-0123456789" for n in range(12)}
"""So many that hardly ever all go to one replica: nginx shares them out by its port, too."""
SEARCHED = f"{os.environ['PATH']}{os.pathsep}/usr/sbin"
HAPROXY, NGINX = (shutil.which(name, path=SEARCHED) for name in ("haproxy", "nginx"))


class Replica:
    def __init__(self, folder: Path, environ: dict[str, str], name: str) -> None:
        self.port, self._log = free_port(), folder / f"log-{name}"
        command = [sys.executable, "-m", "hailuo_mcp", "serve", "--transport", "http", "--with-sse"]
        with self._log.open("wb") as said:
            self.process = subprocess.Popen(
                [*command, "--port", str(self.port)],
                env=environ,
                stdout=subprocess.DEVNULL,
                stderr=said,
            )

    @property
    def requests(self) -> list[dict[str, Any]]:
        lines = [json.loads(one) for one in self._log.read_text().splitlines() if one[:1] == "{"]
        return [line for line in lines if line["message"] == "request"]


@contextmanager
def running(process: subprocess.Popen[bytes], how: int = signal.SIGTERM) -> Iterator[None]:
    try:
        yield
    finally:
        process.send_signal(how)
        process.wait(60)


@pytest.fixture
def replicas(tmp_path: Path) -> Iterator[list[Replica]]:
    options = SandboxOptions(state_dir=tmp_path / "provider", seconds_to_ready=0.2, fast_clips=True)
    with ExitStack() as stack:
        sandbox = stack.enter_context(serve_in_thread(options))
        environ = os.environ | {
            "HAILUO_PROVIDER": "sandbox",
            "HAILUO_BASE_URL": sandbox.base_url,
            "HAILUO_STATE_DIR": str(tmp_path / "state"),
            "HAILUO_OUTPUT_DIR": str(tmp_path / "clips"),
            "HAILUO_POLL_SECONDS": "0.2",
            "HAILUO_RPM": "10000",
            "HAILUO_HTTP_TOKENS": ",".join(f"{name}:{token}" for name, token in TOKENS.items()),
        }
        started = [Replica(tmp_path, environ, name) for name in "ab"]
        for replica in started:
            stack.enter_context(running(replica.process))
        for replica in started:
            until_now(lambda port=replica.port: answers(port), seconds=60)
        yield started


def answers(port: int) -> bool:
    try:
        return httpx.get(f"http://127.0.0.1:{port}/health", verify=NO_TLS).is_success
    except httpx.TransportError:
        return False


def address(text: str, replicas: list[Replica], port: int) -> str:
    """The file as it is, with the addresses of this test."""
    for name, replica in zip("ab", replicas, strict=True):
        text = text.replace(f"hailuo-{name}:8000", f"127.0.0.1:{replica.port}")
    return re.sub(r"(bind :|listen )8000", rf"\g<1>{port}", text)


@contextmanager
def haproxy(replicas: list[Replica], folder: Path) -> Iterator[int]:
    port, file = free_port(), folder / "haproxy.cfg"
    file.write_text(address((OPERATING / "haproxy.cfg").read_text(), replicas, port))
    subprocess.run([str(HAPROXY), "-c", "-f", str(file)], check=True, capture_output=True)
    with running(subprocess.Popen([str(HAPROXY), "-db", "-f", str(file)])):
        until_now(lambda: answers(port), seconds=60)
        yield port


@contextmanager
def nginx(replicas: list[Replica], folder: Path) -> Iterator[int]:
    port, file = free_port(), folder / "nginx.conf"
    site = address((OPERATING / "nginx.conf").read_text(), replicas, port)
    file.write_text(
        f"daemon off; pid {folder}/nginx.pid; error_log {folder}/error.log;\n"
        f"events {{}}\nhttp {{\n client_body_temp_path {folder}/a; proxy_temp_path {folder}/b;\n"
        f" fastcgi_temp_path {folder}/c; uwsgi_temp_path {folder}/d; scgi_temp_path {folder}/e;\n"
        f"{site}}}\n"
    )
    command = [str(NGINX), "-p", str(folder), "-c", str(file), "-e", f"{folder}/error.log"]
    subprocess.run([*command, "-t"], check=True, capture_output=True)
    with running(subprocess.Popen(command)):
        until_now(lambda: answers(port), seconds=60)
        yield port


@asynccontextmanager
async def connected(port: int, way: str, token: str) -> AsyncGenerator[Client]:
    headers, url = {"Authorization": f"Bearer {token}"}, f"http://127.0.0.1:{port}"
    if way == "sse":
        transport = sse_client(f"{url}/sse", headers=headers, httpx_client_factory=sse_http)
        async with Client(transport, mode="auto") as client:
            yield client
        return
    async with httpx2.AsyncClient(headers=headers, timeout=60, verify=NO_TLS) as http:
        transport = streamable_http_client(f"{url}/mcp", http_client=http)
        async with Client(transport, mode=way) as client:
            yield client


async def shop(port: int, way: str, name: str, done: list[str]) -> None:
    """Buy, wait and download, in a session of several calls."""
    async with connected(port, way, TOKENS[name]) as client:
        prompt = f"A boat of {name}, {way}"
        made = (await client.call_tool("generate_video", {"prompt": prompt})).structured_content
        ids = {"task_id": made["task_id"], "wait_seconds": 20}
        saved = (await client.call_tool("download_video", ids)).structured_content
        assert saved["status"] == "saved", saved
        for _ in range(2):
            assert not (await client.call_tool("list_tasks", {})).is_error
        async with httpx2.AsyncClient(timeout=60, verify=NO_TLS) as http:
            assert (await http.get(saved["url"])).status_code == 200
    done.append(way)


@pytest.mark.slow
@pytest.mark.anyio
@pytest.mark.parametrize(
    "proxy",
    [
        pytest.param(haproxy, marks=pytest.mark.skipif(not HAPROXY, reason="no haproxy here")),
        pytest.param(nginx, marks=pytest.mark.skipif(not NGINX, reason="no nginx here")),
    ],
)
async def test_clients_of_every_era_get_their_clips(replicas, tmp_path, proxy) -> None:
    done: list[str] = []
    with proxy(replicas, tmp_path) as port:
        async with anyio.create_task_group() as clients:
            for name, way in zip(TOKENS, itertools.cycle(WAYS), strict=False):
                clients.start_soon(shop, port, way, name, done)
    assert sorted(done) == sorted(WAYS * (len(TOKENS) // len(WAYS)))
    for replica in replicas:
        routes = [line["route"] for line in replica.requests]
        assert {"/mcp", "/sse"} & {*routes}, routes
    assert all(line["status"] < 400 for each in replicas for line in each.requests)
