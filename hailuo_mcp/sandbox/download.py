"""The object store: clips with ranges and tags, and every download fault."""

from __future__ import annotations

import asyncio
import hashlib
import re
from dataclasses import dataclass
from pathlib import Path

from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from hailuo_mcp.sandbox import signed_links, wire
from hailuo_mcp.sandbox.backend import Backend, fingerprint
from hailuo_mcp.sandbox.job import Job, Phase

_CHUNK = 64 * 1024
_SLOW_STEPS = 12
_SLOW_SECONDS = 3.0
_STALL_SECONDS = 600.0
_RANGE = re.compile(r"bytes=(\d*)-(\d*)")
_ELSEWHERE = "cdn2"
_METADATA_SERVICE = "http://169.254.169.254/latest/meta-data/"


def routes(backend: Backend) -> list[Route]:
    """Return the place at which links point, and the one where redirects lead."""

    async def follow(request: Request) -> Response:
        return await _follow(request, backend)

    return [Route(f"/{place}/{{task_id}}/output.mp4", follow) for place in ("cdn", _ELSEWHERE)]


async def _follow(request: Request, backend: Backend) -> Response:
    task = backend.book.task(request.path_params["task_id"])
    if request.headers.get("authorization"):
        # A key at a download host is a key in somebody else's log.
        key = fingerprint(request)
        task_id = task.task_id if task else ""
        backend.book.record(
            "leak", at=backend.now(), task_id=task_id, key=key, note=request.url.path
        )
    if task is None or task.phase(backend.now()) is not Phase.SUCCESS or "dead-link" in task.faults:
        return _store_error(404, "NoSuchKey")
    if problem := signed_links.check(request, backend, task):
        return _store_error(403, problem)
    if not request.url.path.startswith(f"/{_ELSEWHERE}/"):
        if "redirect-private" in task.faults:
            return RedirectResponse(_METADATA_SERVICE, status_code=302)
        if "redirect-download" in task.faults:
            same = f"/{_ELSEWHERE}/{task.task_id}/output.mp4?{request.url.query}"
            return RedirectResponse(same, status_code=302)
    return await deliver(request, backend, task)


def _store_error(status: int, code: str) -> Response:
    body = f'<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>{code}</Code></Error>'
    return Response(body, status_code=status, media_type="application/xml")


async def deliver(request: Request, backend: Backend, task: Job) -> Response:
    """Answer with the clip, or as much of it as the task's faults allow."""
    faults = task.faults
    path = await backend.render_queue.clip(task)
    size = path.stat().st_size
    ranges = "cut-no-range" not in faults
    headers = {"ETag": _tag(path, size), "Content-Type": "video/mp4"}
    if ranges:
        headers["Accept-Ranges"] = "bytes"
    if request.method == "HEAD":
        return Response(headers={**headers, "Content-Length": str(size)})
    row, nth = backend.book.record("download", at=backend.now(), task_id=task.task_id, key=task.key)
    if faults.hits("json-download", nth):
        return JSONResponse({"base_resp": {"status_code": 1000, "status_msg": "unknown error"}})
    if faults.hits("html-download", nth):
        return wire.html_page()
    if faults.hits("corrupt-download", nth):
        size //= 2
        headers["ETag"] = _tag(path, size)
    start, end, status = 0, size, 200
    if ranges and (asked := request.headers.get("range", "")):
        same = request.headers.get("if-range", headers["ETag"]) == headers["ETag"]
        span = _span(asked, size) if same else (0, size)
        if span is None:
            return Response(status_code=416, headers={"Content-Range": f"bytes */{size}"})
        if same:
            (start, end), status = span, 206
            headers["Content-Range"] = f"bytes {start}-{end - 1}/{size}"
    cuts = faults.hits("cut-download", nth) or faults.hits("cut-no-range", nth)
    return _Clip(
        backend,
        path,
        _Manner(
            row=row,
            start=start,
            end=end,
            slow="slow-download" in faults or backend.dice.strikes("slow_download"),
            cut=cuts or backend.dice.strikes("cut_download"),
            stall=faults.hits("stall-download", nth),
            short=faults.hits("short-chunked", nth),
        ),
        status,
        headers,
    )


def _tag(path: Path, size: int) -> str:
    # Rendering is deterministic, so that the same clip made again is the same file.
    return f'"{hashlib.sha256(f"{path.name}:{size}".encode()).hexdigest()[:32]}"'


def _span(asked: str, size: int) -> tuple[int, int] | None:
    """Return the start and the end, exclusive, of a single byte range; None cannot be satisfied."""
    found = _RANGE.fullmatch(asked.strip())
    if found is None or not (found[1] or found[2]):
        return 0, size
    if not found[1]:
        start, end = max(0, size - int(found[2])), size
    else:
        start = int(found[1])
        end = min(size, int(found[2]) + 1) if found[2] else size
    return (start, end) if start < end else None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Manner:
    """Which bytes to send, and how badly."""

    row: int
    start: int
    end: int
    slow: bool
    cut: bool
    stall: bool
    short: bool

    @property
    def last(self) -> int:
        """Return where sending stops."""
        half = self.start + (self.end - self.start) // 2
        return half if self.cut or self.stall or self.short else self.end


class _Clip(Response):
    """Streams a file, so that its middle can be reached."""

    def __init__(
        self, backend: Backend, path: Path, manner: _Manner, status: int, headers: dict[str, str]
    ) -> None:
        super().__init__(status_code=status, headers=headers)
        self._book, self._path, self._manner = backend.book, path, manner
        # Response sets a length of 0 for its own empty body; a chunked answer has none at all.
        del self.headers["content-length"]
        if not manner.short:
            self.headers["content-length"] = str(manner.end - manner.start)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        manner = self._manner
        await send(
            {"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers}
        )
        length = manner.last - manner.start
        step = max(1, length // _SLOW_STEPS) if manner.slow else _CHUNK
        sent = 0
        # Written before the last byte leaves: whoever has received it may read the book at once.
        self._book.amount(manner.row, length)
        try:
            with self._path.open("rb") as file:
                file.seek(manner.start)
                while sent < length:
                    chunk = file.read(min(step, length - sent))
                    await send({"type": "http.response.body", "body": chunk, "more_body": True})
                    sent += len(chunk)
                    if manner.slow:
                        await asyncio.sleep(_SLOW_SECONDS / _SLOW_STEPS)
        except BaseException:
            self._book.amount(manner.row, sent)
            raise
        if manner.stall:
            await asyncio.wait_for(wire.until_gone(receive), _STALL_SECONDS)
        elif manner.cut:
            await wire.cut(scope, receive, reset=False)
        else:
            await send({"type": "http.response.body", "body": b"", "more_body": False})
