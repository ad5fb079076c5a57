"""What comes in: bodies within a size and a time, and streams that end when the server does."""

from __future__ import annotations

import anyio
from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from hailuo_mcp.server.http.auth import path_of
from hailuo_mcp.server.http.shares import Limits, Shares

_BUSY = 503
_LATER = {"Retry-After": "10"}


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

    def __init__(self, app: ASGIApp, limits: Limits, streams: Streams, callers: int) -> None:
        self._app = app
        self._shares = Shares(limits, callers=callers)
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
        if too_many := self._shares.refusal(scope):
            await PlainTextResponse(too_many, 503, headers=_LATER)(scope, receive, send)
            return
        with self._shares.taken():  # while its body comes, too: that is held in memory
            await self._answer(scope, receive, send)

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            body = await read_body(
                scope,
                self._streams.until_the_end(receive),
                limit=self._limits.body,
                seconds=self._limits.body_seconds,
            )
        except RefusedBodyError as refused:
            await refused.response(scope, receive, send)
            return

        async def followed(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                self._shares.answered(scope, message["status"], headers)
                if message["status"] == _BUSY:  # the SDK's own, at its limit of sessions
                    headers.update(_LATER)
            await send(message)

        await self._streams.run(self._app, scope, body, receive, followed)


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

        news = self.until_the_end(receive)

        async def replay() -> Message:
            return unread.pop() if unread else await news()

        await app(scope, replay, once)
        if self._ended:
            await once.finish()

    def until_the_end(self, receive: Receive) -> Receive:
        """What the client sends; to whoever waits for more of it, the end is that it has left."""

        async def news() -> Message:
            if not self._ended:
                with anyio.CancelScope() as waiting:
                    self._waiting.add(waiting)
                    try:
                        return await receive()
                    finally:
                        self._waiting.discard(waiting)
            return {"type": "http.disconnect"}

        return news


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
