"""Clients of both eras and of SSE, who retry as agents do: the same request with the same key."""

from __future__ import annotations

import contextlib
import hashlib
import random
import re
import time
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import anyio
import httpx2
from mcp import Client
from mcp.client.sse import sse_client
from mcp.client.streamable_http import streamable_http_client
from scene import TENANTS, TOKENS, Scene

WAYS = ("auto", "legacy", "sse")
FAULTS = {
    "[sandbox:lost]": 0.03,
    "[sandbox:late=3]": 0.05,
    "[sandbox:reset]": 0.02,
    "[sandbox:fail]": 0.04,
    "[sandbox:cut-download]": 0.04,
    "[sandbox:slow-download]": 0.02,
    "[sandbox:poll-500]": 0.04,
}
"""What goes wrong at the provider, and how often."""
CALL_SECONDS = 30.0
"""After this a client gives a call up. One over SSE is never told that its stream has ended."""
_AGAIN_SECONDS = 0.5
_LATER = ("journal", "provider_unavailable", "rate_limited", "internal")
_ENDS = ("failed", "cancelled", "unconfirmed")


class AgainError(Exception):
    """A call came to nothing, and the agent asks again."""


class RefusedError(Exception):
    """A call was refused for good, which is a broken promise."""


@dataclass
class Told:
    """What all clients were told, and every promise that was broken before their eyes."""

    ids: dict[int, str] = field(default_factory=dict)
    """The task of each clip."""
    ends: dict[int, str] = field(default_factory=dict)
    failing: set[str] = field(default_factory=set)
    """Prompts that fail at the provider: such a clip may be bought again."""
    broken: list[str] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    errors: Counter[str] = field(default_factory=Counter)
    waits: list[float] = field(default_factory=list)
    """Seconds of each generate_video that was answered."""
    uploads: dict[str, str] = field(default_factory=dict)
    """A picture of each tenant."""


