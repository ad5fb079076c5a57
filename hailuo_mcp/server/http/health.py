"""Whether the process is alive, and whether it can do its work."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Mapping
from types import MappingProxyType

import anyio
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from hailuo_mcp.errors import HailuoError
from hailuo_mcp.server.context import AppContext
from hailuo_mcp.studio.studio import Studio

ASK_AGAIN_SECONDS = 60.0
"""How long the provider's answer counts: a load balancer may ask every second."""
ANSWER_SECONDS = 5.0


async def alive(_request: Request) -> Response:
    return JSONResponse({"status": "ok"})


class Readiness:
    """Whether the journal answers and a provider can be reached."""

    def __init__(self, app: AppContext) -> None:
        self._app = app
        self._asked: float | None = None
        self._providers: list[str] = []
        self._asking = anyio.Lock()

    async def answer(self, _request: Request) -> Response:
        try:
            studio = await self._app.operators_studio()
        except HailuoError as error:
            return _answer(settings=error.code)
        journal = await _outcome(studio.store.ping)
        async with self._asking:
            now = time.monotonic()
            if self._asked is None or now - self._asked >= ASK_AGAIN_SECONDS:
                self._providers = await self._ask(studio)
                self._asked = now
        # One tenant's bad key must not take the server away from all others.
        provider = "ok" if "ok" in self._providers else self._providers[0]
        many = dict[str, str]()
        if len(self._providers) > 1:
            many["accounts"] = f"{self._providers.count('ok')} of {len(self._providers)}"
        return _answer(journal=journal, provider=provider, more=many)

    async def _ask(self, operators: Studio) -> list[str]:
        """What each account's provider answers, the operator's first if it has a key."""
        tenants = self._app.tenants
        studios = tenants.accounts() if tenants else []
        if not studios or operators.settings.key or operators.provider.is_sandbox:
            studios = [operators, *studios]
        outcomes = dict[int, str]()

        async def ask(number: int, studio: Studio) -> None:
            outcomes[number] = await _outcome(studio.check_provider)

        async with anyio.create_task_group() as group:
            for number, studio in enumerate(studios):
                group.start_soon(ask, number, studio)
        return [outcomes[number] for number in range(len(studios))]


async def _outcome(check: Callable[[], Awaitable[object]]) -> str:
    with anyio.move_on_after(ANSWER_SECONDS):
        try:
            await check()
        except HailuoError as error:
            return error.code
        return "ok"
    return "no answer in time"


def _answer(more: Mapping[str, str] = MappingProxyType({}), **parts: str) -> JSONResponse:
    ready = all(word == "ok" for word in parts.values())
    status = "ready" if ready else "not ready"
    return JSONResponse({"status": status, **parts, **more}, 200 if ready else 503)
