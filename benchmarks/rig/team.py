"""A team at work: what people and programs do to a server all day, well and badly."""

from __future__ import annotations

import asyncio
import io
import json
import random
import re
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

from http_load import WAYS, connected

from rig.caller import Caller

FAULTS = (
    *("1026", "1027", "1002", "fail", "lost", "http500", "http503", "reset", "garbage"),
    *("poll-500", "poll-html", "poll-reset", "lost-task", "weird-status", "late=20"),
    *("cut-download", "short-chunked", "html-download", "corrupt-download", "expired-link"),
)
END = ("succeeded", "failed", "cancelled", "unconfirmed")
HELLO: dict[str, Any] = {
    "protocolVersion": "2025-06-18",
    "capabilities": {},
    "clientInfo": {"name": "soak", "version": "1"},
}
_VISIT_SECONDS = 60.0
"""Real ones, for the whole of a visit."""


@dataclass
class Team:
    port: int
    tokens: dict[str, str]
    pace: int
    chance: random.Random
    done: Counter[str] = field(default_factory=Counter)
    """How often each kind of visit was made."""
    refused: Counter[str] = field(default_factory=Counter)
    number: int = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def work(self, pause: float) -> None:
        """One after the other's visits, `pause` real seconds apart on average, until cancelled."""
        kinds, weights = zip(*VISITS.items(), strict=True)
        while True:
            await asyncio.sleep(self.chance.uniform(0.0, 2 * pause))
            visit = self.chance.choices(kinds, weights)[0]
            name = self.chance.choice(list(self.tokens))
            try:
                async with asyncio.timeout(_VISIT_SECONDS):
                    await visit(self, self.tokens[name])
            except RuntimeError as refusal:
                found = re.search(r'"code": "(\w+)"', str(refusal))
                self.refused[found[1] if found else str(refusal)[:60]] += 1
            except (OSError, asyncio.IncompleteReadError, TimeoutError, ExceptionGroup) as error:
                self.refused[type(error).__name__] += 1
            self.done[visit.__name__] += 1

    def prompt(self, fault: str = "") -> str:
        self.number += 1
        return f"Boat number {self.number} at sea" + (f" [sandbox:{fault}]" if fault else "")

    async def raw(self, text: str | bytes, *, reads: bool = True) -> str:
        """Say this on a connection of its own, and read to its end or leave at once."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        try:
            writer.write(text.encode() if isinstance(text, str) else text)
            await writer.drain()
            return (await reader.read()).decode("latin-1") if reads else ""
        finally:
            writer.close()

    def post(self, path: str, body: object, *headers: str, close: bool = True) -> str:
        data = body if isinstance(body, str) else json.dumps(body)
        lines = [
            f"POST {path} HTTP/1.1",
            f"Host: 127.0.0.1:{self.port}",
            *(["Connection: close"] if close else []),
            "Content-Type: application/json",
            "Accept: application/json, text/event-stream",
            *headers,
            f"Content-Length: {len(data)}",
        ]
        return "\r\n".join(lines) + "\r\n\r\n" + data

    def get(self, path: str, *headers: str) -> str:
        lines = [f"GET {path} HTTP/1.1", f"Host: 127.0.0.1:{self.port}", "Connection: close"]
        return "\r\n".join([*lines, *headers]) + "\r\n\r\n"


async def buys(team: Team, token: str) -> None:
    """A clip as agents make one: buy, ask, ask again, open its link."""
    async with Caller(team.port, token) as caller:
        asked = {"prompt": team.prompt()}
        bought = await _buy(team, caller, **asked)
        if team.chance.random() < 0.2:  # the answer was lost: the same again
            await _buy(team, caller, **asked)
        task = await _follow(caller, bought["task_id"])
        if not (link := task.get("url")):
            return
        await caller.call("download_video", task_id=task["task_id"])
        if team.chance.random() < 0.3:
            await caller.ask("tools/call", "preview_video", {"task_id": task["task_id"]})
        path = link.removeprefix(team.url)
        await team.raw(team.get(path, "Range: bytes=0-99999"))
        await team.raw(team.get(path), reads=team.chance.random() < 0.5)


async def _buy(team: Team, caller: Caller, **asked: Any) -> dict[str, Any]:
    """A purchase; of what needs a person's consent, two thirds get it."""
    try:
        return await caller.call("generate_video", **asked)
    except RuntimeError as refusal:
        code = re.search(r"confirm='([^']+)'", str(refusal))
        if code is None or team.chance.random() < 1 / 3:
            raise
        return await caller.call("generate_video", **asked, confirm=code[1])


