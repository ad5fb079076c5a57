"""Refuses a tool that spends to a token without the scope for it, before the SDK sees the call.

The tools refuse it too; here the answer is one that a client can act on: 403 with the scopes that
are needed (MCP 2025-11-25 and later). Clients of the older transport take any refusal of a message
for the end of the connection, so they get only the tool's own.
"""

from __future__ import annotations

import json
from collections.abc import Container
from typing import Any, cast

from mcp.types import INVALID_REQUEST
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from hailuo_mcp.server.http.auth import visitor
from hailuo_mcp.server.http.challenges import BUY, SCOPES, challenge
from hailuo_mcp.server.http.host_guard import path_of


class ScopeGuard:
    def __init__(self, app: ASGIApp, spending: Container[str]) -> None:
        """`spending`: the names of the tools that spend. Requests arrive with a whole body."""
        self._app = app
        self._spending = spending

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        here = visitor()
        path = path_of(scope) if scope["type"] == "http" else ""
        if here is None or BUY in here.scopes or path.rstrip("/") != "/mcp":
            await self._app(scope, receive, send)
            return
        message = await receive()
        found = self._spending_call(message)
        if found is None:
            unread = [message]

            async def replay() -> Message:
                return unread.pop() if unread else await receive()

            await self._app(scope, replay, send)
            return
        about = f"The access token lacks the scope {BUY}, which tools that cost money need."
        # The error of the call itself, for clients that show it.
        said = f"{about} Nothing was sent or charged."
        body = {
            "jsonrpc": "2.0",
            "id": found.get("id"),
            "error": {"code": INVALID_REQUEST, "message": said},
        }
        needs = challenge(
            here.base_url, path, scopes=SCOPES, error="insufficient_scope", about=about
        )
        await JSONResponse(body, 403, headers={"WWW-Authenticate": needs})(scope, receive, send)

    def _spending_call(self, message: Message) -> dict[str, Any] | None:
        """The call of a tool that spends, if the body is or contains one."""
        try:
            body: object = json.loads(message.get("body", b""))
        except (ValueError, RecursionError):
            return None
        calls = cast("list[object]", body) if isinstance(body, list) else [body]
        for one in calls:
            if not isinstance(one, dict):
                continue
            call = cast("dict[str, Any]", one)
            wanted = call.get("params")
            if call.get("method") == "tools/call" and isinstance(wanted, dict):
                name = cast("dict[str, Any]", wanted).get("name")
                if isinstance(name, str) and name in self._spending:
                    return call
        return None
