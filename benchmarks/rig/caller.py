"""A caller of the newer era: one kept connection to one replica, as little of it as can be."""

from __future__ import annotations

import asyncio
import json
from typing import Any, Self

_HEAD = (
    "POST /mcp HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nContent-Type: application/json\r\n"
    "Accept: application/json, text/event-stream\r\nMCP-Protocol-Version: 2026-07-28\r\n"
    "Mcp-Method: {method}\r\nMcp-Name: {name}\r\nContent-Length: {length}\r\n{more}\r\n"
)
_META = {
    "io.modelcontextprotocol/protocolVersion": "2026-07-28",
    "io.modelcontextprotocol/clientInfo": {"name": "benchmark", "version": "1"},
    "io.modelcontextprotocol/clientCapabilities": {},
}


class Caller:
    """`token`: as whom it calls; `headers`: more of them, whole lines."""

    def __init__(self, port: int, token: str = "", headers: str = "") -> None:
        self._port = port
        self._number = 0
        self._more = (f"Authorization: Bearer {token}\r\n" if token else "") + headers

    async def __aenter__(self) -> Self:
        self._reader, self._writer = await asyncio.open_connection("127.0.0.1", self._port)
        return self

    async def __aexit__(self, *_: object) -> None:
        self._writer.close()

    async def call(self, name: str, **arguments: Any) -> dict[str, Any]:
        """What the tool answers; a refusal raises RuntimeError with all of it."""
        answer = await self.ask("tools/call", name, arguments)
        result = answer.get("result") or {}
        if "structuredContent" not in result or result.get("isError"):
            raise RuntimeError(json.dumps(answer))
        return result["structuredContent"]

    async def ask(self, method: str, name: str, arguments: dict[str, Any]) -> dict[str, Any]:
        """The whole answer to one request."""
        await self.send(method, name, arguments)
        return await self._answer()

    async def send(self, method: str, name: str, arguments: dict[str, Any]) -> None:
        self._number += 1
        params = {"name": name, "arguments": arguments, "_meta": _META}
        message = {"jsonrpc": "2.0", "id": self._number, "method": method, "params": params}
        body = json.dumps(message).encode()
        head = _HEAD.format(
            port=self._port, method=method, name=name, length=len(body), more=self._more
        )
        self._writer.write(head.encode() + body)

    async def _answer(self) -> dict[str, Any]:
        head = (await self._reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
        if "content-length:" in head:
            length = int(head.partition("content-length:")[2].split("\r\n")[0])
            body = await self._reader.readexactly(length)
        else:
            body = b""
            while size := int(await self._reader.readuntil(b"\r\n"), 16):
                body += await self._reader.readexactly(size)
                await self._reader.readexactly(2)
            await self._reader.readexactly(2)
        found: dict[str, Any] = {}
        for line in body.decode().splitlines():
            text = line.removeprefix("data:").strip()
            if text.startswith("{"):
                found = json.loads(text)
        return found