async def _follow(caller: Caller, task_id: str) -> dict[str, Any]:
    task: dict[str, Any] = {}
    for _ in range(12):
        task = await caller.call("query_task", task_id=task_id, wait_seconds=30)
        if task.get("url") or task["status"] in END[1:]:
            break
    return task


async def buys_badly(team: Team, token: str) -> None:
    """A clip that something goes wrong with; nobody waits for it for long."""
    async with Caller(team.port, token) as caller:
        bought = await _buy(team, caller, prompt=team.prompt(team.chance.choice(FAULTS)))
        await caller.call("query_task", task_id=bought["task_id"], wait_seconds=30)


async def changes_mind(team: Team, token: str) -> None:
    async with Caller(team.port, token) as caller:
        bought = await _buy(team, caller, prompt=team.prompt("seconds=900"))
        await caller.call("cancel_task", task_id=bought["task_id"])


async def lets_fall(team: Team, token: str) -> None:
    """A waiting call whose client goes away."""
    async with Caller(team.port, token) as caller:
        bought = await _buy(team, caller, prompt=team.prompt("seconds=120"))
        asked = {"task_id": bought["task_id"], "wait_seconds": 40}
        await caller.send("tools/call", "query_task", asked)


async def looks(team: Team, token: str) -> None:
    async with Caller(team.port, token) as caller:
        await caller.call("list_tasks", limit=20)
        await caller.call("estimate_cost", count=3)
        await caller.ask("tools/list", "", {})
        await caller.ask("resources/read", "hailuo://spending", {"uri": "hailuo://spending"})


async def hands_in(team: Team, token: str) -> None:
    """A picture by its upload link; half of them are never used."""
    async with Caller(team.port, token) as caller:
        asked = {"prompt": team.prompt(), "first_frame_image": "cat.png"}
        answer = await caller.ask("tools/call", "generate_video", asked)
        link = re.search(r"/uploads/[^\s\"\\]+", json.dumps(answer))
        if link is None:
            raise RuntimeError("no upload link")
        data = _picture(team.chance.randrange(1 << 24))
        head = (
            f"POST {link[0]} HTTP/1.1\r\nHost: 127.0.0.1:{team.port}\r\nConnection: close\r\n"
            f"Content-Length: {len(data)}\r\n\r\n"
        )
        sent = await team.raw(head.encode() + data)
        found = re.search(r"upload:[\w-]+", sent)
        if found and team.chance.random() < 0.5:
            asked["first_frame_image"] = found[0]
            await _buy(team, caller, **asked)


def _picture(colour: int) -> bytes:
    from PIL import Image

    data = io.BytesIO()
    rgb = (colour >> 16, (colour >> 8) & 255, colour & 255)
    Image.new("RGB", (640, 400), rgb).save(data, "PNG")
    return data.getvalue()


async def has_session(team: Team, token: str) -> None:
    """A session of the older era: ended, abandoned, or left with an open stream."""
    access = f"Authorization: Bearer {token}"
    hello = {"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": HELLO}
    said = await team.raw(team.post("/mcp", hello, access))
    found = re.search(r"mcp-session-id: (\w+)", said)
    if found is None:
        raise RuntimeError(said[:40])
    of_it = (access, f"Mcp-Session-Id: {found[1]}", "Mcp-Protocol-Version: 2025-06-18")
    begun = {"jsonrpc": "2.0", "method": "notifications/initialized"}
    await team.raw(team.post("/mcp", begun, *of_it))
    ask = {"jsonrpc": "2.0", "id": 2, "method": "tools/call"}
    ask["params"] = {"name": "list_tasks", "arguments": {}}
    await team.raw(team.post("/mcp", ask, *of_it))
    how = team.chance.random()
    if how < 0.3:
        end = team.get("/mcp", *of_it).replace("GET", "DELETE", 1)
        await team.raw(end)
    elif how < 0.6:
        await team.raw(team.get("/mcp", "Accept: text/event-stream", *of_it), reads=False)


