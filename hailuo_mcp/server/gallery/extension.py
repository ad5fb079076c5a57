"""MCP Apps (io.modelcontextprotocol/ui): which answers show the page, and who sees its tools."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from mcp.server.apps import APP_MIME_TYPE, Apps, client_supports_apps
from mcp.server.context import CallNext, HandlerResult
from mcp.server.mcpserver.resources import FunctionResource

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from mcp.server.context import ServerRequestContext
    from mcp.server.mcpserver.tools import Tool

    from hailuo_mcp.server.context import AppContext

URI = "ui://hailuo/gallery.html"
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
"""The tools whose answer a host shows beside the page. Not query_task: a model calls it again and
again, and each call would open another page, while the first one is live already."""
BUYING = frozenset({"retake_video"})
APP_ONLY = frozenset({"show_cards", "read_media"}) | BUYING
"""The tools that only the page calls, and those of them that spend (tools.py)."""


def gallery_app() -> Apps:
    """The extension with its page; the tools are registered as all others are."""
    apps = Apps()
    apps.add_resource(
        FunctionResource(
            uri=URI,
            name="gallery",
            title="Videos",
            mime_type=APP_MIME_TYPE,
            fn=_html,
        )
    )
    return apps


def _html() -> str:
    from hailuo_mcp.server.gallery.page import gallery_page

    return gallery_page().html


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


def bind(tools: Iterable[Tool]) -> None:
    """Say in the tools' metadata, which no model reads, which of them belong to the page."""
    for tool in tools:
        hidden = {"visibility": ["app"]} if tool.name in APP_ONLY else {}
        if hidden or tool.name in WITH_PAGE:
            # The flat key is what hosts of before 2026 read.
            tool.meta = {"ui": {"resourceUri": URI, **hidden}, "ui/resourceUri": URI}


class PageListing:
    """Lists the page and its tools for clients that show pages, and says where it loads from.

    Whoever calls or reads them by name gets them: they do nothing that others could not.
    """

    def __init__(self, app: AppContext, load_tools: Callable[[], None]) -> None:
        """`load_tools`: registers those that only the page calls."""
        self._app = app
        self._load_tools = load_tools

    async def serve(
        self, ctx: ServerRequestContext[Any, Any], call_next: CallNext
    ) -> HandlerResult:
        """The SDK's middleware."""
        listed = ctx.method in ("tools/list", "resources/list")
        shown = listed and client_supports_apps(ctx)
        if shown and ctx.method == "tools/list":
            self._load_tools()
        answer = await call_next(ctx)
        if not isinstance(answer, dict):
            return answer
        if ctx.method == "tools/list" and not shown:
            tools = [tool for tool in answer["tools"] if tool["name"] not in APP_ONLY]
            return {**answer, "tools": tools}
        if ctx.method == "resources/list":
            rows = [row for row in answer["resources"] if shown or row["uri"] != URI]
            return {**answer, "resources": self._located(rows)}
        if ctx.method == "resources/read" and "contents" in answer:
            return {**answer, "contents": self._located(answer["contents"])}
        return answer

    def _located(self, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """The same, with the address from which the present client's page plays clips."""
        meta = page_meta(self._app.caller().base_url)
        return [row | {"_meta": meta} if row["uri"] == URI else row for row in rows]
