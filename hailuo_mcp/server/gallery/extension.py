"""MCP Apps (io.modelcontextprotocol/ui): which answers show the page, and who sees its tools."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from mcp.server.apps import APP_MIME_TYPE, Apps, client_supports_apps
from mcp.server.context import CallNext, HandlerResult
from mcp.server.mcpserver.resources import FunctionResource

from hailuo_mcp.server.gallery.page import URI, gallery_page

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mcp.server.context import ServerRequestContext
    from mcp.server.mcpserver.tools import Tool

    from hailuo_mcp.server.context import AppContext

_ORIGIN = re.compile(r"https?://[a-z0-9._-]+(:\d+)?(?=/|$)", re.IGNORECASE)
WITH_PAGE = frozenset(
    {
        "generate_video",
        "generate_from_template",
        "generate_storyboard",
        "upgrade_video",
        "list_tasks",
    }
)
"""Tools whose answer a host shows beside the page. Not query_task: a model calls it again and
again, and each call would open another page, while the first one is live already."""


def gallery_app() -> Apps:
    """The extension with its page; the tools are registered as all others are."""
    apps = Apps()
    apps.add_resource(
        FunctionResource(
            uri=URI,
            name="gallery",
            title="Videos",
            mime_type=APP_MIME_TYPE,
            fn=lambda: gallery_page().html,
        )
    )
    return apps


def page_meta(base_url: str) -> dict[str, Any]:
    """What the host must know of the page: where clips are played from, what it asks for.

    `base_url`: this server, as the client reaches it; empty over stdio.
    """
    origin = origin_of(base_url)
    csp = {"resourceDomains": [origin]} if origin else {}
    return {"ui": {"csp": csp, "permissions": {"clipboardWrite": {}}, "prefersBorder": True}}


def origin_of(base_url: str) -> str:
    """The origin as a Content-Security-Policy names it; empty for what none can name, as IPv6."""
    found = _ORIGIN.match(base_url)
    return found[0].lower() if found else ""


def bind(tools: Sequence[Tool], app_only: Sequence[Tool]) -> None:
    """Say in the tools' metadata, which no model reads, which of them show the page."""
    for tool in tools:
        if tool.name in WITH_PAGE:
            tool.meta = _bound({})
    for tool in app_only:
        tool.meta = _bound({"visibility": ["app"]})


def _bound(more: dict[str, Any]) -> dict[str, Any]:
    # The flat key is what hosts of before 2026 read.
    return {"ui": {"resourceUri": URI, **more}, "ui/resourceUri": URI}


class PageListing:
    """Lists the page and its tools for clients that show pages, and says where it loads from.

    Whoever calls or reads them by name gets them: they do nothing that others could not.
    """

    def __init__(self, app: AppContext, app_only: Sequence[Tool]) -> None:
        self._app = app
        self._app_only = frozenset(tool.name for tool in app_only)

    async def serve(
        self, ctx: ServerRequestContext[Any, Any], call_next: CallNext
    ) -> HandlerResult:
        """The SDK's middleware."""
        answer = await call_next(ctx)
        if not isinstance(answer, dict):
            return answer
        if ctx.method == "tools/list" and not client_supports_apps(ctx):
            listed = [tool for tool in answer["tools"] if tool["name"] not in self._app_only]
            return {**answer, "tools": listed}
        if ctx.method == "resources/list":
            shown = client_supports_apps(ctx)
            rows = [row for row in answer["resources"] if shown or row["uri"] != URI]
            return {**answer, "resources": self._located(rows)}
        if ctx.method == "resources/read" and "contents" in answer:
            return {**answer, "contents": self._located(answer["contents"])}
        return answer

    def _located(self, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """The same, with the address from which the present client's page plays clips."""
        meta = page_meta(self._app.caller().base_url)
        return [row | {"_meta": meta} if row["uri"] == URI else row for row in rows]
