"""A real studio over the served sandbox, or over a provider that a test scripts by the word."""

import json
import sqlite3
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, closing
from pathlib import Path
from typing import Any

import httpx
import pytest

from hailuo_mcp.bootstrap import open_studio
from hailuo_mcp.sandbox.options import SandboxOptions
from hailuo_mcp.sandbox.report import read_book
from hailuo_mcp.sandbox.serve import serve_in_thread
from hailuo_mcp.settings import Settings
from hailuo_mcp.studio.reader import RemoteAccess
from hailuo_mcp.studio.studio import Studio

Open = Callable[..., AbstractAsyncContextManager[Studio]]


class Provider:
    """MiniMax's wire format, one answer at a time; what comes is kept."""

    def __init__(self) -> None:
        self.creates: list[dict[str, Any]] = []
        self.asked: list[str | None] = []
        """The ids that it was asked for."""
        self.on_create: Callable[[int], Awaitable[httpx.Response] | httpx.Response] = self.accept
        self.on_v2: Callable[[httpx.Request], httpx.Response] = self.not_on_v2
        self.status = "Processing"
        self.file_id = ""
        self.down = False
        """Whether questions get no answer; purchases do."""

    @property
    def polls(self) -> int:
        return len(self.asked)

    def accept(self, number: int) -> httpx.Response:
        return httpx.Response(200, json={"task_id": f"77{number}", **self.code(0)})

    @staticmethod
    def code(code: int) -> dict[str, Any]:
        return {"base_resp": {"status_code": code, "status_msg": "said"}}

    def refuse(self, code: int, **headers: str) -> httpx.Response:
        return httpx.Response(200, json={"task_id": "", **self.code(code)}, headers=headers)

    @staticmethod
    def not_on_v2(_request: httpx.Request) -> httpx.Response:
        error = {"type": "bad_request_error", "message": "invalid task_id (2013)"}
        body = {"type": "error", "error": {**error, "http_code": "400"}, "request_id": "1"}
        return httpx.Response(400, json=body)

    async def __call__(self, request: httpx.Request) -> httpx.Response:
        if request.method == "POST":
            self.creates.append(json.loads(request.content))
            answer = self.on_create(len(self.creates))
            return answer if isinstance(answer, httpx.Response) else await answer
        if request.url.path.startswith("/v2/"):
            return self.on_v2(request)
        self.asked.append(request.url.params.get("task_id"))
        if self.down:
            raise httpx.ConnectError("down")
        found = {"task_id": self.asked[-1], "status": self.status}
        return httpx.Response(200, json={**found, "file_id": self.file_id, **self.code(0)})


@pytest.fixture
def provider() -> Provider:
    return Provider()


def _settings(tmp_path: Path, given: dict[str, str]) -> Settings:
    return Settings.from_env(
        {
            "HAILUO_STATE_DIR": str(tmp_path / "state"),
            "HAILUO_OUTPUT_DIR": str(tmp_path / "clips"),
            "HAILUO_ALLOWED_DIRS": str(tmp_path),
            "HAILUO_POLL_SECONDS": "0.1",
            "HAILUO_RPM": "100000",
            **given,
        }
    )


@pytest.fixture
def scripted(tmp_path: Path, provider: Provider) -> Open:
    """Open a studio whose every request goes to `provider`. Settings by variable name."""

    @asynccontextmanager
    async def begin(
        clock: Callable[[], float] = time.time,
        remote: RemoteAccess | None = None,
        works: bool = True,
        **variables: str,
    ) -> AsyncIterator[Studio]:
        known = {"HAILUO_PROVIDER": "minimax-cn", "HAILUO_API_KEY": "k"}
        given = {f"HAILUO_{name.upper()}": value for name, value in variables.items()}
        wire = httpx.MockTransport(provider)
        settings = _settings(tmp_path, {**known, **given})
        async with open_studio(
            settings, wire=wire, clock=clock, remote=remote, works=works
        ) as studio:
            yield studio

    return begin


class Sandbox:
    def __init__(self, tmp_path: Path) -> None:
        self.tmp_path = tmp_path
        options = SandboxOptions(
            state_dir=tmp_path / "sandbox", fast_clips=True, seconds_to_ready=0.2
        )
        self.served = serve_in_thread(options)
        self.variables = {"HAILUO_PROVIDER": "sandbox", "HAILUO_BASE_URL": self.served.base_url}

    def book(self) -> dict[str, Any]:
        return read_book(self.tmp_path / "sandbox")

    @property
    def accepted(self) -> int:
        return int(self.book()["totals"]["creates_accepted"])

    @property
    def received(self) -> int:
        return int(self.book()["totals"]["creates_received"])


@pytest.fixture
def sandbox(tmp_path: Path) -> Iterator[Sandbox]:
    opened = Sandbox(tmp_path)
    yield opened
    opened.served.stop()


@pytest.fixture
def opened(tmp_path: Path, sandbox: Sandbox) -> Open:
    """Open a studio on the sandbox; several share journal and clips."""

    def begin(works: bool = True, **variables: str) -> AbstractAsyncContextManager[Studio]:
        given = {f"HAILUO_{name.upper()}": value for name, value in variables.items()}
        return open_studio(_settings(tmp_path, {**sandbox.variables, **given}), works=works)

    return begin


@pytest.fixture
def rows(tmp_path: Path) -> Callable[[], list[dict[str, Any]]]:
    """The journal's rows as another program sees them."""

    def read() -> list[dict[str, Any]]:
        with closing(sqlite3.connect(tmp_path / "state" / "journal.sqlite3")) as db:
            db.row_factory = sqlite3.Row
            return [dict(row) for row in db.execute("SELECT * FROM tasks ORDER BY created_at")]

    return read
