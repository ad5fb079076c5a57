"""POST /uploads/<signed>: a picture from elsewhere becomes an upload:<id> that the tools take."""

from __future__ import annotations

import os
import re
import secrets
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import anyio
import anyio.to_thread
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response

from hailuo_mcp import catalog
from hailuo_mcp.errors import InvalidRequestError
from hailuo_mcp.server.http.auth import visitor
from hailuo_mcp.server.http.intake import RefusedBodyError, read_body
from hailuo_mcp.server.http.links import UPLOAD_SECONDS, Links

_SECONDS = 120.0
_AT_ONCE = 16
"""Bodies in memory; how many are decoded at once is the pictures' own limit."""
_KEPT_SECONDS = 24 * 3600.0
_MOST_KEPT = 500
_ID = re.compile(r"[a-z2-7]{24}")


class Uploads:
    def __init__(
        self,
        links: Links,
        folder: Path = Path(),
        *,
        clock: Callable[[], float] = time.time,
        seconds: float = _SECONDS,
    ) -> None:
        self.folder = folder
        self._links = links
        self._clock = clock
        self._seconds = seconds
        self._under_way = set[str]()

    def link(self) -> str:
        """A new link for the present caller; it takes one picture."""
        here = visitor()
        if here is None:
            return ""
        signed, _ = self._links.sign("upload", secrets.token_hex(16), UPLOAD_SECONDS)
        return f"{here.base_url}/uploads/{signed}"

    def invitation(self) -> str:
        link = self.link()
        return link and (
            f"To hand the picture in, the person opens {link} in a browser, or POST the file's "
            "bytes there (curl --data-binary @FILE URL); use the upload:<id> that it answers with. "
            f"The link takes one picture, within {UPLOAD_SECONDS // 60} minutes."
        )

    def find(self, upload_id: str) -> bytes | None:
        if not _ID.fullmatch(upload_id):
            return None
        try:
            return (self.folder / upload_id).read_bytes()
        except OSError:
            return None

    async def take(self, request: Request) -> Response:
        """Permission first, then the body, then a look at what it is."""
        subject = self._links.read("upload", str(request.path_params["signed"]))
        if subject is None:
            return _said(404, "There is nothing here, or no longer.")
        upload_id = self._links.derive("upload id", subject)
        if await anyio.Path(self.folder / upload_id).exists():
            return _said(410, "This link was used. Ask for a new one.")
        if request.method != "POST":
            return HTMLResponse(_PAGE, headers=_PAGE_HEADERS)
        if upload_id in self._under_way:
            return _said(409, "A picture is on its way to this link.")
        if len(self._under_way) >= _AT_ONCE:
            busy = _said(503, "Too many pictures at once. Try again in a few seconds.")
            busy.headers["Retry-After"] = "5"
            return busy
        self._under_way.add(upload_id)
        try:
            return await self._keep(request, upload_id)
        finally:
            self._under_way.discard(upload_id)

    async def _keep(self, request: Request, upload_id: str) -> Response:
        most = catalog.limits().image_bytes - 1
        try:
            body = await read_body(
                request.scope, request.receive, limit=most, seconds=self._seconds
            )
            await _look_at(body)
        except RefusedBodyError as refused:
            return refused.response
        except InvalidRequestError as refused:
            return _said(415, str(refused))
        try:
            kept = await anyio.to_thread.run_sync(self._write, upload_id, body)
        except OSError:
            return _said(507, "The picture could not be kept: the server's disk refuses.")
        if not kept:
            return _said(410, "This link was used. Ask for a new one.")
        return JSONResponse({"upload": f"upload:{upload_id}", "bytes": len(body)}, status_code=201)

    def _write(self, upload_id: str, body: bytes) -> bool:
        """Whole or not at all, and once: the second of two at the same moment is refused."""
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._sweep()
        part = self.folder / f".{upload_id}.{secrets.token_hex(4)}"
        part.write_bytes(body)
        try:
            os.link(part, self.folder / upload_id)
        except FileExistsError:
            return False
        finally:
            part.unlink(missing_ok=True)
        return True

    def _sweep(self) -> None:
        """A purchase keeps its own copy, so what is old is of no use."""
        ages: dict[Path, float] = {}
        for path in self.folder.iterdir():
            # One that another upload has just put away is not ours to look at.
            with suppress(FileNotFoundError):
                ages[path] = self._clock() - path.stat().st_mtime
        for at, path in enumerate(sorted(ages, key=ages.__getitem__)):
            if at >= _MOST_KEPT or ages[path] > _KEPT_SECONDS:
                path.unlink(missing_ok=True)


async def _look_at(body: bytes) -> None:
    """The bytes decide, not what the sender calls them."""
    from hailuo_mcp.media.images import open_image

    async def nowhere(url: str) -> bytes:
        raise InvalidRequestError(f"{url[:40]} is not fetched.")

    await open_image("upload:the file", folders=None, fetch=nowhere, upload=lambda _id: body)


def _said(status: int, text: str) -> Response:
    return JSONResponse({"error": text}, status_code=status)


_PAGE_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'unsafe-inline'; style-src "
    "'unsafe-inline'; connect-src 'self'; frame-ancestors 'none'",
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
}
_PAGE = """<!doctype html>
<meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>A picture for hailuo-mcp</title>
<style>body{font:16px system-ui;max-width:34em;margin:4em auto;padding:0 1em}output{display:block;
margin-top:1em;font-family:monospace}</style>
<h1>A picture for the clip</h1>
<p>JPEG, PNG or WebP, under 20 MB. The link takes one picture.</p>
<input type="file" accept="image/jpeg,image/png,image/webp"><output></output>
<script>
const out = document.querySelector("output");
document.querySelector("input").onchange = async event => {
  out.textContent = "…";
  try {
    const answer = await fetch(location.href, {method: "POST", body: event.target.files[0]});
    const said = await answer.json();
    out.textContent = said.upload ? "Give this to the assistant: " + said.upload : said.error;
  } catch (trouble) { out.textContent = "It could not be sent. Try again."; }
};
</script>
"""
