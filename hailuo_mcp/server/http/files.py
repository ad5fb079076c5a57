"""GET /files/<signed>: one saved clip or film, whole or in a range, and nothing else there."""

from __future__ import annotations

import re
import stat
from email.utils import formatdate
from urllib.parse import quote

import anyio
from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response, StreamingResponse

from hailuo_mcp.domain.film import Film
from hailuo_mcp.domain.remote import Link
from hailuo_mcp.domain.task import Task
from hailuo_mcp.errors import ConfigError, DownloadError
from hailuo_mcp.files.storage import Storage
from hailuo_mcp.journal.store import Store
from hailuo_mcp.server.context import AppContext
from hailuo_mcp.server.http.auth import visitor
from hailuo_mcp.server.http.signed_links import FILE_SECONDS, SignedLinks

_ENDING = ".mp4"
_ONE_RANGE = re.compile(r"bytes=(?:(\d{1,15})-(\d{0,15})|-(\d{1,15}))")
_HEADERS = {
    "Cache-Control": "private, max-age=3600, no-transform",
    "Content-Security-Policy": "default-src 'none'; sandbox",
    "Referrer-Policy": "no-referrer",
}


class Files:
    def __init__(self, links: SignedLinks, app: AppContext) -> None:
        self._links = links
        self._app = app

    def link(self, made: Task | Film) -> Link | None:
        """Where the present caller fetches a saved clip; None for those at this computer."""
        here = visitor()
        return None if here is None or here.local else self.play_link(made)

    def play_link(self, made: Task | Film) -> Link | None:
        """Where the present caller's browser plays a saved clip from."""
        here = visitor()
        if here is None or not made.saved:
            return None
        known = made.film_id if isinstance(made, Film) else made.task_id
        signed, until = self._links.sign("file", known, FILE_SECONDS)
        return Link(url=f"{here.base_url}/files/{signed}{_ENDING}", expires_at=until)

    async def send(self, request: Request) -> Response:
        # The same refusal for an altered, expired or guessed link, and for a clip moved away.
        missing = JSONResponse({"error": "Not found, or no longer there."}, status_code=404)
        signed, studio = str(request.path_params["signed"]), self._app.opened
        known = self._links.read("file", signed.removesuffix(_ENDING))
        if not known or not signed.endswith(_ENDING) or studio is None:
            return missing
        file = await _file_of(studio.store, known)
        if not file:
            return missing
        _ignore_odd_ranges(request)
        path = studio.storage.local_path(file)
        if path is None:
            return await _stored(request, studio.storage, file) or missing
        try:
            facts = await anyio.Path(path).stat(follow_symlinks=False)
        except OSError:
            return missing
        if not stat.S_ISREG(facts.st_mode):
            return missing
        return FileResponse(
            path,
            media_type="video/mp4",
            filename=path.name,
            stat_result=facts,
            content_disposition_type="inline",
            headers=_HEADERS,
        )


async def _file_of(store: Store, known: str) -> str:
    """The file of the task or film of this id; empty if there is none."""
    task = await store.find(known)
    if task and task.task_id == known:  # not by the provider's id
        return task.file
    film = await store.find_film(known)
    return film.file if film else ""


async def _stored(request: Request, storage: Storage, file: str) -> Response | None:
    """Answer from the storage, as FileResponse does from the disk; None if the clip is gone."""
    try:
        clip = await storage.find(file)
    except ConfigError:
        return None
    except DownloadError:
        away = {"error": "The clip cannot be read at the moment."}
        return JSONResponse(away, status_code=503, headers={"Retry-After": "5"})
    if clip is None:
        return None
    name = quote(file.rpartition("/")[2])
    headers = {
        **_HEADERS,
        "Accept-Ranges": "bytes",
        "Content-Disposition": f"inline; filename*=utf-8''{name}",
        "ETag": clip.etag,
        "Last-Modified": formatdate(clip.modified, usegmt=True),
    }
    start, end, status = 0, clip.bytes, 200
    asked = Headers(scope=request.scope)  # the request's own have the odd ones still
    known = (None, headers["ETag"], headers["Last-Modified"])
    one = _ONE_RANGE.fullmatch(asked.get("range", "").strip())
    if one and asked.get("if-range") in known:
        start, end = _range(one, clip.bytes)
        status = 206
        if start >= clip.bytes:
            return Response(status_code=416, headers={"Content-Range": f"bytes */{clip.bytes}"})
        headers["Content-Range"] = f"bytes {start}-{end - 1}/{clip.bytes}"
    headers["Content-Length"] = str(end - start)
    if request.method == "HEAD":
        return Response(status_code=status, headers=headers, media_type="video/mp4")
    blocks = storage.read(clip, start, end)
    return StreamingResponse(blocks, status_code=status, headers=headers, media_type="video/mp4")


def _range(one: re.Match[str], size: int) -> tuple[int, int]:
    """The first byte that is wanted, and the one after the last."""
    if one[1] is None:
        return max(0, size - int(one[3])) if int(one[3]) else size, size
    return int(one[1]), min(size, int(one[2]) + 1) if one[2] else size


def _ignore_odd_ranges(request: Request) -> None:
    """Several ranges, or an invalid one, are answered with the whole clip (RFC 9110)."""
    given = request.headers.getlist("range")
    one = _ONE_RANGE.fullmatch(given[0].strip()) if len(given) == 1 else None
    if one is None or (one[2] and int(one[1]) > int(one[2])):
        request.scope["headers"] = [
            (name, value) for name, value in request.scope["headers"] if name.lower() != b"range"
        ]
