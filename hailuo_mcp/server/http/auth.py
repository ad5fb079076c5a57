"""Who makes the present request, by its bearer token, compared in constant time."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Sequence
from typing import TYPE_CHECKING

from mcp.server.auth.middleware.auth_context import auth_context_var
from mcp.server.auth.middleware.bearer_auth import AuthenticatedUser
from mcp.server.auth.provider import AccessToken
from pydantic import SecretStr
from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from hailuo_mcp.domain import TENANT, tenant_of
from hailuo_mcp.errors import ConfigError, Do, Step
from hailuo_mcp.loopback import is_loopback
from hailuo_mcp.server.context import Caller
from hailuo_mcp.server.http.host_guard import HostNames
from hailuo_mcp.settings import Settings

if TYPE_CHECKING:
    from hailuo_mcp.tenants import Tenants

NOBODY = "http"
"""The caller where there are no tokens. Not the empty name: that is the person at the keyboard, who
sees everybody's tasks and whose folders are read. What can open a port of this computer need not be
that person, so it has a name of its own and sees only its own tasks."""
OPEN = ("/callbacks/", "/files/", "/uploads/")
"""Reached without a token: each has an unguessable or signed path instead."""


class Visitor(AuthenticatedUser):
    """Whoever makes a request. The SDK ties sessions and sealed states to this user."""

    def __init__(self, name: str, *, base_url: str, local: bool, digest: bytes = b"") -> None:
        super().__init__(AccessToken(token="", client_id=name, scopes=[]))
        self.name = name
        self.base_url = base_url
        """This server as the visitor reaches it."""
        self.local = local
        """Whether this computer's folders are theirs, as the operator says."""
        self.digest = digest
        """Of the tenant's token that they came with."""


def visitor() -> Visitor | None:
    """Who makes the present request; None outside of one, and where the path is the secret."""
    user = auth_context_var.get()
    return user if isinstance(user, Visitor) else None


def caller() -> Caller:
    """As the tools see it."""
    present = visitor()
    if present is None:
        return Caller(name=NOBODY, local=False)
    return Caller(name=present.name, local=present.local)


def check_exposure(settings: Settings, names: HostNames, bound: str, *, local: bool) -> None:
    """Raise ConfigError where other computers could come in without a token, or as local."""
    if local and settings.tenants:
        raise ConfigError(
            "Local callers may read files of this computer, and so the clips of every tenant.",
            Step(Do.ARRANGE, "leave --local out, or serve without tenants"),
        )
    if is_loopback(bound) and not names.beyond:
        return
    which = ", ".join(names.beyond) or bound
    if local:
        raise ConfigError(
            "Local callers may read and write files of this computer, and other computers could "
            f"come in as local callers ({which}).",
            Step(
                Do.ARRANGE,
                "leave --local out, or serve this computer only: host 127.0.0.1, and no other name "
                "in HAILUO_ALLOWED_HOSTS or HAILUO_CALLBACK_URL",
            ),
        )
    if not settings.http_tokens and not settings.tenants:
        raise ConfigError(
            f"The server would be open to other computers ({which}) without a token, so anybody "
            "could spend your money.",
            Step(Do.SET, "HAILUO_HTTP_TOKENS=name:token"),
            Step(Do.ARRANGE, "make the token a long random text"),
        )


def path_of(scope: Scope) -> str:
    """The path within this app, also where it is mounted below another."""
    path, root = str(scope["path"]), str(scope.get("root_path", ""))
    inside = path.removeprefix(root)
    return inside if not inside or inside.startswith("/") else path


class TokenAuth:
    """Requires a token, except where the path itself is the secret, and at /health."""

    def __init__(
        self,
        app: ASGIApp,
        tokens: Sequence[tuple[str, SecretStr]],
        base_url: str,
        *,
        local: bool,
        tenants: Tenants | None = None,
    ) -> None:
        self._app = app
        self._tenants = tenants
        self._local = local
        self._tokens = [(name, _digest(token.get_secret_value())) for name, token in tokens]
        self._base_url = base_url

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = path_of(scope) if scope["type"] == "http" else ""
        if scope["type"] != "http" or path == "/health" or path.startswith(OPEN):
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        name = self._name(headers.getlist("authorization"))
        if forbidden := self._forbidden(scope, headers):
            await PlainTextResponse(forbidden, 403)(scope, receive, send)
        elif name is None:
            await _unauthorized(headers)(scope, receive, send)
        else:
            root = str(scope.get("root_path", "")).rstrip("/")
            base_url = self._base_url or f"{scope['scheme']}://{headers['host']}{root}"
            digest = _digest_of(headers.getlist("authorization")) if tenant_of(name) else b""
            scope["user"] = Visitor(name, base_url=base_url, local=self._local, digest=digest)
            await self._app(scope, receive, send)

    def _forbidden(self, scope: Scope, headers: Headers) -> str:
        """Why nobody may call from there, whatever their token; empty where they may."""
        if not self._tokens and self._tenants is None and not _comes_from_loopback(scope):
            return "Without HAILUO_HTTP_TOKENS only this computer may call."
        if self._local and not _is_local_program(scope, headers):
            return (
                "With --local only programs on this computer may call, not a proxy or a web page."
            )
        return ""

    def _name(self, given: Sequence[str]) -> str | None:
        if not self._tokens and self._tenants is None:
            return NOBODY
        if not (digest := _digest_of(given)):
            return None
        found = self._tenants.caller_of(digest) if self._tenants else None
        for name, known in self._tokens:  # compares all of them, so the time tells nothing
            if hmac.compare_digest(known, digest):
                found = name
        return found


def is_admitted(one: Visitor | None, tenants: Tenants) -> bool:
    """Whether whoever came in before would come in now."""
    if one is None or not (name := tenant_of(one.name)):
        return True
    if one.digest:
        return tenants.caller_of(one.digest) == name
    return tenants.tenant_named(name.removeprefix(TENANT)) is not None


def _digest_of(given: Sequence[str]) -> bytes:
    """The digest of the one bearer token in these headers; empty if there is none."""
    if len(given) != 1:
        return b""
    scheme, _, token = given[0].partition(" ")
    return _digest(token.strip()) if scheme.lower() == "bearer" else b""


def _comes_from_loopback(scope: Scope) -> bool:
    """Whether the connection comes from this computer, or the trusted proxy says so.

    Another ASGI server may listen anywhere, and a Host header is easily forged.
    """
    client: tuple[str, int] | None = scope.get("client")
    return client is not None and is_loopback(client[0])


_FORWARDED = ("forwarded", "x-forwarded-for", "x-forwarded-host", "x-real-ip", "via")


def _is_local_program(scope: Scope, headers: Headers) -> bool:
    """Whether a program on this computer calls for itself.

    A proxy or a tunnel lets others in, and a web page is somebody else's program. HostGuard demands
    only that a page comes from this computer, which is not enough for a server that reads files.
    """
    own = f"{scope['scheme']}://{headers['host']}"
    return (
        _comes_from_loopback(scope)
        and not any(name in headers for name in _FORWARDED)
        and headers.get("sec-fetch-site", "none") in ("none", "same-origin")
        and all(origin == own for origin in headers.getlist("origin"))
    )


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()


def _unauthorized(headers: Headers) -> PlainTextResponse:
    error = ', error="invalid_token"' if "authorization" in headers else ""
    return PlainTextResponse(
        "This server needs a token from its operator: Authorization: Bearer <token>.",
        401,
        headers={"WWW-Authenticate": f'Bearer realm="hailuo-mcp"{error}'},
    )
