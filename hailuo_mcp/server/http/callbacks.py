"""POST /callbacks/<token>: the provider says that a task changed, and is then polled."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, cast

import anyio
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from hailuo_mcp.dialects.statuses import phase_of
from hailuo_mcp.domain.task import POLLED, UNFINISHED, Task
from hailuo_mcp.errors import JournalError
from hailuo_mcp.server.context import AppContext
from hailuo_mcp.server.http.limits import RefusedBodyError, read_body
from hailuo_mcp.studio.studio import Studio

LIMIT = 64 * 1024
_SECONDS = 5.0
_TOKEN = re.compile(r"[A-Za-z0-9_-]{20,64}")
_CHALLENGE_CHARACTERS = 4096
_PAUSES = (0.0, 2.0, 8.0, 30.0)
"""Seconds between the polls that one "it has ended" can cause. A task that has not ended is polled
again, more and more rarely, and then no more often than without callbacks."""


@dataclass(slots=True)
class _Announced:
    """A task whose end was announced; kept, so that a repetition does not start from the first."""

    polls: int = 0
    next_at: float = 0.0
    wanted: bool = True
    """False where it was polled often enough, until its end is announced again."""
    unsent: bool = False
    """The end was announced before the provider had answered the create."""
    changed: bool = False
    """A step was recorded after it was polled often enough: perhaps its end."""


class Callbacks:
    def __init__(
        self,
        app: AppContext,
        *,
        clock: Callable[[], float] = time.time,
        count: Callable[[str], None] = lambda _outcome: None,
    ) -> None:
        self._app = app
        self.clock = clock
        """Replaced by the journal's, which plans the polls, as soon as it is open."""
        self._count = count
        self._announced: dict[str, _Announced] = {}
        """By task, until its end is seen."""
        self._look_ups = anyio.Lock()
        """The journal is asked for one token at a time. No address is blocked for guessing:
        behind a proxy everybody has the same one, the provider too."""
        self._wake = anyio.Event()

    async def receive(self, request: Request) -> Response:
        studio = self._app.opened
        if studio is None:
            return JSONResponse({"error": "The server is not ready."}, status_code=503)
        try:
            task = await self._find(studio, str(request.path_params["token"]))
        except JournalError:
            self._count("failed")
            return JSONResponse({"error": "Try again later."}, 503, headers={"Retry-After": "5"})
        if task is None:
            self._count("unknown")
            return JSONResponse({"error": "Not found."}, status_code=404)
        try:
            body = await read_body(request.scope, request.receive, limit=LIMIT, seconds=_SECONDS)
        except RefusedBodyError:
            self._count("refused")
            raise
        sent = _object(body)
        challenge = sent.get("challenge")
        if _is_challenge(challenge):
            self._count("challenge")
            studio.confirm_callback(task.task_id)
            # In ASCII: JSON can contain an unpaired surrogate, which UTF-8 cannot.
            return Response(json.dumps({"challenge": challenge}), media_type="application/json")
        if phase_of(_status(sent)).is_final:
            self._count("final")
            self._announced.setdefault(task.task_id, _Announced()).wanted = True
            self._wake.set()
        else:
            self._count("news")
        return JSONResponse({"received": True})

    async def run(self) -> None:
        """Poll what was announced, until cancelled."""
        while True:
            self._wake = anyio.Event()
            now = self.clock()
            for task_id, known in list(self._announced.items()):
                if known.changed or (known.wanted and known.next_at <= now):
                    try:
                        await self._look(task_id, known, now)
                    except JournalError:
                        known.next_at = now + _PAUSES[1]
            waits = [it.next_at - now for it in self._announced.values() if it.wanted]
            with anyio.move_on_after(max(0.01, min(waits)) if waits else None):
                await self._wake.wait()

    def task_changed(self, task_id: str) -> None:
        """A step of this task, "" for any, was recorded; perhaps it can be polled only now."""
        for announced, known in self._announced.items():
            if known.unsent and task_id in ("", announced):
                known.next_at, known.unsent = 0.0, False
                self._wake.set()
            elif not known.wanted and task_id in ("", announced):
                known.changed = True
                self._wake.set()

    async def _look(self, task_id: str, known: _Announced, now: float) -> None:
        """Forget a task that has ended; poll one that is said to have."""
        studio = self._app.opened
        task = await studio.store.find(task_id) if studio else None
        if studio is None or task is None or task.status not in UNFINISHED:
            del self._announced[task_id]
            return
        known.changed = False
        if not known.wanted or known.next_at > now:
            return
        if task.status not in POLLED:
            known.unsent, known.next_at = True, now + _PAUSES[1]
            return
        working = self._app.working_for(task.account) or studio
        await working.expedite_poll(task, now)
        known.polls += 1
        known.next_at = now + _PAUSES[min(known.polls, len(_PAUSES) - 1)]
        known.wanted = known.polls < len(_PAUSES)

    async def _find(self, studio: Studio, token: str) -> Task | None:
        if not _TOKEN.fullmatch(token):
            return None
        async with self._look_ups:
            return await studio.store.by_callback(token)


def _is_challenge(said: object) -> bool:
    known = isinstance(said, str | int) and not isinstance(said, bool)
    return known and len(str(said)) <= _CHALLENGE_CHARACTERS


def _status(sent: dict[str, Any]) -> str:
    """The task's status; v2 sends the task as an object of its own."""
    task = sent.get("task")
    told = cast("dict[str, Any]", task) if isinstance(task, dict) else sent
    return str(told.get("status", ""))


def _object(body: bytes) -> dict[str, Any]:
    try:
        found: object = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return cast("dict[str, Any]", found) if isinstance(found, dict) else {}
