"""Reads input pictures from paths, links and data URLs into checked bytes and facts."""

import base64
import binascii
import hashlib
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from io import BytesIO
from typing import TYPE_CHECKING, TypeVar

import anyio.to_thread
from anyio.lowlevel import RunVar

from hailuo_mcp.catalog.video_models import limits
from hailuo_mcp.domain import ImageFacts
from hailuo_mcp.errors import Do, InvalidRequestError, Step
from hailuo_mcp.files.folders import Folders
from hailuo_mcp.text import shown

if TYPE_CHECKING:
    from PIL.Image import Image

PIXELS = 1024**3 // 4 // 3
"""Where Pillow itself begins to suspect a decompression bomb: 89 million."""
WEBP_PIXELS = PIXELS // 4
"""Decoding a WebP takes four times the memory: 1.4 GB for 88 million (Pillow 12.3, 2026-11)."""
SCANS = 100
"""Each scan of a JPEG covers the whole picture; ten are usual, and thousands take minutes."""
DECODERS = 2
"""Pictures decoded at once: each may take some hundred megabytes for a moment."""

_TURNED = frozenset({5, 6, 7, 8})
"""EXIF orientations that swap width and height."""
_ORIENTATION = 0x0112
_OTHER_FORMATS: tuple[tuple[re.Pattern[bytes], str, str], ...] = tuple(
    (re.compile(pattern, re.DOTALL), kind, how)
    for pattern, kind, how in (
        (rb"GIF8[79]a", "a GIF", "save one frame of it as PNG"),
        (rb"....ftyp(?:avif|avis)", "an AVIF picture", "save it as JPEG or PNG"),
        (
            rb"....ftyp(?:hei[cxms]|hev[cxms]|mif1|msf1)",
            "a HEIC picture, the format of many phones",
            "export it as JPEG",
        ),
        (rb"....ftyp", "a video", "save one frame of it as PNG or JPEG"),
        (rb"BM.{4}\0{4}", "a BMP picture", "save it as PNG"),
        (rb"II\*\0|MM\0\*", "a TIFF or raw picture", "save it as JPEG or PNG"),
        (rb"\xff\x0a|\0\0\0\x0cJXL ", "a JPEG XL picture", "save it as JPEG or PNG"),
        (rb"%PDF-", "a PDF", "export the page as PNG"),
        (
            rb"\s*(?:<\?xml[^>]*>|<!--.*?-->|<!DOCTYPE svg[^>]*>|\s)*<svg",
            "an SVG drawing",
            "export it as PNG",
        ),
        (rb"$", "an empty file", "give another picture"),
    )
)
_SCAN = re.compile(rb"\xff\xda\0[\x06-\x0e]")
"""The marker and its header's length: a video after the picture may contain the marker alone."""
_BASE64_PICTURE = re.compile(r"(?:/9j/|iVBORw0KGgo|UklGR)[A-Za-z0-9+/_=\s-]{100,}")
_SCHEME = re.compile(r"(?:([A-Za-z][A-Za-z0-9+.-]+)://|(sandbox|blob|attachment|cid|task):)")
Decoded = TypeVar("Decoded")
_decoders = RunVar[anyio.CapacityLimiter]("hailuo_picture_decoders")


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenedImage:
    """A picture that was opened and checked."""

    facts: ImageFacts
    data: bytes
    url: str = ""
    """Its URL, if the provider can fetch it itself."""

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
) -> OpenedImage:
    """Return the picture that `source` names; raises InvalidRequestError.

    Without `folders` no path is read: the caller is on another computer.
    """
    source = source.strip()
    kind = source[:8].lower()
    if not source:
        raise _refused("The picture's path or address is empty", "give one or leave it out")
    if kind.startswith("data:"):
        return await decode_in_thread(lambda: _inspect("The data URL", _from_data_url(source)))
    if kind.startswith("https://"):
        if not source.isprintable() or " " in source:
            raise _refused(
                f"{shown(source)!r} has spaces or control characters", "percent-encode them"
            )
        data = await fetch(source)
        return await check_picture(_host(source), data, url=source)
    if kind.startswith("http://"):
        raise _refused(
            f"{_host(source)} has an http:// address", "give an https:// address or a local path"
        )
    if kind.startswith("upload:"):
        found = await upload(source[7:]) if upload else None
        if found is None:
            raise _refused(
                f"There is no uploaded picture {shown(source)!r}",
                "upload it again, and use its new id",
            )
        return await check_picture(shown(source), found)
    return await decode_in_thread(lambda: _from_path(source, folders))