async def has_stream(team: Team, token: str) -> None:
    """The older transport: a stream that is dropped, sometimes before a word was said."""
    reader, writer = await asyncio.open_connection("127.0.0.1", team.port)
    try:
        access = f"Authorization: Bearer {token}"
        writer.write(team.get("/sse", "Accept: text/event-stream", access).encode())
        said = (await reader.readuntil(b"session_id=") + await reader.read(32)).decode()
        if team.chance.random() < 0.7:
            session = said.rpartition("session_id=")[2]
            hello = {"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": HELLO}
            await team.raw(team.post(f"/messages/?session_id={session}", hello, access))
            await reader.readuntil(b"serverInfo")
    finally:
        writer.close()


async def uses_the_sdk(team: Team, token: str) -> None:
    """The official client, in all its ways, from hello to goodbye."""
    place: Any = SimpleNamespace(url=team.url)
    async with connected(place, team.chance.choice(WAYS), token) as client:
        await client.list_tools()
        bought = await client.call_tool("generate_video", {"prompt": team.prompt()})
        if not bought.is_error and bought.structured_content:
            found = {"task_id": bought.structured_content["task_id"], "wait_seconds": 20}
            await client.call_tool("query_task", found)


async def is_a_nuisance(team: Team, token: str) -> None:
    """What scanners, broken clients and guessers send."""
    dice, access = team.chance, f"Authorization: Bearer {token}"
    noise = f"{dice.getrandbits(128):032x}"
    await dice.choice(
        [
            lambda: team.raw(team.get(f"/{noise}", access)),
            lambda: team.raw(team.get(f"/files/{noise}.{noise}")),
            lambda: team.raw(team.get(f"/uploads/{noise}.{noise}")),
            lambda: team.raw(team.post(f"/callbacks/{noise}", {"status": "success"})),
            lambda: team.raw(team.post("/mcp", "{", access)),
            lambda: team.raw(team.post("/mcp", {}, f"Authorization: Bearer {noise}")),
            lambda: team.raw(team.post("/mcp", {}, access, f"Mcp-Session-Id: {noise}")),
            lambda: team.raw(f"POST /mcp HTTP/1.1\r\nHost: 127.0.0.1\r\n{access}\r\n", reads=False),
            lambda: team.raw(team.get("/", f"X-Request-Id: {noise}", "Host: evil.example")),
            lambda: team.raw("GET /health HTTP/1.1\r\nX: " + noise * 2000 + "\r\n\r\n"),
        ]
    )()
    async with Caller(team.port, token, f"Mcp-Session-Id: {noise}\r\n") as caller:
        await caller.ask("tools/call", noise, {})
        await caller.ask("tools/call", "query_task", {"task_id": noise})
        await caller.ask("tools/call", "generate_video", {"prompt": "x", noise: 1})
        await caller.ask(noise, "", {})


async def watches(team: Team, token: str) -> None:
    """The operator's own programs and somebody with the page open."""
    access = f"Authorization: Bearer {token}"
    for path in ("/metrics", "/ready", "/health", "/", "/gallery"):
        await team.raw(team.get(path, access))


VISITS: dict[Callable[[Team, str], Awaitable[None]], int] = {
    buys: 30,
    buys_badly: 14,
    changes_mind: 4,
    lets_fall: 5,
    looks: 10,
    hands_in: 6,
    has_session: 10,
    has_stream: 6,
    uses_the_sdk: 2,
    is_a_nuisance: 10,
    watches: 4,
}


async def stop_all(jobs: list[asyncio.Task[None]]) -> None:
    for job in jobs:
        job.cancel()
    for job in jobs:
        with suppress(asyncio.CancelledError):
            await job
