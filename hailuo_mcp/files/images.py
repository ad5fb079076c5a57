"""Opens input pictures from paths, links, data URLs and clips, made fit to be sent."""

import base64
import binascii
import hashlib
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeVar

import anyio.to_thread
from anyio.lowlevel import RunVar

from hailuo_mcp.catalog.video_models import limits
from hailuo_mcp.domain import ImageFacts
from hailuo_mcp.errors import Do, InvalidRequestError, Step
from hailuo_mcp.files.folders import Folders
from hailuo_mcp.text import LONGEST_ID, shown

READ_BYTES = 64_000_000
"""The largest picture that is read; one above the provider's limit is encoded again."""
DECODERS = 2
"""Pictures decoded at once: each may take some hundred megabytes for a moment."""
FRAMES = 'end it in "#first", "#last" or a moment such as "#2.5s"'
"""How a frame of a clip is named, as an imperative clause."""

_BASE64_PICTURE = re.compile(r"(?:/9j/|iVBORw0KGgo|UklGR)[A-Za-z0-9+/_=\s-]{100,}")
_SCHEME = re.compile(r"(?:([A-Za-z][A-Za-z0-9+.-]+)://|(sandbox|blob|attachment|cid):)")
_FRAME = re.compile(r"first|last|(?:[0-9]{1,5}(?:\.[0-9]{0,6})?|\.[0-9]{1,6}) ?s?", re.IGNORECASE)
_decoders = RunVar[anyio.CapacityLimiter]("hailuo_picture_decoders")

Frame = Callable[[str, str], Awaitable[bytes]]
"""Gives a frame of a clip as a picture, by the task's id and "first", "last" or such as "2.5s"."""
Decoded = TypeVar("Decoded")


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenedImage:
    """A picture that was opened and made fit."""

    facts: ImageFacts
    data: bytes
    url: str = ""
    """Its URL, if the provider can fetch it itself."""
    origin: str = ""
    """The frame of a clip that it is, such as "task:<id>#last"."""
    changes: tuple[str, ...] = ()
    """What was done to it: clauses that follow "it was"."""

    @property
    def wire(self) -> str:
        """What a dialect sends: the public URL, else a data URL."""
        if self.url:
            return self.url
        return f"data:{self.facts.mime};base64,{base64.b64encode(self.data).decode('ascii')}"


def most_bytes() -> int:
    """The provider's limit on a picture's size."""
    return limits().image_bytes - 1


async def open_image(
    source: str,
    *,
    folders: Folders | None,
    fetch: Callable[[str], Awaitable[bytes]],
    upload: Callable[[str], Awaitable[bytes | None]] | None = None,
    frame: Frame | None = None,
    fit: str = "",
) -> OpenedImage:
    """Return the picture that `source` names; raises InvalidRequestError.

    Without `folders` no path is read: the caller is on another computer. Without `frame` there are
    no clips. `fit` is as in fit_picture.
    """
    source = source.strip()
    kind = source[:8].lower()
    if not source:
        raise _refused("The picture's path or address is empty", "give one or leave it out")
    if kind.startswith("data:"):
        return await decode_in_thread(lambda: _inspect("The data URL", _from_data_url(source), fit))
    if kind.startswith("https://"):
        if not source.isprintable() or " " in source:
            raise _refused(
                f"{shown(source)!r} has spaces or control characters", "percent-encode them"
            )
        data = await fetch(source)
        return await decode_in_thread(lambda: _inspect(_host(source), data, fit, url=source))
    if kind.startswith("http://"):
        raise _refused(
            f"{_host(source)} has an http:// address", "give an https:// address or a local path"
        )
    if kind.startswith("task:"):
        task_id, moment = _frame_of(source)
        if frame is None:
            raise _refused(
                f"{shown(source)!r} is a frame of a clip, and no clips are kept here",
                "save the frame as a picture, and give its path",
            )
        data, origin = await frame(task_id, moment), f"task:{task_id}#{moment}"
        return await decode_in_thread(lambda: _inspect(shown(source), data, fit, origin=origin))
    if kind.startswith("upload:"):
        found = await upload(source[7:]) if upload else None
        if found is None:
            raise _refused(
                f"There is no uploaded picture {shown(source)!r}",
                "upload it again, and use its new id",
            )
        return await decode_in_thread(lambda: _inspect(shown(source), found, fit))
    return await decode_in_thread(lambda: _from_path(source, folders, fit))


