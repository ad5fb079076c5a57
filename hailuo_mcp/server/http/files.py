"""GET /files/<signed>: one saved clip, whole or in a range, and nothing else of the disk."""

from __future__ import annotations

import re
import stat
from pathlib import Path

import anyio
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response

from hailuo_mcp.domain import Link, Task
from hailuo_mcp.server.context import AppContext
from hailuo_mcp.server.http.auth import visitor
from hailuo_mcp.server.http.signed_links import FILE_SECONDS, SignedLinks

_ENDING = ".mp4"
_ONE_RANGE = re.compile(r"bytes=(?:(\d{1,15})-(\d{0,15})|-\d{1,15})")
_HEADERS = {
    "Cache-Control": "private, max-age=3600, no-transform",
    "Content-Security-Policy": "default-src 'none'; sandbox",
    "Referrer-Policy": "no-referrer",
}


class Files:
    def __init__(self, links: SignedLinks, app: AppContext) -> None:
        self._links = links
        self._app = app

    def link(self, task: Task) -> Link | None:
        """Where the present caller fetches a saved clip; None for those at this computer."""
        here = visitor()
        if here is None or here.local or not task.saved:
            return None
        signed, until = self._links.sign("file", task.task_id, FILE_SECONDS)
        return Link(url=f"{here.base_url}/files/{signed}{_ENDING}", expires_at=until)

    async def send(self, request: Request) -> Response:
        # The same refusal for an altered, expired or guessed link, and for a clip moved away.
        missing = JSONResponse({"error": "Not found, or no longer there."}, status_code=404)
        signed, studio = str(request.path_params["signed"]), self._app.opened
        task_id = self._links.read("file", signed.removesuffix(_ENDING))
        if not task_id or not signed.endswith(_ENDING) or studio is None:
            return missing
        task = await studio.store.find(task_id)
        if task is None or task.task_id != task_id or not task.file:
            return missing
        path = Path(task.file)
        try:
            facts = await anyio.Path(path).stat(follow_symlinks=False)
        except OSError:
            return missing
        if not stat.S_ISREG(facts.st_mode):
            return missing
        _ignore_odd_ranges(request)
        return FileResponse(
            path,
            media_type="video/mp4",
            filename=path.name,
            stat_result=facts,
            content_disposition_type="inline",
            headers=_HEADERS,
        )


def _ignore_odd_ranges(request: Request) -> None:
    """Several ranges, or an invalid one, are answered with the whole clip (RFC 9110)."""
    given = request.headers.getlist("range")
    one = _ONE_RANGE.fullmatch(given[0].strip()) if len(given) == 1 else None
    if one is None or (one[2] and int(one[1]) > int(one[2])):
        request.scope["headers"] = [
            (name, value) for name, value in request.scope["headers"] if name.lower() != b"range"
        ]
