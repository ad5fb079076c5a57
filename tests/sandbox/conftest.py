"""A served sandbox for each test, with a clock that the test holds."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from hailuo_mcp.sandbox import RunningSandbox, SandboxOptions, serve_in_thread


class Clock:
    """A clock that stands still until it is moved."""

    def __init__(self) -> None:
        self.now = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now

    def pass_by(self, seconds: float) -> None:
        self.now += seconds


Start = Callable[..., RunningSandbox]


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def start(tmp_path: Path, clock: Clock) -> Iterator[Start]:
    running: list[RunningSandbox] = []

    def begin(**options: object) -> RunningSandbox:
        settings: dict[str, object] = {"state_dir": tmp_path, "clock": clock, "fast_clips": True}
        sandbox = serve_in_thread(SandboxOptions(**{**settings, **options}))  # type: ignore[arg-type]
        running.append(sandbox)
        return sandbox

    yield begin
    for sandbox in running:
        sandbox.stop()


@pytest.fixture
def http(start: Start) -> Iterator[httpx.Client]:
    with connected(start()) as client:
        yield client


def connected(sandbox: RunningSandbox, key: str = "sk-test") -> httpx.Client:
    headers = {"Authorization": f"Bearer {key}"}
    return httpx.Client(base_url=sandbox.base_url, headers=headers, timeout=10, trust_env=False)
