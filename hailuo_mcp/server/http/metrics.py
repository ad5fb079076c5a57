"""GET /metrics: what one server measures, through Prometheus' own client."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from contextlib import suppress
from decimal import Decimal
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

from hailuo_mcp.domain.task import TENANT, Status, Unit
from hailuo_mcp.errors import HailuoError
from hailuo_mcp.telemetry.events import Event, tenant_name

if TYPE_CHECKING:
    from hailuo_mcp.server.context import AppContext
    from hailuo_mcp.studio.studio import Studio
    from hailuo_mcp.tenants import Tenants
    from hailuo_mcp.views import Spending

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
        self._tenants = TenantMetrics(registry) if app.tenants else None
        self._times = {
            what: histogram(f"hailuo_{what}_seconds", about) for what, about in _TIMED.items()
        }
        self._callbacks = counter("hailuo_callbacks", "Callbacks received", ["outcome"])
        self._requests = counter(
            "hailuo_http_requests", "HTTP requests answered", ["route", "status"]
        )
        self._seconds = histogram("hailuo_tool_seconds", "Tool calls", ["tool", "outcome"])
        self._calls = counter("hailuo_tool_calls", "Tool calls", ["tool", "outcome", "tenant"])
        self._counted = counter(
            "hailuo_counted_clips",
            "Clips whose cost the provider has counted, by how that differs from the quote",
            ["unit", "difference"],
        )
        self._difference = counter(
            "hailuo_cost_difference",
            "What clips cost more or less than quoted, by the provider's count",
            ["unit", "difference"],
        )
        for unit in (Unit.USD, Unit.CNY):
            for difference in ("none", "more", "less"):
                self._counted.labels(unit.value, difference)
                self._difference.labels(unit.value, difference)
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

    def count_cost(self, unit: Unit, more: Decimal) -> None:
        """`more`: than quoted; below 0 for less."""
        difference = "none" if not more else "more" if more > 0 else "less"
        self._counted.labels(unit.value, difference).inc()
        if more:
            self._difference.labels(unit.value, difference).inc(float(abs(more)))

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
        if self._app.is_tenant:
            return await self._of_present_tenant()
        self._journal.set(0)
        self._tasks.clear()  # what it knew last is not what is so
        self._money.clear()
        # Without the journal, everything else still counts: that is when it is looked at.
        with anyio.move_on_after(JOURNAL_SECONDS), suppress(HailuoError):
            await self._read_journal(await self._app.studio())
            self._journal.set(1)
        return _shown(self._registry)

    async def _of_present_tenant(self) -> Response:
        try:
            return _shown(await _of_one(await self._app.studio()))
        except HailuoError as error:
            return Response(f"# {error.code}", status_code=503, media_type="text/plain")

    async def _read_journal(self, studio: Studio) -> None:
        counts, money = await studio.store.counts(), await studio.spending()
        for status in Status:
            self._tasks.labels(status.value).set(counts.get(status, 0))
        for kind, amount in _amounts(money):
            labels = (money.provider, kind, money.unit, money.period)
            self._money.labels(*labels).set(amount)
        if self._tenants and (tenants := self._app.tenants):
            for name in tenants.all:
                self._prepare(name)
            await self._tenants.measure(tenants)


class TenantMetrics:
    """For the operator: each tenant's tasks and money, and whether their file is in force."""

    def __init__(self, registry: CollectorRegistry) -> None:
        gauge = partial(Gauge, registry=registry)
        self._tasks = gauge("hailuo_tenant_tasks", "Tasks of a tenant", ["tenant", "status"])
        self._money = gauge(
            "hailuo_tenant_money",
            "A tenant's, in the period of its budget",
            ["tenant", "provider", "kind", "unit", "period"],
        )
        self._fault = gauge(
            "hailuo_tenants_file_unusable",
            "1 while the file of tenants cannot be used and its last good content is in force",
        )

    async def measure(self, tenants: Tenants) -> None:
        self._fault.set(tenants.fault is not None)
        self._tasks.clear()
        self._money.clear()
        for name in tenants.all:
            with suppress(HailuoError):
                studio = tenants.studio(f"{TENANT}{name}")
                counts, money = await _facts(studio)
                for status in Status:
                    self._tasks.labels(name, status.value).set(counts.get(status, 0))
                for kind, amount in _amounts(money):
                    labels = (name, money.provider, kind, money.unit, money.period)
                    self._money.labels(*labels).set(amount)


async def _of_one(studio: Studio) -> CollectorRegistry:
    """What a tenant may see: its own."""
    registry = CollectorRegistry()
    tasks = Gauge("hailuo_tasks", "Your tasks", ["status"], registry=registry)
    sums = Gauge("hailuo_money", "Yours", ["provider", "kind", "unit", "period"], registry=registry)
    counts, money = await _facts(studio)
    for status in Status:
        tasks.labels(status.value).set(counts.get(status, 0))
    for kind, amount in _amounts(money):
        sums.labels(money.provider, kind, money.unit, money.period).set(amount)
    return registry


async def _facts(studio: Studio) -> tuple[dict[Status, int], Spending]:
    return await studio.store.counts(caller=studio.tenant), await studio.spending()


def _amounts(money: Spending) -> Iterator[tuple[str, float]]:
    for kind in ("spent", "reserved", "uncertain", "budget", "left"):
        if (amount := getattr(money, kind)) is not None:
            yield kind, float(amount)


def _shown(registry: CollectorRegistry) -> Response:
    return Response(generate_latest(registry), media_type=CONTENT_TYPE_LATEST)


def _outcome(result: HandlerResult) -> str:
    if not isinstance(result, dict) or not result.get("isError"):
        return "ok"
    said: Any = result.get("structuredContent") or {}
    return "failed" if said.get("error", {}).get("code") == "internal" else "refused"