async def check_picture(name: str, data: bytes, *, url: str = "") -> OpenedImage:
    """Look at the bytes themselves; raises InvalidRequestError, in which the picture has `name`."""
    return await decode_in_thread(lambda: _inspect(name, data, url=url))


def _refused(what: str, how: str) -> InvalidRequestError:
    return InvalidRequestError(f"{what}.", Step(Do.TRY, how))


async def decode_in_thread(work: Callable[[], Decoded]) -> Decoded:
    """Run what decodes a picture or a clip in a thread: only so many at once."""
    try:
        limiter = _decoders.get()
    except LookupError:
        limiter = anyio.CapacityLimiter(DECODERS)
        _decoders.set(limiter)
    return await anyio.to_thread.run_sync(work, limiter=limiter)


def _from_path(source: str, folders: Folders | None) -> OpenedImage:
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
    return _inspect(repr(shown(source)), folders.read(source, limit=most_bytes()))


def _from_data_url(source: str) -> bytes:
    header, comma, payload = source.partition(",")
    # The declared type is ignored: the bytes decide.
    if not comma or not header.lower().rstrip().endswith(";base64"):
        raise _refused(
            "The data URL is not base64",
            "write it as data:image/png;base64,<the bytes in base64>",
        )
    if len(payload) > most_bytes() * 2:
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


def _inspect(name: str, data: bytes, *, url: str = "") -> OpenedImage:
    if len(data) > most_bytes():
        raise _too_large(name)
    mime = _mime(data)
    if not mime:
        raise _not_a_picture(name, data[:2048])
    width, height = _measure(name, data, most=WEBP_PIXELS if mime == "image/webp" else PIXELS)
    facts = ImageFacts(
        sha256=hashlib.sha256(data).hexdigest(),
        mime=mime,
        size=len(data),
        width=width,
        height=height,
    )
    return OpenedImage(facts=facts, data=data, url=url)


def _too_large(name: str) -> InvalidRequestError:
    least = (most_bytes() + 1) // 10**6
    return _refused(f"{name} has {least} MB or more", "make the picture smaller")


def _mime(data: bytes) -> str:
    if data.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        return "image/png"
    return "image/webp" if data.startswith(b"RIFF") and data[8:12] == b"WEBP" else ""


def _not_a_picture(name: str, head: bytes) -> InvalidRequestError:
    what = f"{name} is not a JPEG, PNG or WebP picture"
    for pattern, kind, how in _OTHER_FORMATS:
        if pattern.match(head):
            return _refused(f"{what} but {kind}", how)
    return _refused(what, "give a photo or drawing saved as one of these")


def _measure(name: str, data: bytes, *, most: int) -> tuple[int, int]:
    """Return the displayed width and height, after decoding the whole picture once."""
    import struct
    import zlib

    from PIL import Image

    bombs = (Image.DecompressionBombWarning, Image.DecompressionBombError)
    flaws = (OSError, SyntaxError, ValueError, EOFError, LookupError, TypeError, OverflowError)
    try:
        with _opened(data) as picture:
            width, height = picture.size
            if width * height > most:
                raise Image.DecompressionBombError
            if picture.format == "JPEG" and len(_SCAN.findall(data)) > SCANS:
                raise _refused(
                    f"{name} is a JPEG of more than {SCANS} scans", "save it again or give another"
                )
            if getattr(picture, "is_animated", False) and picture.format in {"PNG", "WEBP"}:
                raise _refused(f"{name} is an animation", "save one frame of it as PNG or JPEG")
            picture.verify()
        with _opened(data) as picture:
            turned = picture.getexif().get(_ORIENTATION) in _TURNED
            # At an eighth of its size, a JPEG is still read to its end, with less memory.
            picture.draft("RGB", (width // 8, height // 8))
            picture.load()
    except bombs:
        raise _refused(
            f"{name} has more than {most // 10**6} million pixels", "make the picture smaller"
        ) from None
    except (*flaws, MemoryError, struct.error, zlib.error):
        raise _refused(
            f"{name} is damaged or truncated and cannot be opened as a picture",
            "save it again or give another",
        ) from None
    return (height, width) if turned else (width, height)


def _opened(data: bytes) -> "Image":
    from PIL import Image

    # Only these decoders: the many others of Pillow are not reachable from here.
    return Image.open(BytesIO(data), formats=["JPEG", "PNG", "WEBP"])
