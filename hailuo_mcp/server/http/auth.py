"""Who makes the present request, by its bearer token: one of the operator's, or an issuer's."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Protocol, TypeGuard

from mcp.server.auth.middleware.auth_context import auth_context_var
from mcp.server.auth.middleware.bearer_auth import AuthenticatedUser
from mcp.server.auth.provider import AccessToken
from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from hailuo_mcp.domain.task import TENANT, tenant_of
from hailuo_mcp.errors import ConfigError, Do, Step
from hailuo_mcp.loopback import is_loopback
from hailuo_mcp.server.context import Caller
from hailuo_mcp.server.http.challenges import BUY, METADATA, READ, SCOPES, challenge
from hailuo_mcp.server.http.host_guard import HostNames, path_of
from hailuo_mcp.settings import Settings
from hailuo_mcp.settings.values import Secret

if TYPE_CHECKING:
    from hailuo_mcp.tenants import Tenants

NOBODY = "http"
"""The caller where there are no tokens. Not the empty name: that is the person at the keyboard, who
sees everybody's tasks and whose folders are read. What can open a port of this computer need not be
that person, so it has a name of its own and sees only its own tasks."""
OPEN = ("/callbacks/", "/files/", "/uploads/")
"""Reached without a token: each has an unguessable or signed path instead."""
GALLERY = "/gallery"
"""Who has no token gets this page too: it asks for one. On other computers its status is 401."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """What a token says: who calls, and what they may do."""

    caller: str
    issuer: str = ""
    """Empty for the operator's own tokens."""
    subject: str = ""
    """The person or program, as the issuer names them; they may be one of several callers."""
    scopes: tuple[str, ...] = SCOPES
    digest: bytes = b""
    """Of a tenant's own token."""


class RefusedTokenError(Exception):
    """A token that opens nothing; the text is plain, and nothing of the token is in it."""

    def __init__(self, about: str, *, status: int = 401) -> None:
        super().__init__(about)
        self.status = status
        """401: another token would help; 403: it would not; 503: it cannot be checked now."""


class TokenCheck(Protocol):
    """Checks the access tokens of an issuer."""

    async def __call__(self, token: str) -> Grant:
        """Raises RefusedTokenError."""
        ...


class Visitor(AuthenticatedUser):
    """Whoever makes a request. The SDK ties sessions and sealed states to this user."""

    def __init__(self, grant: Grant, *, base_url: str, local: bool) -> None:
        super().__init__(
            AccessToken(
                token="",
                client_id=grant.caller,
                scopes=list(grant.scopes),
                subject=grant.subject or None,
                claims={"iss": grant.issuer} if grant.issuer else None,
            )
        )
        self.name = grant.caller
        self.base_url = base_url
        """This server as the visitor reaches it."""
        self.local = local
        """Whether this computer's folders are theirs, as the operator says."""
        self.digest = grant.digest

    @property
    def display_name(self) -> str:
        """The caller in a log: of a person whom only the issuer knows, a fingerprint."""
        subject = self.access_token.subject
        if not subject or not self.name.endswith(subject):
            return self.name
        known = self.name.removesuffix(subject)
        return f"{known}#{hashlib.sha256(subject.encode()).hexdigest()[:8]}"


def visitor() -> Visitor | None:
    """Who makes the present request; None outside of one, and where the path is the secret."""
    user = auth_context_var.get()
    return user if isinstance(user, Visitor) else None


def caller() -> Caller:
    """As the tools see it."""
    present = visitor()
    if present is None:
        return Caller(name=NOBODY, local=False)
    return Caller(
        name=present.name,
        local=present.local,
        may_buy=BUY in present.access_token.scopes,
        base_url=present.base_url,
    )


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
    if not (settings.http_tokens or settings.oauth_issuer or settings.tenants):
        raise ConfigError(
            f"The server would be open to other computers ({which}) without a token, so anybody "
            "could spend your money.",
            Step(Do.SET, "HAILUO_HTTP_TOKENS=name:token"),
            Step(Do.SET, "HAILUO_OAUTH_ISSUER"),
            Step(Do.ARRANGE, "make the token a long random text"),
        )


def address_of(scope: Scope, headers: Headers, public: str) -> str:
    """The server as the present client reaches it; `public` is what the operator says."""
    root = str(scope.get("root_path", "")).rstrip("/")
    return public or f"{scope['scheme']}://{headers['host']}{root}"


