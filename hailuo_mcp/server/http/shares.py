"""What one caller may take of what all callers share: half, so that nobody locks out the others."""

from __future__ import annotations

import time
from collections import Counter, OrderedDict, defaultdict
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass

from mcp_types.version import HANDSHAKE_PROTOCOL_VERSIONS
from starlette.datastructures import Headers
from starlette.types import Scope

from hailuo_mcp.server.http.auth import NOBODY, path_of, visitor

_SESSION = "mcp-session-id"


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What all clients together may take up."""

    body: int = 4 * 1024 * 1024
    """Bytes; larger pictures are handed in at /uploads."""
    body_seconds: float = 20.0
    """For the whole body, however slowly its parts come."""
    streams: int = 500
    """Answers under way at once, listening ones included."""
    sessions: int = 1000
    session_idle_seconds: float = 1800.0
    pictures: int = 100
    """Handed in by one caller and kept; the caller's oldest make room for new ones."""
    picture_bytes: int = 500_000_000
    """Of one caller's."""
    all_picture_bytes: int = 2_000_000_000
    """Of all callers': what does not fit is refused, for nobody's make room for another's."""


class Shares:
    """Who has how many answers under way, and how many sessions of the older era.

    Of the sessions the SDK (2.3.0) counts only all together.
    """

    def __init__(
        self, limits: Limits, *, callers: int, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._limits = limits
        self._part = 2 if callers > 1 else 1
        self._clock = clock
        self._streams = Counter[str]()
        self._sessions: defaultdict[str, OrderedDict[str, float]] = defaultdict(OrderedDict)
        """When each was last used, the longest unused first."""

    def refusal(self, scope: Scope) -> str:
        """Why this request is one too many; empty where it is not."""
        name, limits = _name(), self._limits
        if self._streams.total() >= limits.streams:
            return "Too many requests are under way. Try again later."
        if self._streams[name] >= self._share(limits.streams):
            return "Too many requests of this token's are under way. Try again later."
        if _opens_session(scope) and self._open(name) >= self._share(limits.sessions):
            return "This token has too many open sessions. End some of them, or try again later."
        return ""

    @contextmanager
    def taken(self) -> Generator[None]:
        """An answer is under way."""
        name = _name()
        self._streams[name] += 1
        try:
            yield
        finally:
            self._streams[name] -= 1

    def answered(self, scope: Scope, status: int, headers: Headers) -> None:
        """Follow which sessions there are, by what the SDK answers."""
        session = Headers(scope=scope).get(_SESSION) or headers.get(_SESSION)
        if not session or path_of(scope).rstrip("/") != "/mcp":
            return
        mine = self._sessions[_name()]
        mine.pop(session, None)
        if status < 400 and scope["method"] != "DELETE":  # noqa: PLR2004  RFC 9110: an error
            mine[session] = self._clock()

    def _share(self, whole: int) -> int:
        return max(1, whole // self._part)

    def _open(self, name: str) -> int:
        mine = self._sessions[name]
        ended = self._clock() - self._limits.session_idle_seconds
        while mine and next(iter(mine.values())) < ended:
            mine.popitem(last=False)
        return len(mine)


def _name() -> str:
    here = visitor()
    return here.name if here else NOBODY


def _opens_session(scope: Scope) -> bool:
    """Whether the SDK would make a session for it: the newer era has none."""
    headers = Headers(scope=scope)
    era = headers.get("mcp-protocol-version")
    return (
        scope["method"] == "POST"
        and path_of(scope).rstrip("/") == "/mcp"
        and _SESSION not in headers
        and (era is None or era in HANDSHAKE_PROTOCOL_VERSIONS)
    )
