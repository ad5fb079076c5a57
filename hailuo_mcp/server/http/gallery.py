"""GET /gallery: the page of the MCP App, for a person in a browser.

It is the same page. Without a host around it, it calls this server's own MCP endpoint with the
token that the person has given it, so nobody comes in here who could not come in there.
"""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from hailuo_mcp.server.gallery.page import gallery_page

PATH = "/gallery"


def gallery_route() -> Route:
    return Route(PATH, _show)


async def _show(request: Request) -> Response:
    page = gallery_page()
    csp = (
        "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
        "connect-src 'self'; img-src data:; media-src 'self' data:; "
        f"style-src {page.style_hash}; script-src {page.script_hash}"
    )
    headers = {
        "Content-Security-Policy": csp,
        "Cache-Control": "no-cache",
        "Referrer-Policy": "no-referrer",
        "X-Content-Type-Options": "nosniff",
    }
    return HTMLResponse(page.html, headers=headers)
