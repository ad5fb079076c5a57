"""POST /uploads/<signed>: a picture from another computer becomes an upload:<id> for the tools.

Each caller's pictures lie in a folder of their own: nobody finds or displaces another's.
"""

from __future__ import annotations

import re
import secrets
import time
from pathlib import Path

import anyio
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response

from hailuo_mcp.errors import Do, HailuoError, InvalidRequestError, Step
from hailuo_mcp.files.storage import UPLOAD_KEPT_SECONDS, Blob, Blobs
from hailuo_mcp.server.context import AppContext
from hailuo_mcp.server.http.auth import Visitor, visitor
from hailuo_mcp.server.http.limits import Limits, read_body
from hailuo_mcp.server.http.signed_links import DERIVED, UPLOAD_SECONDS, SignedLinks
from hailuo_mcp.wording import agent

_SECONDS = 120.0
_AT_ONCE = 16
"""Bodies in memory; opening pictures has a limit of its own."""
_AT_ONCE_EACH = 8
_ID = re.compile(rf"[a-z2-7]{{{DERIVED}}}")


_NO_STORAGE = "The picture could not be stored by the server. Try again later."
_USED = "This link was already used. Ask for a new one."


class _NoRoomError(HailuoError):
    pass


class Uploads:
    def __init__(self, links: SignedLinks, limits: Limits, app: AppContext) -> None:
        self._app = app
        self._links = links
        self._limits = limits
        self._arriving = dict[str, str]()
        """Pictures on their way, and whose each is."""
        self._making_room = anyio.Lock()

    def invitation(self) -> str:
        """A new link for the present caller; it takes one picture."""
        here = visitor()
        if here is None:
            return ""
        subject = self._owner(here) + secrets.token_hex(8)
        signed, _ = self._links.sign("upload", subject, UPLOAD_SECONDS)
        return (
            f"To upload the picture, the person opens {here.base_url}/uploads/{signed} in a "
            "browser, or POST the file's bytes there (curl --data-binary @FILE URL); use the "
            "upload:<id> of the answer. "
            f"The link takes one picture, within {UPLOAD_SECONDS // 60} minutes."
        )

    async def find(self, upload_id: str) -> bytes | None:
        """The bytes, for the caller who handed them in."""
        here = visitor()
        if here is None or not _ID.fullmatch(upload_id):
            return None
        kept = await self._kept()
        try:
            return await kept.read(f"{self._owner(here)}/{upload_id}")
        except OSError as error:
            raise InvalidRequestError(
                "Uploaded pictures cannot be read at the moment.", Step(Do.REPEAT)
            ) from error

    async def _kept(self) -> Blobs:
        return (await self._app.operators_studio()).storage.uploads

    def _owner(self, who: Visitor) -> str:
        """The name of their folder, which the links for them begin with."""
        return self._links.derive("uploads of", who.name)

    async def receive(self, request: Request) -> Response:
        """Check the permission, then read the body, then check what it is."""
        try:
            return await self._receive(request)
        except HTTPException as refused:  # as JSON: the page behind the link reads it
            answer = {"error": refused.detail}
            return JSONResponse(answer, refused.status_code, refused.headers)

    async def _receive(self, request: Request) -> Response:
        subject = self._links.read("upload", str(request.path_params["signed"]))
        if subject is None:
            raise HTTPException(404, "Not found, or no longer there.")
        owner, upload_id = subject[:DERIVED], self._links.derive("upload id", subject)
        kept = await self._need_unused(owner, upload_id)
        if request.method != "POST":
            return HTMLResponse(_PAGE, headers=_PAGE_HEADERS)
        if upload_id in self._arriving:
            raise HTTPException(409, "A picture is already being sent to this link.")
        own = sum(one == owner for one in self._arriving.values())
        if len(self._arriving) >= _AT_ONCE or own >= _AT_ONCE_EACH:
            busy = "Too many pictures are arriving. Try again in 5 seconds."
            raise HTTPException(503, busy, {"Retry-After": "5"})
        from hailuo_mcp.files.images import check_picture, largest_taken

        self._arriving[upload_id] = owner
        try:
            # Nobody knows yet for which model it is.
            rules = largest_taken()
            most = rules.image_bytes - 1
            body = await read_body(request.scope, request.receive, limit=most, seconds=_SECONDS)
            await check_picture("The file", body, rules)
            await self._write(kept, owner, upload_id, body)
        except InvalidRequestError as error:
            raise HTTPException(415, agent.error_text(error)) from error
        except _NoRoomError as error:
            raise HTTPException(507, agent.error_text(error)) from error
        except FileExistsError as error:
            raise HTTPException(410, _USED) from error
        except OSError as error:
            raise HTTPException(507, _NO_STORAGE) from error
        finally:
            del self._arriving[upload_id]
        return JSONResponse({"upload": f"upload:{upload_id}", "bytes": len(body)}, status_code=201)

    async def _need_unused(self, owner: str, upload_id: str) -> Blobs:
        """Return where the picture goes, unless the link was used before."""
        try:
            kept = await self._kept()
            used = await kept.exists(f"{owner}/{upload_id}")
        except (HailuoError, OSError) as error:
            raise HTTPException(503, _NO_STORAGE, {"Retry-After": "5"}) from error
        if used:
            raise HTTPException(410, _USED)
        return kept

    async def _write(self, kept: Blobs, owner: str, upload_id: str, body: bytes) -> None:
        """Whole or not at all, and once: of two at the same moment, the second is refused."""
        async with self._making_room:
            if not await self._make_room(kept, owner, len(body)):
                raise _NoRoomError(
                    "The server has no room for this picture: those of the last day fill it.",
                    Step(Do.TRY, "try again later, or use the picture's https:// address"),
                )
            await kept.write_once(f"{owner}/{upload_id}", body)

    async def _make_room(self, kept: Blobs, owner: str, size: int) -> bool:
        """Delete what is old, and the caller's own oldest; never what another has sent lately.

        A purchase keeps its own copy, so what is old is of no use. Each process counts for itself:
        several on one storage may exceed the limits by the pictures that arrive at one moment.
        """
        fresh = list[Blob]()
        for blob in await kept.all():
            if time.time() - blob.modified > UPLOAD_KEPT_SECONDS:
                await kept.delete(blob.name)
            else:
                fresh.append(blob)
        limits = self._limits
        own = sorted(
            (blob for blob in fresh if blob.name.startswith(f"{owner}/")),
            key=lambda blob: blob.modified,
        )
        own_bytes = size + sum(blob.bytes for blob in own)
        all_bytes = size + sum(blob.bytes for blob in fresh)
        dropped = list[Blob]()
        while own and (len(own) >= limits.pictures or own_bytes > limits.picture_bytes):
            oldest = own.pop(0)
            dropped.append(oldest)
            own_bytes -= oldest.bytes
            all_bytes -= oldest.bytes
        if all_bytes > limits.all_picture_bytes:
            return False
        for blob in dropped:
            await kept.delete(blob.name)
        return True


_PAGE_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'unsafe-inline'; style-src "
    "'unsafe-inline'; connect-src 'self'; frame-ancestors 'none'",
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
}
_PAGE = Path(__file__).with_name("upload.html").read_text(encoding="utf-8")
