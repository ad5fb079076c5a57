"""The ASGI app: everything that is served, around a studio that the app itself owns."""

from __future__ import annotations

import logging
import os
import time
from collections.abc import AsyncGenerator, Callable
from contextlib import AsyncExitStack, asynccontextmanager, nullcontext, suppress
from importlib.util import find_spec
from typing import TYPE_CHECKING, Literal

import anyio
from anyio import to_thread
from mcp.server.auth.middleware.auth_context import AuthContextMiddleware
from mcp.server.mcpserver import RequestStateSecurity
from mcp.server.transport_security import TransportSecuritySettings
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.routing import BaseRoute, Route

from hailuo_mcp import __version__
from hailuo_mcp.bootstrap import open_studio
from hailuo_mcp.errors import ConfigError, Do, HailuoError, Step
from hailuo_mcp.server.context import AppContext
from hailuo_mcp.server.http.auth import TokenAuth, caller, check_exposure, is_admitted
from hailuo_mcp.server.http.callbacks import Callbacks
from hailuo_mcp.server.http.files import Files
from hailuo_mcp.server.http.gallery import gallery_route
from hailuo_mcp.server.http.health import Readiness, alive
from hailuo_mcp.server.http.home import HomePage
from hailuo_mcp.server.http.host_guard import HostGuard, HostNames
from hailuo_mcp.server.http.limits import Limits, RequestLimits, Streams
from hailuo_mcp.server.http.logs import RequestLog, hide
from hailuo_mcp.server.http.metrics import Metrics
from hailuo_mcp.server.http.shared_seal import SharedSeal
from hailuo_mcp.server.http.signed_links import SignedLinks
from hailuo_mcp.server.http.tracing import HeaderTrace
from hailuo_mcp.server.http.uploads import Uploads
from hailuo_mcp.server.logs import PlainLines, log_to_stderr
from hailuo_mcp.server.mcp_server import Server
from hailuo_mcp.server.subscriptions import CallerBus, publish_changes
from hailuo_mcp.settings import Settings, read_settings
from hailuo_mcp.studio.reader import RemoteAccess
from hailuo_mcp.studio.studio import Studio
from hailuo_mcp.telemetry import tracing

if TYPE_CHECKING:
    from hailuo_mcp.server.http.oauth.resource_server import ResourceServer
    from hailuo_mcp.tenants import Tenants

TransportName = Literal["http", "sse"]
DRAIN_SECONDS = 5.0
"""How long calls in progress may still take when the server shuts down."""
_LAST_BYTES_SECONDS = 0.1
"""Between a call's answer and its last byte on the wire."""


def app_from_env() -> Starlette:
    """For any ASGI server: `uvicorn --factory hailuo_mcp.server.http:app_from_env`.

    With --no-access-log: paths under /files, /uploads and /callbacks are secrets.
    HAILUO_HTTP_TOKENS, HAILUO_TENANTS or HAILUO_OAUTH_ISSUER is needed as soon as
    HAILUO_ALLOWED_HOSTS names anything but this computer.
    If the settings cannot be used, every answer says so.
    """
    if not logging.getLogger().handlers:
        log_to_stderr(PlainLines())
    try:
        settings, fault = read_settings(os.environ), None
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
    clock: Callable[[], float] = time.time,
) -> Starlette:
    """One app, one studio: opened when the app starts, whatever its sessions do.

    `fault` is what every call is answered with where the settings cannot be used. `local`: the
    callers are at this computer; they may give paths and get them. `clock`: by which access tokens
    expire.

    Raises:
        ConfigError: other computers could come in without a token, or as local; or access tokens
            cannot be checked with these settings; or the tenants' file cannot be used.
    """
    names = HostNames.of(settings, host)
    check_exposure(settings, names, host, local=local)
    server = HttpServer(settings, limits or Limits(), fault, clock)
    tokens, oauth, tenants = settings.http_tokens, server.oauth, server.context.tenants
    callers = len(tokens) + (2 if oauth or tenants else 0)  # of those there may be any number
    app = Starlette(
        routes=server.routes(transport, with_sse=with_sse),
        middleware=[
            Middleware(HeaderTrace),
            Middleware(RequestLog, count=server.metrics.count_request),
            Middleware(HostGuard, names=names),
            Middleware(
                TokenAuth,
                tokens=tokens,
                base_url=settings.callback_url,
                local=local,
                check=oauth.check if oauth else None,
                tenants=tenants,
            ),
            Middleware(AuthContextMiddleware),
            Middleware(
                RequestLimits, limits=server.limits, streams=server.streams, callers=callers
            ),
            *([oauth.guard(server.mcp.spending)] if oauth else []),
        ],
        lifespan=server.lifespan,
    )
    app.router.redirect_slashes = False  # behind a TLS proxy they lead to http://
    app.state.server = server
    return app


def open_tenants(settings: Settings) -> Tenants | None:
    """The tenants whom the settings name; not even their code is loaded where there are none.

    Raises:
        ConfigError: their file cannot be used.
    """
    if settings.tenants is None:
        return None
    from hailuo_mcp.tenants import Tenants

    return Tenants(settings.tenants, settings, os.environ)


