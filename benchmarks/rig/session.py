"""A client over stdin and stdout that does as little as it can, so that the server is measured."""

from __future__ import annotations

import asyncio
import itertools
import json
import os
import signal
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any, Self

HELLO = {
    "protocolVersion": "2025-06-18",
    "capabilities": {},
    "clientInfo": {"name": "benchmark", "version": "1"},
}


class Session:
    """One server process. Every answer's arrival is timed by the reader, not by who waits."""

    def __init__(self, command: Sequence[str], environ: Mapping[str, str]) -> None:
        self._command, self._environ = command, environ
        self._numbers = itertools.count(1)
        self._waiting: dict[int, asyncio.Future[tuple[float, dict[str, Any], int]]] = {}
        self.process: asyncio.subprocess.Process
        self.started = 0.0

    async def __aenter__(self) -> Self:
        self.started = time.perf_counter()
        self.process = await asyncio.create_subprocess_exec(
            *self._command,
            env=dict(self._environ),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
            limit=1 << 24,
        )
        self._reader = asyncio.create_task(self._read())
        return self

    async def __aexit__(self, *_: object) -> None:
        if self.process.returncode is None:
            with suppress(ProcessLookupError):
                self.process.send_signal(signal.SIGKILL)
            await self.process.wait()
        self._reader.cancel()

    @property
    def pid(self) -> int:
        return self.process.pid

    async def _read(self) -> None:
        assert self.process.stdout
        while line := await self.process.stdout.readline():
            now = time.perf_counter()
            if not line.startswith(b"{"):
                continue  # the official server greets on stdout
            message = json.loads(line)
            waiter = self._waiting.pop(message.get("id", -1), None)
            if waiter and not waiter.done():
                waiter.set_result((now, message, len(line)))

    def _send(self, message: dict[str, Any]) -> None:
        assert self.process.stdin
        self.process.stdin.write(json.dumps({"jsonrpc": "2.0", **message}).encode() + b"\n")

    async def ask(self, method: str, **params: Any) -> tuple[float, dict[str, Any], int]:
        """(seconds, answer, bytes of the answer)."""
        number = next(self._numbers)
        future = self._waiting[number] = asyncio.get_running_loop().create_future()
        asked = time.perf_counter()
        self._send({"id": number, "method": method, "params": params})
        arrived, message, size = await future
        return arrived - asked, message, size

    async def greet(self) -> None:
        await self.ask("initialize", **HELLO)
        self._send({"method": "notifications/initialized"})

    async def tools(self) -> tuple[list[dict[str, Any]], int]:
        _, message, size = await self.ask("tools/list")
        return message["result"]["tools"], size

    async def call(self, name: str, **arguments: Any) -> tuple[float, dict[str, Any]]:
        """(seconds, result); a tool error is an error of the benchmark."""
        seconds, message, _ = await self.ask("tools/call", name=name, arguments=arguments)
        result = message.get("result", {})
        if "error" in message or result.get("isError"):
            raise RuntimeError(f"{name}: {json.dumps(message)[:400]}")
        return seconds, result

    async def leave(self, how: str) -> float:
        """Seconds from the client's going, or from the signal, to the end of the process."""
        assert self.process.stdin
        begun = time.perf_counter()
        if how == "EOF":
            self.process.stdin.close()
        else:
            os.kill(self.pid, getattr(signal, how))
        await self.process.wait()
        return time.perf_counter() - begun
