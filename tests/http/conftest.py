"""A server on a loopback port, a sandbox behind it, and the SDK's own clients in front."""

from __future__ import annotations

import contextlib
import ssl
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import httpx2
import pytest
from mcp import Client
from mcp.client.sse import sse_client
from mcp.client.streamable_http import streamable_http_client
from ports import free_port
from starlette.applications import Starlette

from hailuo_mcp.sandbox.options import SandboxOptions
from hailuo_mcp.sandbox.report import read_book
from hailuo_mcp.sandbox.serve import serve_in_thread
from hailuo_mcp.server.http import create_app
from hailuo_mcp.server.http.app import HttpServer
from hailuo_mcp.server.http.connection import Connection
from hailuo_mcp.server.http.limits import Limits
from hailuo_mcp.server.http.serving import AppServer
from hailuo_mcp.settings import Settings

TOKENS = {"alice": "alices-token-0123456789", "bob": "bobs-token-0123456789"}
WAYS = ("auto", "legacy", "sse")
NO_TLS = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
"""For clients on loopback, where no TLS is spoken: else each reads every certificate authority."""


def sse_http(
    headers: dict[str, str] | None = None,
    timeout: httpx2.Timeout | None = None,
    auth: httpx2.Auth | None = None,
) -> httpx2.AsyncClient:
    return httpx2.AsyncClient(headers=headers, timeout=timeout, auth=auth, verify=NO_TLS)


@pytest.fixture(autouse=True)
def _no_tls(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nor does the server speak it with the sandbox."""
    monkeypatch.setattr("hailuo_mcp.transport.connections.trusted", lambda: NO_TLS)


@dataclass
class Served:
    """`caller`: a name in TOKENS, or any other token itself."""

    port: int
    app: Starlette
    settings: Settings
    state: Path
    sandbox_state: Path

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def served(self) -> HttpServer:
        return self.app.state.server

    def http(self, caller: str = "alice", **options: Any) -> httpx.Client:
        headers = {"Authorization": f"Bearer {TOKENS.get(caller, caller)}"} if caller else {}
        options = {"timeout": 60, "verify": NO_TLS, **options}
        return httpx.Client(base_url=self.url, headers=headers, **options)

    @contextlib.asynccontextmanager
    async def client(self, way: str = "auto", caller: str = "alice", **options: Any):
        headers = {"Authorization": f"Bearer {TOKENS.get(caller, caller)}"} if caller else {}
        if way == "sse":
            transport = sse_client(
                f"{self.url}/sse", headers=headers, httpx_client_factory=sse_http
            )
            async with Client(transport, mode="auto", **options) as one:
                yield one
            return
        async with httpx2.AsyncClient(headers=headers, timeout=60, verify=NO_TLS) as http:
            transport = streamable_http_client(f"{self.url}/mcp", http_client=http)
            async with Client(transport, mode=way, **options) as one:
                yield one

    def remote(self) -> list[dict[str, Any]]:
        """What the provider knows of its tasks."""
        book = read_book(self.sandbox_state)
        return [facts for a in book["accounts"].values() for facts in a["tasks"].values()]


Serve = Callable[..., Served]


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Serve]:
    with contextlib.ExitStack() as stack:
        yield lambda **options: stack.enter_context(_served(tmp_path, **options))


@pytest.fixture
def server(serve: Serve) -> Served:
    return serve()


@contextlib.contextmanager
def _served(
    tmp_path: Path,
    *,
    ready: float = 0.3,
    tokens: bool = True,
    local: bool = False,
    callbacks: bool = False,
    limits: Limits | None = None,
    connections: int | None = None,
    connection: type[Connection] = Connection,
    clock: Callable[[], float] = time.time,
    **environ: str,
) -> Iterator[Served]:
    port = free_port()
    sandbox_state = tmp_path / "sandbox"
    options = SandboxOptions(state_dir=sandbox_state, seconds_to_ready=ready, fast_clips=True)
    with serve_in_thread(options) as sandbox:
        settings = Settings.from_env(
            {
                "HAILUO_PROVIDER": "sandbox",
                "HAILUO_BASE_URL": sandbox.base_url,
                "HAILUO_API_KEY": "the-key-of-the-account",
                "HAILUO_STATE_DIR": str(tmp_path / "state"),
                "HAILUO_OUTPUT_DIR": str(tmp_path / "clips"),
                "HAILUO_RPM": "10000",
                "HAILUO_POLL_SECONDS": "0.2" if not callbacks else "60",
                "HAILUO_HTTP_TOKENS": ",".join(f"{n}:{t}" for n, t in TOKENS.items())
                if tokens
                else "",
                "HAILUO_CALLBACK_URL": f"http://127.0.0.1:{port}" if callbacks else "",
                **environ,
            }
        )
        app = create_app(settings, with_sse=True, local=local, limits=limits, clock=clock)
        with AppServer(app, port=port, connections=connections, connection=connection).start():
            yield Served(port, app, settings, tmp_path / "state", sandbox_state)
