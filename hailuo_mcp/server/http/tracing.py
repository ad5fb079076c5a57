"""Reads the `traceparent` header of HTTP requests, for callers whose messages carry none."""

from __future__ import annotations

from opentelemetry import context
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from hailuo_mcp.server.tracing import W3C, present_traceparent
from hailuo_mcp.telemetry import tracing


class HeaderTrace:
    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        given = Headers(scope=scope).get("traceparent") if scope["type"] == "http" else None
        if given is None:
            await self._app(scope, receive, send)
            return
        token = context.attach(W3C.extract({"traceparent": given}))
        try:
            with tracing.under(present_traceparent()):
                await self._app(scope, receive, send)
        finally:
            context.detach(token)
