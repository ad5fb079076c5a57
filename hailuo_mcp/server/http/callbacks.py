"""POST /callbacks/<token>: the provider says that something changed; then it is asked."""

from __future__ import annotations

import json
import re
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

import anyio
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from hailuo_mcp.dialects.phases import phase_of
from hailuo_mcp.domain import POLLED, UNFINISHED
from hailuo_mcp.errors import JournalError
from hailuo_mcp.server.http.intake import RefusedBodyError, read_body

if TYPE_CHECKING:
    from hailuo_mcp.studio.studio import Studio

LIMIT = 64 * 1024
_SECONDS = 5.0
_TOKEN = re.compile(r"[A-Za-z0-9_-]{20,64}")
_CHALLENGE_CHARACTERS = 4096
_PAUSES = (0.0, 2.0, 8.0, 30.0)
"""Seconds between the looks that final words can cause: a task that has not ended although it was
said is looked at again, ever more rarely, and then no more often than without callbacks."""
_REMEMBERED = 20_000


@dataclass(slots=True)
class _Known:
    task_id: str
    looks: int = 0
    next_at: float = 0.0
    unsent: bool = False
    """The end was announced before the provider had answered the create."""


class Callbacks:
    """Remembers tokens, so that a repeated or flooding caller costs a look into a table."""

    def __init__(
        self,
        studio: Callable[[], Studio | None],
        *,
        clock: Callable[[], float] = time.time,
        count: Callable[[str], None] = lambda _outcome: None,
    ) -> None:
        self._studio = studio
        self._clock = clock
        self._count = count
        self._known: OrderedDict[str, _Known] = OrderedDict()
        self._wanted: dict[str, _Known] = {}
        """Whose end was announced and not seen yet."""
        self._guesses = anyio.Lock()
        """Of those who guess, the journal is asked for one at a time. No address is turned away for
        it: behind a proxy everybody has the same one, the provider too."""
        self._bell = anyio.Event()

    async def hear(self, request: Request) -> Response:
        studio = self._studio()
        if studio is None:
            return JSONResponse({"error": "not open"}, status_code=503)
        try:
            known = await self._find(studio, str(request.path_params["token"]))
        except JournalError:
            self._count("failed")
            return JSONResponse({"error": "Try again."}, 503, headers={"Retry-After": "5"})
        if known is None:
            self._count("unknown")
            return JSONResponse({"error": "There is nothing here."}, status_code=404)
        try:
            body = await read_body(request.scope, request.receive, limit=LIMIT, seconds=_SECONDS)
        except RefusedBodyError as refused:
            self._count("refused")
            return refused.response
        told = _object(body)
        challenge = told.get("challenge")
        if _is_challenge(challenge):
            self._count("challenge")
            studio.confirm_callback(known.task_id)
            # In ASCII: half of a surrogate pair is JSON, but has no bytes in UTF-8.
            return Response(json.dumps({"challenge": challenge}), media_type="application/json")
        if phase_of(str(told.get("status", ""))).is_final:
            self._count("final")
            self._wanted[known.task_id] = known
            self._bell.set()
        else:
            self._count("news")
        return JSONResponse({"received": True})

    async def work(self) -> None:
        """Look at what was announced, until cancelled."""
        while True:
            self._bell = anyio.Event()
            now = self._clock()
            for known in [known for known in self._wanted.values() if known.next_at <= now]:
                try:
                    await self._look(known, now)
                except JournalError:
                    known.next_at = now + _PAUSES[1]
            waits = [known.next_at - now for known in self._wanted.values()]
            with anyio.move_on_after(max(0.01, min(waits)) if waits else None):
                await self._bell.wait()

    def changed(self, task_id: str) -> None:
        """A step of this task was written down; perhaps it can be asked about only now."""
        known = self._wanted.get(task_id)
        if known is not None and known.unsent:
            known.next_at, known.unsent = 0.0, False
            self._bell.set()

    async def _look(self, known: _Known, now: float) -> None:
        studio = self._studio()
        task = await studio.store.find(known.task_id) if studio else None
        if studio is None or task is None or task.status not in UNFINISHED:
            del self._wanted[known.task_id]
            return
        if task.status not in POLLED:
            known.unsent, known.next_at = True, now + _PAUSES[1]
            return
        await studio.expedite_poll(task, now)
        known.looks += 1
        known.next_at = now + _PAUSES[min(known.looks, len(_PAUSES) - 1)]
        if known.looks >= len(_PAUSES):
            del self._wanted[known.task_id]

    async def _find(self, studio: Studio, token: str) -> _Known | None:
        if known := self._known.get(token):
            return known
        if not _TOKEN.fullmatch(token):
            return None
        async with self._guesses:
            task = await studio.store.by_callback(token)
        if task is None:
            return None
        known = self._known[token] = self._known.get(token) or _Known(task.task_id)
        while len(self._known) > _REMEMBERED:
            self._known.popitem(last=False)
        return known


def _is_challenge(said: object) -> bool:
    known = isinstance(said, str | int) and not isinstance(said, bool)
    return known and len(str(said)) <= _CHALLENGE_CHARACTERS


def _object(body: bytes) -> dict[str, Any]:
    try:
        found: object = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return cast("dict[str, Any]", found) if isinstance(found, dict) else {}
