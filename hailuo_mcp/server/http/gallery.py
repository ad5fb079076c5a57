"""GET /gallery: the page of the MCP App, for a person in a browser.

It is the same page. Without a host around it, it calls this server's own MCP endpoint with the
token that the person has given it, so nobody comes in here who could not come in there.
"""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from hailuo_mcp.server.gallery.extension import origin_of
from hailuo_mcp.server.gallery.page import gallery_page
from hailuo_mcp.server.http.auth import GALLERY


def gallery_route(public: str) -> Route:
    """`public`: this server's address as the operator says; links to clips begin with it."""
    # Where none is set, links begin with the address by which the page was asked for.
    played_from = " ".join(filter(None, ("'self'", origin_of(public), "data:")))

    async def show(request: Request) -> Response:
        page = gallery_page()
        headers = {
            "Content-Security-Policy": "default-src 'none'; base-uri 'none'; form-action 'none'; "
            "frame-ancestors 'none'; connect-src 'self'; img-src data:; "
            f"media-src {played_from}; style-src {page.style_hash}; script-src {page.script_hash}",
            # There is nothing secret in it, but what it then shows is not to come back by "Back".
            "Cache-Control": "no-store",
            "Referrer-Policy": "no-referrer",
            "X-Content-Type-Options": "nosniff",
        }
        if challenge := request.scope.get("challenge"):  # of TokenAuth: it asks for a token
            headers["WWW-Authenticate"] = challenge
        return HTMLResponse(page.html, 401 if challenge else 200, headers=headers)

    return Route(GALLERY, show)
