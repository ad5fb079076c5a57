"""A small authorization server on a loopback port: keys, metadata, tokens, and what it was asked."""

from __future__ import annotations

import base64
import hashlib
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Self
from urllib.parse import urlencode

from joserfc import jwt
from joserfc.jwk import ECKey, Key, OKPKey, RSAKey
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from hailuo_mcp.local_http import LocalServer

AUDIENCE = "https://hailuo.example/mcp"
BOTH = "hailuo:read hailuo:buy"
_KINDS: dict[str, Callable[[dict[str, Any]], Key]] = {
    "RS256": lambda facts: RSAKey.generate_key(2048, facts),
    "PS256": lambda facts: RSAKey.generate_key(2048, facts),
    "ES256": lambda facts: ECKey.generate_key("P-256", facts),
    "Ed25519": lambda facts: OKPKey.generate_key("Ed25519", facts),
}


def new_key(kid: str = "first", alg: str = "ES256", **facts: Any) -> Key:
    return _KINDS[alg]({"kid": kid, **facts})


@dataclass
class Issuer:
    """`answers` replaces what a path answers."""

    keys: list[Key] = field(default_factory=lambda: [new_key()])
    path: str = ""
    asked: list[str] = field(default_factory=list)
    answers: dict[str, Callable[[], Response]] = field(default_factory=dict)
    refused: str = ""
    """The scope that the person does not agree to."""
    requests: list[dict[str, str]] = field(default_factory=list)
    """What clients asked at /authorize."""
    _codes: dict[str, dict[str, str]] = field(default_factory=dict)
    _server: LocalServer | None = None
    port: int = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}{self.path}"

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        """Answer; again on the same port after `stop`."""
        routes = [Route("/{path:path}", self._answer, methods=["GET", "POST"])]
        self._server = LocalServer(Starlette(routes=routes), port=self.port).start()
        self.port = self._server.port

    def stop(self) -> None:
        if self._server:
            self._server.stop()
            self._server = None

    def token(
        self, sub: str = "carol", scope: str = BOTH, *, key: Key | None = None, **facts: Any
    ) -> str:
        """A good access token, but for what is given; None leaves a claim out.

        `alg`, `typ` and `header` are of its header.
        """
        key = key or self.keys[0]
        alg = facts.pop("alg", {"EC": "ES256", "OKP": "Ed25519"}.get(key.key_type, "RS256"))
        header = {"alg": alg, "kid": key.kid, "typ": facts.pop("typ", "at+jwt")}
        header |= facts.pop("header", {})
        now = facts.pop("now", None) or time.time()
        claims = {
            "iss": self.url,
            "aud": AUDIENCE,
            "sub": sub,
            "scope": scope,
            "iat": int(now) - 5,
            "exp": int(now) + 300,
            **facts,
        }
        return jwt.encode(
            {name: said for name, said in header.items() if said is not None},
            {name: said for name, said in claims.items() if said is not None},
            key,
            algorithms=[alg],
            default_type=None,
        )

    async def _answer(self, request: Request) -> Response:
        path = request.url.path
        self.asked.append(path)
        answer = JSONResponse({}, 404)
        if path in self.answers:
            answer = self.answers[path]()
        elif path == "/jwks":
            answer = JSONResponse({"keys": [key.as_dict(private=False) for key in self.keys]})
        elif path == f"/.well-known/oauth-authorization-server{self.path}":
            answer = JSONResponse(self.metadata())
        elif path == "/register":
            answer = JSONResponse({**await request.json(), "client_id": "a-client"}, 201)
        elif path == "/authorize":
            answer = self._authorize(dict(request.query_params))
        elif path == "/token":
            answer = self._give_token(dict(await request.form()))
        return answer

    def metadata(self) -> dict[str, Any]:
        base = f"http://127.0.0.1:{self.port}"
        return {
            "issuer": self.url,
            "authorization_endpoint": f"{base}/authorize",
            "token_endpoint": f"{base}/token",
            "registration_endpoint": f"{base}/register",
            "jwks_uri": f"{base}/jwks",
            "response_types_supported": ["code"],
            "code_challenge_methods_supported": ["S256"],
            "token_endpoint_auth_methods_supported": ["none"],
        }

    def _authorize(self, asked: dict[str, str]) -> Response:
        self.requests.append(asked)
        code = secrets.token_hex(8)
        self._codes[code] = asked
        back = urlencode({"code": code, "state": asked["state"]})
        return RedirectResponse(f"{asked['redirect_uri']}?{back}", 302)

    def _give_token(self, asked: dict[str, Any]) -> Response:
        agreed = self._codes.pop(asked["code"])
        proof = hashlib.sha256(asked["code_verifier"].encode()).digest()
        if base64.urlsafe_b64encode(proof).decode().rstrip("=") != agreed["code_challenge"]:
            return JSONResponse({"error": "invalid_grant"}, 400)
        scope = " ".join(one for one in agreed["scope"].split() if one != self.refused)
        return JSONResponse(
            {
                "access_token": self.token(scope=scope, aud=agreed["resource"]),
                "token_type": "Bearer",
                "expires_in": 300,
                "scope": scope,
            }
        )
