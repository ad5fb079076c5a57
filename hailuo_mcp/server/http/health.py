"""Whether the process is alive, and whether it can do its work."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable

import anyio
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from hailuo_mcp.errors import HailuoError
from hailuo_mcp.server.context import AppContext

ASK_AGAIN_SECONDS = 60.0
"""How long the provider's answer counts: a load balancer may ask every second."""
ANSWER_SECONDS = 5.0


async def alive(_request: Request) -> Response:
    return JSONResponse({"status": "ok"})


class Readiness:
    """Whether the journal answers and the provider can be reached."""

    def __init__(self, app: AppContext) -> None:
        self._app = app
        self._asked: float | None = None
        self._provider = ""
        self._asking = anyio.Lock()

    async def answer(self, _request: Request) -> Response:
        try:
            studio = await self._app.studio()
        except HailuoError as error:
            return _answer(settings=error.code)
        journal = await _outcome(studio.store.ping)
        async with self._asking:
            now = time.monotonic()
            if self._asked is None or now - self._asked >= ASK_AGAIN_SECONDS:
                self._provider = await _outcome(studio.check_provider)
                self._asked = now
        return _answer(journal=journal, provider=self._provider)


async def _outcome(check: Callable[[], Awaitable[object]]) -> str:
    with anyio.move_on_after(ANSWER_SECONDS):
        try:
            await check()
        except HailuoError as error:
            return error.code
        return "ok"
    return "no answer in time"


def _answer(**parts: str) -> JSONResponse:
    ready = all(word == "ok" for word in parts.values())
    status = "ready" if ready else "not ready"
    return JSONResponse({"status": status, **parts}, 200 if ready else 503)
