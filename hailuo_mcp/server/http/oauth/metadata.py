"""GET /.well-known/oauth-protected-resource: where clients get tokens (RFC 9728)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable

from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from hailuo_mcp.server.http.auth import address_of
from hailuo_mcp.server.http.challenges import METADATA, SCOPES


class ResourceMetadata:
    """One document for the whole server and one for each endpoint, all with the same issuer."""

    def __init__(self, issuer: str, public: str) -> None:
        """`public`: this server's address, as the operator says; empty if clients know it."""
        self._issuer = issuer
        self._public = public

    def routes(self, endpoints: Iterable[str]) -> list[Route]:
        return [Route(f"{METADATA}{end}", self._answer(end)) for end in ("", *endpoints)]

    def _answer(self, endpoint: str) -> Callable[[Request], Awaitable[Response]]:
        async def answer(request: Request) -> Response:
            base_url = address_of(request.scope, Headers(scope=request.scope), self._public)
            document = {
                "resource": f"{base_url}{endpoint}",
                "authorization_servers": [self._issuer],
                "scopes_supported": list(SCOPES),
                "bearer_methods_supported": ["header"],
                "resource_name": "hailuo-mcp",
            }
            return JSONResponse(document, headers={"Cache-Control": "public, max-age=3600"})

        return answer
