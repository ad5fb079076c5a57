"""Exports spans through the OpenTelemetry SDK; loaded only where the variables ask for it."""

from __future__ import annotations

import os
import threading
from collections.abc import Generator, Iterable, Mapping, Sequence
from contextlib import contextmanager

from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.trace import SpanKind, Status, StatusCode
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

_NAME = "hailuo-mcp"
_PREFIX = "hailuo."
_W3C = TraceContextTextMapPropagator()
_OF_THE_SDK = frozenset(
    {
        *("mcp.method.name", "mcp.protocol.version", "gen_ai.operation.name", "gen_ai.tool.name"),
        *("error.type", "rpc.response.status_code"),
    }
)
_METHODS = frozenset(
    {
        *("initialize", "server/discover", "ping", "completion/complete"),
        *("tools/list", "tools/call", "prompts/list", "prompts/get", "elicitation/create"),
        *("resources/list", "resources/templates/list", "resources/read", "subscriptions/listen"),
        *("tasks/get", "tasks/update", "tasks/cancel", "tasks/list", "tasks/result"),
    }
)
"""Any other method of a span is a client's text."""
_LONGEST = 100


class Exporter:
    """The process's tracer provider, which the MCP SDK's own spans go to as well."""

    def __init__(self, version: str, tools: Iterable[str]) -> None:
        """Take the provider that is set (opentelemetry-instrument sets one), or make one.

        Raises:
            ValueError: a variable cannot be read.
        """
        found = trace.get_tracer_provider()
        if isinstance(found, trace.ProxyTracerProvider):
            # Without an exit handler: it would wait for the collector for half a minute.
            found = TracerProvider(resource=_resource(version, os.environ), shutdown_on_exit=False)
            cleaned = CleanExporter(OTLPSpanExporter(), frozenset(tools))
            found.add_span_processor(BatchSpanProcessor(cleaned))
            trace.set_tracer_provider(found)
        self._provider = found
        self._tracer = trace.get_tracer(_NAME, version, found)

    @contextmanager
    def span(self, name: str, parent: str) -> Generator[tuple[ExportedSpan, str]]:
        """One step below `parent`, with its own traceparent."""
        context = _W3C.extract({"traceparent": parent}) if parent else None
        with self._tracer.start_as_current_span(
            name,
            context=context,
            kind=SpanKind.INTERNAL if name == "purchase" else SpanKind.CLIENT,
            record_exception=False,  # its text may hold what a client sent
            set_status_on_exception=False,
        ) as started:
            carrier: dict[str, str] = {}
            _W3C.inject(carrier)
            yield ExportedSpan(started), carrier.get("traceparent", "")

    def flush(self, seconds: float) -> None:
        """In a thread: the SDK (1.45) takes a limit and does not keep it."""
        force = getattr(self._provider, "force_flush", None)
        if force is not None:
            thread = threading.Thread(target=force, name="hailuo-flush", daemon=True)
            thread.start()
            thread.join(seconds)


class ExportedSpan:
    def __init__(self, started: trace.Span) -> None:
        self._span = started

    def note(self, **facts: str | float | None) -> None:
        for name, value in facts.items():
            if value is None or value == "":
                continue
            if name == "error":
                self._span.set_attribute("error.type", value)
                self._span.set_status(StatusCode.ERROR)
            else:
                self._span.set_attribute(f"{_PREFIX}{name}", value)


class CleanExporter(SpanExporter):
    """The wall before the collector: of every span only what is known to be no client's text.

    The MCP SDK's spans carry exceptions with their words, and names that clients have sent.
    """

    def __init__(self, inner: SpanExporter, tools: frozenset[str]) -> None:
        self._inner = inner
        self._tools = tools

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        return self._inner.export([self._cleaned(span) for span in spans])

    def shutdown(self) -> None:
        self._inner.shutdown()

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        return self._inner.force_flush(timeout_millis)

    def _cleaned(self, span: ReadableSpan) -> ReadableSpan:
        said = dict(span.attributes or {})
        kept = {
            name: value[:_LONGEST] if isinstance(value, str) else value
            for name, value in said.items()
            if name in _OF_THE_SDK or name.startswith(_PREFIX)
        }
        name, method = span.name, said.get("mcp.method.name")
        if method is not None:
            tool = said.get("gen_ai.tool.name")
            kept["mcp.method.name"] = name = str(method) if method in _METHODS else "other"
            if tool is not None:
                kept["gen_ai.tool.name"] = tool = str(tool) if tool in self._tools else "unknown"
                name = f"{name} {tool}"
        return ReadableSpan(
            name,
            context=span.context,
            parent=span.parent,
            resource=span.resource,
            attributes=kept,
            links=span.links,
            kind=span.kind,
            status=Status(span.status.status_code),
            start_time=span.start_time,
            end_time=span.end_time,
            instrumentation_scope=span.instrumentation_scope,
        )


def _resource(version: str, environ: Mapping[str, str]) -> Resource:
    own = {"service.version": version}
    named = environ.get("OTEL_SERVICE_NAME") or "service.name=" in environ.get(
        "OTEL_RESOURCE_ATTRIBUTES", ""
    )
    return Resource.create(own if named else {**own, "service.name": _NAME})
