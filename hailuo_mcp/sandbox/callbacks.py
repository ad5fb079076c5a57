"""callback_url: the challenge first, then a POST at every change of status (seed 001, facts 2).

Only addresses of this machine are called. A sandbox that is stopped sends nothing later: clients
must not depend on callbacks anyway, as nobody documents that a lost one is repeated.
"""

from __future__ import annotations

import asyncio
import json
import secrets
import time
from collections.abc import Callable, Mapping
from http import HTTPStatus

from hailuo_mcp.sandbox.backend import Backend
from hailuo_mcp.sandbox.job import Job, Phase
from hailuo_mcp.sandbox.loopback import call

_TICK = 0.02
_RECEIVED = range(200, 300)
Body = Callable[[Phase], Mapping[str, object]]
"""Words one change of status; an empty answer: there is nothing more to tell."""


async def follow(backend: Backend, task: Job, body: Body) -> None:
    """Verify the address and, if it echoes, tell it of every change until the task is final."""
    if not await _echoes(backend, task):
        return
    await _until(backend, task.processing_at())
    await tell(backend, task, Phase.PROCESSING, body)
    await _until(backend, task.finished_at)
    # A moment later: at that very one, rounding may leave the task short of its end.
    await tell(backend, task, task.phase(task.finished_at + 1.0), body)


async def _echoes(backend: Backend, task: Job) -> bool:
    challenge = {"challenge": secrets.token_hex(16)}
    status, body = await _post(task, challenge)
    try:
        echoed = status == HTTPStatus.OK and json.loads(body) == challenge
    except ValueError:
        echoed = False
    kind = "challenge" if echoed else "challenge-failed"
    backend.book.record(kind, at=backend.now(), task_id=task.task_id, key=task.key)
    return echoed


async def tell(backend: Backend, task: Job, phase: Phase, body: Body) -> None:
    """Send one change and write down whether it arrived."""
    if not (words := body(phase)):
        return
    status, _ = await _post(task, words)
    kind = "callback" if status in _RECEIVED else "callback-failed"
    backend.book.record(
        kind, at=backend.now(), task_id=task.task_id, key=task.key, note=phase.value
    )


async def _post(task: Job, body: object) -> tuple[int, bytes]:
    """Return the answer's status and body; 0 for none."""
    try:
        return await call("POST", task.callback_url, json.dumps(body).encode())
    except OSError:
        return 0, b""


def payload(task: Job, phase: Phase) -> dict[str, object]:
    """Return the query's body with the callback's lowercase words."""
    words = {Phase.SUCCESS: "success", Phase.FAIL: "failed"}
    code = task.ending_code if phase is Phase.FAIL else 0
    messages = {0: "success", 1026: "input new_sensitive", 1027: "output new_sensitive"}
    body: dict[str, object] = {
        "task_id": task.task_id,
        "status": words.get(phase, "processing"),
        "base_resp": {"status_code": code, "status_msg": messages[code]},
    }
    if task.kind == "video":
        body["file_id"] = task.file_id if phase is Phase.SUCCESS else ""
        if phase is Phase.SUCCESS:
            body |= {"video_width": task.width, "video_height": task.height}
    return body


async def _until(backend: Backend, moment: float) -> None:
    # A clock that a test holds must be looked at again and again; the real one can be slept on.
    real = backend.options.clock is time.time
    while (rest := moment - backend.now()) > 0:  # noqa: ASYNC110  # a clock has no event to wait for
        await asyncio.sleep(rest if real else min(rest, _TICK))
