"""The process that serves the app: listens, says where, and shuts down in order."""

from __future__ import annotations

import logging
import secrets
import socket
import sys
from collections.abc import Callable
from dataclasses import replace

import anyio
from sse_starlette.sse import AppStatus
from starlette.applications import Starlette

from hailuo_mcp.errors import ConfigError, Do, Step
from hailuo_mcp.local_http import LocalServer
from hailuo_mcp.server.http.app import DRAIN_SECONDS, HttpServer, TransportName, create_app
from hailuo_mcp.server.http.auth import GALLERY
from hailuo_mcp.server.http.connection import Connection
from hailuo_mcp.server.http.logs import log_as_json
from hailuo_mcp.settings import Settings
from hailuo_mcp.settings.values import Secret
from hailuo_mcp.text import system_reason

_log = logging.getLogger(__name__)

HEAD_BYTES = 32 * 1024
MOST_CONNECTIONS = 2000
BACKLOG = 128
"""asyncio accepts as many at a time; where no descriptor is left, it logs an error for each."""
IDLE_SECONDS = 75
"""For a connection without a request: longer than proxies keep theirs, so that they close first."""


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
    """Serve until a signal comes; `serving` gets the address as soon as requests are answered.

    Raises:
        ConfigError: no token although other computers can reach it, or they could come in as
            local; or the port is taken.
    """
    log_as_json(settings)
    app = create_app(settings, transport=transport, with_sse=with_sse, host=host, local=local)
    _serve(app, host, port, serving)


def serve_gallery(settings: Settings, *, port: int, serving: Callable[[str], None]) -> None:
    """Serve the gallery for the person at this computer; `serving` gets its address.

    The address ends with a token of this process, which alone opens it: other people, and pages of
    other servers, can reach the port as well.

    Raises:
        ConfigError: the port is taken.
    """
    token = secrets.token_urlsafe(32)
    doors = replace(
        settings,
        http_tokens=(("", Secret(token)),),
        tenants=None,
        oauth_issuer="",
        allowed_hosts=(),
        callback_url="",
    )
    app = create_app(doors, local=True)
    served: HttpServer = app.state.server
    served.studio_settings = settings  # its worker saves tenants' clips, too, each in its folder
    _serve(app, "127.0.0.1", port, lambda url: serving(f"{url}{GALLERY}#token={token}"))


def _serve(app: Starlette, host: str, port: int, serving: Callable[[str], None]) -> None:
    # Otherwise every answer in progress would be cut half a second after SIGTERM (3.7.0).
    AppStatus.disable_automatic_graceful_drain()  # type: ignore[no-untyped-call]
    try:
        server = AppServer(app, host, port, serving)
    except OSError as exc:
        raise ConfigError(
            f"The server cannot listen on {host} port {port} ({system_reason(exc)}).",
            Step(Do.ARRANGE, "choose another host or port; port 0 takes any that is free"),
        ) from exc
    server.run()


def most_connections() -> int:
    """Half of what this process may hold open: journal, clips and provider need the rest."""
    if sys.platform == "win32":  # which has no such limit
        return MOST_CONNECTIONS
    import resource

    endless, wanted = resource.RLIM_INFINITY, 2 * MOST_CONNECTIONS
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != endless and soft < wanted:
        soft = wanted if hard == endless else min(wanted, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    return MOST_CONNECTIONS if soft == endless else min(MOST_CONNECTIONS, soft // 2)


class AppServer(LocalServer):
    """Answers the calls in progress before it ends the streams that would never end."""

    def __init__(
        self,
        app: Starlette,
        host: str = "127.0.0.1",
        port: int = 0,
        serving: Callable[[str], None] = lambda _url: None,
        *,
        connections: int | None = None,
        connection: type[Connection] = Connection,
    ) -> None:
        super().__init__(
            app,
            host,
            port,
            http=connection,
            lifespan="on",
            h11_max_incomplete_event_size=HEAD_BYTES,
            backlog=BACKLOG,
            limit_concurrency=connections or most_connections(),
            timeout_keep_alive=IDLE_SECONDS,
            timeout_graceful_shutdown=int(DRAIN_SECONDS),
        )
        self._http: HttpServer = app.state.server
        self._serving = serving

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        _log.info("listening", extra={"address": self.url})
        self._serving(self.url)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        async with anyio.create_task_group() as draining:
            draining.start_soon(self._http.drain)
            await super().shutdown(sockets)
            draining.cancel_scope.cancel()
