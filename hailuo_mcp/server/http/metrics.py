"""GET /metrics: what one server measures, through Prometheus' own client."""

from __future__ import annotations

import time
from collections.abc import Iterable
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any

import anyio
from mcp import MCPError
from mcp.server.context import CallNext, HandlerResult, ServerRequestContext
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from prometheus_client.process_collector import ProcessCollector
from starlette.requests import Request
from starlette.responses import Response

from hailuo_mcp.domain import Status
from hailuo_mcp.errors import HailuoError
from hailuo_mcp.telemetry.events import Event, tenant_name

if TYPE_CHECKING:
    from hailuo_mcp.server.context import AppContext
    from hailuo_mcp.studio.studio import Studio

_TIMED = {
    "submit": "From sending a paid request to the provider's answer",
    "poll": "One status request",
    "download": "From the link to the checked file on disk",
    "rate_wait": "From recording a task to sending it: the wait for the rate limit",
}
JOURNAL_SECONDS = 5.0
"""Prometheus itself waits for 10."""
_BUCKETS = (0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600)


class Metrics:
    """A registry of its own: several servers in one process, as in tests, do not mix."""

    def __init__(self, app: AppContext, tools: Iterable[str]) -> None:
        self._names = frozenset(tools)
        self._app = app
        self._registry = registry = CollectorRegistry()
        ProcessCollector(registry=registry)
        gauge, counter = partial(Gauge, registry=registry), partial(Counter, registry=registry)
        histogram = partial(Histogram, buckets=_BUCKETS, registry=registry)
        self._journal = gauge("hailuo_journal_up", "Whether the journal answers")
        self._tasks = gauge("hailuo_tasks", "Tasks in the journal", ["status"])
        self._money = gauge(
            "hailuo_money",
            "In the budget's period, at the provider in use; the sandbox's is play money",
            ["provider", "kind", "unit", "period"],
        )
        self._times = {
            what: histogram(f"hailuo_{what}_seconds", about) for what, about in _TIMED.items()
        }
        self._callbacks = counter("hailuo_callbacks", "Callbacks received", ["outcome"])
        self._requests = counter(
            "hailuo_http_requests", "HTTP requests answered", ["route", "status"]
        )
        self._seconds = histogram("hailuo_tool_seconds", "Tool calls", ["tool", "outcome"])
        self._calls = counter("hailuo_tool_calls", "Tool calls", ["tool", "outcome", "tenant"])
        self._events = counter("hailuo_events", "Lines of events in the log", ["event", "tenant"])
        self._prepare("")

    def _prepare(self, tenant: str) -> None:
        """Start at 0: of a counter that begins at 1, Prometheus sees no increase."""
        for event in Event:
            self._events.labels(event.value, tenant)
        for tool in self._names:
            self._calls.labels(tool, "failed", tenant)

    def observe(self, what: str, seconds: float) -> None:
        self._times[what].observe(max(0.0, seconds))

    def count_event(self, event: str, tenant: str) -> None:
        self._events.labels(event, tenant).inc()

    def count_callback(self, outcome: str) -> None:
        self._callbacks.labels(outcome).inc()

    def count_request(self, route: str, status: int) -> None:
        self._requests.labels(route, str(status)).inc()

    async def time_call(
        self, ctx: ServerRequestContext[Any, Any], call_next: CallNext
    ) -> HandlerResult:
        """The SDK's middleware: times tool calls, never looks at their arguments."""
        if ctx.method != "tools/call":
            return await call_next(ctx)
        name = str((ctx.params or {}).get("name", ""))
        tool = name if name in self._names else "unknown"
        began, outcome = time.monotonic(), "failed"
        try:
            result = await call_next(ctx)
            outcome = _outcome(result)
        except MCPError:
            outcome = "refused"
            raise
        except anyio.get_cancelled_exc_class():
            outcome = "left"
            raise
        else:
            return result
        finally:
            self._seconds.labels(tool, outcome).observe(time.monotonic() - began)
            self._calls.labels(tool, outcome, tenant_name(self._app.caller().name)).inc()

    async def show(self, request: Request) -> Response:
        del request
        self._journal.set(0)
        self._tasks.clear()  # what it knew last is not what is so
        self._money.clear()
        # Without the journal, everything else still counts: that is when it is looked at.
        with anyio.move_on_after(JOURNAL_SECONDS), suppress(HailuoError):
            await self._read_journal(await self._app.studio())
            self._journal.set(1)
        return Response(generate_latest(self._registry), media_type=CONTENT_TYPE_LATEST)

    async def _read_journal(self, studio: Studio) -> None:
        counts, money = await studio.store.counts(), await studio.spending()
        for status in Status:
            self._tasks.labels(status.value).set(counts.get(status, 0))
        for kind in ("spent", "reserved", "uncertain", "budget", "left"):
            amount = getattr(money, kind)
            if amount is not None:
                labels = (money.provider, kind, money.unit, money.period)
                self._money.labels(*labels).set(float(amount))


def _outcome(result: HandlerResult) -> str:
    if not isinstance(result, dict) or not result.get("isError"):
        return "ok"
    said: Any = result.get("structuredContent") or {}
    return "failed" if said.get("error", {}).get("code") == "internal" else "refused"
