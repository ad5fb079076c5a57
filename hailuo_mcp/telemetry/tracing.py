"""Spans of one purchase, in one trace with its caller's.

A trace is continued by its W3C `traceparent`, which the journal keeps with each task: submitting,
polling and saving happen later, maybe in another process. Nothing is exported, and no part of
OpenTelemetry is loaded here, unless the standard OTEL_* variables name an exporter.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Generator, Iterable, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Protocol

from hailuo_mcp.errors import HailuoError

if TYPE_CHECKING:
    from hailuo_mcp.telemetry.otel import Exporter

_log = logging.getLogger(__name__)

_OTLP = "OTEL_EXPORTER_OTLP"
FLUSH_SECONDS = 1.0
"""How long a process that ends waits for its last spans to be exported."""
_TRACEPARENT = re.compile(r"[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}")
_current: ContextVar[str] = ContextVar("_current", default="")


class Span(Protocol):
    """One step of a trace."""

    def note(self, **facts: str | float | None) -> None:
        """Add attributes: ids, models, statuses, amounts and durations, nothing else."""


class _NoSpan:
    def note(self, **facts: str | float | None) -> None:
        pass


_NO_SPAN = _NoSpan()
_exporter: Exporter | None = None


def start(environ: Mapping[str, str], version: str, tools: Iterable[str]) -> None:
    """Export spans from now on, if the variables say so. One process has one exporter.

    `version`: this program's. `tools`: names that may stand in a span; others are clients' text.
    """
    global _exporter  # noqa: PLW0603  # as in OpenTelemetry, whose provider is the process's
    if _exporter is not None or not _is_wanted(environ):
        return
    try:
        from hailuo_mcp.telemetry.otel import Exporter
    except ModuleNotFoundError:
        _log.warning("OTEL_* names an exporter, but the extra is missing: hailuo-mcp[otel]")
        return
    try:
        _exporter = Exporter(version, tools)
    except (ValueError, OSError) as exc:
        _log.warning(
            "spans cannot be exported: an OTEL_* variable is wrong (%s)", type(exc).__name__
        )


def _is_wanted(environ: Mapping[str, str]) -> bool:
    def given(name: str) -> str:
        return environ.get(name, "").strip().lower()

    if given("OTEL_SDK_DISABLED") == "true":
        return False
    exporter = given("OTEL_TRACES_EXPORTER")
    endpoint = given(f"{_OTLP}_TRACES_ENDPOINT") or given(f"{_OTLP}_ENDPOINT")
    if exporter == "none" or not (exporter or endpoint):
        return False
    protocol = given(f"{_OTLP}_TRACES_PROTOCOL") or given(f"{_OTLP}_PROTOCOL")
    if exporter not in ("", "otlp") or protocol not in ("", "http/protobuf"):
        _log.warning("no spans: OTEL_* asks for something else than otlp over http/protobuf")
        return False
    return True


def flush() -> None:
    """Export what is left, within FLUSH_SECONDS. Blocks; for a process that ends."""
    if _exporter is not None:
        _exporter.flush(FLUSH_SECONDS)


@contextmanager
def span(name: str, parent: str = "", **facts: str | float | None) -> Generator[Span]:
    """Trace one step; `parent` is the traceparent to continue, by default the current one."""
    parent = parent or _current.get()
    if _exporter is None:
        with under(parent):
            yield _NO_SPAN
        return
    with _exporter.span(name, parent) as (step, traceparent), under(traceparent):
        step.note(**facts)
        try:
            yield step
        except HailuoError as error:
            step.note(error=error.code)
            raise
        except BaseException as error:
            step.note(error=type(error).__name__)
            raise


@contextmanager
def under(traceparent: str) -> Generator[None]:
    """Let what happens here belong to that trace."""
    token = _current.set(traceparent if _TRACEPARENT.fullmatch(traceparent) else "")
    try:
        yield
    finally:
        _current.reset(token)


def traceparent() -> str:
    """The present step, as another process continues it; empty outside of a trace."""
    return _current.get()


def trace_id() -> str:
    """The present trace, for the log; empty outside of one."""
    found = _TRACEPARENT.fullmatch(_current.get())
    return found[1] if found else ""
