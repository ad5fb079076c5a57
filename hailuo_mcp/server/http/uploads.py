"""POST /uploads/<signed>: a picture from elsewhere becomes an upload:<id> that the tools take.

Each caller's pictures lie in a folder of their own: nobody finds or pushes out another's.
"""

from __future__ import annotations

import os
import re
import secrets
import stat
import threading
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

import anyio
import anyio.to_thread
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response

from hailuo_mcp.catalog import video_models
from hailuo_mcp.errors import InvalidRequestError
from hailuo_mcp.server.http.auth import Visitor, visitor
from hailuo_mcp.server.http.intake import RefusedBodyError, read_body
from hailuo_mcp.server.http.links import DERIVED, UPLOAD_SECONDS, Links
from hailuo_mcp.server.http.shares import Limits

_SECONDS = 120.0
_AT_ONCE = 16
"""Bodies in memory; how many are decoded at once is the pictures' own limit."""
_AT_ONCE_EACH = 8
_KEPT_SECONDS = 24 * 3600.0
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
_ID = re.compile(rf"[a-z2-7]{{{DERIVED}}}")


class Uploads:
    def __init__(
        self,
        links: Links,
        folder: Path = Path(),
        *,
        limits: Limits = Limits(),  # noqa: B008  frozen
        clock: Callable[[], float] = time.time,
        seconds: float = _SECONDS,
    ) -> None:
        self.folder = folder
        self._links = links
        self._limits = limits
        self._clock = clock
        self._seconds = seconds
        self._under_way = dict[str, str]()
        """Whose."""
        self._making_room = threading.Lock()

    def link(self) -> str:
        """A new link for the present caller; it takes one picture."""
        here = visitor()
        if here is None:
            return ""
        subject = self._owner(here) + secrets.token_hex(8)
        signed, _ = self._links.sign("upload", subject, UPLOAD_SECONDS)
        return f"{here.base_url}/uploads/{signed}"

    def invitation(self) -> str:
        link = self.link()
        return link and (
            f"To hand the picture in, the person opens {link} in a browser, or POST the file's "
            "bytes there (curl --data-binary @FILE URL); use the upload:<id> that it answers with. "
            f"The link takes one picture, within {UPLOAD_SECONDS // 60} minutes."
        )

    def find(self, upload_id: str) -> bytes | None:
        """The bytes, for the caller who handed them in."""
        here = visitor()
        if here is None or not _ID.fullmatch(upload_id):
            return None
        try:
            return (self.folder / self._owner(here) / upload_id).read_bytes()
        except OSError:
            return None

    def _owner(self, who: Visitor) -> str:
        """The name of their folder, which the links for them begin with."""
        return self._links.derive("uploads of", who.name)

    async def take(self, request: Request) -> Response:
        """Permission first, then the body, then a look at what it is."""
        subject = self._links.read("upload", str(request.path_params["signed"]))
        if subject is None:
            return _said(404, "There is nothing here, or no longer.")
        owner, upload_id = subject[:DERIVED], self._links.derive("upload id", subject)
        if await anyio.Path(self.folder / owner / upload_id).exists():
            return _used()
        if request.method != "POST":
            return HTMLResponse(_PAGE, headers=_PAGE_HEADERS)
        if upload_id in self._under_way:
            return _said(409, "A picture is on its way to this link.")
        own = sum(one == owner for one in self._under_way.values())
        if len(self._under_way) >= _AT_ONCE or own >= _AT_ONCE_EACH:
            busy = _said(503, "Too many pictures at once. Try again in a few seconds.")
            busy.headers["Retry-After"] = "5"
            return busy
        self._under_way[upload_id] = owner
        try:
            return await self._keep(request, owner, upload_id)
        finally:
            del self._under_way[upload_id]

    async def _keep(self, request: Request, owner: str, upload_id: str) -> Response:
        most = video_models.limits().image_bytes - 1
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
            refusal = await anyio.to_thread.run_sync(self._write, owner, upload_id, body)
        except OSError:
            refusal = _said(507, "The picture could not be kept: the server's disk refuses.")
        if refusal is not None:
            return refusal
        return JSONResponse({"upload": f"upload:{upload_id}", "bytes": len(body)}, status_code=201)

    def _write(self, owner: str, upload_id: str, body: bytes) -> Response | None:
        """Whole or not at all, and once: the second of two at the same moment is refused."""
        folder = self.folder / owner
        for each in (self.folder, folder):
            each.mkdir(parents=True, exist_ok=True, mode=0o700)
        with self._making_room:
            if not self._make_room(folder, len(body)):
                return _said(
                    507,
                    "The server has no room for this picture: those handed in within the last day "
                    "fill it. Nothing was charged. Try again later, or give an https:// address "
                    "of the picture instead.",
                )
            part = folder / f".{upload_id}.{secrets.token_hex(4)}"
            try:
                with os.fdopen(os.open(part, _NEW, 0o600), "wb") as file:
                    file.write(body)
                os.link(part, folder / upload_id)
            except FileExistsError:
                return _used()
            finally:
                part.unlink(missing_ok=True)
        return None

    def _make_room(self, folder: Path, size: int) -> bool:
        """Drop what is old, and the caller's own oldest; never another's that is not old.

        A purchase keeps its own copy, so what is old is of no use.
        """
        kept = list[_Kept]()
        for path in self.folder.rglob("*"):
            # One that another process has just put away is not ours to look at.
            with suppress(FileNotFoundError):
                facts = path.lstat()
                if stat.S_ISDIR(facts.st_mode):
                    continue
                if self._clock() - facts.st_mtime > _KEPT_SECONDS:
                    path.unlink()
                else:
                    kept.append(_Kept(facts.st_mtime, facts.st_size, path))
        limits = self._limits
        own = sorted(one for one in kept if one.path.parent == folder)
        leaving = list[_Kept]()
        while own and (len(own) >= limits.pictures or _sum(own) + size > limits.picture_bytes):
            leaving.append(own.pop(0))
        if _sum(kept) - _sum(leaving) + size > limits.all_picture_bytes:
            return False
        for one in leaving:
            one.path.unlink(missing_ok=True)
        return True


class _Kept(NamedTuple):
    at: float
    bytes: int
    path: Path


def _sum(pictures: Iterable[_Kept]) -> int:
    return sum(one.bytes for one in pictures)


async def _look_at(body: bytes) -> None:
    """The bytes decide, not what the sender calls them."""
    from hailuo_mcp.files.images import open_image

    async def nowhere(url: str) -> bytes:
        raise InvalidRequestError(f"{url[:40]} is not fetched.")

    await open_image("upload:the file", folders=None, fetch=nowhere, upload=lambda _id: body)


def _used() -> Response:
    return _said(410, "This link was used. Ask for a new one.")


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
