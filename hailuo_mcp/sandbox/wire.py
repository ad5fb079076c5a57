"""Faulty responses: none at all, late, cut off, or not JSON."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import cast

from starlette.responses import HTMLResponse, Response
from starlette.types import Receive, Scope, Send

CUT = "sandbox.cut"
"""The ASGI extension through which `serve` lets a handler end its own connection."""

ERROR_PAGE = (
    "<html><head><title>504 Gateway Time-out</title></head>"
    "<body><center><h1>504 Gateway Time-out</h1></center><hr><center>edge</center></body></html>"
)


async def cut(scope: Scope, receive: Receive, *, reset: bool) -> None:
    """End the connection, with a FIN or a reset, and wait until the server has noticed.

    ASGI has no message for this. Returning without a response would be answered with a 500, and
    raising likewise; so the served connection hands its own closing down (see `serve`).
    """
    extensions = cast("dict[str, Callable[[bool], None]]", scope.get("extensions") or {})
    closing = extensions.get(CUT)
    if closing is None:
        message = "this server cannot cut connections: use hailuo_mcp.sandbox.serve_in_thread"
        raise ConnectionResetError(message)
    closing(reset)
    await until_gone(receive)


async def until_gone(receive: Receive) -> None:
    """Wait until the client's end of the connection is closed."""
    while (await receive())["type"] != "http.disconnect":
        pass


class NoAnswer(Response):
    """A response that is never sent."""

    def __init__(self, *, reset: bool = False) -> None:
        """Choose between a reset and an orderly close."""
        super().__init__()
        self._reset = reset

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Close instead of answering."""
        del send
        await cut(scope, receive, reset=self._reset)


class Later(Response):
    """A response that is sent after a while, unless the client has gone by then."""

    def __init__(self, response: Response, seconds: float) -> None:
        """Keep the true answer and how long it takes."""
        super().__init__()
        self._response = response
        self._seconds = seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Wait for the time or the client, whichever ends first."""
        gone = asyncio.create_task(until_gone(receive))
        done, _ = await asyncio.wait({gone}, timeout=self._seconds)
        gone.cancel()
        if not done:
            await self._response(scope, receive, send)


class Interrupt(Exception):  # noqa: N818  # it carries an answer
    """Carries a response out of the middle of a handler."""

    def __init__(self, response: Response) -> None:
        """Keep the response to give."""
        super().__init__()
        self.response = response


def html_page() -> Response:
    """Answer as a proxy does that thinks it talks to a browser, and with 200 at that."""
    return HTMLResponse(ERROR_PAGE)


def half_json(body: dict[str, object]) -> Response:
    """Answer with JSON that stops in the middle."""
    text = json.dumps(body)
    return Response(text[: len(text) // 2], media_type="application/json")


def without_ids(value: object) -> object:
    """Return an accepted answer that forgot to say what was accepted."""
    if isinstance(value, dict):
        items = cast("dict[str, object]", value).items()
        return {k: without_ids(v) for k, v in items if k not in ("task_id", "platform_id")}
    if isinstance(value, list):
        return [without_ids(item) for item in cast("list[object]", value)]
    return value