async def check_picture(name: str, data: bytes) -> OpenedImage:
    """Look at the bytes themselves; raises InvalidRequestError, in which the picture has `name`."""
    return await decode_in_thread(lambda: _inspect(name, data, ""))


async def decode_in_thread(work: Callable[[], Decoded]) -> Decoded:
    """Run what decodes a picture or a clip in a thread, at most DECODERS at once."""
    try:
        limiter = _decoders.get()
    except LookupError:
        limiter = anyio.CapacityLimiter(DECODERS)
        _decoders.set(limiter)
    return await anyio.to_thread.run_sync(work, limiter=limiter)


def _frame_of(source: str) -> tuple[str, str]:
    """The task's id and the moment: "first", "last" or seconds such as "2.5s"."""
    task_id, mark, moment = source[5:].partition("#")
    task_id, moment = task_id.strip(), moment.strip().lower()
    if not task_id or len(task_id) > LONGEST_ID or not task_id.isprintable():
        raise _refused(f"{shown(source)!r} names no task", "write task:, the task's id and #last")
    if not mark or not moment:
        raise _refused(f"{shown(source)!r} does not say which frame of the clip is meant", FRAMES)
    if not _FRAME.fullmatch(moment):
        raise _refused(f"{shown(source)!r} names no frame of the clip", FRAMES)
    return task_id, moment if moment in ("first", "last") else f"{moment.rstrip(' s')}s"


def _refused(what: str, how: str) -> InvalidRequestError:
    return InvalidRequestError(f"{what}.", Step(Do.TRY, how))


def _from_path(source: str, folders: Folders | None, fit: str) -> OpenedImage:
    if _BASE64_PICTURE.match(source):
        raise _refused(
            "The picture is base64 without the start of a data URL",
            "give the path of the file, or put data:image/png;base64, before it",
        )
    if (found := _SCHEME.match(source)) and not source.lower().startswith("file:"):
        scheme = (found[1] or found[2]).lower()
        raise _refused(
            f"A {scheme}: address cannot be opened here",
            "give a path on this computer, an https:// address or a data URL",
        )
    if folders is None:
        raise _refused(
            f"{shown(source)!r} is a path, and hailuo-mcp reads no files for callers on other "
            "computers",
            "give an https:// address, a data URL or an upload:<id>",
        )
    return _inspect(repr(shown(source)), folders.read(source, limit=READ_BYTES), fit)


def _from_data_url(source: str) -> bytes:
    header, comma, payload = source.partition(",")
    # The declared type is ignored: the bytes decide.
    if not comma or not header.lower().rstrip().endswith(";base64"):
        raise _refused(
            "The data URL is not base64",
            "write it as data:image/png;base64,<the bytes in base64>",
        )
    if len(payload) > READ_BYTES * 2:
        raise _too_large("The data URL")
    if "%" in payload:
        from urllib.parse import unquote

        payload = unquote(payload)
    text = "".join(payload.split()).translate(str.maketrans("-_", "+/")).rstrip("=")
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
    except (binascii.Error, ValueError):
        raise _refused(
            "The data URL is not valid base64, perhaps because it was cut off",
            "give the path of the file instead",
        ) from None


def _host(url: str) -> str:
    from urllib.parse import urlsplit

    try:
        return f"The picture at {shown(urlsplit(url).hostname or 'that address')}"
    except ValueError:
        return "The picture at that address"


def _inspect(name: str, data: bytes, fit: str, *, url: str = "", origin: str = "") -> OpenedImage:
    from hailuo_mcp.media.pictures import fit_picture

    if len(data) > READ_BYTES:
        raise _too_large(name)
    made = fit_picture(name, data, fit=fit)
    facts = ImageFacts(
        sha256=hashlib.sha256(made.data).hexdigest(),
        mime=made.mime,
        size=len(made.data),
        width=made.width,
        height=made.height,
    )
    # A provider would fetch the picture as it was.
    url = "" if made.changes else url
    return OpenedImage(facts=facts, data=made.data, url=url, origin=origin, changes=made.changes)


def _too_large(name: str) -> InvalidRequestError:
    return _refused(f"{name} has more than {READ_BYTES // 10**6} MB", "make the picture smaller")