class TokenAuth:
    """Requires a token, except where the path itself is the secret, and at what is public."""

    def __init__(
        self,
        app: ASGIApp,
        tokens: Sequence[tuple[str, Secret]],
        base_url: str,
        *,
        local: bool,
        check: TokenCheck | None = None,
        tenants: Tenants | None = None,
    ) -> None:
        """`check`: how the access tokens of an issuer are checked, where they are accepted."""
        self._tenants = tenants
        self._app = app
        self._local = local
        self._tokens = [(name, _digest(token.get_secret_value())) for name, token in tokens]
        self._base_url = base_url
        self._check = check
        self._open = not tokens and check is None and tenants is None
        """Nobody has a token."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = path_of(scope) if scope["type"] == "http" else ""
        if scope["type"] != "http" or self._is_open(path):
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        base_url = address_of(scope, headers, self._base_url)
        answer = self._app
        if forbidden := self._forbidden(scope, headers):
            answer = PlainTextResponse(forbidden, 403)
        else:
            try:
                grant = await self._grant(headers.getlist("authorization"))
            except RefusedTokenError as refused:
                answer = self._refusal(refused, base_url, path)
            else:
                if grant is None:
                    answer = self._unauthorized(headers, base_url, path)
                elif READ not in grant.scopes:
                    answer = _lacks_read(base_url, path)
                else:
                    scope["user"] = Visitor(grant, base_url=base_url, local=self._local)
        if _asks_for_token(answer) and path == GALLERY and scope["method"] in ("GET", "HEAD"):
            if not self._local:  # whoever is at this computer comes with the token in the fragment
                scope["challenge"] = answer.headers["www-authenticate"]
            answer = self._app
        await answer(scope, receive, send)

    def _is_open(self, path: str) -> bool:
        if path in ("/", "/health") or path.startswith(OPEN):
            return True
        return self._check is not None and (path == METADATA or path.startswith(f"{METADATA}/"))

    def _forbidden(self, scope: Scope, headers: Headers) -> str:
        """Why nobody may call from there, whatever their token; empty where they may."""
        if self._open and not _comes_from_loopback(scope):
            return "Without HAILUO_HTTP_TOKENS only this computer may call."
        if self._local and not _is_local_program(scope, headers):
            return (
                "With --local only programs on this computer may call, not a proxy or a web page."
            )
        return ""

    async def _grant(self, given: Sequence[str]) -> Grant | None:
        """What the request's token allows; None without a token that could be one.

        Raises:
            RefusedTokenError: the issuer's token is not accepted, or cannot be checked now.
        """
        if self._open:
            return Grant(caller=NOBODY)
        if len(given) != 1:
            return None
        scheme, _, token = given[0].partition(" ")
        if scheme.lower() != "bearer":
            return None
        found, digest = None, _digest(token.strip())
        for name, known in self._tokens:  # compares all of them, so the time tells nothing
            if hmac.compare_digest(known, digest):
                found = Grant(caller=name)
        if self._tenants and (tenant := self._tenants.caller_of(digest)):
            found = Grant(caller=tenant, digest=digest)
        if found is None and self._check is not None and token.strip():
            found = await self._check(token.strip())
        return found

    def _unauthorized(self, headers: Headers, base_url: str, path: str) -> PlainTextResponse:
        error = "invalid_token" if "authorization" in headers else ""
        said = "This server needs a token from its operator: Authorization: Bearer <token>."
        if self._check is not None:
            said = "This server needs an access token: Authorization: Bearer <token>."
            # Both scopes at once: clients ask for what is named here, and some, such as Claude Code
            # 2.1 and Codex 0.125, never come back for a second one.
            needs = challenge(base_url, path, scopes=SCOPES, error=error)
        else:
            needs = 'Bearer realm="hailuo-mcp"' + (f', error="{error}"' if error else "")
        return PlainTextResponse(said, 401, headers={"WWW-Authenticate": needs})

    def _refusal(self, refused: RefusedTokenError, base_url: str, path: str) -> PlainTextResponse:
        about, headers = str(refused), dict[str, str]()
        if refused.status == HTTPStatus.UNAUTHORIZED:
            headers["WWW-Authenticate"] = challenge(
                base_url, path, scopes=SCOPES, error="invalid_token", about=about
            )
        elif refused.status == HTTPStatus.SERVICE_UNAVAILABLE:
            headers["Retry-After"] = "10"
        return PlainTextResponse(about, refused.status, headers=headers)


def _asks_for_token(answer: ASGIApp) -> TypeGuard[Response]:
    return isinstance(answer, Response) and answer.status_code == HTTPStatus.UNAUTHORIZED


def _lacks_read(base_url: str, path: str) -> PlainTextResponse:
    about = f"The access token lacks the scope {READ}."
    needs = challenge(base_url, path, scopes=[READ], error="insufficient_scope", about=about)
    return PlainTextResponse(about, 403, headers={"WWW-Authenticate": needs})


def is_admitted(one: Visitor | None, tenants: Tenants) -> bool:
    """Whether whoever came in before would come in now."""
    if one is None or not (name := tenant_of(one.name)):
        return True
    if one.digest:
        return tenants.caller_of(one.digest) == name
    return tenants.tenant_named(name.removeprefix(TENANT)) is not None


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
