"""A client of the HTTP server that can do one thing: buy."""

from __future__ import annotations

import asyncio
import json
import signal
import socket
import time
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any, Self

from rig.session import HELLO

START_SECONDS = 20.0


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class HttpSession:
    """One server process, asked over streamable HTTP."""

    def __init__(self, command: Sequence[str], environ: Mapping[str, str], port: int) -> None:
        self._command, self._environ = command, environ
        self._url = f"http://127.0.0.1:{port}/mcp"
        self._port = port
        self._session = ""
        self._number = 0
        self.process: asyncio.subprocess.Process

    async def __aenter__(self) -> Self:
        self.process = await asyncio.create_subprocess_exec(
            *self._command,
            env=dict(self._environ),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
        )
        async with asyncio.timeout(START_SECONDS):
            await asyncio.to_thread(self._wait_until_it_listens)
        await self.ask("initialize", **HELLO)
        await self.ask("notifications/initialized", notify=True)
        return self

    async def __aexit__(self, *_: object) -> None:
        with suppress(ProcessLookupError):
            self.process.send_signal(signal.SIGKILL)
        await self.process.wait()

    async def buy(self, prompts: Sequence[str]) -> None:
        for prompt in prompts:
            found = await self.ask(
                "tools/call", name="generate_video", arguments={"prompt": prompt}
            )
            if "result" not in found or found["result"].get("isError"):
                raise RuntimeError(json.dumps(found)[:400])

    async def ask(self, method: str, *, notify: bool = False, **params: Any) -> dict[str, Any]:
        self._number += 1
        message: dict[str, Any] = {"jsonrpc": "2.0", "method": method}
        message |= {} if notify else {"id": self._number, "params": params}
        return await asyncio.to_thread(self._post, message)

    def _post(self, message: dict[str, Any]) -> dict[str, Any]:
        headers = {
            "Content-Type": "application/json",
            "Accept": "application/json, text/event-stream",
            "MCP-Protocol-Version": HELLO["protocolVersion"],
        }
        if self._session:
            headers["Mcp-Session-Id"] = self._session
        request = urllib.request.Request(self._url, json.dumps(message).encode(), headers)
        with urllib.request.urlopen(request, timeout=30) as answer:
            self._session = answer.headers.get("Mcp-Session-Id", self._session)
            text = answer.read().decode()
        for line in text.splitlines():
            body = line.removeprefix("data:").strip()
            if body.startswith("{") and "id" in (found := json.loads(body)):
                return found
        return {}

    def _wait_until_it_listens(self) -> None:
        until = time.monotonic() + START_SECONDS
        while time.monotonic() < until:
            with suppress(OSError), socket.create_connection(("127.0.0.1", self._port), 1):
                return
            time.sleep(0.1)
