"""A process that serves the app: listens, says so, and leaves in an orderly way when told to."""

from __future__ import annotations

import asyncio
import logging
import os
import socket
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import cast

import anyio
import uvicorn
from sse_starlette.sse import AppStatus
from starlette.applications import Starlette
from uvicorn.config import Config
from uvicorn.protocols.http.h11_impl import H11Protocol, RequestResponseCycle
from uvicorn.server import ServerState

from hailuo_mcp.errors import ConfigError
from hailuo_mcp.server.http.app import DRAIN_SECONDS, HttpParts, TransportName, create_app
from hailuo_mcp.server.http.logs import log_as_json
from hailuo_mcp.settings import Settings

_log = logging.getLogger(__name__)

HEAD_BYTES = 32 * 1024
HEAD_SECONDS = 10.0
"""How long a connection may take to say what it wants."""
MOST_CONNECTIONS = 2000
BACKLOG = 128
"""asyncio accepts so many at a go; where no descriptor is left, it logs an error for each."""
IDLE_SECONDS = 75
"""A connection without a request: longer than proxies keep theirs, so that they close first."""


def serve_http(
    settings: Settings,
    *,
    transport: TransportName = "http",
    with_sse: bool = False,
    host: str = "127.0.0.1",
    port: int = 8000,
    local: bool = False,
    serving: Callable[[str], None] = lambda _url: None,
) -> None:
    """Serve until a signal comes; `serving` hears the address as soon as it is answered.

    Raises:
        ConfigError: no token although other computers can reach it, or they could come in as
            local; or the port is taken.
    """
    log_as_json(settings)
    app = create_app(settings, transport=transport, with_sse=with_sse, host=host, local=local)
    # Otherwise every answer under way would be cut half a second after SIGTERM (3.7.0).
    AppStatus.disable_automatic_graceful_drain()  # type: ignore[no-untyped-call]
    with _listening(host, port) as listener:
        url = url_of(host, listener.getsockname()[1])

        def begun() -> None:
            _log.info("listening", extra={"address": url})
            serving(url)

        _Server(app, host, begun).run(sockets=[listener])


def url_of(host: str, port: int) -> str:
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def most_connections() -> int:
    """Half of what this process may hold open: journal, clips and provider need the rest."""
    try:
        import resource
    except ImportError:  # Windows
        return MOST_CONNECTIONS
    endless, wanted = resource.RLIM_INFINITY, 2 * MOST_CONNECTIONS
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != endless and soft < wanted:
        soft = wanted if hard == endless else min(wanted, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    return MOST_CONNECTIONS if soft == endless else min(MOST_CONNECTIONS, soft // 2)


class Connection(H11Protocol):
    """One connection, with a deadline for its request line and headers; uvicorn has none."""

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, object],
        _loop: asyncio.AbstractEventLoop | None = None,
        *,
        seconds: float = HEAD_SECONDS,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self._seconds = seconds
        self._deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        if self.limit_concurrency and len(self.connections) >= self.limit_concurrency:
            # uvicorn's own limit would turn away requests on the connections that there are.
            self.connections.discard(self)
            transport.abort()
            return
        self._expect()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        cycle = cast("RequestResponseCycle | None", self.cycle)  # None before the first request
        if cycle is not None and not cycle.response_complete:
            self._forget()
        elif self.timeout_keep_alive_task is None:  # between two requests that one watches
            self._expect()

    def connection_lost(self, exc: Exception | None) -> None:
        self._forget()
        super().connection_lost(exc)

    def _expect(self) -> None:
        if self._deadline is None:
            self._deadline = self.loop.call_later(self._seconds, self.transport.close)

    def _forget(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None


class _Server(uvicorn.Server):
    """uvicorn, which answers what is under way before it ends what would never end."""

    def __init__(self, app: Starlette, host: str, begun: Callable[[], None]) -> None:
        super().__init__(
            uvicorn.Config(
                app,
                host=host,
                http=Connection,
                ws="none",
                lifespan="on",
                log_config=None,
                access_log=False,
                server_header=False,
                h11_max_incomplete_event_size=HEAD_BYTES,
                backlog=BACKLOG,
                limit_concurrency=most_connections(),
                timeout_keep_alive=IDLE_SECONDS,
                timeout_graceful_shutdown=int(DRAIN_SECONDS),
            )
        )
        self._parts: HttpParts = app.state.parts
        self._begun = begun

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._begun()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        async with anyio.create_task_group() as leaving:
            leaving.start_soon(self._parts.drain)
            await super().shutdown(sockets)
            leaving.cancel_scope.cancel()


@contextmanager
def _listening(host: str, port: int) -> Generator[socket.socket]:
    try:
        family, *_, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        # asyncio turns off Nagle's delay only for sockets that say TCP by name; with it every
        # second request of a connection would take 40 ms.
        listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        if os.name == "posix":
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
    except OSError as exc:
        raise ConfigError(
            f"The server cannot listen on {host} port {port} "
            f"({(os.strerror(exc.errno) if exc.errno else 'the system refuses').lower()}). Nothing "
            "was charged. Choose another --host or --port; port 0 takes any that is free."
        ) from exc
    with listener:
        yield listener
