"""What callers may send and hold open: bodies, answers in progress, sessions, pictures."""

from __future__ import annotations

import time
from collections import Counter, OrderedDict
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass

import anyio
from mcp_types.version import HANDSHAKE_PROTOCOL_VERSIONS
from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from hailuo_mcp.server.http.auth import Visitor, caller, visitor
from hailuo_mcp.server.http.host_guard import path_of

_SESSION = "mcp-session-id"
_ERROR = 400
_BUSY = 503
_WITHDRAWN = 401
_LATER = {"Retry-After": "10"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What all clients together may take up."""

    body: int = 4 * 1024 * 1024
    """Bytes; larger pictures are handed in at /uploads."""
    body_seconds: float = 20.0
    """For the whole body, however slowly its parts come."""
    streams: int = 500
    """Answers in progress at once, listening ones included."""
    sessions: int = 1000
    session_idle_seconds: float = 1800.0
    pictures: int = 100
    """Handed in by one caller and kept; the caller's oldest make room for new ones."""
    picture_bytes: int = 500_000_000
    """Of one caller's."""
    all_picture_bytes: int = 2_000_000_000
    """Of all callers': what does not fit is refused; one caller's never make room for another's."""


class RefusedBodyError(HTTPException):
    """A body that is too large (413), too slow (408), or whose sender is gone (400)."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(status, message, {"Connection": "close"})


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


class Quota:
    """How many answers in progress and sessions of the older era each caller has.

    Where there are several callers, one may have half, so that nobody locks out the others. The
    SDK (2.3.0) counts sessions only for all callers together.
    """

    def __init__(
        self, limits: Limits, *, callers: int, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._limits = limits
        self._part = 2 if callers > 1 else 1
        self._clock = clock
        self._streams = Counter[str]()
        self._sessions: dict[str, OrderedDict[str, float]] = {}
        """By caller, when each was last used, the longest unused first. Both hold only callers who
        have any: an issuer may name new ones every day."""

    def refusal(self, scope: Scope) -> str:
        """Why this request exceeds a limit; empty if it does not."""
        name, limits = caller().name, self._limits
        if self._streams.total() >= limits.streams:
            return "Too many requests are in progress. Try again later."
        if self._streams[name] >= self._share(limits.streams):
            return "Too many requests of this token are in progress. Try again later."
        if _opens_session(scope) and self._open_sessions(name) >= self._share(limits.sessions):
            return "This token has too many open sessions. End some of them, or try again later."
        return ""

    @contextmanager
    def count_stream(self) -> Generator[None]:
        """Count an answer as in progress."""
        name = caller().name
        self._streams[name] += 1
        try:
            yield
        finally:
            self._streams[name] -= 1
            if not self._streams[name]:
                del self._streams[name]

    def note_answer(self, scope: Scope, status: int, headers: Headers) -> None:
        """Follow which sessions there are, by what the SDK answers."""
        session = Headers(scope=scope).get(_SESSION) or headers.get(_SESSION)
        if not session or not _is_mcp(scope) or _is_modern(scope):
            return  # the newer era answers whatever session its callers invent
        name = caller().name
        own = self._sessions.setdefault(name, OrderedDict())
        own.pop(session, None)
        if status < _ERROR and scope["method"] != "DELETE":
            own[session] = self._clock()
        elif not own:
            del self._sessions[name]

    def _share(self, whole: int) -> int:
        return max(1, whole // self._part)

    def _open_sessions(self, name: str) -> int:
        ended = self._clock() - self._limits.session_idle_seconds
        for caller_name, own in list(self._sessions.items()):
            while own and next(iter(own.values())) < ended:
                own.popitem(last=False)
            if not own:
                del self._sessions[caller_name]
        return len(self._sessions.get(name, ()))


def _is_mcp(scope: Scope) -> bool:
    return path_of(scope).rstrip("/") == "/mcp"


def _opens_session(scope: Scope) -> bool:
    """Whether the SDK would make a session for it: the newer era has none."""
    return (
        scope["method"] == "POST"
        and _is_mcp(scope)
        and _SESSION not in Headers(scope=scope)
        and not _is_modern(scope)
    )


def _is_modern(scope: Scope) -> bool:
    """Whether the SDK answers it by itself, as the newer era has it, without a session."""
    version = Headers(scope=scope).get("mcp-protocol-version")
    return version is not None and version not in HANDSHAKE_PROTOCOL_VERSIONS


class RequestLimits:
    """Reads a request for the SDK before the SDK does anything, and ends its streams in time."""

    PATHS = ("/mcp", "/sse", "/messages")

    def __init__(self, app: ASGIApp, limits: Limits, streams: Streams, callers: int) -> None:
        self._app = app
        self._quota = Quota(limits, callers=callers)
        self._limits = limits
        self._streams = streams

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not path_of(scope).startswith(self.PATHS):
            await self._app(scope, receive, send)
        elif _lacks_session(scope):
            refusal = PlainTextResponse(
                "There is no session yet: begin with POST.", 405, headers={"Allow": "POST"}
            )
            await refusal(scope, receive, send)
        elif too_many := self._quota.refusal(scope):
            await PlainTextResponse(too_many, _BUSY, headers=_LATER)(scope, receive, send)
        else:
            with self._quota.count_stream():  # while its body arrives, too: that is held in memory
                await self._streams.run(self._answer, scope, receive, send)

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        limits = self._limits
        try:
            body = await read_body(scope, receive, limit=limits.body, seconds=limits.body_seconds)
        except RefusedBodyError as refused:
            answer = PlainTextResponse(refused.detail, refused.status_code, refused.headers)
            await answer(scope, receive, send)
            return
        unread: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

        async def replay() -> Message:
            return unread.pop() if unread else await receive()

        async def noted(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                self._quota.note_answer(scope, message["status"], headers)
                if message["status"] == _BUSY:  # the SDK's own, at its limit of sessions
                    headers.update(_LATER)
            await send(message)

        await self._app(scope, replay, noted)


def _lacks_session(scope: Scope) -> bool:
    """Whether a stream is asked for before there is a session.

    The SDK (2.3.0) would make a session for the refusal, name it in the answer and forget it.
    Vercel's client (@ai-sdk/mcp 1.0.101) asks while its session is being made, and takes the wrong
    one of the two names.
    """
    return (
        scope["method"] in ("GET", "DELETE")
        and _is_mcp(scope)
        and _SESSION not in Headers(scope=scope)
    )


class Streams:
    """Answers in progress. Those that would stay open forever end when the server shuts down."""

    def __init__(self) -> None:
        self._ended = False
        self._open: dict[anyio.CancelScope, Visitor | None] = {}

    def end(self) -> None:
        self._ended = True
        for answer in self._open:
            answer.cancel()

    def end_where(self, unwanted: Callable[[Visitor | None], bool]) -> None:
        """End what is open for some visitors."""
        for answer, one in self._open.items():
            if unwanted(one):
                answer.cancel()

    async def run(self, app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
        begun = complete = False

        async def noted(message: Message) -> None:
            nonlocal begun, complete
            await send(message)
            begun = True
            complete = message["type"] == "http.response.body" and not message.get("more_body")

        with anyio.CancelScope() as answer:
            self._open[answer] = visitor()
            if self._ended:
                answer.cancel()
            try:
                await app(scope, receive, noted)
            finally:
                del self._open[answer]
        if not (self._ended or answer.cancel_called) or complete:
            return
        if begun:  # so that its client sees an orderly end
            await send({"type": "http.response.body", "body": b"", "more_body": False})
        else:
            leaving = PlainTextResponse("The server is shutting down.", _BUSY, headers=_LATER)
            if not self._ended:
                leaving = PlainTextResponse("This access was withdrawn.", _WITHDRAWN)
            await leaving(scope, receive, send)
