"""The server as an OAuth 2.1 resource server: the parts, joined by the settings."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable

from starlette.middleware import Middleware
from starlette.routing import BaseRoute

from hailuo_mcp.bootstrap import open_documents
from hailuo_mcp.errors import ConfigError, Do, Step
from hailuo_mcp.server.http.challenges import ENDPOINTS
from hailuo_mcp.server.http.oauth.keys import IssuerKeys, ReadDocument
from hailuo_mcp.server.http.oauth.metadata import ResourceMetadata
from hailuo_mcp.server.http.oauth.scope_guard import ScopeGuard
from hailuo_mcp.server.http.oauth.tokens import AccessTokens
from hailuo_mcp.settings import Settings


class ResourceServer:
    """What the app needs where an issuer is set."""

    def __init__(
        self,
        settings: Settings,
        *,
        clock: Callable[[], float],
        knows_tenant: Callable[[str], bool],
    ) -> None:
        """Ask nobody yet: the issuer is asked for its keys at the first token.

        Raises:
            ConfigError: it is not known which audience tokens must name.
        """
        named = [url for url in (settings.oauth_issuer, settings.oauth_jwks_url) if url]
        self._documents = open_documents(settings, named=named)
        self._metadata = ResourceMetadata(settings.oauth_issuer, settings.callback_url)
        self.check = access_tokens(
            settings, self._documents.read, clock=clock, knows_tenant=knows_tenant
        )

    def routes(self, served: Iterable[BaseRoute]) -> list[BaseRoute]:
        """The metadata of what is served."""
        paths = {getattr(route, "path", "") for route in served}
        return [*self._metadata.routes(end for end in ENDPOINTS if end in paths)]

    def guard(self, spending: Container[str]) -> Middleware:
        """Keep the tools that spend from tokens that may only read."""
        return Middleware(ScopeGuard, spending=spending)

    async def aclose(self) -> None:
        await self._documents.aclose()


def access_tokens(
    settings: Settings,
    read: ReadDocument,
    *,
    clock: Callable[[], float],
    knows_tenant: Callable[[str], bool],
) -> AccessTokens:
    """The check of this issuer's tokens.

    Raises:
        ConfigError: it is not known which audience tokens must name.
    """
    return AccessTokens(
        issuer=settings.oauth_issuer,
        audiences=tuple(audiences(settings)),
        tenant_claim=settings.oauth_tenant_claim,
        knows_tenant=knows_tenant,
        keys=IssuerKeys(settings.oauth_issuer, settings.oauth_jwks_url, read, clock),
        clock=clock,
    )


def audiences(settings: Settings) -> Iterable[str]:
    """What a token may be issued for: the operator's word, else this server's public addresses.

    The address by which a request came is not enough: every server of this program answers to
    localhost, so a token for another one would be good here.
    """
    if not (settings.oauth_audience or settings.callback_url):
        raise ConfigError(
            "It is not known for whom access tokens must be issued, and tokens for other services "
            "are not accepted.",
            Step(Do.SET, "HAILUO_OAUTH_AUDIENCE"),
            Step(Do.SET, "HAILUO_CALLBACK_URL"),
        )
    own = [f"{settings.callback_url}{end}" for end in ("", *ENDPOINTS)]
    if settings.oauth_audience:
        own = [settings.oauth_audience.rstrip("/")]
    # Some clients, such as Claude Code 2.1, ask for an address with a slash at its end.
    return [*own, *(f"{name}/" for name in own)]
