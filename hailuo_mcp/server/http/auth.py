"""Who makes the present request: a bearer token tells, compared in constant time."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Sequence
from contextvars import ContextVar
from dataclasses import dataclass

from mcp.server.auth.middleware.bearer_auth import AuthenticatedUser
from mcp.server.auth.provider import AccessToken
from pydantic import SecretStr
from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from hailuo_mcp.errors import ConfigError
from hailuo_mcp.loopback import is_loopback
from hailuo_mcp.server.context import Caller
from hailuo_mcp.server.http.hosts import Names
from hailuo_mcp.settings import Settings

NOBODY = "http"
"""The caller where there are no tokens: not the empty name, which is the person at the keyboard,
who sees everybody's tasks and whose folders are read. Whatever can open a port of this computer
is not known to be that person, so it has a name of its own and sees only its own tasks."""
OPEN = ("/callbacks/", "/files/", "/uploads/")
"""Reached without a token: each has an unguessable or signed path instead."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Visitor:
    name: str
    base_url: str
    """This server as the visitor reaches it."""
    local: bool = False
    """Whether this computer's folders are theirs, as the operator says."""


_visitor: ContextVar[Visitor | None] = ContextVar("_visitor", default=None)


def visitor() -> Visitor | None:
    """Who asks; None outside of a request."""
    return _visitor.get()


def caller() -> Caller:
    """As the tools see it."""
    present = _visitor.get()
    return Caller(
        name=present.name if present else NOBODY, local=present is not None and present.local
    )


def need_tokens(settings: Settings | None, names: Names, bound: str) -> None:
    """Raise ConfigError where other computers could come in without a token."""
    if settings is None or settings.http_tokens or (is_loopback(bound) and not names.beyond):
        return
    which = ", ".join(names.beyond) or bound
    raise ConfigError(
        f"The server would be open to other computers ({which}) and nobody has a token, so anybody "
        "could spend your money. Nothing was sent or charged. Set HAILUO_HTTP_TOKENS to "
        "name:token, the token a long random text."
    )


def need_loopback(names: Names, bound: str) -> None:
    """Raise ConfigError where other computers could come in and count as local."""
    if is_loopback(bound) and not names.beyond:
        return
    which = ", ".join(names.beyond) or bound
    raise ConfigError(
        f"--local lets callers read and write files of this computer, and others could come in as "
        f"well ({which}). Nothing was sent or charged. Leave --local out, or serve this computer "
        "only: --host 127.0.0.1, and no other name in HAILUO_ALLOWED_HOSTS or HAILUO_CALLBACK_URL."
    )


def path_of(scope: Scope) -> str:
    """The path within this app, also where it is mounted below another."""
    path, root = str(scope["path"]), str(scope.get("root_path", ""))
    inside = path.removeprefix(root)
    return inside if not inside or inside.startswith("/") else path


class TokenAuth:
    """Asks for a token everywhere but where the path itself is the secret, and at /health."""

    def __init__(
        self,
        app: ASGIApp,
        tokens: Sequence[tuple[str, SecretStr]],
        base_url: str = "",
        *,
        local: bool = False,
    ) -> None:
        self._app = app
        self._local = local
        self._tokens = [(name, _digest(token.get_secret_value())) for name, token in tokens]
        self._base_url = base_url

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = path_of(scope) if scope["type"] == "http" else ""
        if scope["type"] != "http" or path == "/health" or path.startswith(OPEN):
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        if not self._tokens and not _is_near(scope):
            await PlainTextResponse("Without HAILUO_HTTP_TOKENS only this computer may call.", 403)(
                scope, receive, send
            )
            return
        if self._local and not _is_of_this_computer(scope, headers):
            await PlainTextResponse(
                "With --local only programs of this computer may call, not a proxy or a page.", 403
            )(scope, receive, send)
            return
        given = headers.getlist("authorization")
        name = self._name(given)
        if name is None:
            await _refusal(given)(scope, receive, send)
            return
        base_url = self._base_url or f"{scope['scheme']}://{headers['host']}"
        base_url += str(scope.get("root_path", "")).rstrip("/") if not self._base_url else ""
        # The SDK ties sessions and sealed states to this user: another token cannot use them.
        scope["user"] = AuthenticatedUser(AccessToken(token="", client_id=name, scopes=[]))
        token = _visitor.set(Visitor(name=name, base_url=base_url, local=self._local))
        try:
            await self._app(scope, receive, send)
        finally:
            _visitor.reset(token)

    def _name(self, given: Sequence[str]) -> str | None:
        if not self._tokens:
            return NOBODY
        if len(given) != 1:
            return None
        scheme, _, token = given[0].partition(" ")
        if scheme.lower() != "bearer":
            return None
        found, digest = None, _digest(token.strip())
        for name, known in self._tokens:  # all of them: the time tells nothing
            if hmac.compare_digest(known, digest):
                found = name
        return found


def _is_near(scope: Scope) -> bool:
    """Whether the connection, or the proxy's word for it, comes from this computer.

    Another ASGI server may listen anywhere, and a Host header is easily made up.
    """
    client: tuple[str, int] | None = scope.get("client")
    return client is not None and is_loopback(client[0])


_FORWARDED = ("forwarded", "x-forwarded-for", "x-forwarded-host", "x-real-ip", "via")


def _is_of_this_computer(scope: Scope, headers: Headers) -> bool:
    """Whether a program of this computer calls for itself.

    A proxy or a tunnel brings in others, and a page is somebody else's program: that it comes from
    a server on this computer, as HostGuard demands, is not enough for one that reads files.
    """
    own = f"{scope['scheme']}://{headers['host']}"
    return (
        _is_near(scope)
        and not any(name in headers for name in _FORWARDED)
        and headers.get("sec-fetch-site", "none") in ("none", "same-origin")
        and all(origin == own for origin in headers.getlist("origin"))
    )


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()


def _refusal(given: Sequence[str]) -> PlainTextResponse:
    challenge = 'Bearer realm="hailuo-mcp"' + (', error="invalid_token"' if given else "")
    return PlainTextResponse(
        "This server asks for a token of its operator's: Authorization: Bearer <token>.",
        401,
        headers={"WWW-Authenticate": challenge},
    )
