"""20 clients make 200 clips over HTTP and SSE, and the server may be restarted meanwhile.

    python benchmarks/http_load.py [--clients 20] [--clips 200] [--restart term,kill]

Everything is real: a sandbox in one process, the server in another, the SDK's clients in this one,
callbacks over loopback. It prints the figures and ends with 1 if a promise was broken.
"""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import json
import logging
import os
import signal
import socket
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import anyio
import httpx2
from mcp import Client
from mcp.client.sse import sse_client
from mcp.client.streamable_http import streamable_http_client

from hailuo_mcp.sandbox.report import read_book

WAYS = ("auto", "legacy", "sse")
PATIENCE = 240.0
"""Seconds for one clip before the run is called a failure."""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass
class Bench:
    folder: Path
    clients: int
    clips: int
    restarts: list[str]
    seconds: float
    sandbox_port: int = field(default_factory=free_port)
    port: int = field(default_factory=free_port)
    tokens: dict[str, str] = field(
        default_factory=lambda: {
            name: hashlib.sha256(name.encode()).hexdigest() for name in ("ada", "bo", "cy", "di")
        }
    )
    server: subprocess.Popen[bytes] | None = None
    done: Counter[str] = field(default_factory=Counter)
    ids: dict[str, str] = field(default_factory=dict)
    broken: list[str] = field(default_factory=list)
    reconnects: int = 0
    settled: int = 0
    not_bought: int = 0
    calls: list[float] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def environment(self) -> dict[str, str]:
        return os.environ | {
            "HAILUO_PROVIDER": "sandbox",
            "HAILUO_BASE_URL": f"http://127.0.0.1:{self.sandbox_port}",
            "HAILUO_API_KEY": "free",
            "HAILUO_STATE_DIR": str(self.folder / "state"),
            "HAILUO_OUTPUT_DIR": str(self.folder / "clips"),
            "HAILUO_RPM": "100000",
            "HAILUO_CALLBACK_URL": self.url,
            "HAILUO_HTTP_TOKENS": ",".join(f"{n}:{t}" for n, t in self.tokens.items()),
        }

    def start_server(self) -> None:
        command = [sys.executable, "-m", "hailuo_mcp", "serve", "--transport", "http", "--with-sse"]
        with (self.folder / "server.log").open("ab") as log:
            self.server = subprocess.Popen(
                [*command, "--port", str(self.port)], env=self.environment(), stderr=log
            )
        wait_for(self.port)


def wait_for(port: int) -> None:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.05)
    raise SystemExit(f"nothing listens on port {port}")


@contextlib.asynccontextmanager
async def connected(bench: Bench, way: str, token: str):
    headers = {"Authorization": f"Bearer {token}"}
    if way == "sse":
        transport = sse_client(f"{bench.url}/sse", headers=headers)
        async with Client(transport, mode="auto") as client:
            yield client
        return
    async with httpx2.AsyncClient(headers=headers, timeout=60) as http:
        transport = streamable_http_client(f"{bench.url}/mcp", http_client=http)
        async with Client(transport, mode=way) as client:
            yield client


async def one_client(bench: Bench, number: int, work: list[int]) -> None:
    way = WAYS[number % len(WAYS)]
    name = list(bench.tokens)[number % len(bench.tokens)]
    deadline = time.monotonic() + PATIENCE
    while work and time.monotonic() < deadline:
        try:
            async with connected(bench, way, bench.tokens[name]) as client:
                while work:
                    await make(bench, client, work[0], number)
                    bench.done[way] += 1
                    work.pop(0)
                    deadline = time.monotonic() + PATIENCE
        except Exception:  # noqa: BLE001  # the server is being restarted: come back, ask again
            bench.reconnects += 1
            await anyio.sleep(0.3)
    bench.broken += [f"clip {clip} of client {number} ({way}) never came" for clip in work]


