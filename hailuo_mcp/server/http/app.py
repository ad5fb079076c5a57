"""The ASGI app: everything that is served, around a studio that the app itself owns."""

from __future__ import annotations

import logging
import os
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from typing import Literal

import anyio
from mcp.server.auth.middleware.auth_context import AuthContextMiddleware
from mcp.server.transport_security import TransportSecuritySettings
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.routing import BaseRoute, Route

from hailuo_mcp.bootstrap import open_studio
from hailuo_mcp.errors import ConfigError, HailuoError
from hailuo_mcp.server.context import AppContext
from hailuo_mcp.server.http.auth import TokenAuth, caller, check_exposure
from hailuo_mcp.server.http.callbacks import Callbacks
from hailuo_mcp.server.http.files import Files
from hailuo_mcp.server.http.health import Readiness, alive
from hailuo_mcp.server.http.host_guard import HostGuard, HostNames
from hailuo_mcp.server.http.limits import Limits, RequestLimits, Streams
from hailuo_mcp.server.http.logs import RequestLog
from hailuo_mcp.server.http.metrics import Metrics
from hailuo_mcp.server.http.signed_links import SignedLinks
from hailuo_mcp.server.http.uploads import Uploads
from hailuo_mcp.server.logs import PlainLines, log_to_stderr
from hailuo_mcp.server.mcp_server import Server
from hailuo_mcp.server.subscriptions import CallerBus, publish_changes
from hailuo_mcp.settings import Settings
from hailuo_mcp.studio.context import RemoteAccess
from hailuo_mcp.studio.studio import Studio

TransportName = Literal["http", "sse"]
DRAIN_SECONDS = 5.0
"""How long calls in progress may still take when the server shuts down."""
_LAST_BYTES_SECONDS = 0.1
"""Between a call's answer and its last byte on the wire."""


def app_from_env() -> Starlette:
    """For any ASGI server: `uvicorn --factory hailuo_mcp.server.http:app_from_env`.

    With --no-access-log: paths under /files, /uploads and /callbacks are secrets.
    HAILUO_HTTP_TOKENS is needed as soon as HAILUO_ALLOWED_HOSTS names anything but this computer.
    If the settings cannot be used, every answer says so.
    """
    if not logging.getLogger().handlers:
        log_to_stderr(PlainLines())
    try:
        settings, fault = Settings.from_env(os.environ), None
    except ConfigError as error:
        settings, fault = Settings(), error
    return create_app(settings, with_sse=True, fault=fault)


def create_app(
    settings: Settings,
    *,
    fault: ConfigError | None = None,
    transport: TransportName = "http",
    with_sse: bool = False,
    host: str = "127.0.0.1",
    local: bool = False,
    limits: Limits | None = None,
) -> Starlette:
    """One app, one studio: opened when the app starts, whatever its sessions do.

    `fault` is what every call is answered with where the settings cannot be used. `local`: the
    callers are at this computer; they may give paths and get them.

    Raises:
        ConfigError: other computers could come in without a token, or as local.
    """
    names = HostNames.of(settings, host)
    check_exposure(settings, names, host, local=local)
    server = HttpServer(settings, limits or Limits(), fault)
    tokens = settings.http_tokens
    app = Starlette(
        routes=server.routes(transport, with_sse=with_sse),
        middleware=[
            Middleware(RequestLog, count=server.metrics.count_request),
            Middleware(HostGuard, names=names),
            Middleware(TokenAuth, tokens=tokens, base_url=settings.callback_url, local=local),
            Middleware(AuthContextMiddleware),
            Middleware(
                RequestLimits, limits=server.limits, streams=server.streams, callers=len(tokens)
            ),
        ],
        lifespan=server.lifespan,
    )
    app.router.redirect_slashes = False  # behind a TLS proxy they lead to http://
    app.state.server = server
    return app


class HttpServer:
    """What the app holds from its start to its end: MCP, clips out, pictures in, callbacks."""

    def __init__(self, settings: Settings, limits: Limits, fault: ConfigError | None) -> None:
        self.settings = settings
        self.fault = fault
        self.limits = limits
        self.streams = Streams()
        self.context = AppContext(caller=caller)
        self.bus = CallerBus(self.context)
        self.mcp = Server(self.context, bus=self.bus)
        self.metrics = Metrics(self.context, self.mcp.arguments_of)
        self.mcp.middleware.append(self.metrics.time_call)
        self.links = SignedLinks()
        self.files = Files(self.links, self.context)
        self.uploads = Uploads(self.links, limits, self.context)
        self.callbacks = Callbacks(self.context, count=self.metrics.count_callback)

    def routes(self, transport: TransportName, *, with_sse: bool) -> list[BaseRoute]:
        """Ours, and the SDK's; both eras are spoken on each of those."""
        # HostGuard checks names on every route, by the operator's settings.
        security = TransportSecuritySettings(enable_dns_rebinding_protection=False)
        body = self.limits.body
        routes: list[BaseRoute] = [
            Route("/health", alive),
            Route("/ready", Readiness(self.context).answer),
            Route("/metrics", self.metrics.show),
            Route("/files/{signed}", self.files.send),
            Route("/uploads/{signed}", self.uploads.receive, methods=["GET", "POST"]),
            Route("/callbacks/{token}", self.callbacks.receive, methods=["POST"]),
        ]
        if transport == "http":
            routes += self.mcp.streamable_http_app(
                transport_security=security,
                max_request_body_size=body,
                session_idle_timeout=self.limits.session_idle_seconds,
                max_sessions=self.limits.sessions,
            ).routes
        if with_sse or transport == "sse":
            routes += self.mcp.sse_app(
                transport_security=security, max_request_body_size=body
            ).routes
        return routes

    @asynccontextmanager
    async def lifespan(self, app: Starlette) -> AsyncGenerator[None]:
        """Own the work: sessions come and go, a purchase stays."""
        async with anyio.create_task_group() as process:
            process.start_soon(self.context.run_studio, self._open_studio)
            with suppress(HailuoError):  # each caller gets it
                await self.context.studio()
            try:
                async with AsyncExitStack() as sessions:
                    if any(getattr(route, "path", "") == "/mcp" for route in app.routes):
                        await sessions.enter_async_context(self.mcp.session_manager.run())
                    yield
            finally:
                self.context.shut_down()

    @asynccontextmanager
    async def _open_studio(self) -> AsyncGenerator[Studio]:
        if self.fault:
            raise self.fault
        self.context.wait_limits.setting = self.settings.wait_seconds
        remote = RemoteAccess(
            link=self.files.link,
            uploads=self.uploads,
            observe=self.metrics.observe,
            callback_url=self.settings.callback_url,
        )
        async with (
            open_studio(self.settings, remote=remote) as studio,
            anyio.create_task_group() as tasks,
        ):
            self.links.open(await studio.store.secret("links"))
            studio.changes.listen(self.callbacks.task_changed)
            tasks.start_soon(publish_changes, studio, self.bus)
            tasks.start_soon(self.callbacks.run)
            yield studio
            tasks.cancel_scope.cancel()

    async def drain(self) -> None:
        """Answer every waiting call with what is known now, then end what would stay open."""
        with anyio.move_on_after(DRAIN_SECONDS):
            if self.context.opened:
                self.context.opened.changes.close()
            await self.context.wait_until_idle()
            await anyio.sleep(_LAST_BYTES_SECONDS)
        self.streams.end()
