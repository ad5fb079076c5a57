"""The keys that an issuer signs with: found in its metadata, kept, and read again when they change.

Keys outlive the issuer's answer: while it is away, the tokens that it has signed are still checked.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Awaitable, Callable, Iterable
from typing import Any, Protocol, cast
from urllib.parse import urlsplit

import anyio
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, Key, KeySet, OKPKey, RSAKey

from hailuo_mcp.transport.documents import UnreadDocumentError

_log = logging.getLogger(__name__)

FRESH_SECONDS = 600.0
"""After this time the keys are read again: the issuer may have withdrawn one."""
KEPT_SECONDS = 24 * 3600.0
"""How long keys count if the issuer does not answer."""
PAUSE_SECONDS = 10.0
"""Between two readings, however many tokens name a key that is not known."""
READ_SECONDS = 6.0
"""For a whole reading: metadata and keys."""
_MOST_KEYS = 100
_KINDS: dict[str, type[RSAKey | ECKey | OKPKey]] = {"RSA": RSAKey, "EC": ECKey, "OKP": OKPKey}
"""Only public ones: with a secret that both sides know, who checks tokens could also make them."""
_SHORTEST_RSA = 2048


class ReadDocument(Protocol):
    """DocumentReader.read."""

    def __call__(self, url: str, *, seconds: float) -> Awaitable[bytes]: ...


class IssuerAwayError(Exception):
    """There are no keys to check a token with, and the issuer gives none now."""


class IssuerKeys:
    def __init__(
        self, issuer: str, jwks_url: str, read: ReadDocument, clock: Callable[[], float]
    ) -> None:
        """`jwks_url`: where the keys are; empty if the issuer's metadata says so."""
        self._issuer = issuer
        self._jwks_url = jwks_url
        self._read = read
        self._clock = clock
        self._keys: KeySet | None = None
        self._read_at = self._asked_at = float("-inf")
        self._asking = anyio.Lock()

    async def current(self) -> KeySet:
        """The keys, read again if they are old.

        Raises:
            IssuerAwayError: there are none.
        """
        known = self._usable()
        # While one request reads them again, the others go on with those that are known.
        if known is None or (self._age(self._read_at) >= FRESH_SECONDS and not self._busy()):
            await self._ask(known)
            known = self._usable()
        if known is None:
            raise IssuerAwayError
        return known

    async def newer_than(self, known: KeySet) -> KeySet:
        """The keys after a token whose key is not among those known; the same ones if no news."""
        await self._ask(known)
        return self._usable() or known

    def _usable(self) -> KeySet | None:
        return self._keys if self._age(self._read_at) < KEPT_SECONDS else None

    def _age(self, moment: float) -> float:
        """Seconds since then; a moment in the future is long ago: the clock was set back."""
        age = self._clock() - moment
        return age if age >= 0 else float("inf")

    def _busy(self) -> bool:
        return self._asking.locked()

    async def _ask(self, known: KeySet | None) -> None:
        async with self._asking:
            newer = self._usable() is not known  # another request has just read them
            if newer or self._age(self._asked_at) < PAUSE_SECONDS:
                return
            self._asked_at = self._clock()
            try:
                with anyio.fail_after(READ_SECONDS):
                    self._keys = await self._read_keys()
                self._read_at = self._clock()
            except TimeoutError:
                _log.warning("the issuer's keys could not be read: it did not answer in time")
            except UnreadDocumentError as fault:
                _log.warning("the issuer's keys could not be read: %s", fault)

    async def _read_keys(self) -> KeySet:
        url = self._jwks_url or await self._find_jwks_url()
        document = _object(await self._read(url, seconds=READ_SECONDS))
        keys = list(_importable(document.get("keys")))
        if not keys:
            raise UnreadDocumentError("its key set has no key that can be used")
        return KeySet(keys)

    async def _find_jwks_url(self) -> str:
        status = 0
        for url in metadata_urls(self._issuer):
            try:
                document = _object(await self._read(url, seconds=READ_SECONDS))
            except UnreadDocumentError as fault:
                if not fault.status:  # the others are at the same host
                    raise
                status = fault.status
                continue
            if document.get("issuer") != self._issuer:
                raise UnreadDocumentError("its metadata names another issuer")  # RFC 8414, 3.3
            found = document.get("jwks_uri")
            if isinstance(found, str) and found:
                return found
        raise UnreadDocumentError(
            f"its metadata was not found (HTTP {status})" if status else "its metadata has no keys"
        )


def metadata_urls(issuer: str) -> list[str]:
    """Where an issuer's metadata may be, in the order of the MCP specification."""
    parts = urlsplit(issuer)
    origin, path = f"{parts.scheme}://{parts.netloc}", parts.path.rstrip("/")
    oauth, openid = "/.well-known/oauth-authorization-server", "/.well-known/openid-configuration"
    found = [f"{origin}{oauth}{path}", f"{origin}{openid}{path}"]
    return [*found, f"{origin}{path}{openid}"] if path else found


def _object(body: bytes) -> dict[str, Any]:
    try:
        found: object = json.loads(body)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise UnreadDocumentError("its answer is not a JSON object")
    return cast("dict[str, Any]", found)


def _importable(keys: object) -> Iterable[Key]:
    """The keys that may sign tokens; what is not understood is left out (RFC 7517, 5)."""
    listed = cast("list[object]", keys) if isinstance(keys, list) else []
    for one in listed[:_MOST_KEYS]:
        if not isinstance(one, dict):
            continue
        data = cast("dict[str, Any]", one)
        kind = _KINDS.get(str(data.get("kty")))
        if kind is None or data.get("use", "sig") != "sig" or _is_short(data):
            continue
        try:
            key = kind.import_key(data)
            key.ensure_kid()
        except (JoseError, ValueError, TypeError, KeyError):
            continue
        yield key


def _is_short(data: dict[str, Any]) -> bool:
    modulus = data.get("n")
    return isinstance(modulus, str) and len(modulus) * 6 < _SHORTEST_RSA