class HttpServer:
    """What the app holds from its start to its end: MCP, clips out, pictures in, callbacks."""

    def __init__(
        self,
        settings: Settings,
        limits: Limits,
        fault: ConfigError | None,
        clock: Callable[[], float],
    ) -> None:
        self.settings = self.studio_settings = settings
        self.fault = fault
        self.limits = limits
        self.streams = Streams()
        self.context = AppContext(caller=caller, tenants=open_tenants(settings))
        if self.context.tenants:
            self.context.tenants.on_change = self._tenants_changed
            self._tenants_changed()
        self.bus = CallerBus(self.context)
        self.seal = SharedSeal()
        sealed = RequestStateSecurity(codec=self.seal)
        self.mcp = Server(self.context, bus=self.bus, request_state=sealed)
        self.metrics = Metrics(self.context, self.mcp.tool_names)
        self.mcp.middleware.append(self.metrics.time_call)
        self.links = SignedLinks()
        self.files = Files(self.links, self.context)
        self.uploads = Uploads(self.links, limits, self.context)
        self.callbacks = Callbacks(self.context, count=self.metrics.count_callback)
        self.oauth = self._resource_server(clock) if settings.oauth_issuer else None

    def _resource_server(self, clock: Callable[[], float]) -> ResourceServer:
        if find_spec("joserfc") is None:
            raise ConfigError(
                "Access tokens of an issuer cannot be checked: the extra for OAuth is not "
                "installed.",
                Step(Do.ARRANGE, 'install it with pip install "hailuo-mcp[oauth]"'),
            )
        from hailuo_mcp.server.http.oauth.resource_server import ResourceServer

        return ResourceServer(self.settings, clock=clock, knows_tenant=self._knows_tenant)

    def _knows_tenant(self, name: str) -> bool:
        """Whether a claim may name this tenant."""
        tenants = self.context.tenants
        return tenants is not None and tenants.tenant_named(name) is not None

    def routes(self, transport: TransportName, *, with_sse: bool) -> list[BaseRoute]:
        """Ours, and the SDK's; both eras are spoken on each of those."""
        # HostGuard checks names on every route, by the operator's settings.
        security = TransportSecuritySettings(enable_dns_rebinding_protection=False)
        body = self.limits.body
        endpoint, older = ("/sse", "") if transport == "sse" else ("/mcp", "/sse" * with_sse)
        home = HomePage(self.settings, self.mcp.tools, endpoint=endpoint, older=older)
        routes: list[BaseRoute] = [
            *home.routes(),
            Route("/health", alive),
            Route("/ready", Readiness(self.context).answer),
            Route("/metrics", self.metrics.show),
            Route("/files/{signed}", self.files.send),
            Route("/uploads/{signed}", self.uploads.receive, methods=["GET", "POST"]),
            Route("/callbacks/{token}", self.callbacks.receive, methods=["POST"]),
        ]
        if transport == "http":
            routes.append(gallery_route(self.settings.callback_url))
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
        return [*routes, *(self.oauth.routes(routes) if self.oauth else [])]

    @asynccontextmanager
    async def lifespan(self, app: Starlette) -> AsyncGenerator[None]:
        """Own the work: sessions come and go, a purchase stays."""
        tracing.start(os.environ, __version__, self.mcp.tool_names)
        async with anyio.create_task_group() as process:
            process.start_soon(self.context.run_studio, self._open_studio)
            with suppress(HailuoError):  # each caller gets it
                await self.context.operators_studio()
            try:
                async with AsyncExitStack() as sessions:
                    if any(getattr(route, "path", "") == "/mcp" for route in app.routes):
                        await sessions.enter_async_context(self.mcp.session_manager.run())
                    yield
            finally:
                self.context.shut_down()
                if self.oauth:
                    with anyio.CancelScope(shield=True):
                        await self.oauth.aclose()
        await to_thread.run_sync(tracing.flush)

    @asynccontextmanager
    async def _open_studio(self) -> AsyncGenerator[Studio]:
        if self.fault:
            raise self.fault
        self.context.wait_limits.setting = self.settings.wait_seconds
        remote = RemoteAccess(
            link=self.files.link,
            play=self.files.play_link,
            uploads=self.uploads,
            observe=self.metrics.observe,
            count=self.metrics.count_event,
            count_cost=self.metrics.count_cost,
            callback_url=self.settings.callback_url,
        )
        tenants = self.context.tenants
        async with (
            open_studio(
                self.studio_settings, remote=remote, own=tenants.own if tenants else None
            ) as studio,
            tenants.running(studio) if tenants else nullcontext(),
            anyio.create_task_group() as tasks,
        ):
            self.links.open(await studio.store.secret("links"), studio.clock)
            self.seal.open(await studio.store.secret("request_state"))
            self.callbacks.clock = studio.clock
            studio.changes.listen(self.callbacks.task_changed)
            tasks.start_soon(publish_changes, studio, self.bus, self.bus.is_listened_to)
            tasks.start_soon(self.callbacks.run)
            yield studio
            tasks.cancel_scope.cancel()

    def _tenants_changed(self) -> None:
        """Another content of the tenants' file is in force."""
        if tenants := self.context.tenants:
            hide(tenants.secrets)
            self.streams.end_where(lambda one: not is_admitted(one, tenants))

    async def drain(self) -> None:
        """Answer every waiting call with what is known now, then end what would stay open."""
        with anyio.move_on_after(DRAIN_SECONDS):
            if self.context.opened:
                self.context.opened.changes.close()
            await self.context.wait_until_idle()
            await anyio.sleep(_LAST_BYTES_SECONDS)
        self.streams.end()
