"""Two servers on one journal, as two replicas are, with a sandbox behind and clients in front."""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import httpx2
import pytest
from mcp import Client
from mcp.client.streamable_http import streamable_http_client
from ports import free_port
from postgres import database_url
from starlette.applications import Starlette

from hailuo_mcp.sandbox.options import SandboxOptions
from hailuo_mcp.sandbox.report import read_book
from hailuo_mcp.sandbox.serve import serve_in_thread
from hailuo_mcp.server.http import create_app
from hailuo_mcp.server.http.serving import AppServer
from hailuo_mcp.settings import Settings

TOKENS = {"alice": "alices-token-0123456789", "bob": "bobs-token-0123456789"}
STORES = ("sqlite", "postgres")


class TakingTurns(httpx2.AsyncHTTPTransport):
    """Sends each request to the next port, as a balancer without affinity does."""

    def __init__(self, ports: tuple[int, ...]) -> None:
        super().__init__()
        self._ports = itertools.cycle(ports)

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        request.url = request.url.copy_with(port=next(self._ports))
        return await super().handle_async_request(request)


@dataclass
class Replicas:
    ports: tuple[int, ...]
    apps: tuple[Starlette, ...]
    sandbox_state: Path

    def urls(self) -> tuple[str, ...]:
        return tuple(f"http://127.0.0.1:{port}" for port in self.ports)

    def http(self, number: int, caller: str = "alice") -> httpx.AsyncClient:
        headers = {"Authorization": f"Bearer {TOKENS[caller]}"}
        url = self.urls()[number]
        return httpx.AsyncClient(base_url=url, headers=headers, timeout=30, trust_env=False)

    @contextlib.asynccontextmanager
    async def client(self, *numbers: int, mode: str = "auto", caller: str = "alice", **given: Any):
        """A client of this replica, or of several in turn, one request each."""
        headers = {"Authorization": f"Bearer {TOKENS[caller]}"}
        transport = TakingTurns(tuple(self.ports[number] for number in numbers))
        url = f"http://127.0.0.1:{self.ports[0]}/mcp"
        async with (
            httpx2.AsyncClient(headers=headers, transport=transport, timeout=30) as http,
            Client(streamable_http_client(url, http_client=http), mode=mode, **given) as one,
        ):
            yield one

    def remote(self) -> list[dict[str, Any]]:
        """What the provider knows of its tasks."""
        book = read_book(self.sandbox_state)
        return [facts for a in book["accounts"].values() for facts in a["tasks"].values()]


Begin = Callable[..., Replicas]


@pytest.fixture(params=STORES)
def store(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def begin(store: str, tmp_path: Path) -> Iterator[Begin]:
    """Start two replicas; settings by their variables, and `ready` as the sandbox's seconds."""
    shared = {"HAILUO_DATABASE_URL": database_url(tmp_path)} if store == "postgres" else {}
    with contextlib.ExitStack() as stack:
        yield lambda **options: stack.enter_context(_served(tmp_path, shared, **options))


@pytest.fixture
def replicas(begin: Begin) -> Replicas:
    return begin()


@contextlib.contextmanager
def _served(
    tmp_path: Path,
    shared: dict[str, str],
    *,
    ready: float = 0.3,
    callbacks: bool = False,
    **environ: str,
) -> Iterator[Replicas]:
    ports = (free_port(), free_port())
    sandbox = SandboxOptions(
        state_dir=tmp_path / "sandbox", seconds_to_ready=ready, fast_clips=True
    )
    with contextlib.ExitStack() as stack:
        provider = stack.enter_context(serve_in_thread(sandbox))
        settings = Settings.from_env(
            {
                "HAILUO_PROVIDER": "sandbox",
                "HAILUO_BASE_URL": provider.base_url,
                "HAILUO_API_KEY": "the-key-of-the-account",
                "HAILUO_STATE_DIR": str(tmp_path / "state"),
                "HAILUO_OUTPUT_DIR": str(tmp_path / "clips"),
                "HAILUO_RPM": "10000",
                "HAILUO_POLL_SECONDS": "60" if callbacks else "0.2",
                "HAILUO_HTTP_TOKENS": ",".join(f"{n}:{t}" for n, t in TOKENS.items()),
                # The provider reaches the second replica only.
                "HAILUO_CALLBACK_URL": f"http://127.0.0.1:{ports[1]}" if callbacks else "",
                **shared,
                **environ,
            }
        )
        apps = (create_app(settings, with_sse=True), create_app(settings, with_sse=True))
        for app, port in zip(apps, ports, strict=True):
            stack.enter_context(AppServer(app, port=port).start())
        yield Replicas(ports, apps, tmp_path / "sandbox")
