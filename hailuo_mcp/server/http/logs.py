"""Logs of the HTTP server: lines of JSON, none with a token, a key or a link in it."""

from __future__ import annotations

import json
import logging
import re
import secrets
import time
from collections.abc import Callable, Collection, Iterable
from contextvars import ContextVar
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from hailuo_mcp.server.http.host_guard import path_of
from hailuo_mcp.server.logs import log_to_stderr, message_of, places
from hailuo_mcp.settings import Settings
from hailuo_mcp.telemetry import tracing
from hailuo_mcp.text import shown

_log = logging.getLogger(__name__)

_request_id: ContextVar[str] = ContextVar("_request_id", default="")
_GIVEN_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
_ROUTES = {
    "": "/",
    "gallery": "/gallery",
    "mcp": "/mcp",
    "sse": "/sse",
    "messages": "/messages",
    "health": "/health",
    "ready": "/ready",
    "metrics": "/metrics",
    "files": "/files/{signed}",
    "uploads": "/uploads/{signed}",
    "callbacks": "/callbacks/{token}",
    ".well-known": "/.well-known",
}
"""What is logged instead of a path: some paths are secrets, and any path is a stranger's text."""
_ROUTINE = ("/health", "/ready", "/metrics")
_SECRET_PATH = re.compile(r"/(files|uploads|callbacks)/\S+")
_LEFT = 499
"""nginx's number for a client that left before it was answered."""
_FIELDS = ("route", "method", "status", "ms", "caller", "address")


_hidden = set[str]()


def hide(secrets: Iterable[str]) -> None:
    """From now on no line contains them."""
    _hidden.update(secrets)


def log_as_json(settings: Settings) -> None:
    hide(token.get_secret_value() for _, token in settings.http_tokens)
    if settings.key:
        hide([settings.key])
    if settings.database_url:
        url = settings.database_url.get_secret_value()
        hide([url, *filter(None, [urlsplit(url).password])])
    log_to_stderr(JsonLines(_hidden))
    for name in ("hailuo_mcp.server.http", "hailuo_mcp.telemetry.events"):
        logging.getLogger(name).setLevel(logging.INFO)


class JsonLines(logging.Formatter):
    """One line for each event."""

    def __init__(self, hidden: Collection[str]) -> None:
        super().__init__()
        self._hidden = hidden

    def format(self, record: logging.LogRecord) -> str:
        facts: dict[str, object] = {
            "time": time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created))
            + f".{int(record.msecs):03d}Z",
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": self._clean(message_of(record)),
        }
        if request_id := _request_id.get():
            facts["request_id"] = request_id
        if trace_id := tracing.trace_id():
            facts["trace_id"] = trace_id
        facts |= record.__dict__.get("facts", {})
        facts |= {name: value for name in _FIELDS if (value := record.__dict__.get(name))}
        if record.exc_info and record.exc_info[1]:
            facts["exception"] = places(record.exc_info[1])
        return json.dumps(facts, ensure_ascii=False)

    def _clean(self, text: str) -> str:
        for secret in sorted(self._hidden, key=len, reverse=True):
            text = text.replace(secret, "***")
        return _SECRET_PATH.sub(r"/\1/***", text)


def route_of(scope: Scope) -> str:
    first = path_of(scope).lstrip("/").partition("/")[0]
    return _ROUTES.get(first, "other")


class RequestLog:
    """Gives each request an id, in its log lines and its answer; logs and counts how it ended."""

    def __init__(self, app: ASGIApp, count: Callable[[str, int], None]) -> None:
        self._app = app
        self._count = count

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        given = Headers(scope=scope).get("x-request-id", "")
        request_id = given if _GIVEN_ID.fullmatch(given) else secrets.token_hex(8)
        status = _LEFT
        route = route_of(scope)  # a Mount changes the scope
        began = time.monotonic()

        async def noted(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                self._count(route, status)
                MutableHeaders(scope=message)["x-request-id"] = request_id
            await send(message)

        token = _request_id.set(request_id)
        try:
            await self._app(scope, receive, noted)
        except BaseException:
            status = 500 if status == _LEFT else status
            raise
        finally:
            user = scope.get("user")
            _log.log(
                logging.DEBUG if route in _ROUTINE else logging.INFO,
                "request",
                extra={
                    "route": route,
                    "method": shown(scope["method"], 10),
                    "status": status,
                    "ms": round(1000 * (time.monotonic() - began), 1),
                    "caller": user.display_name if user else "",
                },
            )
            _request_id.reset(token)
