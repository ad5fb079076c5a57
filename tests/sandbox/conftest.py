"""A served sandbox for each test, with a clock that the test holds."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from no_tls import NO_TLS

from hailuo_mcp.sandbox.options import SandboxOptions
from hailuo_mcp.sandbox.report import read_book
from hailuo_mcp.sandbox.serve import RunningSandbox, serve_in_thread

TEXT = {"model": "MiniMax-Hailuo-2.3", "prompt": "A mouse runs"}


class Clock:
    """A clock that stands still until it is moved."""

    def __init__(self) -> None:
        self.now = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now

    def pass_by(self, seconds: float) -> None:
        self.now += seconds


@dataclass
class Bench:
    """One sandbox, somebody with a key, and the steps that most tests take."""

    client: httpx.Client
    clock: Clock
    state_dir: Path
    sandbox: RunningSandbox

    def post(self, path: str, body: dict[str, Any]) -> httpx.Response:
        return self.client.post(path, json=body)

    def get(self, path: str, **params: str) -> httpx.Response:
        return self.client.get(path, params=params)

    def create(self, prompt: str = "A mouse runs", **fields: Any) -> str:
        answer = self.post("/v1/video_generation", {**TEXT, "prompt": prompt, **fields}).json()
        assert answer["base_resp"]["status_code"] == 0, answer
        return str(answer["task_id"])

    def query(self, task_id: str) -> dict[str, Any]:
        return dict(self.get("/v1/query/video_generation", task_id=task_id).json())

    def link(self, task_id: str) -> str:
        """Return a download link of a task, finishing it first."""
        self.clock.pass_by(60)
        file_id = self.query(task_id)["file_id"]
        found = self.get("/v1/files/retrieve", file_id=file_id).json()
        return str(found["file"]["download_url"])

    def book(self) -> dict[str, Any]:
        return read_book(self.state_dir, now=self.clock())

    def account(self) -> dict[str, Any]:
        (only,) = self.book()["accounts"].values()
        return dict(only)


Serve = Callable[..., Bench]


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def serve(tmp_path: Path, clock: Clock) -> Iterator[Serve]:
    """Serve sandboxes on one state folder; each call is another front door."""
    opened: list[Bench] = []

    def begin(key: str = "sk-test", **options: Any) -> Bench:
        settings: dict[str, Any] = {"state_dir": tmp_path, "clock": clock, "fast_clips": True}
        sandbox = serve_in_thread(SandboxOptions(**{**settings, **options}))
        client = httpx.Client(
            base_url=sandbox.base_url,
            headers={"Authorization": f"Bearer {key}"},
            timeout=10,
            trust_env=False,
            verify=NO_TLS,
        )
        opened.append(Bench(client, clock, tmp_path, sandbox))
        return opened[-1]

    yield begin
    for bench in opened:
        bench.client.close()
        bench.sandbox.stop()


@pytest.fixture
def bench(serve: Serve) -> Bench:
    return serve()


@pytest.fixture
def bare() -> Iterator[httpx.Client]:
    """Somebody without a key, as download hosts should see us."""
    with httpx.Client(timeout=10, trust_env=False, verify=NO_TLS) as client:
        yield client
