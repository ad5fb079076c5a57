"""The ASGI app: everything that is served, around a studio that the app's own life owns."""

from __future__ import annotations

import os
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Literal

import anyio
from mcp.server.auth.middleware.auth_context import AuthContextMiddleware
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.routing import BaseRoute, Route

from hailuo_mcp.bootstrap import open_studio
from hailuo_mcp.errors import ConfigError, HailuoError
from hailuo_mcp.server.app import build_server
from hailuo_mcp.server.context import Backstage
from hailuo_mcp.server.http.auth import TokenAuth, caller, need_loopback, need_tokens
from hailuo_mcp.server.http.health import Readiness, alive
from hailuo_mcp.server.http.hosts import HostGuard, Names
from hailuo_mcp.server.http.intake import Intake, Streams
from hailuo_mcp.server.http.logs import RequestLog
from hailuo_mcp.server.http.metrics import RequestCount
from hailuo_mcp.server.http.news import OwnNews
from hailuo_mcp.server.http.outside import Outside
from hailuo_mcp.server.http.shares import Limits
from hailuo_mcp.server.server import Server
from hailuo_mcp.server.updates import publish_changes
from hailuo_mcp.settings import Settings
from hailuo_mcp.studio.studio import Studio

TransportName = Literal["http", "sse"]
DRAIN_SECONDS = 5.0
"""How long calls under way get to be answered when the server is told to leave."""
_LAST_WORDS_SECONDS = 0.1
"""Between a call's answer and its last byte on the wire."""


def app_from_env() -> Starlette:
    """For any ASGI server: `uvicorn --factory hailuo_mcp.server.http:app_from_env`.

    With --no-access-log: paths under /files, /uploads and /callbacks are secrets.
    HAILUO_HTTP_TOKENS is needed as soon as HAILUO_ALLOWED_HOSTS names anything but this computer.
    Settings that cannot be used are told in every answer.
    """
    try:
        settings = Settings.from_env(os.environ)
    except ConfigError as error:
        return create_app(error, with_sse=True)
    return create_app(settings, with_sse=True)


def create_app(
    settings: Settings | ConfigError,
    *,
    transport: TransportName = "http",
    with_sse: bool = False,
    host: str = "127.0.0.1",
    local: bool = False,
    limits: Limits | None = None,
) -> Starlette:
    """One app, one studio: opened when the app starts, whatever its sessions do.

    `local`: the callers are at this computer; they may give paths and get them.

    Raises:
        ConfigError: other computers could come in without a token, or as local.
    """
    known = settings if isinstance(settings, Settings) else None
    names = Names.of(known, host)
    if local:
        need_loopback(names, host)
    need_tokens(known, names, host)
    parts = HttpParts(settings=settings, names=names, limits=limits or Limits())
    app = Starlette(
        routes=[*parts.mcp_routes(transport, with_sse=with_sse), *parts.other_routes()],
        middleware=[
            Middleware(RequestLog),
            Middleware(RequestCount, metrics=parts.outside.metrics),
            Middleware(HostGuard, names=names),
            Middleware(
                TokenAuth,
                tokens=known.http_tokens if known else (),
                base_url=known.callback_url if known else "",
                local=local,
            ),
            Middleware(AuthContextMiddleware),
            Middleware(
                Intake,
                limits=parts.limits,
                streams=parts.streams,
                callers=len(known.http_tokens) if known else 0,
            ),
        ],
        lifespan=parts.life,
    )
    app.router.redirect_slashes = False  # behind a TLS proxy they lead to http://
    app.state.parts = parts
    return app


@dataclass(kw_only=True)
class HttpParts:
    """What the app holds from its start to its end."""

    settings: Settings | ConfigError
    names: Names
    limits: Limits
    streams: Streams = field(default_factory=Streams)
    backstage: Backstage = field(default_factory=lambda: Backstage(caller=caller))
    bus: OwnNews = field(init=False)
    server: Server = field(init=False)
    outside: Outside = field(init=False)

    def __post_init__(self) -> None:
        self.outside = Outside(self.backstage, self.limits)
        self.bus = OwnNews(caller, self.outside.owner)
        self.server = build_server(self.backstage, bus=self.bus)
        self.server.middleware.append(self.outside.metrics.call)

    def mcp_routes(self, transport: TransportName, *, with_sse: bool) -> list[BaseRoute]:
        """The SDK's own, with its checks set to our rule; both eras are spoken on each."""
        security, body = self.names.for_sdk(), self.limits.body
        routes = list[BaseRoute]()
        if transport == "http":
            routes += self.server.streamable_http_app(
                transport_security=security,
                max_request_body_size=body,
                session_idle_timeout=self.limits.session_idle_seconds,
                max_sessions=self.limits.sessions,
            ).routes
        if with_sse or transport == "sse":
            routes += self.server.sse_app(
                transport_security=security, max_request_body_size=body
            ).routes
        return routes

    def other_routes(self) -> list[BaseRoute]:
        return [
            Route("/health", alive),
            Route("/ready", Readiness(self.backstage).answer),
            *self.outside.routes(),
        ]

    @asynccontextmanager
    async def life(self, app: Starlette) -> AsyncGenerator[None]:
        """Own the work: sessions come and go, a purchase stays."""
        async with anyio.create_task_group() as process:
            process.start_soon(self.backstage.own, self._opened)
            with suppress(HailuoError):  # each caller is told
                await self.backstage.studio()
            try:
                async with AsyncExitStack() as sessions:
                    if any(getattr(route, "path", "") == "/mcp" for route in app.routes):
                        await sessions.enter_async_context(self.server.session_manager.run())
                    yield
            finally:
                self.backstage.leave()

    @asynccontextmanager
    async def _opened(self) -> AsyncGenerator[Studio]:
        if isinstance(self.settings, ConfigError):
            raise self.settings
        self.backstage.patience.setting = self.settings.wait_seconds
        remote = self.outside.open(self.settings)
        async with (
            open_studio(self.settings, remote=remote) as studio,
            anyio.create_task_group() as relay,
        ):
            relay.start_soon(publish_changes, studio, self.bus)
            relay.start_soon(self.outside.run, studio)
            yield studio
            relay.cancel_scope.cancel()

    async def drain(self) -> None:
        """Answer everybody who waits with what is known now, then end what would stay open."""
        with anyio.move_on_after(DRAIN_SECONDS):
            if self.backstage.lent:
                self.backstage.lent.changes.close()
            await self.backstage.quiet()
            await anyio.sleep(_LAST_WORDS_SECONDS)
        self.streams.end()
