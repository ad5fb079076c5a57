"""A provider that counts, and a journal that tells every statement."""

import json
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import httpx

from hailuo_mcp.bootstrap import open_studio
from hailuo_mcp.settings import Settings
from hailuo_mcp.studio.studio import Studio

FINE = {"base_resp": {"status_code": 0, "status_msg": "success"}}


class Provider:
    """MiniMax's wire format; its clips are never ready."""

    def __init__(self) -> None:
        self.requests: Counter[str] = Counter()
        self.sent: list[bytes] = []

    async def __call__(self, request: httpx.Request) -> httpx.Response:
        path = request.url.path
        self.requests[f"{request.method} {path}"] += 1
        self.sent.append(await request.aread())
        if request.method == "POST":
            return httpx.Response(200, json={"task_id": f"77{len(self.sent)}", **FINE})
        if path == "/v1/query/video_generation":
            state = (
                {"status": "Success", "file_id": "9"} if self.ready else {"status": "Processing"}
            )
            return httpx.Response(200, json={"task_id": "77", **state, **FINE})
        raise AssertionError(f"{request.method} {path}")


class Statements:
    """What SQLite was told within a block, in order."""

    def __init__(self) -> None:
        self.all: list[str] = []

    @property
    def commits(self) -> int:
        return self.all.count("COMMIT")

    @property
    def questions(self) -> int:
        return sum(one.startswith("SELECT") for one in self.all)


@contextmanager
def told(studio: Studio) -> Iterator[Statements]:
    db: Any = studio.store._db
    found = Statements()
    db.set_trace_callback(found.all.append)
    try:
        yield found
    finally:
        db.set_trace_callback(None)


@asynccontextmanager
async def opened(folder: Path, provider: Provider, **more: str) -> AsyncIterator[Studio]:
    settings = Settings.from_env(
        {
            "HAILUO_PROVIDER": "minimax-cn",
            "HAILUO_API_KEY": "a-key",
            "HAILUO_BASE_URL": "https://api.test",
            "HAILUO_STATE_DIR": str(folder / "state"),
            "HAILUO_OUTPUT_DIR": str(folder / "clips"),
            "HAILUO_RPM": "100000",
            **more,
        }
    )
    async with open_studio(settings, wire=httpx.MockTransport(provider)) as studio:
        yield studio


def size(value: object) -> int:
    """Bytes of a value as compact JSON."""
    return len(json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode())
