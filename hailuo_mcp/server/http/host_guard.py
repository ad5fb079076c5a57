"""Under which host names this server answers: a page in somebody's browser must not reach it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from hailuo_mcp.loopback import LOOPBACK_NAMES, is_loopback
from hailuo_mcp.server.http.signed_links import looks_signed
from hailuo_mcp.settings import Settings

_ANY_ADDRESS = frozenset({"", "0.0.0.0", "::"})  # noqa: S104  compared with, not bound
_HOST = re.compile(
    r"(?:\[([0-9A-Fa-f:.]{2,45})\]|([A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?))(?::(\d{1,5}))?"
)


def split_host(text: str) -> tuple[str, str] | None:
    """Name and port of a Host header or a setting; None for anything else."""
    found = _HOST.fullmatch(text)
    return ((found[1] or found[2]).lower(), found[3] or "") if found else None


@dataclass(frozen=True, slots=True, kw_only=True)
class HostNames:
    """The loopback names, what the operator lists, the bound address and the public address."""

    names: frozenset[tuple[str, str]]
    """Each with its port; empty for any."""

    @classmethod
    def of(cls, settings: Settings, bound: str) -> HostNames:
        names = {(name, "") for name in LOOPBACK_NAMES}
        if bound not in _ANY_ADDRESS:
            names.add((bound.strip("[]").lower(), ""))
        for text in settings.allowed_hosts:
            names.add(split_host(text) or (text.strip("[]"), ""))
        if settings.callback_url:
            names.add((urlsplit(settings.callback_url).hostname or "", ""))
        return cls(names=frozenset(names))

    @property
    def beyond(self) -> Iterable[str]:
        """Names under which other computers can reach this server."""
        return sorted({name for name, _ in self.names if not is_loopback(name)})

    def knows(self, host: str) -> bool:
        found = split_host(host)
        return found is not None and not self.names.isdisjoint({found, (found[0], "")})

    def trusts(self, origin: str) -> bool:
        scheme, _, rest = origin.partition("://")
        return scheme in ("http", "https") and self.knows(rest)


def path_of(scope: Scope) -> str:
    """The path within this app, also where it is mounted below another."""
    path, root = str(scope["path"]), str(scope.get("root_path", ""))
    inside = path.removeprefix(root)
    return inside if not inside or inside.startswith("/") else path


def _plays_a_clip(scope: Scope) -> bool:
    """Whether a clip is read by its link: a page of any origin may play it, and read none of it.

    Chromium sends an Origin with a video's requests, "null" from within a host's sandbox.
    """
    folder, _, signed = path_of(scope).rpartition("/")
    reads = scope["method"] in ("GET", "HEAD") and folder == "/files"
    return reads and looks_signed(signed.removesuffix(".mp4"))


class HostGuard:
    """Refuses foreign Hosts (421), and foreign Origins (403) on every route but a clip's link."""

    def __init__(self, app: ASGIApp, names: HostNames) -> None:
        self._app = app
        self._names = names

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        hosts, origins = headers.getlist("host"), headers.getlist("origin")
        answer = self._app
        if len(hosts) != 1 or not self._names.knows(hosts[0]):
            answer = PlainTextResponse(
                "This server does not answer under that host name; see HAILUO_ALLOWED_HOSTS.", 421
            )
        elif not _plays_a_clip(scope) and not all(map(self._names.trusts, origins)):
            answer = PlainTextResponse("Requests from that origin are refused.", 403)
        await answer(scope, receive, send)
