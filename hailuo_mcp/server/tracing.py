"""Finds out which trace a request belongs to, as its caller says."""

from __future__ import annotations

from typing import Any

from mcp.server.context import CallNext, HandlerResult, ServerRequestContext
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from hailuo_mcp.telemetry import tracing

W3C = TraceContextTextMapPropagator()


async def follow_trace(ctx: ServerRequestContext[Any, Any], call_next: CallNext) -> HandlerResult:
    """Continue the trace of a message's `_meta.traceparent`, which the SDK has read by now."""
    with tracing.under(present_traceparent()):
        return await call_next(ctx)


def present_traceparent() -> str:
    """The SDK's span, or the caller's where no spans are made; empty without a trace."""
    carrier: dict[str, str] = {}
    W3C.inject(carrier)
    return carrier.get("traceparent", "")