async def make(bench: Bench, client: Client, clip: int, number: int) -> None:
    key = f"clip-{clip}"
    began = time.monotonic()
    bought = await client.call_tool(
        "generate_video", {"prompt": f"Boat number {clip} at sea", "request_key": key}
    )
    bench.calls.append(time.monotonic() - began)
    if bought.is_error:
        raise RuntimeError(bought.content)
    task_id = bought.structured_content["task_id"]
    if bench.ids.setdefault(key, task_id) != task_id:
        bench.broken.append(f"{key} was given two tasks")
    while True:
        found = await client.call_tool("query_task", {"task_id": task_id, "wait_seconds": 20})
        answer: dict[str, Any] = found.structured_content
        if answer.get("url") or answer.get("status") in ("failed", "cancelled", "unconfirmed"):
            break
    if answer.get("status") == "unconfirmed" and "kill" in bench.restarts:
        if not await anyio.to_thread.run_sync(settle, bench, task_id, clip):
            del bench.ids[key]  # it never reached the provider: the same key buys it now
        await make(bench, client, clip, number)
        return
    if answer.get("status") != "succeeded":
        bench.broken.append(f"{key} ended as {answer.get('status')}")
        return
    saved = (await client.call_tool("download_video", {"task_id": task_id})).structured_content
    async with httpx2.AsyncClient(timeout=30) as http:
        reply = await http.get(answer["url"])
        part = await http.get(answer["url"], headers={"Range": "bytes=4-7"})
    whole = hashlib.sha256(reply.content).hexdigest() == saved["sha256"]
    if reply.status_code != 200 or not whole or part.content != b"ftyp":
        bench.broken.append(f"{key} is not whole through its url ({reply.status_code})")


