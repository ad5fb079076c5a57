"""GET /files/<signed>: one saved clip, whole or in a range, and nothing else of the disk."""

from __future__ import annotations

import re
import stat
from collections.abc import Awaitable, Callable
from pathlib import Path

import anyio
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response

from hailuo_mcp.domain import Link, Task
from hailuo_mcp.server.http.auth import visitor
from hailuo_mcp.server.http.links import FILE_SECONDS, Links

_ENDING = ".mp4"
_ONE_RANGE = re.compile(r"bytes=(?:(\d{1,15})-(\d{0,15})|-\d{1,15})")
_HEADERS = {
    "Cache-Control": "private, max-age=3600, no-transform",
    "Content-Security-Policy": "default-src 'none'; sandbox",
    "Referrer-Policy": "no-referrer",
}


class Files:
    def __init__(self, links: Links, clip: Callable[[str], Awaitable[Path | None]]) -> None:
        self._links = links
        self._clip = clip

    def link(self, task: Task) -> Link | None:
        """Where the present caller fetches a saved clip; None for those at this computer."""
        here = visitor()
        if here is None or here.local or not task.saved:
            return None
        signed, until = self._links.sign("file", task.task_id, FILE_SECONDS)
        return Link(url=f"{here.base_url}/files/{signed}{_ENDING}", expires_at=until)

    async def give(self, request: Request) -> Response:
        # One refusal for all: altered, expired, guessed, or a clip that was moved away.
        missing = JSONResponse({"error": "There is nothing here, or no longer."}, status_code=404)
        signed = str(request.path_params["signed"])
        task_id = self._links.read("file", signed.removesuffix(_ENDING))
        path = await self._clip(task_id) if task_id and signed.endswith(_ENDING) else None
        if path is None:
            return missing
        try:
            facts = await anyio.Path(path).stat(follow_symlinks=False)
        except OSError:
            return missing
        if not stat.S_ISREG(facts.st_mode):
            return missing
        _drop_odd_ranges(request)
        return FileResponse(
            path,
            media_type="video/mp4",
            filename=path.name,
            stat_result=facts,
            content_disposition_type="inline",
            headers=_HEADERS,
        )


def _drop_odd_ranges(request: Request) -> None:
    """Several ranges, or something that is none, are answered with the whole clip (RFC 9110)."""
    given = request.headers.getlist("range")
    one = _ONE_RANGE.fullmatch(given[0].strip()) if len(given) == 1 else None
    if one is None or (one[2] and int(one[1]) > int(one[2])):
        request.scope["headers"] = [
            (name, value) for name, value in request.scope["headers"] if name.lower() != b"range"
        ]
