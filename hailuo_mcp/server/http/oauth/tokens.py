"""What an access token says, once its signature, issuer, audience and time are checked."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, cast

from joserfc import jws, jwt
from joserfc.errors import (
    BadSignatureError,
    ClaimError,
    ExpiredTokenError,
    InvalidKeyIdError,
    JoseError,
)
from joserfc.jwk import KeySet
from joserfc.jws import JWSRegistry

from hailuo_mcp.server.http.auth import Grant, RefusedTokenError
from hailuo_mcp.server.http.oauth.keys import IssuerAwayError, IssuerKeys

_log = logging.getLogger(__name__)

ALGORITHMS = (
    *("RS256", "RS384", "RS512", "PS256", "PS384", "PS512"),
    *("ES256", "ES384", "ES512", "Ed25519"),
)
"""Signed with a key that only the issuer has: never HS256, where who checks could also sign, and
never `none`."""
LEEWAY_SECONDS = 30
"""By how much the issuer's clock may differ."""
_TYPES = ("jwt", "at+jwt")
"""RFC 9068's, and what most issuers write. Others are tokens for something else."""
_LONGEST_SUBJECT = 255
_WRONG = {
    "iss": "It is from another issuer.",
    "aud": "It was issued for another audience.",
    "nbf": "It is not valid yet.",
    "iat": "It is not valid yet.",
}
_FAULTS = (
    JoseError,
    ArithmeticError,
    AttributeError,
    LookupError,
    TypeError,
    ValueError,
    RecursionError,
)
"""What a stranger's text makes the library raise."""


class _Headers(JWSRegistry):
    max_header_length = 8192  # with a chain of certificates, which is ignored


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessTokens:
    """The tokens of one issuer for this server; an instance is called with a token."""

    issuer: str
    audiences: tuple[str, ...]
    """A token must name one of them."""
    tenant_claim: str
    knows_tenant: Callable[[str], bool]
    keys: IssuerKeys
    clock: Callable[[], float]

    async def __call__(self, token: str) -> Grant:
        """Check a token and say who calls.

        Raises:
            RefusedTokenError: it is not accepted (401), names an unknown tenant (403), or the
                issuer's keys are not there to check it (503).
        """
        try:
            return self._grant(await self._claims(token))
        except RefusedTokenError as refused:
            _log.info("an access token was refused: %s", refused)
            raise

    async def _claims(self, token: str) -> dict[str, Any]:
        registry = _Headers(algorithms=ALGORITHMS, strict_check_header=False)
        has_kid = _check_header(token, registry)
        try:
            keys = await self.keys.current()
            try:
                return _signed(token, keys, registry)
            except (InvalidKeyIdError, BadSignatureError) as fault:
                # A key that is not known, or perhaps the one key of an issuer that names none.
                if has_kid and isinstance(fault, BadSignatureError):
                    raise
                newer = await self.keys.newer_than(keys)
                if newer is keys:
                    raise
                return _signed(token, newer, registry)
        except IssuerAwayError:
            raise RefusedTokenError(
                "Access tokens cannot be checked now: their issuer does not answer. Try again "
                "later; nothing was sent or charged.",
                status=503,
            ) from None
        except InvalidKeyIdError:
            raise RefusedTokenError("It is signed with a key that is not the issuer's.") from None
        except _FAULTS:
            raise RefusedTokenError("Its signature is not valid.") from None

    def _grant(self, claims: dict[str, Any]) -> Grant:
        rules = jwt.JWTClaimsRegistry(
            now=int(self.clock()),
            leeway=LEEWAY_SECONDS,
            iss={"essential": True, "value": self.issuer},
            aud={"essential": True, "values": list(self.audiences)},
            exp={"essential": True},
            sub={"essential": True},
        )
        try:
            rules.validate(claims)
        except ExpiredTokenError:
            raise RefusedTokenError("It has expired.") from None
        except ClaimError as fault:
            about = _WRONG.get(fault.claim, "A claim is missing or not valid.")
            raise RefusedTokenError(about) from None
        except _FAULTS:
            raise RefusedTokenError("A claim is missing or not valid.") from None
        return Grant(
            caller=caller_of(claims, self.tenant_claim, self.knows_tenant),
            issuer=self.issuer,
            subject=str(claims["sub"]),
            scopes=_scopes(claims),
        )


def caller_of(
    claims: Mapping[str, Any], tenant_claim: str, knows_tenant: Callable[[str], bool]
) -> str:
    """The caller's name in the journal, by the claims of a token that was checked.

    `tenant:NAME` where the claim names a tenant, else `oauth:` and the subject. The operator's own
    names have no colon.

    Raises:
        RefusedTokenError: this server has no such tenant, or the subject is no name.
    """
    tenant = claims.get(tenant_claim)
    if tenant is not None and tenant != "":
        if not isinstance(tenant, str) or not knows_tenant(tenant):
            raise RefusedTokenError(
                "The access token names a tenant that this server does not have.", status=403
            )
        return f"tenant:{tenant}"
    subject = claims.get("sub")
    if not isinstance(subject, str) or not subject or not subject.isprintable():
        raise RefusedTokenError("Its subject is not a name.")
    if len(subject) > _LONGEST_SUBJECT:
        raise RefusedTokenError("Its subject is too long.")
    return f"oauth:{subject}"


def _check_header(token: str, registry: JWSRegistry) -> bool:
    """Refuse what no key could make valid, before the issuer is asked; whether it names a key."""
    try:
        header = jws.extract_compact(token.encode("ascii"), registry=registry).headers()
        registry.check_header(header)
        registry.get_alg(header["alg"])
    except _FAULTS:
        raise RefusedTokenError(
            "It is neither a token of this server nor a signed access token."
        ) from None
    kind = str(header.get("typ", "jwt")).lower().removeprefix("application/")
    if kind not in _TYPES:
        raise RefusedTokenError("It is not an access token.")
    return bool(header.get("kid"))


def _signed(token: str, keys: KeySet, registry: JWSRegistry) -> dict[str, Any]:
    return jwt.decode(token, keys, registry=registry).claims


def _scopes(claims: Mapping[str, Any]) -> tuple[str, ...]:
    """`scope` as RFC 9068 has it; `scp`, as a text or a list, as Microsoft and Okta do."""
    found = list[str]()
    for name in ("scope", "scp"):
        given = claims.get(name)
        if isinstance(given, str):
            found += given.split()
        elif isinstance(given, list):
            listed = cast("list[object]", given)
            found += [one for one in listed if isinstance(one, str)]
    return tuple(dict.fromkeys(found))
