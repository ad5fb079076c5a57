"""Joins the parts that accept an issuer's tokens, by the settings."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from hailuo_mcp.errors import ConfigError, Do, Step
from hailuo_mcp.server.http.challenges import ENDPOINTS
from hailuo_mcp.server.http.oauth.keys import IssuerKeys, ReadDocument
from hailuo_mcp.server.http.oauth.tokens import AccessTokens
from hailuo_mcp.settings import Settings


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
    if settings.oauth_audience:
        return [settings.oauth_audience]
    if not settings.callback_url:
        raise ConfigError(
            "It is not known for whom access tokens must be issued, and tokens for other services "
            "are not accepted.",
            Step(Do.SET, "HAILUO_OAUTH_AUDIENCE"),
            Step(Do.SET, "HAILUO_CALLBACK_URL"),
        )
    own = [f"{settings.callback_url}{end}" for end in ("", *ENDPOINTS)]
    return [*own, *(f"{url}/" for url in own)]
