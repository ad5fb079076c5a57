"""MCP Apps (io.modelcontextprotocol/ui): which answers show the page, and who sees its tools."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mcp.server.apps import APP_MIME_TYPE, Apps, client_supports_apps
from mcp.server.context import CallNext, HandlerResult
from mcp.server.mcpserver.resources import FunctionResource

from hailuo_mcp.server.gallery.page import URI, gallery_page

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mcp.server.context import ServerRequestContext
    from mcp.server.mcpserver.tools import Tool

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
            meta=page_meta(""),
            fn=lambda: gallery_page().html,
        )
    )
    return apps


def page_meta(origin: str) -> dict[str, Any]:
    """What the host must know of the page: where clips are played from, what it asks for.

    `origin`: this server, as the client reaches it; empty over stdio.
    """
    csp = {"resourceDomains": [origin]} if origin else {}
    return {"ui": {"csp": csp, "permissions": {"clipboardWrite": {}}, "prefersBorder": True}}


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


class HideAppTools:
    """Leaves what only the page calls out of the list of every client that shows no pages."""

    def __init__(self, names: frozenset[str]) -> None:
        self._names = names

    async def serve(
        self, ctx: ServerRequestContext[Any, Any], call_next: CallNext
    ) -> HandlerResult:
        """The SDK's middleware."""
        answer = await call_next(ctx)
        if ctx.method != "tools/list" or client_supports_apps(ctx) or not isinstance(answer, dict):
            return answer
        listed = [tool for tool in answer["tools"] if tool["name"] not in self._names]
        return {**answer, "tools": listed}