def settle(bench: Bench, task_id: str, clip: int) -> bool:
    """Look at the provider's bill, as a person does about a submit that SIGKILL cut off."""
    book = read_book(bench.folder / "sandbox" / "sandbox")
    mine = [
        remote_id
        for account in book["accounts"].values()
        for remote_id, facts in account["tasks"].items()
        if facts["prompt"] == f"Boat number {clip} at sea"
    ]
    bench.settled += 1
    verdict = ["bought", "--remote-id", mine[0]] if mine else ["not-bought"]
    subprocess.run(
        [sys.executable, "-m", "hailuo_mcp", "settle", task_id, *verdict],
        env=bench.environment(),
        check=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    bench.not_bought += not mine
    return bool(mine)


async def restarter(bench: Bench) -> None:
    """Restart once in each equal part of the run."""
    for at, how in enumerate(bench.restarts, start=1):
        while sum(bench.done.values()) < at * bench.clips / (len(bench.restarts) + 1):  # noqa: ASYNC110
            await anyio.sleep(0.05)
        began = time.monotonic()
        assert bench.server
        bench.server.send_signal(signal.SIGTERM if how == "term" else signal.SIGKILL)
        code = await anyio.to_thread.run_sync(bench.server.wait)
        left = time.monotonic() - began
        await anyio.to_thread.run_sync(bench.start_server)
        up = time.monotonic() - began
        print(f"restarted by {how}: exit {code} after {left:.2f} s, up {up:.2f} s")


async def run(bench: Bench) -> None:
    shares = [list(range(n, bench.clips, bench.clients)) for n in range(bench.clients)]
    async with anyio.create_task_group() as all_of_it:
        all_of_it.start_soon(restarter, bench)
        async with anyio.create_task_group() as clients:
            for number, work in enumerate(shares):
                clients.start_soon(one_client, bench, number, work)
        all_of_it.cancel_scope.cancel()


def report(bench: Bench, took: float) -> int:
    book = read_book(bench.folder / "sandbox" / "sandbox")
    remote = {t: facts for a in book["accounts"].values() for t, facts in a["tasks"].items()}
    rows = (
        sqlite3.connect(bench.folder / "state" / "journal.sqlite3")
        .execute("SELECT remote_id, status, file FROM tasks")
        .fetchall()
    )
    lags = sorted(
        Path(file).stat().st_ctime - remote[remote_id]["finished_at"]
        for remote_id, _, file in rows
        if file and remote_id in remote
    )
    polls = [facts["status_requests"] for facts in remote.values()]
    log = (bench.folder / "server.log").read_text("utf-8")
    leaks = [name for name, token in bench.tokens.items() if token in log]
    leaks += ["prompt"] if "Boat number" in log else []
    leaks += ["a signed path"] if "/files/v" in log else []
    facts = {
        "clients": bench.clients,
        "clips asked for": bench.clips,
        "ended once": sum(status == "succeeded" for _, status, _ in rows),
        "bought": len(remote),
        "bought twice": book["totals"]["duplicates"],
        "whole through url": sum(bench.done.values()) - len(bench.broken),
        "by way": dict(bench.done),
        "reconnects": bench.reconnects,
        "submits cut off by SIGKILL and settled by a person": bench.settled,
        "of these never bought": bench.not_bought,
        "seconds": round(took, 1),
        "generate_video, median s": round(statistics.median(bench.calls), 3),
        "generate_video, slowest s": round(max(bench.calls), 3),
        "success to file, median s": round(statistics.median(lags), 3),
        "success to file, p95 s": round(lags[int(0.95 * len(lags))], 3),
        "success to file, slowest s": round(lags[-1], 3),
        "status requests a task, mean": round(statistics.mean(polls), 2),
        "status requests a task, most": max(polls),
        "callbacks": book["totals"]["callbacks"],
        "callbacks lost": book["totals"]["callbacks_failed"],
        "secrets in the log": leaks,
    }
    print(json.dumps(facts, indent=1))
    wrong = list(bench.broken)
    made = len(rows) - bench.not_bought
    if not made == len(remote) == facts["ended once"] == bench.clips:
        wrong.append("not every clip was bought once and ended once")
    if facts["bought twice"] or leaks:
        wrong.append("bought twice, or a secret in the log")
    if facts["success to file, median s"] >= 0.5 or facts["status requests a task, mean"] > 2:
        wrong.append("slower, or asking more often, than promised")
    for line in wrong[:10]:
        print("BROKEN:", line)
    return 1 if wrong else 0


def main() -> int:
    logging.disable(logging.ERROR)  # the SDK's clients complain of a server that restarts
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--clients", type=int, default=20)
    parser.add_argument("--clips", type=int, default=200)
    parser.add_argument("--restart", default="", help="term, kill, or both with a comma")
    parser.add_argument("--seconds", type=float, default=3.0, help="until a clip is ready")
    parser.add_argument("--keep", default="", help="a folder to work in and to keep")
    args = parser.parse_args()
    with contextlib.ExitStack() as stack:
        folder = Path(args.keep or stack.enter_context(tempfile.TemporaryDirectory()))
        bench = Bench(
            folder,
            args.clients,
            args.clips,
            [r for r in args.restart.split(",") if r],
            args.seconds,
        )
        sandbox_command = [sys.executable, "-m", "hailuo_mcp", "sandbox", "--fast-clips"]
        sandbox = subprocess.Popen(
            [*sandbox_command, "--port", str(bench.sandbox_port), "--seconds", str(args.seconds)],
            env=os.environ | {"HAILUO_STATE_DIR": str(folder / "sandbox")},
            stdout=subprocess.DEVNULL,
        )
        stack.callback(sandbox.wait)
        stack.callback(sandbox.terminate)
        wait_for(bench.sandbox_port)
        bench.start_server()
        began = time.monotonic()
        try:
            anyio.run(run, bench)
        finally:
            assert bench.server
            bench.server.terminate()
            bench.server.wait()
        return report(bench, time.monotonic() - began)


if __name__ == "__main__":
    raise SystemExit(main())
