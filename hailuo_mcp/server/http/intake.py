"""What comes in: bodies within a size and a time, and streams that end when the server does."""

from __future__ import annotations

from dataclasses import dataclass

import anyio
from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from hailuo_mcp.server.http.visitors import path_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What one client may take up."""

    body: int = 4 * 1024 * 1024
    """Bytes; larger pictures are handed in at /uploads."""
    body_seconds: float = 20.0
    """For the whole body, however slowly its parts come."""
    streams: int = 500
    """Answers under way at once, listening ones included."""
    sessions: int = 1000
    session_idle_seconds: float = 1800.0


class RefusedBodyError(Exception):
    """A body that is too large (413), too slow (408), or whose sender is gone (400)."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.response = PlainTextResponse(message, status, headers={"Connection": "close"})


async def read_body(scope: Scope, receive: Receive, *, limit: int, seconds: float) -> bytes:
    """Read a body to its end; never holds more than `limit` bytes."""
    body = bytearray()
    declared = Headers(scope=scope).get("content-length", "0")
    if not declared.isascii() or not declared.isdigit() or int(declared[:20]) > limit:
        raise RefusedBodyError(413, f"The request is larger than {limit} bytes.")
    with anyio.move_on_after(seconds):
        while True:
            message = await receive()
            if message["type"] != "http.request":
                raise RefusedBodyError(400, "The request ended early.")
            body += message.get("body", b"")
            if len(body) > limit:
                raise RefusedBodyError(413, f"The request is larger than {limit} bytes.")
            if not message.get("more_body", False):
                return bytes(body)
    raise RefusedBodyError(408, "The request took too long to arrive.")


class Intake:
    """Reads what is for the SDK before it is asked to do anything, and ends its streams on time."""

    PATHS = ("/mcp", "/sse", "/messages")

    def __init__(self, app: ASGIApp, limits: Limits, streams: Streams) -> None:
        self._app = app
        self._limits = limits
        self._streams = streams

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not path_of(scope).startswith(self.PATHS):
            await self._app(scope, receive, send)
            return
        if _is_early(scope):
            early = PlainTextResponse(
                "There is no session yet: begin with POST.", 405, headers={"Allow": "POST"}
            )
            await early(scope, receive, send)
            return
        if self._streams.count >= self._limits.streams:
            busy = PlainTextResponse("Too many requests are under way. Try again later.", 503)
            await busy(scope, receive, send)
            return
        try:
            body = await read_body(
                scope, receive, limit=self._limits.body, seconds=self._limits.body_seconds
            )
        except RefusedBodyError as refused:
            await refused.response(scope, receive, send)
            return
        await self._streams.run(self._app, scope, body, receive, send)


def _is_early(scope: Scope) -> bool:
    """Whether a stream is asked for before there is a session.

    The SDK (2.3.0) would make a session for the refusal, name it in the answer and forget it.
    Vercel's client (@ai-sdk/mcp 1.0.101) asks while its session is being made, and takes the wrong
    one of the two names.
    """
    return (
        scope["method"] in ("GET", "DELETE")
        and path_of(scope).rstrip("/") == "/mcp"
        and "mcp-session-id" not in Headers(scope=scope)
    )


class Streams:
    """Answers under way. Those that would stay open for ever are ended by the server's leaving."""

    def __init__(self) -> None:
        self.count = 0
        self._ended = False
        self._waiting: set[anyio.CancelScope] = set()

    def end(self) -> None:
        """Let every answer under way find that its client has left."""
        self._ended = True
        for scope in self._waiting:
            scope.cancel()

    async def run(
        self, app: ASGIApp, scope: Scope, body: bytes, receive: Receive, send: Send
    ) -> None:
        unread: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]
        once = _Once(send)

        async def replay() -> Message:
            return unread.pop() if unread else await self._news(receive)

        self.count += 1
        try:
            await app(scope, replay, once)
        finally:
            self.count -= 1
        if self._ended:
            await once.finish()

    async def _news(self, receive: Receive) -> Message:
        if not self._ended:
            with anyio.CancelScope() as waiting:
                self._waiting.add(waiting)
                try:
                    return await receive()
                finally:
                    self._waiting.discard(waiting)
        return {"type": "http.disconnect"}


class _Once:
    """One response: the SDK's /sse answers a second time when its stream was ended (2.3.0)."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self._begun = False
        self._closed = False
        self._deaf = False

    async def __call__(self, message: Message) -> None:
        begins = message["type"] == "http.response.start"
        self._deaf = self._deaf or self._closed or (begins and self._begun)
        if self._deaf:
            return
        self._begun = self._begun or begins
        self._closed = not begins and not message.get("more_body", False)
        await self._send(message)

    async def finish(self) -> None:
        """Close a stream that its handler left open, so that its client sees an orderly end."""
        if self._begun and not self._closed:
            await self._send({"type": "http.response.body", "body": b"", "more_body": False})