@dataclass
class Agent:
    scene: Scene
    told: Told
    number: int
    clips: list[int]
    dice: random.Random
    deadline: float

    @property
    def tenant(self) -> str:
        return TENANTS[self.number % len(TENANTS)]

    @property
    def way(self) -> str:
        return WAYS[self.number % len(WAYS)]

    @contextlib.asynccontextmanager
    async def connected(self) -> AsyncIterator[Client]:
        async with connected(self.scene, self.tenant, self.way, self.number) as client:
            yield client

    async def work(self) -> None:
        """Make all of the clips, however often the connection or the server goes away."""
        left = list(self.clips)
        while left and time.monotonic() < self.deadline:
            try:
                with anyio.fail_after(max(0.1, self.deadline - time.monotonic())):
                    async with self.connected() as client:
                        while left:
                            with contextlib.suppress(RefusedError):
                                await self._make(client, left[0])
                                self.told.counts[self.way] += 1
                            left.pop(0)
            except Exception as exc:  # noqa: BLE001  # the replica went away: come back, ask again
                self.told.errors[_name(exc)] += 1
                await anyio.sleep(_AGAIN_SECONDS)
        self.told.broken += [
            f"clip {clip} ({self.way}, {self.tenant}) never ended" for clip in left
        ]

    async def _call(self, client: Client, name: str, **arguments: Any) -> dict[str, Any]:
        with anyio.fail_after(CALL_SECONDS):
            result = await client.call_tool(name, arguments)
        answer: dict[str, Any] = result.structured_content or {}
        if not result.is_error:
            return answer
        code = answer.get("error", {}).get("code", "?")
        self.told.errors[f"{name}: {code}"] += 1
        if code not in _LATER:
            text = result.content[0].text if result.content else ""
            self.told.broken.append(f"{self.tenant}: {name} was refused: {text[:200]}")
            raise RefusedError
        await anyio.sleep(_AGAIN_SECONDS)
        raise AgainError(code)

    async def _make(self, client: Client, clip: int) -> None:
        """One clip, from the purchase to the bytes."""
        request = self._request(clip)
        began = time.monotonic()
        bought = await self._call(client, "generate_video", **request)
        self.told.waits.append(time.monotonic() - began)
        task_id = bought["task_id"]
        fails = "[sandbox:fail]" in request["prompt"]
        if self.told.ids.setdefault(clip, task_id) != task_id and not fails:
            self.told.broken.append(f"clip {clip} was given two tasks")
        while True:
            found = await self._call(client, "query_task", task_id=task_id, wait_seconds=20)
            if found.get("url") or found.get("status") in _ENDS:
                break
        status = found["status"]
        known = self.told.ends.setdefault(clip, status)
        if known != status and not fails:
            self.told.broken.append(f"clip {clip} ended as {known} and as {status}")
        if status == "succeeded":
            saved = await self._call(client, "download_video", task_id=task_id)
            await self._fetch(clip, found["url"], saved["sha256"])

    def _request(self, clip: int) -> dict[str, Any]:
        """The same at each try: what goes wrong belongs to the clip, not to the moment."""
        dice = random.Random(f"{clip}")  # not for secrets
        prompt, point = f"Boat {clip} of {self.tenant}", dice.random()
        for fault, share in FAULTS.items():
            if 0 <= point < share:
                prompt = f"{prompt} {fault}"
                if fault == "[sandbox:fail]":
                    self.told.failing.add(prompt.partition(" [")[0])
            point -= share
        request: dict[str, Any] = {"prompt": prompt, "request_key": f"clip-{clip}"}
        if dice.random() < 0.1 and self.tenant in self.told.uploads:
            request["first_frame_image"] = self.told.uploads[self.tenant]
        return request

    async def _fetch(self, clip: int, url: str, sha256: str) -> None:
        """Read the clip through a replica that need not be the one that made the link."""
        path = re.sub(r"^http://[^/]+", "", url)
        replica = self.dice.choice(self.scene.alive)
        async with httpx2.AsyncClient(timeout=30, trust_env=False) as http:
            whole = await http.get(f"{replica.url}{path}")
            part = await http.get(f"{replica.url}{path}", headers={"Range": "bytes=4-7"})
        if whole.status_code >= 500:
            raise AgainError("the database is away")
        good = hashlib.sha256(whole.content).hexdigest() == sha256 and part.content == b"ftyp"
        if not good:
            self.told.broken.append(
                f"clip {clip} is not whole through replica {replica.number} ({whole.status_code})"
            )
        self.told.counts["read through a replica"] += 1


@contextlib.asynccontextmanager
async def connected(
    scene: Scene, tenant: str, way: str = "auto", number: int = 0, url: str = ""
) -> AsyncIterator[Client]:
    """A client of this era. Sessions stay with one replica by the client's address."""
    headers = {"Authorization": f"Bearer {TOKENS[tenant]}"}
    address = f"127.0.{1 + number // 200}.{1 + number % 200}"
    modern = way == "auto"
    base = url or f"http://127.0.0.1:{scene.ports[0] if modern else scene.ports[1]}"

    def http(**given: Any) -> httpx2.AsyncClient:
        # A connection for each call of the newer era: the next replica answers the next call.
        limits = httpx2.Limits(max_keepalive_connections=0) if modern else httpx2.Limits()
        transport = httpx2.AsyncHTTPTransport(local_address=address, limits=limits, trust_env=False)
        timeout = given.get("timeout") or httpx2.Timeout(60)
        return httpx2.AsyncClient(headers=headers, transport=transport, timeout=timeout)

    if way == "sse":
        transport = sse_client(f"{base}/sse", headers=headers, httpx_client_factory=http)
        async with Client(transport, mode="auto") as client:
            yield client
        return
    async with http() as session:
        transport = streamable_http_client(f"{base}/mcp", http_client=session)
        async with Client(transport, mode=way) as client:
            yield client


def _name(exc: BaseException) -> str:
    """What it was, without the groups around it."""
    while isinstance(exc, BaseExceptionGroup):
        exc = exc.exceptions[0]
    text = str(exc)[:60] if isinstance(exc, AgainError) else ""
    return f"{type(exc).__name__} {text}".strip()
